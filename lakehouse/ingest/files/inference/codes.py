"""What the file's codes stand for, of a closed domain of ours."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

import dataframely as dy

from lakehouse.contracts.columns import folded, spellings
from lakehouse.ingest.files.inference.looks import Look
from lakehouse.ingest.files.inference.names import held, plain, readings
from lakehouse.ingest.files.values import FALSE, TRUE

MOST = 60
"""Codes of a closed domain are few."""


def translated(look: Look, ours: str, column: dy.Enum) -> tuple[dict[str, str], list[str]]:
    """The file's code → ours, and those that nothing is known of. A code of ours that stands
    for itself is not among them."""
    known = spellings(column)
    given = look.distinct.to_list()
    foreign = [v for v in given if folded(v) not in known]
    categories = tuple(column.categories)
    named = {v: code for v in foreign if (code := _named(v, ours, categories))}
    rest = [v for v in foreign if v not in named]
    short = _initials(rest, [c for c in categories if c not in named.values()])
    found = named | short
    return found, sorted(v for v in rest if v not in found)


def flags(look: Look) -> dict[str, str]:
    """The words for yes and no that are none of the reader's → those that are."""
    listed: dict[str, list[str]] = held("columns")["codes"]["flag"]
    meant = {word: code for code, words in listed.items() for word in words}
    given = [v for v in look.distinct if v.casefold() not in (*TRUE, *FALSE)]
    return {v: meant[plain(v)] for v in given if plain(v) in meant}


@lru_cache(1 << 16)
def _named(value: str, ours: str, categories: tuple[str, ...]) -> str:
    """By words that codes.<column> of columns.toml lists, in any language."""
    listed: dict[str, list[str]] = held("columns")["codes"].get(ours, {})
    words = {w for r in _meant(value) for w in r}
    hits = [
        code
        for code in categories
        if any(set(plain(phrase).split()) <= words for phrase in listed.get(code, ()))
    ]
    return hits[0] if len(hits) == 1 else ""


def _meant(value: str) -> list[frozenset[str]]:
    common: dict[str, list[str]] = held("columns")["codes"]["transaction_words"]
    said = plain(value)
    bare = frozenset(re.findall(r"\w+", said))
    more = {c for c, words in common.items() if any(plain(w) in said for w in words)}
    return [*readings(value), bare, frozenset(more)]


def _initials(values: list[str], categories: list[str]) -> dict[str, str]:
    """GP for GAME_PLAY and N for North, where no other code can be meant."""
    if not values or max(map(len, values)) > 3:
        return {}
    options = {v: [c for c in categories if _abbreviates(v, c)] for v in values}
    sole = {v: c[0] for v, c in options.items() if len(c) == 1}
    twice = {c for c, n in Counter(sole.values()).items() if n > 1}
    return {v: c for v, c in sole.items() if c not in twice}


def _abbreviates(value: str, code: str) -> bool:
    parts = [p for p in re.split(r"[\W_]+", code.casefold()) if p]
    short = value.casefold()
    return short == "".join(p[0] for p in parts) or (
        len(parts) == 1 and code.casefold().startswith(short)
    )
