"""The command line: ``bonequant --help``."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; bad input ends in one clear line and exit code 2."""
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
