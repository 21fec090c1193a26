"""Personal data of events as silver has it: keyed tokens, remembered for those seen lately."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts import contract
from lakehouse.privacy import TokenKey, tokens

_MOST = 100_000
"""Of a field: 25 MB. Further ones cost a hash each, at the first sight of each again."""
_DIGITS = 15
"""Of a token, that make its number: 60 bits."""


class Tokens:
    """Tokens of one key. What it remembers spares work and changes nothing."""

    def __init__(self, key: TokenKey) -> None:
        self._key = key
        self._known: dict[str, dict[str, str]] = {}

    def protected(self, table: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with some of the table's columns: those that silver has as tokens are tokens."""
        about = {
            n: contract(table).metadata(n) for n in rows.columns if n in contract(table).columns
        }
        named = {
            n: a.get("token_field", n) for n, a in about.items() if a.get("protect") == "token"
        }
        return rows.with_columns(self.of(rows[n], str(field)) for n, field in named.items())

    def of(self, values: pl.Series, field: str) -> pl.Series:
        known = self._known.setdefault(field, {})
        if len(known) > _MOST:
            known.clear()
        asked = values.drop_nulls().unique()
        new = pl.Series([v for v in asked if v not in known], dtype=pl.String)
        known.update(zip(new, tokens(new, self._key, field), strict=True))
        return values.replace_strict(asked, [known[v] for v in asked], return_dtype=pl.String)


def number(token: pl.Expr) -> pl.Expr:
    """A whole number for each token, as good as the token for counting who is different."""
    digits = token.str.slice(token.str.find(":", literal=True) + 1, _DIGITS)
    return digits.str.to_integer(base=16, dtype=pl.Int64)
