"""Personal data where everybody may read: what its text looks like, and what the vault holds.

Every text of a column is looked at once, however often it stands there; only where one is
found are rows looked for.
"""

from __future__ import annotations

from typing import Any

import dataframely as dy
import polars as pl

from lakehouse.contracts import contract, contracts

_BEFORE, _AFTER = r"(?:^|[^A-Za-z0-9_-])", r"(?:$|[^A-Za-z0-9_-])"
PATTERNS = {
    "SSN": rf"{_BEFORE}[0-9]{{3}}-[0-9]{{2}}-[0-9]{{4}}{_AFTER}",
    "e-mail address": r"[A-Za-z0-9_.+%-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
    "phone number": rf"{_BEFORE}(?:(?:\+?1[-. ]?)?(?:\([0-9]{{3}}\) ?|[0-9]{{3}}[-. ])"
    rf"[0-9]{{3}}[-. ][0-9]{{4}}|\+[0-9]{{10,14}}){_AFTER}",
}
"""Kind of personal data → how it is written. Masked numbers (***-**-1234) are none."""
CARD, VAULT = "card number", "value of the identity vault"
_LENGTHS = r"(?:[0-9][ -]?){12,18}[0-9]"
_CARD = rf"{_BEFORE}({_LENGTHS}){_AFTER}"
_ISSUED = r"^(?:4|5[1-5]|2[2-7]|3[0-9]|6)"
"""How numbers of the card schemes begin (ISO/IEC 7812)."""
_MAY_BE = r"@|[0-9][0-9][-. )]|\+[0-9]{10}|[0-9]{13}"
"""What any of them has somewhere: a first look that most texts end with."""
_HASH = r"\b([0-9a-f]{13,19})\b"
HASHES_PER_CARD = 20
"""Of 1,850 hashes of 16 hexadecimal digits one has no letter, and looks like a number."""
SHORTEST = 4
"""Letters of a vault's value that are told from a code: a name of three is any word."""


def text_columns(schema: pl.Schema) -> dict[str, pl.Expr]:
    """Name → the texts of each column that has any: also within lists and structs."""
    found: dict[str, pl.Expr] = {}
    for name, dtype in schema.items():
        found |= dict(_texts(name, pl.col(name), dtype))
    return found


def _texts(name: str, values: pl.Expr, dtype: Any) -> list[tuple[str, pl.Expr]]:
    if dtype == pl.String:
        return [(name, values)]
    if isinstance(dtype, pl.List):
        return _texts(name, values.explode(), dtype.inner)
    if isinstance(dtype, pl.Struct):
        fields = (
            _texts(f"{name}.{f.name}", values.struct.field(f.name), f.dtype) for f in dtype.fields
        )
        return [one for field in fields for one in field]
    return []


def found_texts(rows: pl.LazyFrame, columns: dict[str, pl.Expr], vault: pl.Series) -> pl.DataFrame:
    """Grain: one row per column, text and kind of personal data in it: column, text, kind."""
    in_hand = rows.select({name.split(".")[0] for name in columns}).collect().lazy()
    parts = [in_hand.select(values.alias("text")).unique() for values in columns.values()]
    named = zip(columns, pl.collect_all(parts), strict=True)
    every = pl.concat([texts.select(pl.lit(name).alias("column"), "text") for name, texts in named])
    seen = every.filter(pl.col("text").str.contains(_MAY_BE))
    kinds = [
        seen.filter(pl.col("text").str.contains(pattern)).with_columns(kind=pl.lit(kind))
        for kind, pattern in PATTERNS.items()
    ]
    kinds.append(_cards(seen, every).with_columns(kind=pl.lit(CARD)))
    if len(vault) > len(every):  # what is looked for is hashed
        vault = vault.filter(vault.is_in(every["text"].implode()))
    held = every.filter(pl.col("text").is_in(vault.implode()))
    return pl.concat([*kinds, held.with_columns(kind=pl.lit(VAULT))])


def _cards(seen: pl.DataFrame, every: pl.DataFrame) -> pl.DataFrame:
    """Texts with a number that passes Luhn's check and begins as a card's; without those that
    chance makes of hashes, in a column of hashes."""
    number = pl.col("text").str.extract(_CARD)
    numbers = seen.with_columns(number=number, digits=number.str.replace_all("[ -]", ""))
    issued = numbers.filter(pl.col("digits").str.contains(_ISSUED))
    valid = issued.filter(luhn(pl.col("digits"))) if issued.height else issued
    if valid.is_empty():
        return valid.select("column", "text")
    among = every.filter(pl.col("column").is_in(valid["column"].unique().implode()))
    is_hash = pl.col("text").str.extract(_HASH).str.contains("[a-f]")
    hashes = among.filter(is_hash).group_by("column").agg(hashes=pl.len())
    is_bare = pl.col("number") == pl.col("digits")
    by_column = valid.join(hashes, on="column", how="left").with_columns(
        pl.col("hashes").fill_null(0), bare=is_bare.sum().over("column")
    )
    by_chance = is_bare & (pl.col("hashes") > HASHES_PER_CARD * pl.col("bare"))
    return by_column.filter(~by_chance).select("column", "text")


def luhn(digits: pl.Expr) -> pl.Expr:
    """Whether a number of decimal digits passes the check of ISO/IEC 7812-1, annex B."""
    turned = digits.str.reverse()
    total = pl.lit(0)
    for at in range(19):
        one = turned.str.slice(at, 1).str.to_integer(strict=False).fill_null(0)
        twice = one * 2
        total = total + (one if at % 2 == 0 else twice - pl.when(twice > 9).then(9).otherwise(0))
    return total % 10 == 0


def vault_texts(vault: pl.LazyFrame) -> pl.Series:
    """Every raw value of the vault that says who somebody is, as it may be written: each column
    of direct personal data, a taxpayer number with and without hyphens, and whole names."""
    c = contract("identity_vault")
    direct = [n for n in c.columns if c.metadata(n).get("pii") == "direct"]
    tin, first, last = (pl.col(n) for n in ("tin", "first_name", "last_name"))
    more = {
        "hyphens": pl.concat_str(
            tin.str.slice(0, 3), tin.str.slice(3, 2), tin.str.slice(5), separator="-"
        ),
        "name": pl.concat_str(first, last, separator=" "),
        "listed": pl.concat_str(last, first, separator=", "),
    }
    values = vault.select(*direct, **more).unpivot(list((*direct, *more))).select("value")
    tells = (pl.col("value").str.len_chars() >= SHORTEST) & ~pl.col("value").is_in(_codes())
    return values.filter(tells).unique().collect().to_series()


def _codes() -> list[str]:
    """Words that contracts have codes of their own for: West is a zone, and a family's name."""
    columns = (column for c in contracts().values() for column in c.columns.values())
    return [v for column in columns if isinstance(column, dy.Enum) for v in column.categories]
