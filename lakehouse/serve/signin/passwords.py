"""Passwords: which are taken, and how they are kept.

NIST SP 800-63B-4, 3.1.1.2: long, of any composition, in NFKC, never one that many have. What many
have is told without a list of leaks: it is made of words, names, rows of keys, years and repeats.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from lakehouse.errors import BadInput

SHORTEST, LONGEST = 12, 256
"""Characters."""
FREE = 4
"""A password is refused when fewer of its characters than this are no part of what is common."""
_KINDS = 5
"""Fewer different characters than this are too few."""
_ROWS = (
    *("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    *("qwertzuiop", "azertyuiop", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujm"),
    *("1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "147258369", "!@#$%^&*()"),
)
_YEAR = re.compile(r"(19|20)\d\d")
_SAME = re.compile(r"(.)\1{2,}")
_LOOKS = str.maketrans("013457@$!", "oieastasi")
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
"""The second choice of RFC 9106: 64 MiB."""
_NOBODYS = (
    "$argon2id$v=19$m=65536,t=3,p=4$RtuCeHTKTdecVid9hQllGQ"
    "$Fq2YUFzc96QfsQ9DGJ8Qc4QY18Vh8s94p5wTdBLptOs"
)
"""Of a secret that nobody has kept: what a password is held to where there is no user."""


def accept(password: str, *words: str) -> None:
    """Raises BadInput, without saying the password, for one that is too short or that many have.
    `words`: names of its owner, which it must not be made of."""
    text = _normal(password)
    if not SHORTEST <= len(text) <= LONGEST:
        raise BadInput(
            f"the password has {len(text)} characters; {SHORTEST} to {LONGEST} are allowed"
        )
    if is_common(text, *words):
        raise BadInput(
            "the password is made of what many passwords are made of: common words, names, rows "
            "of keys, years, repeats; take four unusual words, or what a password manager makes"
        )


def is_common(password: str, *words: str) -> bool:
    """Whether fewer than four of its characters are no part of something common."""
    text = password.casefold()
    if len(set(text)) < _KINDS or text.isdigit() or _is_repeat(text):
        return True
    return _left(text, _words() | {w.casefold() for w in words if len(w) > 2}) < FREE


def hashed(password: str) -> str:
    """The Argon2id hash of a password, with its salt and parameters."""
    return _HASHER.hash(_normal(password))


def matches(password: str, kept: str | None) -> bool:
    """Whether a password is the one that was kept. Where none was, it takes as long."""
    text = _normal(password)
    if len(text) > LONGEST:
        text, kept = "", None
    try:
        return _HASHER.verify(kept or _NOBODYS, text) and kept is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


@functools.cache
def _words() -> frozenset[str]:
    text = files(__package__).joinpath("common_words.txt").read_text(encoding="utf-8")
    return frozenset(w for w in text.split() if len(w) > 2)


@functools.cache
def _rows() -> frozenset[str]:
    """Every run of three keys and more along a row, either way."""
    found = set()
    for row in itertools.chain(_ROWS, (r[::-1] for r in _ROWS)):
        for begin, end in itertools.combinations(range(len(row) + 1), 2):
            if end - begin >= 3:
                found.add(row[begin:end])
    return frozenset(found)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _is_repeat(text: str) -> bool:
    """abcxyzabcxyz: the same again, and perhaps a part of it."""
    return any(text == (text[:n] * len(text))[: len(text)] for n in range(1, len(text) // 2 + 1))


def _left(text: str, known: frozenset[str]) -> int:
    """How many characters, at the least, no common piece covers."""
    meant, longest = text.translate(_LOOKS), max(len(piece) for piece in known | _rows())
    least = [0]
    for end in range(1, len(text) + 1):
        begins = range(max(0, end - longest), end - 2)
        common = [b for b in begins if meant[b:end] in known or _is_easy(text[b:end])]
        least.append(min(least[-1] + 1, *(least[b] for b in common), len(text)))
    return least[-1]


def _is_easy(piece: str) -> bool:
    return piece in _rows() or bool(_YEAR.fullmatch(piece) or _SAME.fullmatch(piece))
