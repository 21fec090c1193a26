"""The marts of the web shop."""
