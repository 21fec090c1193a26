"""Tables of the online casino."""
