"""Whether the house runs: signals with levels, what to do, and whom to tell of changes."""
