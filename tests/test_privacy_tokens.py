"""Tokens, masks and bands. Expected tokens were made with `openssl dgst -sha256 -mac HMAC`."""

import datetime as dt
import hmac

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.privacy import TokenKey
from lakehouse.privacy.tokens import keyed_hashes, last_four, tokens, year_band, zip3

KEY = TokenKey.of(bytes(range(32)))
OTHER = TokenKey.of(bytes(32))


def token(value: str | None, field: str = "first_name", key: TokenKey = KEY) -> str | None:
    return tokens(pl.Series([value], dtype=pl.String), key, field).item()


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        ("ann", "first_name", "d78a4a48:7cf3a1325a2bff7c5e3c1e48943e6691b4ef8567"),
        ("ann", "last_name", "d78a4a48:41c7ab54cdb50c89a3f738350bbabf277d5e9427"),
        ("ann", "ssn", "d78a4a48:147bcfbf350a4d85f6687d2d22cc32b316992990"),
        (" ANN\n", "first_name", "d78a4a48:7cf3a1325a2bff7c5e3c1e48943e6691b4ef8567"),
        ("Mu\u0308ller", "last_name", "d78a4a48:88ea673dd9539247556d7182f205fdbc383a3adf"),
        ("MÜLLER", "last_name", "d78a4a48:88ea673dd9539247556d7182f205fdbc383a3adf"),
        (None, "ssn", None),
    ],
)
def test_tokens_are_keyed_digests_of_the_normalised_value(value, field, expected):
    assert token(value, field) == expected


@pytest.mark.parametrize("length", [0, 1, 31, 32, 55, 56, 63, 64, 65, 119, 120, 128, 1000])
def test_digests_of_every_number_of_blocks_are_pythons_own(length: int) -> None:
    expected = hmac.digest(KEY.field_key("ssn"), b"7" * length, "sha256").hex()
    assert keyed_hashes(pl.Series(["7" * length]), KEY, "ssn").item() == expected


def test_nothing_but_nulls_and_nothing_at_all():
    for values in ([None, None], []):
        made = tokens(pl.Series("a", values, dtype=pl.String), KEY, "ssn")
        assert made.to_list() == values


def test_keys_and_fields_share_no_tokens():
    made = {token("ann", f, k) for f in ("first_name", "last_name", "ssn") for k in (KEY, OTHER)}
    assert len(made) == 6


@pytest.mark.slow
@given(st.lists(st.one_of(st.none(), st.text(max_size=6)), max_size=20))
@settings(max_examples=50, deadline=None)
def test_equal_values_and_only_they_have_equal_tokens(values):
    made = tokens(pl.Series("a", values, dtype=pl.String), KEY, "email").to_list()
    alone = [token(v, "email") for v in values]
    assert made == alone
    plain = {v for v in values if v is not None and v.isascii() and v == v.strip().lower()}
    assert len({token(v, "email") for v in plain}) == len(plain)


@pytest.mark.parametrize(
    ("mask", "given", "shown"),
    [
        (last_four, "XXX-XX-1234", "***-**-1234"),
        (last_four, "900-12-3456", "***-**-3456"),
        (last_four, "900123456", "***-**-3456"),
        (last_four, "123", "***"),
        (last_four, "unknown", "***"),
        (last_four, None, None),
        (zip3, "89101-1234", "891"),
        (zip3, " k1a 0b1", "K1A"),
        (zip3, "9", None),
        (zip3, None, None),
    ],
)
def test_masks(mask, given, shown):
    frame = pl.DataFrame({"a": [given]}, schema={"a": pl.String})
    assert frame.select(mask(pl.col("a"))).item() == shown


@pytest.mark.parametrize(
    ("born", "band"),
    [
        (dt.date(1980, 1, 1), "1980-1984"),
        (dt.date(1984, 12, 31), "1980-1984"),
        (dt.date(1985, 1, 1), "1985-1989"),
        (dt.date(2000, 2, 29), "2000-2004"),
        (None, None),
    ],
)
def test_a_birth_date_becomes_five_years(born, band):
    frame = pl.DataFrame({"a": [born]}, schema={"a": pl.Date})
    assert frame.select(year_band(pl.col("a"))).item() == band
