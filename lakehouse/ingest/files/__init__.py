"""The landing zone: foreign files become bronze rows, each exactly once and none lost."""
