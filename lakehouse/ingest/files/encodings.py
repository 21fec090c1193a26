"""Which encoding a text has that is no UTF-8, where that is sure."""

from __future__ import annotations

import re

SAMPLE = 2**18
"""Bytes of lines that are looked at."""
_ENOUGH = 12
"""Different words; a few Chinese ones are as well Korean."""
_BETWEEN = re.compile(rb'[\s,;"]+')
_SEVERAL_BYTES = ("gb18030", "big5", "cp932", "cp949")
_PAGES = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258")


def detected(sample: bytes) -> str | None:
    """The encoding of these lines; None where two that are likely read them differently, as
    cp1250 and cp1252 do: letters would be wrong and nobody would be told."""
    likely = likely_encodings(sample)
    readings = {sample.decode(e, errors="replace") for e in likely}
    return likely[0] if len(readings) == 1 else None


def likely_encodings(sample: bytes) -> list[str]:
    """Encodings in which these lines look like text, most common first. One of several bytes a
    letter rules out those of one: by chance hardly a text is valid in it."""
    from charset_normalizer import from_bytes

    words = dict.fromkeys(w for w in _BETWEEN.split(sample) if not w.isascii())
    found = from_bytes(b"\n".join(words))
    best = found.best()
    if best is not None and best.encoding in _SEVERAL_BYTES:
        named = [m.encoding for m in found if m.encoding in _SEVERAL_BYTES]
        return named if len(words) >= _ENOUGH else list(_SEVERAL_BYTES)
    alike = {name for match in found for name in match.could_be_from_charset}
    return [page for page in _PAGES if page in alike]
