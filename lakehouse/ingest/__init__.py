"""The ways for a row to get in."""
