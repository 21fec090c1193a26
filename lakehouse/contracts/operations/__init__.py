"""Tables of the lake's own running."""
