"""Protects the columns that contracts mark as personal data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import polars as pl

from lakehouse.contracts import Contract, contract
from lakehouse.errors import ContractError
from lakehouse.privacy.keys import TokenKey
from lakehouse.privacy.tokens import last_four, tokens, year_band, zip3

_GENERALISE: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "mask": last_four,
    "year_band": year_band,
    "zip3": zip3,
}


def needs_key(table: str) -> bool:
    """Whether a table holds identities that become tokens."""
    return any(about.get("protect") == "token" for about in _marked(contract(table)).values())


def token_references(table: str) -> dict[str, str]:
    """Column → field of its tokens, of those that name a row of a table whose key is a token."""
    fields = {}
    for column, (parent, key) in contract(table).references().items():
        about = contract(parent).metadata(key)
        if about.get("protect") == "token":
            fields[column] = str(about.get("token_field", key))
    return fields


def protect(table: str, frame: pl.DataFrame, key: TokenKey) -> pl.DataFrame:
    """Good rows of a source table as silver stores them: direct identifiers as keyed tokens
    or masks, birth dates as five-year bands, postal codes as their first three characters.

    Columns that share a `token_field` share tokens. Raises ContractError where a column that
    is to be protected is missing or has another type.
    """
    marked = _marked(contract(table))
    _require(table, frame, marked)
    tokenised = [
        tokens(frame[n], key, str(about.get("token_field", n)))
        for n, about in marked.items()
        if about.get("protect") == "token"
    ]
    generalised = [
        _GENERALISE[about["protect"]](pl.col(n)).alias(n)
        for n, about in marked.items()
        if about.get("protect") in _GENERALISE
    ]
    return frame.with_columns(*tokenised, *generalised)


def _marked(c: Contract) -> dict[str, dict[str, Any]]:
    """Column → what its contract says, of direct identifiers and all that is protected."""
    columns = {n: column.metadata or {} for n, column in c.columns.items()}
    return {n: m for n, m in columns.items() if m.get("pii") == "direct" or "protect" in m}


def _require(table: str, frame: pl.DataFrame, columns: Iterable[str]) -> None:
    wanted = contract(table).bronze_schema()
    wrong = [
        f"{n} is {frame.schema.get(n, 'missing')}, not {wanted[n]}"
        for n in columns
        if frame.schema.get(n) != wanted[n]
    ]
    if wrong:
        raise ContractError(f"{table} cannot be protected: {'; '.join(wrong)}")
