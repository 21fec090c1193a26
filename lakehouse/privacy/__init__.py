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
from lakehouse.privacy.protection import needs_key, protect, token_references
from lakehouse.privacy.tokens import tokens

__all__ = [
    "TokenKey",
    "create_key",
    "ensure_key",
    "ensure_key_file",
    "key_path",
    "load_key",
    "needs_key",
    "protect",
    "rotate_key",
    "token_references",
    "tokens",
]
