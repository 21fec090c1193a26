"""The compliance office: what it owes, and what it files."""
