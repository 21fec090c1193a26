"""The truth about what was planted."""
