"""The kinds of column that contracts are made of: one name, unit and type everywhere."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, TypedDict, Unpack

import dataframely as dy
import polars as pl

from lakehouse.errors import ContractError

Pii = Literal["direct", "quasi"]
Protect = Literal["token", "mask", "year_band", "zip3"]

GAME_TYPES = ("SLOT", "KENO", "BINGO", "POKER_TOURNAMENT", "TABLE", "TABLE_SIDE_BET", "OTHER")
"""Kinds of game that forms for winnings tell apart."""
STRENGTHS = ("blatant", "middling", "faint")
"""Thirds of the scale of intensity on which misconduct is planted, from the top."""

DEVICES = ("mobile", "desktop", "tablet")
"""Kinds of device that people are online with."""
TIERS = ("Bronze", "Silver", "Gold", "Platinum", "Diamond")
"""Tiers of loyalty, lowest first."""


class About(TypedDict, total=False):
    """What any column may say of itself.

    `refs`: "table.column" the value must exist in. `token_field`: columns that share it share
    tokens, so that equal identities stay joinable after protection. `names`: what files may
    call the column; the lake stores it once. `youngest`: of a day of birth, the years that
    anybody in the table has lived. `later`: empty until days to come are known."""

    refs: str
    pii: Pii
    protect: Protect
    token_field: str
    names: tuple[str, ...]
    youngest: int
    later: bool


def text(
    description: str,
    *,
    nullable: bool = False,
    key: bool = False,
    regex: str | None = None,
    upper: bool = False,
    **about: Unpack[About],
) -> dy.String:
    """`upper`: silver has it in upper case, however it was written."""
    return dy.String(
        nullable=nullable,
        primary_key=key,
        regex=regex,
        min_length=None if nullable else 1,
        description=description,
        metadata={**about, "upper": True} if upper else {**about},
    )


def code(
    values: Sequence[str],
    description: str,
    *,
    nullable: bool = False,
    key: bool = False,
    also: Mapping[str, str] = MappingProxyType({}),
    **about: Unpack[About],
) -> dy.Enum:
    """A closed domain. `also`: other spelling → the code that it stands for, beside each code's
    own spelling in any case. Raises ContractError for a spelling that is a code or for none."""
    own = {folded(v) for v in values}
    wrong = [s for s, meant in also.items() if meant not in values or folded(s) in own]
    if wrong or len({folded(s) for s in also}) < len(also):
        raise ContractError(
            f"spellings {', '.join(wrong or also)}: each needs a code of its own, of "
            f"{', '.join(values)}, and may not be one"
        )
    metadata = {**about, "also": dict(also)} if also else {**about}
    return dy.Enum(
        values, nullable=nullable, primary_key=key, description=description, metadata=metadata
    )


def spellings(column: dy.Column) -> dict[str, str]:
    """Folded spelling → code of a closed domain."""
    if not isinstance(column, dy.Enum):
        return {}
    also: dict[str, str] = (column.metadata or {}).get("also", {})
    own = {folded(v): v for v in column.categories}
    return {folded(s): meant for s, meant in also.items()} | own


def coded(text: pl.Series, column: dy.Column) -> pl.Series:
    """The code that each text stands for; null where it stands for none."""
    known = spellings(column)
    codes = {s: known.get(folded(s)) for s in text.drop_nulls().unique()}
    return text.replace_strict(list(codes), list(codes.values()), return_dtype=pl.String)


@lru_cache(1 << 16)
def folded(code: str) -> str:
    """Case, blanks, hyphens and underscores tell no codes apart."""
    plain = unicodedata.normalize("NFKC", code).casefold()
    return "".join(ch for ch in plain if not ch.isspace() and ch not in "-_")


def money(
    description: str,
    *,
    nullable: bool = False,
    minimum: int | None = 0,
    unit: str = "USD",
    **about: Unpack[About],
) -> dy.Decimal:
    return dy.Decimal(
        18,
        2,
        nullable=nullable,
        min=minimum,
        description=description,
        metadata={"unit": unit, **about},
    )


def rate(
    description: str,
    *,
    nullable: bool = False,
    minimum: int | None = None,
    maximum: Decimal | int | None = None,
    **about: Unpack[About],
) -> dy.Decimal:
    """A fraction with four decimals: 0.0985 is 9.85%."""
    return dy.Decimal(
        9,
        4,
        nullable=nullable,
        min=minimum,
        max=maximum,
        description=description,
        metadata={"unit": "fraction", **about},
    )


def hours(description: str, *, nullable: bool = False, **about: Unpack[About]) -> dy.Decimal:
    metadata = {"unit": "hours", **about}
    return dy.Decimal(9, 2, nullable=nullable, min=0, description=description, metadata=metadata)


def count(
    description: str,
    *,
    nullable: bool = False,
    key: bool = False,
    minimum: int | None = 0,
    unit: str | None = None,
    **about: Unpack[About],
) -> dy.Int64:
    metadata = {"unit": unit, **about} if unit else {**about}
    return dy.Int64(
        nullable=nullable,
        primary_key=key,
        min=minimum,
        description=description,
        metadata=metadata,
    )


def number(
    description: str, *, nullable: bool = False, unit: str | None = None, **about: Unpack[About]
) -> dy.Float64:
    metadata = {"unit": unit, **about} if unit else {**about}
    return dy.Float64(nullable=nullable, description=description, metadata=metadata)


def utc(
    description: str, *, nullable: bool = False, key: bool = False, **about: Unpack[About]
) -> dy.Datetime:
    return dy.Datetime(
        nullable=nullable,
        primary_key=key,
        time_zone="UTC",
        time_unit="us",
        description=description,
        metadata={"unit": "UTC", **about},
    )


def day(
    description: str, *, nullable: bool = False, key: bool = False, **about: Unpack[About]
) -> dy.Date:
    return dy.Date(nullable=nullable, primary_key=key, description=description, metadata={**about})


def flag(description: str, *, nullable: bool = False, **about: Unpack[About]) -> dy.Bool:
    return dy.Bool(nullable=nullable, description=description, metadata={**about})


def ids(description: str) -> dy.List:
    return dy.List(dy.String(), nullable=False, description=description, metadata={})


def structs(fields: dict[str, dy.Column], description: str) -> dy.List:
    return dy.List(dy.Struct(fields), nullable=False, description=description, metadata={})


def player(description: str = "Patron, where known.", *, nullable: bool = True) -> dy.String:
    return text(description, nullable=nullable, refs="player_profile.player_id")


def account(description: str = "Online account.", *, nullable: bool = False) -> dy.String:
    """Whose account: a token from silver on, the same in every table."""
    return text(
        description,
        nullable=nullable,
        refs="online_accounts.account_id",
        pii="direct",
        protect="token",
        token_field="account",
    )


def ip_address(*, nullable: bool = True) -> dy.String:
    """A token from silver on, the same in every table."""
    return text(
        "Network address.", nullable=nullable, pii="direct", protect="token", token_field="ip"
    )


def gaming_day(*, key: bool = False) -> dy.Date:
    return day(
        "Gaming day of the property: 06:00 to 06:00 property time (31 CFR 1021.100).", key=key
    )


def ingested_at() -> dy.Datetime:
    return utc("When the row became known to the lake; later than its day for late arrivals.")


def source() -> dy.String:
    return text("Where the row came from: the simulator, or a landed file.")


def batch_id() -> dy.String:
    return text("The batch that brought the row.")
