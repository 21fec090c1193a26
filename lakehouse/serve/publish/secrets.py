"""What a message of a database must not tell: its drivers repeat what they could not read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote, urlsplit

_SHORTEST = 3
"""Letters of a piece that is looked for: to hide fewer would hide the message."""


def told(error: Exception, secrets: Iterable[str]) -> str:
    """What an error says, on one line and without `secrets`."""
    said = " ".join(str(error).split())
    for secret in sorted({s for s in secrets if len(s) >= _SHORTEST}, key=len, reverse=True):
        said = said.replace(secret, "…")
    return said


def secrets_of(uri: str) -> set[str]:
    """An address and its passwords, each with the pieces that a reader cuts it into who takes an
    @, / or : of it for the end."""
    body = uri.partition("://")[2]
    passwords = [body.rpartition("@")[0].partition(":")[2]]
    query = parse_qsl(urlsplit(uri.replace("[", "")).query, keep_blank_values=True)
    passwords += [value for name, value in query if re.search("pass|key|secret", name)]
    pieces = {piece for p in passwords for piece in (p, *re.split(r"[@/:?#\s]", p))}
    return {uri, *pieces, *map(unquote, pieces)}
