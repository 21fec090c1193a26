"""The law as dated data, and pure functions on frames that apply it."""
