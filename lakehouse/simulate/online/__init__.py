"""The simulator of the online casino."""
