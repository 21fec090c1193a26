"""The simulator of the web shop."""
