"""Protects the columns that contracts mark as personal data."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from lakehouse.contracts import Contract, contract
from lakehouse.errors import ContractError
from lakehouse.privacy.keys import TokenKey
from lakehouse.privacy.tokens import hidden, last_four, masked_email, tokens, year_band, zip3

_GENERALISE: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "mask": last_four,
    "year_band": year_band,
    "zip3": zip3,
}
_RAW = "_raw"


def protected_schema(table: str) -> pl.Schema:
    """Columns and types of a protected source table."""
    return contract(table).silver_schema()


def needs_key(table: str) -> bool:
    """Whether a table holds identities that become tokens."""
    return bool(_columns(contract(table), "token"))


def protect(table: str, frame: pl.DataFrame, key: TokenKey) -> pl.DataFrame:
    """Good rows of a source table as silver stores them: direct identifiers as keyed tokens
    or masks, birth dates as five-year bands, postal codes as their first three characters.

    Columns that share a `token_field` share tokens. Raises ContractError where a column that
    is to be protected is missing or has another type.
    """
    c = contract(table)
    _require(c, frame)
    tokenised = [
        tokens(frame[n], key, str(c.metadata(n).get("token_field", n)))
        for n in _columns(c, "token")
    ]
    generalised = [
        make(pl.col(n)).alias(n) for how, make in _GENERALISE.items() for n in _columns(c, how)
    ]
    return frame.with_columns(*tokenised, *generalised)


def protect_rejects(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Quarantined or duplicate rows as anybody may see them: no direct identifier, not even as
    a token; bands as in silver; no raw text of a table that holds personal data. Rules, keys
    and provenance stay, so that a rejected row can be found and judged."""
    c = contract(table)
    _require(c, frame)
    columns = [_concealed(n, c).alias(n) for n in c.columns if _is_concealed(c, n)]
    if columns and _RAW in frame.columns:
        columns.append(hidden(pl.col(_RAW)).alias(_RAW))
    return frame.with_columns(columns)


def _columns(c: Contract, how: str) -> list[str]:
    return [n for n in c.columns if c.metadata(n).get("protect") == how]


def _is_concealed(c: Contract, column: str) -> bool:
    about = c.metadata(column)
    return about.get("pii") == "direct" or "protect" in about


def _concealed(column: str, c: Contract) -> pl.Expr:
    how = str(c.metadata(column).get("protect"))
    if column == "email":
        return masked_email(pl.col(column))
    return _GENERALISE.get(how, hidden)(pl.col(column))


def _require(c: Contract, frame: pl.DataFrame) -> None:
    wanted = {n: t for n, t in c.bronze_schema().items() if _is_concealed(c, n)}
    wrong = [
        f"{n} is {frame.schema.get(n, 'missing')}, not {t}"
        for n, t in wanted.items()
        if frame.schema.get(n) != t
    ]
    if wrong:
        raise ContractError(f"{c.name} cannot be protected: {'; '.join(wrong)}")
