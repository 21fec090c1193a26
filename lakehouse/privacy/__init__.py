"""Tokens, masks and bands for personal data, and the key they hang on."""

from lakehouse.privacy.keys import (
    TokenKey,
    create_key,
    ensure_key,
    ensure_key_file,
    key_path,
    load_key,
    rotate_key,
)
from lakehouse.privacy.protection import needs_key, protect, protect_rejects, protected_schema

__all__ = [
    "TokenKey",
    "create_key",
    "ensure_key",
    "ensure_key_file",
    "key_path",
    "load_key",
    "needs_key",
    "protect",
    "protect_rejects",
    "protected_schema",
    "rotate_key",
]
