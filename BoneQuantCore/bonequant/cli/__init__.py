"""The command line: ``bonequant --help``."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; bad input ends in one clear line and exit code 2."""
    from bonequant.cli.app import app
    from bonequant.errors import BoneQuantError

    try:
        app()
    except BoneQuantError as error:
        print(f"bonequant: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
