"""The marts of the online casino."""
