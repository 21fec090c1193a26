"""Records of two systems before this one, logs and transactions, landed as they are."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from lakehouse.cli import run
from lakehouse.contracts import contract
from lakehouse.generators import ProductGenerator, ShopActionGenerator, ShopOrderGenerator
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.inspection import inspect
from lakehouse.ingest.files.mapping_files import load_mapping
from lakehouse.ingest.files.reading import open_file
from lakehouse.ingest.files.row_typing import Judged, join, judge
from lakehouse.silver import clean

EXAMPLES = Path(__file__).parents[1] / "examples"
LOGS = EXAMPLES / "data/behaviour_logs.json"
TRANSACTIONS = EXAMPLES / "data/shop_transactions.ndjson"
NOW = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)
ZONE = "America/Los_Angeles"


def landed(path: Path, table: str) -> Judged:
    c = contract(table)
    used = load_mapping(EXAMPLES / f"mappings/{path.stem}.toml", table)
    found = inspect(path, used)
    origin = Origin(c, used, path.name, NOW.date(), NOW, ZONE, found.digest)
    return join([judge(piece, origin) for piece in open_file(path, found, c, used).pieces])


def cleaned(rows: pl.DataFrame, table: str) -> tuple[pl.DataFrame, dict[str, list[str]], int]:
    done = clean(table, rows.with_columns(_batch_id=pl.lit("b")), timezone=ZONE)
    key = contract(table).key[0]
    rejected = dict(done.quarantined.select(key, "_rules").iter_rows())
    return done.good, rejected, done.duplicates.height


def test_raw_logs_are_taken_as_they_are() -> None:
    """Of seven, one has no time and one a day that no form reads; one comes twice, one has a
    negative amount and one no user."""
    got = landed(LOGS, "shop_actions")
    assert (got.good.height, got.bad.height) == (5, 2)
    good, rejected, again = cleaned(got.good, "shop_actions")
    assert sorted(rejected.values()) == [["amount|min"], ["user_id|nullability"]]
    assert again == 1
    assert good.sort("timestamp").select("user_id", "action", "timestamp", "amount").rows() == [
        ("user_17", "view_product", dt.datetime(2025, 3, 2, 10, 15, tzinfo=dt.UTC),
         Decimal("120.50")),
        ("user_17", "add_to_cart", dt.datetime(2025, 3, 2, 10, 15, 31, 250_000, tzinfo=dt.UTC),
         Decimal("120.50")),
    ]  # fmt: skip


def test_nested_transactions_are_taken_as_they_are() -> None:
    got = landed(TRANSACTIONS, "shop_orders")
    assert (got.good.height, got.bad.height) == (2, 0)
    assert got.ignored == frozenset({"behavior_pattern", "location"})
    good, rejected, _ = cleaned(got.good, "shop_orders")
    assert rejected == {}
    first, second = good.sort("timestamp").to_dicts()
    told = {
        "transaction_id": "9b1c0c9e-1",
        "order_id": "9b1c0c9e-1",
        "amount": Decimal("59.99"),
        "unit_price": Decimal("59.99"),
        "quantity": 1,
        "country": "US",
        "state": "NV",
        "city": "Reno",
        "zip_code": "89501",
        "latitude": 39.53,
        "longitude": -119.81,
        "timestamp": dt.datetime(2025, 3, 2, 18, 15, 0, 123_456, tzinfo=dt.UTC),
    }
    assert {n: first[n] for n in told} == told
    assert (second["country"], second["amount"]) == ("CA", Decimal("12.35"))


@pytest.mark.parametrize(
    "generator", [ShopActionGenerator, ShopOrderGenerator, ProductGenerator], ids=str
)
def test_the_shop_has_generators(
    generator: type[ShopActionGenerator | ShopOrderGenerator | ProductGenerator],
) -> None:
    days = {"start_date": dt.date(2025, 1, 1), "end_date": dt.date(2025, 1, 3)}
    made = generator(seed=3, **days).generate(200)
    assert made.height == 200
    assert made.equals(generator(seed=3, **days).generate(200))
    ours = list(contract(generator.table).columns)
    assert made.columns[: len(ours)] == ours


def test_the_shops_tables_are_generated_by_name(tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ["--shop-actions", "300", "--shop-orders", "5", "--products", "7", "--days", "2"]
    assert run(["generate", "-o", str(out), *asked]) == 0
    rows = {p.stem: pl.read_parquet(p).height for p in out.glob("*.parquet")}
    assert rows == {"bronze_shop_actions": 300, "bronze_shop_orders": 5, "bronze_products": 7}
