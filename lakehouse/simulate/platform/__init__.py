"""The simulator of the game platform."""
