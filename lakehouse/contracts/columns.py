"""The kinds of column that contracts are made of: one name, unit and type everywhere."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

import dataframely as dy

Pii = Literal["direct", "quasi"]
Protect = Literal["token", "mask", "year_band", "zip3"]

GAME_TYPES = ("SLOT", "KENO", "BINGO", "POKER_TOURNAMENT", "TABLE", "TABLE_SIDE_BET", "OTHER")
"""Kinds of game that forms for winnings tell apart."""


def _metadata(
    *,
    unit: str | None = None,
    refs: str | None = None,
    pii: Pii | None = None,
    protect: Protect | None = None,
    token_field: str | None = None,
    youngest: int | None = None,
) -> dict[str, Any]:
    """`refs`: "table.column" the value must exist in. `token_field`: columns that share it
    share tokens, so that equal identities stay joinable after protection. `youngest`: of a day
    of birth, the years that anybody in the table has lived."""
    given = {
        "unit": unit,
        "refs": refs,
        "pii": pii,
        "protect": protect,
        "token_field": token_field,
        "youngest": youngest,
    }
    return {k: v for k, v in given.items() if v is not None}


def text(
    description: str,
    *,
    nullable: bool = False,
    key: bool = False,
    regex: str | None = None,
    refs: str | None = None,
    pii: Pii | None = None,
    protect: Protect | None = None,
    token_field: str | None = None,
) -> dy.String:
    return dy.String(
        nullable=nullable,
        primary_key=key,
        regex=regex,
        min_length=None if nullable else 1,
        description=description,
        metadata=_metadata(refs=refs, pii=pii, protect=protect, token_field=token_field),
    )


def code(values: Sequence[str], description: str, *, nullable: bool = False) -> dy.Enum:
    """A closed domain."""
    return dy.Enum(values, nullable=nullable, description=description, metadata={})


def folded(code: str) -> str:
    """Case, blanks, hyphens and underscores tell no codes apart."""
    plain = unicodedata.normalize("NFKC", code).casefold()
    return "".join(ch for ch in plain if not ch.isspace() and ch not in "-_")


def money(
    description: str, *, nullable: bool = False, minimum: int | None = 0, unit: str = "USD"
) -> dy.Decimal:
    return dy.Decimal(
        18,
        2,
        nullable=nullable,
        min=minimum,
        description=description,
        metadata=_metadata(unit=unit),
    )


def rate(
    description: str,
    *,
    nullable: bool = False,
    minimum: int | None = None,
    maximum: Decimal | int | None = None,
) -> dy.Decimal:
    """A fraction with four decimals: 0.0985 is 9.85%."""
    return dy.Decimal(
        9,
        4,
        nullable=nullable,
        min=minimum,
        max=maximum,
        description=description,
        metadata=_metadata(unit="fraction"),
    )


def hours(description: str, *, nullable: bool = False) -> dy.Decimal:
    return dy.Decimal(
        9, 2, nullable=nullable, min=0, description=description, metadata=_metadata(unit="hours")
    )


def count(
    description: str, *, nullable: bool = False, minimum: int | None = 0, unit: str | None = None
) -> dy.Int64:
    return dy.Int64(
        nullable=nullable, min=minimum, description=description, metadata=_metadata(unit=unit)
    )


def number(description: str, *, nullable: bool = False, unit: str | None = None) -> dy.Float64:
    return dy.Float64(nullable=nullable, description=description, metadata=_metadata(unit=unit))


def utc(description: str, *, nullable: bool = False) -> dy.Datetime:
    return dy.Datetime(
        nullable=nullable,
        time_zone="UTC",
        time_unit="us",
        description=description,
        metadata=_metadata(unit="UTC"),
    )


def day(
    description: str,
    *,
    nullable: bool = False,
    key: bool = False,
    pii: Pii | None = None,
    protect: Protect | None = None,
    youngest: int | None = None,
) -> dy.Date:
    return dy.Date(
        nullable=nullable,
        primary_key=key,
        description=description,
        metadata=_metadata(pii=pii, protect=protect, youngest=youngest),
    )


def flag(description: str, *, nullable: bool = False) -> dy.Bool:
    return dy.Bool(nullable=nullable, description=description, metadata={})


def player(description: str = "Patron, where known.", *, nullable: bool = True) -> dy.String:
    return text(description, nullable=nullable, refs="player_profile.player_id")


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
