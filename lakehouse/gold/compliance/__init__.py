"""Marts of the law: what must be filed, what was, and what is suspicious."""
