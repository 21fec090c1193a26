"""What is Snowflake's alone: how rows go in, a shop's warehouse by name, ways to sign in."""

import datetime as dt
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from snowflake.connector import connect
from snowflake.connector.cursor import SnowflakeCursor
from typer.testing import CliRunner

from lakehouse.cli import build
from lakehouse.errors import BadInput, StorageError
from lakehouse.serve.publish.ddl import created
from lakehouse.serve.publish.run import publish, usual
from lakehouse.serve.publish.shapes import shape_of
from lakehouse.serve.publish.snowflake import DIALECT, Snowflake, merged
from lakehouse.settings import Settings, load_settings
from lakehouse.storage import Commit, Lake, stored_schema
from tests.fake_snowflake import fake_snowflake

pytestmark = pytest.mark.slow
DAY = dt.date(2025, 1, 1)
NOON = dt.datetime(2025, 1, 1, 20, tzinfo=dt.UTC)
COMMIT = Commit("test", "shop", "1")
SECRET = "hunter2-of-the-house"
USUAL: dict[type[pl.DataType], Any] = {
    pl.String: "x", pl.Int64: 1, pl.Int32: 1, pl.UInt32: 1, pl.Float64: 0.5, pl.Date: DAY,
    pl.Decimal: Decimal("1.00"), pl.Datetime: NOON, pl.List: [], pl.Boolean: False,
}  # fmt: skip


@pytest.fixture(scope="module")
def account() -> Iterator[dict[str, Any]]:
    with fake_snowflake() as options:
        yield options


@pytest.fixture
def options(account: dict[str, Any], request: pytest.FixtureRequest) -> dict[str, Any]:
    """A database of its own for each test."""
    return account | {"database": str(request.node.name).upper()}


def stored(lake: Lake, layer: str, table: str, *rows: dict[str, Any]) -> None:
    """Rows of a table of which the test tells what matters."""
    schema = stored_schema(layer, table)
    usual = {name: USUAL[type(kind)] for name, kind in schema.items()}
    frame = pl.DataFrame([usual | row for row in rows], schema=schema)
    lake.write_days(layer, table, frame, (DAY, DAY), commit=COMMIT)


@pytest.fixture
def shop(tmp_path: Path) -> Lake:
    """One sale, one alert of it, and the figures of its day."""
    lake = Lake(str(tmp_path / "lake"))
    sale = {"transaction_id": "T-1", "amount": Decimal("9007199254740.93"), "status": "completed"}
    stored(lake, "silver", "shop_orders", sale, sale | {"transaction_id": "T-2"})
    alert = {"transaction_id": "T-1", "profile": "streamify", "alert_level": "HIGH"}
    stored(lake, "gold", "fraud_alerts", alert | {"rules": [{"rule": "rapid", "score": 0.5}]})
    stored(lake, "gold", "sales_windows", {"transactions": 2})
    stored(lake, "gold", "kpi", {"revenue": Decimal("12.34")})
    stored(lake, "gold", "daily_sales_summary", {"sale_date": DAY, "total_transactions": 2})
    stored(lake, "gold", "fraud_analysis", {"alert_date": DAY, "total_alerts": 1})
    stored(lake, "gold", "product_performance", {"total_revenue": Decimal("7.00")})
    return lake


def asked(options: dict[str, Any], *questions: str) -> list[list[tuple[Any, ...]]]:
    with connect(**options) as connection:
        cursor = connection.cursor()
        return [[tuple(row) for row in cursor.execute(q).fetchall()] for q in questions]


def test_the_shops_warehouse_has_its_tables_and_views(shop: Lake, options: dict[str, Any]) -> None:
    settings = Settings(root=shop.root, domains=("floor", "shop"))
    with Snowflake(options) as target:
        publish(shop, target, usual(settings, "snowflake"))
    tables, raw, alerts, windows, kpi = asked(
        options,
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'PUBLIC' "
        "AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'LAKEHOUSE%' ORDER BY 1",
        "SELECT transaction_id, amount, timestamp FROM public.raw_transactions ORDER BY 1",
        "SELECT alert_level, rules[0]:rule::varchar FROM public.fraud_alerts",
        "SELECT transactions FROM public.analytics_results",
        "SELECT revenue FROM public.kpi_metrics",
    )
    names = ("ANALYTICS_RESULTS", "FRAUD_ALERTS", "KPI_METRICS", "RAW_TRANSACTIONS")
    assert tables == [(name,) for name in names]
    assert raw[0][:2] == ("T-1", Decimal("9007199254740.93"))
    assert raw[0][2].astimezone(dt.UTC) == NOON
    assert alerts == [("HIGH", "rapid")]
    assert windows == [(2,)]
    assert kpi == [(Decimal("12.34"),)]
    # What an analyst of such a shop asks its warehouse.
    summary, fraud, products, ours = asked(
        options,
        "SELECT total_transactions FROM public.daily_sales_summary ORDER BY sale_date DESC LIMIT 7",
        "SELECT total_alerts FROM public.fraud_analysis WHERE alert_date >= '2025-01-01'",
        "SELECT total_revenue FROM public.product_performance ORDER BY total_revenue DESC LIMIT 10",
        "SELECT revenue FROM gold.kpi",
    )
    assert (summary, fraud, products) == ([(2,)], [(1,)], [(Decimal("7.00"),)])
    assert ours == [(Decimal("12.34"),)]


def test_rows_are_staged_copied_and_merged(
    shop: Lake, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    execute = SnowflakeCursor.execute

    def heard(self: Any, command: str, *args: Any, **named: Any) -> Any:
        said.append(" ".join(command.split()[:2]))
        return execute(self, command, *args, **named)

    kpi = shape_of("gold", "kpi")
    with Snowflake(options) as target:
        target.lay_out(kpi)
        monkeypatch.setattr(SnowflakeCursor, "execute", heard)
        publish(shop, target, [kpi])
    start = next(i for i, s in enumerate(said) if s.startswith("PUT"))
    (file,) = {s.split("file://")[1].rstrip("'") for s in said if s.startswith("PUT")}
    assert said[start : start + 8] == [
        f"PUT 'file://{file}'",
        "COPY INTO",
        "DELETE FROM",
        "MERGE INTO",
        'SELECT "GAMING_DAY",',
        "DELETE FROM",
        "INSERT INTO",
        "COMMIT",
    ]
    assert not Path(file).exists()


def test_a_table_is_declared_by_its_contract() -> None:
    said = created(shape_of("gold", "kpi"), '"PUBLIC"."KPI_METRICS"', DIALECT)
    assert said.startswith('CREATE TABLE IF NOT EXISTS "PUBLIC"."KPI_METRICS" (')
    for line in (
        "\"REVENUE\" NUMBER(18,2) NOT NULL COMMENT 'gross_revenue - refunded.',",
        '"CONVERSION_RATE" FLOAT COMMENT',
        'PRIMARY KEY ("GAMING_DAY")',
    ):
        assert line in said


def test_a_table_without_a_key_is_replaced_whole() -> None:
    products = shape_of("silver", "products")
    gone, new = merged(products, "P", "S", "IN ('0001-01-01')")
    assert gone == "DELETE FROM P"
    assert new.startswith('INSERT INTO P ("PRODUCT_ID", ')
    assert merged(products, "P", "", "") == ["DELETE FROM P"]


@pytest.mark.parametrize("secret", ["password", "token", "private_key_file_pwd"])
def test_no_secret_is_told(
    secret: str, tmp_path: Path, shop: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"account": "nowhere", "user": "me", "database": "CASINO", secret: SECRET}
    away = {"host": "127.0.0.1", "port": 1, "protocol": "http", "login_timeout": 1}
    monkeypatch.setenv("LAKEHOUSE_ROOT", shop.root)
    monkeypatch.setenv("LAKEHOUSE_SNOWFLAKE", json.dumps(options | away))
    said = CliRunner().invoke(build(), ["publish", "snowflake", "--tables", "kpi"])
    assert isinstance(said.exception, StorageError)
    assert "cannot reach Snowflake" in str(said.exception)
    assert SECRET not in f"{said.output}{said.exception!r}{said.exception.__cause__}"
    monkeypatch.setenv("LAKEHOUSE_SNOWFLAKE", json.dumps({"account": [SECRET]}))
    with pytest.raises(BadInput) as refused:
        load_settings()
    assert SECRET not in str(refused.value)


def test_signing_in_with_a_key_pair(
    shop: Lake, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography.hazmat.primitives import serialization as written
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        written.Encoding.PEM,
        written.PrivateFormat.PKCS8,
        written.BestAvailableEncryption(SECRET.encode()),
    )
    (tmp_path / "key.p8").write_bytes(key)
    given = {k: v for k, v in options.items() if k not in ("password", "session_parameters")}
    given |= {"private_key_file": str(tmp_path / "key.p8"), "private_key_file_pwd": SECRET}
    monkeypatch.setenv("LAKEHOUSE_ROOT", shop.root)
    monkeypatch.setenv("LAKEHOUSE_SNOWFLAKE", json.dumps(given))
    command = ["publish", "snowflake", "--tables", "kpi"]
    said = CliRunner().invoke(build(), command, catch_exceptions=False)
    assert "published 1 rows of 1 tables" in said.output
    assert "published 0 rows of 0 tables" in CliRunner().invoke(build(), command).output
    assert asked(options, "SELECT revenue FROM public.kpi_metrics") == [[(Decimal("12.34"),)]]


def test_what_is_missing_is_said(shop: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", shop.root)
    command = ["publish", "snowflake", "--tables", "kpi"]
    assert "LAKEHOUSE_SNOWFLAKE" in str(CliRunner().invoke(build(), command).exception)
    with pytest.raises(BadInput, match="no option 'acount'; it has account"):
        Snowflake({"acount": "a"})
    monkeypatch.setitem(sys.modules, "snowflake.connector", None)
    with pytest.raises(BadInput, match=r"pip install 'casino-lakehouse\[snowflake\]'"):
        Snowflake({"account": "a"})
