"""The command line: ``bonequant --help``."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; bad input ends in one clear line and exit code 2, Ctrl-C in one and 130."""
    try:
        _run()
    except KeyboardInterrupt:
        _stopped()
    except SystemExit as stop:
        # Typer turns Ctrl-C into a silent exit; a command that has said so itself (a cohort) exits without a cause.
        if isinstance(getattr(stop.__context__, "__cause__", None), KeyboardInterrupt):
            _stopped()
        raise


def _stopped() -> None:
    """Results are renamed into place as the last step: an interrupted command leaves none."""
    print("bonequant: stopped, nothing was written.", file=sys.stderr)
    sys.exit(130)


def _run() -> None:
    from bonequant.cli.app import app
    from bonequant.errors import BoneQuantError, MissingFactError

    try:
        app()
    except BoneQuantError as error:
        way = (
            f" On the command line: --fact {error.fact}=VALUE."
            if isinstance(error, MissingFactError) and error.fact
            else ""
        )
        print(f"bonequant: {' '.join(str(error).split())}{way}", file=sys.stderr)
        sys.exit(2)
