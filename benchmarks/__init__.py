"""Measured comparisons: `python -m benchmarks` runs all, `python -m benchmarks NAME [ARGUMENT ...]` one.

A benchmark is a module here with ``main(argv) -> int`` that prints a table, all of it measured in that one run.
"""
