"""``python -m bonequant`` is the command line."""

from bonequant.cli import main

main()
