"""The marts of the game platform."""
