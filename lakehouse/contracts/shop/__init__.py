"""Tables of the web shop."""
