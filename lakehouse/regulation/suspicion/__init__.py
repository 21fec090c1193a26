"""Patterns that an officer should judge. A hit opens a review case; nothing is ever filed."""
