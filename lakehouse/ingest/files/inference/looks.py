"""What the values of a column look like, whatever it is called."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Concatenate, ParamSpec, TypeVar

import polars as pl

NOTHING = (
    "NULL",
    "null",
    "Null",
    "N/A",
    "n/a",
    "NA",
    "NaN",
    "nan",
    "None",
    "none",
    "\\N",
    "(null)",
)
BLANK = (*NOTHING, "-", "--", "—")
"""What stands for nothing beside values that are something."""
CLOCK = r"^\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?$"
_FRACTION = r"^[+-]?[\d.,]*[.,]\d+$"
_EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
_NETWORK = r"^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:]+:[0-9a-fA-F:.]*)$"
_UNIQUE = 0.99
P = ParamSpec("P")
T = TypeVar("T")
_SENTENCE = 40


def found_once(
    find: Callable[Concatenate[Look, P], T],
) -> Callable[Concatenate[Look, P], T]:
    """What is found out about a column, found out once for the same question."""

    def once(look: Look, /, *args: P.args, **more: P.kwargs) -> T:
        asked = (find, args, tuple(more.items()))
        if asked not in look.found:
            look.found[asked] = find(look, *args, **more)
        found: T = look.found[asked]
        return found

    return once


@dataclass(frozen=True, eq=False)
class Look:
    """`texts`: the column, without outer blanks and without what stands for nothing."""

    name: str
    texts: pl.Series
    nulls: tuple[str, ...] = ()

    @cached_property
    def found(self) -> dict[Hashable, Any]:
        """What was found out about it: it is asked for each column of each table that it may be."""
        return {}

    @cached_property
    def values(self) -> pl.Series:
        return self.texts.drop_nulls()

    @cached_property
    def distinct(self) -> pl.Series:
        return self.values.unique(maintain_order=True)

    @property
    def is_empty(self) -> bool:
        return self.values.is_empty()

    @property
    def is_unique(self) -> bool:
        """Whether hardly a value is missing or comes twice, as copies of rows do."""
        return not self.is_empty and len(self.distinct) >= _UNIQUE * len(self.texts)

    def share(self, pattern: str) -> float:
        """How much of the values a pattern matches."""
        if pattern not in self.found:
            matches = self.values.str.contains(pattern).mean() or 0.0
            self.found[pattern] = 0.0 if self.is_empty else matches
        return float(self.found[pattern])

    @cached_property
    def is_flag(self) -> bool:
        """Words for yes and no, of whatever language."""
        return (
            self.share(r"(?i)^(true|false|yes|no|y|n|ja|nein|oui|non|s[iíì]|sim|n[aã]o|да|нет)$")
            == 1
        )

    @property
    def is_unique_whole(self) -> bool:
        """Numbers of things, and no amounts of any."""
        return self.is_unique and self.share(r"^\d{4,}$") == 1

    @cached_property
    def is_clock(self) -> bool:
        return self.share(CLOCK) == 1

    @cached_property
    def is_fractional(self) -> bool:
        return self.share(_FRACTION) > 0.5 and not self.is_network

    @cached_property
    def is_network(self) -> bool:
        """Network addresses."""
        return self.share(_NETWORK) > 0.9

    @cached_property
    def is_email(self) -> bool:
        return self.share(_EMAIL) > 0.9

    @cached_property
    def is_prose(self) -> bool:
        return not self.is_empty and float(self.values.str.len_chars().mean() or 0) > _SENTENCE  # type: ignore[arg-type]

    @cached_property
    def digits(self) -> float:
        """How much of the values has a digit at all."""
        return self.share(r"\d")

    @cached_property
    def is_words(self) -> bool:
        """Texts with hardly a digit."""
        return self.share(r"\d") < 0.1

    @cached_property
    def has_comma(self) -> bool | None:
        """Whether 1,5 is one and a half here; null where the values do not tell."""
        bare = self.values.str.replace_all(r"[^\d.,]", "")
        if self.share(r"^\D{0,5}[\d.,]*\d\D{0,5}$") < 0.95:
            return None
        comma = bare.str.contains(r"^\d{1,3}(\.\d{3})*,\d+$|^\d+,\d+$|\.\d{3}\.|\.\d{3},")
        comma &= ~bare.str.contains(r"^[1-9]\d{0,2}(,\d{3})+$")
        dot = bare.str.contains(r"^\d{1,3}(,\d{3})*\.\d+$|^\d+\.\d+$|,\d{3},|,\d{3}\.")
        dot &= ~bare.str.contains(r"^[1-9]\d{0,2}(\.\d{3})+$")
        return bool(comma.any()) if comma.any() != dot.any() else None


def looks(frame: pl.DataFrame, columns: list[str], nulls: tuple[str, ...]) -> list[Look]:
    return [_look(frame[n], nulls) for n in columns]


def _look(column: pl.Series, nulls: tuple[str, ...]) -> Look:
    text = _without(column.cast(pl.String).str.strip_chars(), ("", *nulls))
    said = tuple(n for n in BLANK if (text == n).any() and (text != n).any())
    return Look(column.name, _without(text, said), said)


def _without(text: pl.Series, nothing: tuple[str, ...]) -> pl.Series:
    kept = pl.when(~pl.first().is_in(nothing)).then(pl.first())
    return text.to_frame().select(kept.alias(text.name)).to_series()


def spoken(name: str) -> str:
    """A column in an expression."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)
    return name if plain and not keyword.iskeyword(name) else f"col({name!r})"
