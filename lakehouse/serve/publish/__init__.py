"""Tables of the lake, taken to the databases in which others work."""
