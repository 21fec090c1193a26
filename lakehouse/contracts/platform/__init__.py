"""Tables of the game platform."""
