"""How personal data looks in files that leave without `--include-pii`."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import polars as pl

from lakehouse.contracts import contract
from lakehouse.privacy.keys import TokenKey
from lakehouse.privacy.tokens import keyed_hashes


def _initial(name: pl.Series) -> pl.Series:
    return name.str.slice(0, 1) + "***"


def _email(address: pl.Series) -> pl.Series:
    # Parts of a text cost a quarter of a pattern's search.
    return address.str.head(1) + "***@" + address.str.split("@").list.last()


def _phone(number: pl.Series) -> pl.Series:
    return "***-***-" + number.str.tail(4)


def _card(number: pl.Series) -> pl.Series:
    return "****-****-****-" + number.str.tail(4)


def _year(date: pl.Series) -> pl.Series:
    return date.dt.truncate("1y")


MASKS: MappingProxyType[str, Callable[[pl.Series], pl.Series]] = MappingProxyType(
    {
        "loyalty_number": _card,
        "first_name": _initial,
        "last_name": _initial,
        "email": _email,
        "phone": _phone,
        "date_of_birth": _year,
    }
)


def leaving(table: str, frame: pl.DataFrame, key: TokenKey | None) -> pl.DataFrame:
    """A source table's rows as files hold them: protected, unless `key` is None, and with the
    second names that the contract gives columns, after the others."""
    shown = frame if key is None else protect_for_export(table, frame, key)
    return shown.with_columns(
        pl.col(column).alias(name) for name, column in contract(table).second_names
    )


def leaving_schema(table: str) -> pl.Schema:
    """Columns and types of `leaving`."""
    c = contract(table)
    stored = c.bronze_schema()
    return pl.Schema({**stored, **{name: stored[column] for name, column in c.second_names}})


def protect_for_export(table: str, frame: pl.DataFrame, key: TokenKey) -> pl.DataFrame:
    """A source table's rows with direct identifiers protected, columns and types kept.

    Names become an initial (J***), e-mails and phones are masked, cards show four digits; of
    a date of birth the year stays (1 January). Whatever else the contract has as a token, the
    hashes of source systems too, becomes a hash under `key` (HMAC-SHA-256, 64 hex digits):
    without the key, four shown digits and a billion tries give no number away. Equal values
    have equal hashes in every table.
    """
    return frame.with_columns(
        _protected(table, name, frame[name], key).alias(name) for name in frame.columns
    )


def _protected(table: str, name: str, values: pl.Series, key: TokenKey) -> pl.Series:
    if name in MASKS:
        return MASKS[name](values)
    about = contract(table).metadata(name)
    if about.get("protect") == "token":
        return keyed_hashes(values, key, str(about.get("token_field", name)))
    return values
