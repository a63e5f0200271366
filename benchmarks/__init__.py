"""Measured comparisons: `python -m benchmarks NAME` prints a table, all of it measured in that one run."""
