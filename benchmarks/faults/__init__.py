"""kill -9 at any time: `make faults`, or `python -m benchmarks.faults [--seed N] [--kills N]`."""
