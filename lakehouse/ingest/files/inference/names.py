"""What a header says, in any of the languages of words.toml, and how like a column that is."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from importlib import resources
from itertools import islice, product
from typing import Any

_READINGS = 32
_UNKNOWN, _GENERAL = 0.4, 0.5
_LINKS = ("", "s", "es", "n", "en", "er", "e")
_SHORT = {"id", "no", "nr", "ts", "in", "to", "at", "dt"}

Words = frozenset[str]


@cache
def held(name: str) -> dict[str, Any]:
    text = resources.files(__package__).joinpath(f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def _ignored() -> frozenset[str]:
    return frozenset(map(plain, held("columns")["ignored"]["words"].split()))


@cache
def _general() -> frozenset[str]:
    return frozenset(held("columns")["ignored"]["general"].split())


@cache
def _dictionary() -> dict[str, dict[str, list[str]]]:
    """A file's word → what it stands for → the languages in which it does."""
    found: dict[str, dict[str, list[str]]] = {}
    for language, concepts in held("words").items():
        for concept, words in concepts.items():
            for word in (*concept.split(), *words.split()):
                meant = concept if word in words.split() else word
                said = found.setdefault(plain(word), {})
                said.setdefault(meant, []).append(language)
    return found


@lru_cache(1 << 16)
def plain(text: str) -> str:
    """Without case and accents."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(ch for ch in folded if not unicodedata.combining(ch))


def tokens(name: str) -> list[str]:
    """The words of a name, apart where case or a sign parts them, and compounds cut."""
    spaced = re.sub(r"(?<=[a-z0-9à-ÿ])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words = [w for w in re.split(r"[\W_]+", plain(spaced)) if w]
    return [part for w in words if w not in _ignored() for part in _cut(w)]


@cache
def _cut(word: str) -> tuple[str, ...]:
    if word in _dictionary():
        return (word,)
    whole = _parts(word)
    if whole:
        return whole
    ends = (i for i in range(1, len(word)) if _stands(word[i:]) and _is_long(word[i:]))
    at = next(ends, 0)
    return (word[:at], word[at:]) if at else (word,)


def _parts(word: str) -> tuple[str, ...]:
    """The fewest words of the dictionary that make it up, longer ones first."""
    if not word:
        return ()
    for size in range(len(word), 0, -1):
        head, rest = word[:size], word[size:]
        if not _stands(head):
            continue
        if not rest:
            return (head,)
        for link in _LINKS:
            tail = _parts(rest[len(link) :]) if rest.startswith(link) and rest != link else ()
            if tail:
                return (head, *tail)
    return ()


def _is_long(word: str) -> bool:
    return len(word) > 2 or ord(word[0]) >= 0x2E80


def _stands(word: str) -> bool:
    is_sign = bool(word) and ord(word[0]) >= 0x2E80
    return (is_sign or len(word) > 2 or word in _SHORT) and word in _dictionary()


@cache
def readings(name: str) -> tuple[Words, ...]:
    """What the words of a name may stand for; those that nobody knows stand for themselves."""
    choices = [[*_dictionary().get(t, {t: []})] for t in tokens(name)]
    made = (frozenset(w for said in chosen for w in said.split()) for chosen in product(*choices))
    return tuple(dict.fromkeys(islice(made, _READINGS)))


@cache
def likeness(name: str, phrase: str) -> float:
    """0 to 1: how much of what the two say is the same; general words count half."""
    meant = _meant(phrase)
    return max((_shared(a, meant) for a in readings(name)), default=0.0)


@cache
def _meant(phrase: str) -> Words:
    """What a phrase of ours means: its words are concepts, or stand for the first they may."""
    known = {
        t: [t] if t in _concepts() else [*_dictionary().get(t, {t: []})] for t in tokens(phrase)
    }
    return frozenset(w for meant in known.values() for w in meant[0].split())


def is_general(name: str) -> bool:
    """Whether a name alone says nothing of what it is of, such as `id`."""
    return all(words <= _general() for words in readings(name))


def is_price(name: str) -> bool:
    return max(likeness(name, "price"), likeness(name, "unit price")) >= 0.6


def _shared(theirs: Words, ours: Words) -> float:
    both, either = theirs & ours, theirs | ours
    total = sum(_weight(w) for w in either)
    return sum(_weight(w) for w in both) / total if total else 0.0


@cache
def _concepts() -> frozenset[str]:
    return frozenset(w for said in _dictionary().values() for c in said for w in c.split())


def _weight(word: str) -> float:
    if word in _general():
        return _GENERAL
    return 1.0 if word in _concepts() else _UNKNOWN


@cache
def phrases(table: str, column: str) -> tuple[str, ...]:
    """What files may call a column of a table, beside its own name."""
    given = held("columns")
    own = given["tables"].get(table, {}).get(column)
    return tuple(own or given["columns"].get(column, ()))


def language(names: list[str]) -> str:
    """The language of most words of the names; English where nothing tells."""
    votes: Counter[str] = Counter()
    for name in names:
        for token in tokens(name):
            said = {n for found in _dictionary().get(token, {}).values() for n in found}
            votes.update({n: 1 / len(said) for n in said if n != "other"})
    return max(votes, key=lambda n: (votes[n], n == "en"), default="en")
