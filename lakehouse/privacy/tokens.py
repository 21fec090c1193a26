"""Keyed tokens, masks and bands: what stands in silver for personal data.

An unkeyed hash is no protection: all 10^9 SSNs are tried within minutes.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable

import polars as pl

from lakehouse.privacy.keys import TokenKey

HIDDEN = "***"
_TOKEN_DIGITS = 40
_BLANKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f "
"""What Python strips of a text in ASCII."""
_BAND_YEARS = 5


def tokens(values: pl.Series, key: TokenKey, field: str) -> pl.Series:
    """`<key_id>:<40 hex digits>` for each value (HMAC-SHA-256, cut to 160 bits); null
    stays null. Spellings that differ in case, outer blanks or Unicode form share a token;
    fields never do."""
    made = key.key_id + ":" + keyed_hashes(values, key, field).str.head(_TOKEN_DIGITS)
    return made.alias(values.name)


def keyed_hashes(values: pl.Series, key: TokenKey, field: str) -> pl.Series:
    """64 hex digits for each value (HMAC-SHA-256), as `tokens` has the first 40 of them."""
    made = _digester(key.field_key(field))
    known = values.drop_nulls().unique()
    if len(known) == len(values):
        return _each(values, made)
    return values.replace_strict(known, _each(known, made), return_dtype=pl.String)


def _each(values: pl.Series, made: Callable[[bytes], str]) -> pl.Series:
    plain = _compared(values).cast(pl.Binary).to_list()
    return pl.Series(values.name, list(map(made, plain)), dtype=pl.String)


def _compared(values: pl.Series) -> pl.Series:
    """The form in which identities are compared."""
    plain = values.str.strip_chars(_BLANKS).str.to_lowercase()
    odd = (values.str.len_bytes() != values.str.len_chars()).arg_true()
    return plain.scatter(odd, [_folded(v) for v in values[odd]]) if len(odd) else plain


def _folded(value: str) -> str:
    """A text that is not all ASCII, of which lower case says all."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", value.strip()).casefold())


def _digester(secret: bytes) -> Callable[[bytes], str]:
    """HMAC-SHA-256 by its definition (RFC 2104), for a key of a block at most: to copy the two
    keyed states takes half of what copying Python's own `hmac` does."""
    inner, outer = (_keyed(secret, pad) for pad in (0x36, 0x5C))

    def digest(value: bytes) -> str:
        inside, outside = inner.copy(), outer.copy()
        inside.update(value)
        outside.update(inside.digest())
        return outside.hexdigest()

    return digest


def _keyed(secret: bytes, pad: int) -> hashlib._Hash:
    block = secret.ljust(hashlib.sha256().block_size, b"\0")
    return hashlib.sha256(bytes(byte ^ pad for byte in block))


def last_four(text: pl.Expr) -> pl.Expr:
    """A taxpayer number as ***-**-1234, also where more of it was given."""
    digits = text.str.replace_all(r"\D", "")
    shown = pl.concat_str(pl.lit("***-**-"), digits.str.tail(4))
    masked = pl.when(digits.str.len_bytes() >= 4).then(shown).otherwise(pl.lit(HIDDEN))
    return pl.when(text.is_not_null()).then(masked)


def year_band(day: pl.Expr) -> pl.Expr:
    """The five years of a day, as 1980-1984."""
    first = day.dt.year() // _BAND_YEARS * _BAND_YEARS
    return pl.concat_str(
        first.cast(pl.String), pl.lit("-"), (first + _BAND_YEARS - 1).cast(pl.String)
    )


def zip3(code: pl.Expr) -> pl.Expr:
    """The first three characters of a postal code; null where it has fewer."""
    area = code.str.strip_chars().str.to_uppercase().str.head(3)
    return pl.when(area.str.len_chars() == 3).then(area)
