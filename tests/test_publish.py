"""Gold in databases: what is sent, what is sent again, and what happens when it goes wrong."""

import datetime as dt
import json
import os
import signal
import sqlite3
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from lakehouse.cli import build
from lakehouse.errors import BadInput, StorageError
from lakehouse.serve.publish import run, snowflake
from lakehouse.serve.publish.run import publish, usual
from lakehouse.serve.publish.shapes import flattened, named, shape_of
from lakehouse.serve.publish.snowflake import Snowflake
from lakehouse.serve.publish.sqlite import SQLite
from lakehouse.settings import DOMAINS, Settings, load_settings
from lakehouse.storage import Commit, Lake, stored_schema
from tests.fake_snowflake import fake_snowflake
from tests.processes import Warm

COMMIT = Commit("test", "gold/item_sales", "1")
DAYS = [dt.date(2025, 1, 1), dt.date(2025, 1, 2)]
SPAN = (DAYS[0], DAYS[1])
GOLD = "gold.sqlite"
SALES = shape_of("gold", "item_sales")


def sales(day: dt.date, item: str, revenue: str, **more: Any) -> dict[str, Any]:
    flags = [{"player_id": "t1", "ip_address": "t2", "suspicious_purchase_count": 3}]
    return {
        "item_id": item,
        "gaming_day": day,
        "item_type": None,
        "purchases": 2,
        "revenue": Decimal(revenue),
        "buyers": 1,
        "type_purchases": 2,
        "type_revenue": Decimal(revenue),
        "suspicious_purchases": 0,
        "fraud_flags": flags if item == "bow's" else [],
        **more,
    }


def store(lake: Lake, *rows: dict[str, Any], days: tuple[dt.date, dt.date]) -> None:
    frame = pl.DataFrame(rows, schema=stored_schema("gold", "item_sales"))
    lake.write_days("gold", "item_sales", frame, days, commit=COMMIT)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(str(tmp_path / "lake"))
    rows = [sales(DAYS[0], "axe", "0.10"), sales(DAYS[0], "bow's", "9007199254740.93")]
    store(lake, *rows, sales(DAYS[1], "axe", "-3.30"), days=(DAYS[0], DAYS[1]))
    return lake


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL: one that is named, or one out of a wheel, which there is none of for
    Python 3.13."""
    named = os.environ.get("LAKEHOUSE_TEST_POSTGRES")
    if named:
        yield named
        return
    if sys.version_info >= (3, 13):
        pytest.skip("name a PostgreSQL in LAKEHOUSE_TEST_POSTGRES")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies, over where files may lie
        import pgserver

        started = pgserver.get_server(tmp_path_factory.mktemp("pg") / "data")
    yield started.get_uri()
    started.cleanup()


class Database:
    """A target, and a way to ask and change what is in it without ours."""

    def __init__(self, target: Any, connect: Any) -> None:
        self.target, self.connect = target, connect

    def do(self, sql: str) -> list[tuple[Any, ...]]:
        connection = self.connect()
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            found = cursor.fetchall() if cursor.description else []
            connection.commit()
            return [tuple(row) for row in found]
        finally:
            connection.close()


@pytest.fixture(scope="session")
def account() -> Iterator[dict[str, Any]]:
    with fake_snowflake() as options:
        yield options


@pytest.fixture(params=["sqlite", "postgres", "snowflake"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with databases(request.param, request, tmp_path) as made:
        yield made


@contextmanager
def databases(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of that kind, with nothing in it."""
    if name == "snowflake":
        from snowflake.connector import connect

        options = request.getfixturevalue("account") | {"database": tmp_path.name.upper()}
        with Snowflake(options) as target:
            made = Database(target, lambda: connect(**options))
            made.do("CREATE SCHEMA gold")
            yield made
        return
    if name == "sqlite":
        path = tmp_path / GOLD
        with SQLite(path) as target:
            yield Database(target, lambda: sqlite3.connect(path))
        return
    from adbc_driver_postgresql import dbapi

    from lakehouse.serve.publish.postgres import Postgres

    uri = request.getfixturevalue("server")
    with Postgres(uri) as target:
        made = Database(target, lambda: dbapi.connect(uri))
        for schema in ("gold", "silver"):
            made.do(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
            made.do(f"CREATE SCHEMA {schema}")
        yield made


def place(database: Database, table: str = "item_sales") -> str:
    return table if isinstance(database.target, SQLite) else f"gold.{table}"


def revenues(database: Database) -> list[tuple[str, str, Decimal]]:
    asked = f"SELECT gaming_day, item_id, revenue FROM {place(database)} ORDER BY 1, 2"
    return [
        (str(d), i, Decimal(str(r)).quantize(Decimal("0.01"))) for d, i, r in database.do(asked)
    ]


HELD = [
    ("2025-01-01", "axe", Decimal("0.10")),
    ("2025-01-01", "bow's", Decimal("9007199254740.93")),
    ("2025-01-02", "axe", Decimal("-3.30")),
]


def test_a_table_is_there_as_the_lake_has_it(lake: Lake, database: Database) -> None:
    (done,) = publish(lake, database.target, [SALES])
    assert (done.name, done.days, done.rows, done.same) == ("gold.item_sales", 2, 3, 0)
    assert revenues(database) == HELD
    flags = f"SELECT fraud_flags FROM {place(database)} WHERE item_id LIKE 'bow%'"
    ((said,),) = database.do(flags)
    expected = '[{"player_id":"t1","ip_address":"t2","suspicious_purchase_count":3}]'
    assert said.replace(": ", ":").replace(", ", ",") == expected


def test_only_what_changed_is_sent_again(lake: Lake, database: Database) -> None:
    publish(lake, database.target, [SALES])
    # Whoever was written by an earlier sending keeps this mark of ours.
    database.do(f"UPDATE {place(database)} SET item_type = 'seen'")
    (again,) = publish(lake, database.target, [SALES])
    assert (again.days, again.rows, again.same) == (0, 0, 2)

    store(lake, sales(DAYS[1], "shield", "7.00"), days=(DAYS[1], DAYS[1]))
    (done,) = publish(lake, database.target, [SALES])
    assert (done.days, done.rows, done.same) == (1, 1, 1)
    asked = f"SELECT item_id, item_type FROM {place(database)} ORDER BY gaming_day, item_id"
    assert database.do(asked) == [("axe", "seen"), ("bow's", "seen"), ("shield", None)]


def test_a_day_that_the_lake_no_longer_has_goes(lake: Lake, database: Database) -> None:
    publish(lake, database.target, [SALES])
    store(lake, days=(DAYS[0], DAYS[0]))
    publish(lake, database.target, [SALES])
    assert revenues(database) == HELD[2:]


def test_only_the_days_asked_for_are_sent(lake: Lake, database: Database) -> None:
    publish(lake, database.target, [SALES], days=(DAYS[1], DAYS[1]))
    assert revenues(database) == HELD[2:]
    publish(lake, database.target, [SALES], days=(DAYS[0], DAYS[0]))
    assert revenues(database) == HELD


def test_what_was_broken_off_goes_on(
    lake: Lake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "ROWS_AT_ONCE", 1)
    kind = type(database.target)
    replace = kind.replace

    def once(target: Any, shape: Any, rows: pl.DataFrame, marks: Any) -> None:
        if DAYS[1] in marks:
            raise ConnectionResetError
        replace(target, shape, rows, marks)

    broken = pytest.MonkeyPatch()
    broken.setattr(kind, "replace", once)
    with pytest.raises(ConnectionResetError):
        publish(lake, database.target, [SALES])
    broken.undo()
    assert revenues(database) == HELD[:2]
    (done,) = publish(lake, database.target, [SALES])
    assert (done.days, done.rows, done.same) == (1, 1, 1)
    assert revenues(database) == HELD


@pytest.mark.slow
@pytest.mark.parametrize("days_kept", [0, 1])
@pytest.mark.parametrize("name", ["sqlite", "postgres"])
def test_a_kill_leaves_whole_days_and_the_rest_follows(
    name: str, days_kept: int, lake: Lake, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with databases(name, request, tmp_path) as database:
        publish(lake, database.target, [SALES])
        # What was there before a day is sent again is there until its whole day is.
        store(lake, sales(DAYS[0], "new", "1.00"), sales(DAYS[1], "new", "2.00"), days=SPAN)
        where = request.getfixturevalue("server") if name == "postgres" else str(tmp_path / GOLD)
        killed = Warm("tests.killed_publish", lake.root, str(days_kept + 1), name, where)
        killed.communicate(300)
        assert killed.returncode == -signal.SIGKILL
        after = [("2025-01-01", "new", Decimal("1.00")), ("2025-01-02", "new", Decimal("2.00"))]
        assert revenues(database) == (HELD if not days_kept else [after[0], HELD[2]])
        (done,) = publish(lake, database.target, [SALES])
        assert (done.days, done.same) == (2 - days_kept, days_kept)
        assert revenues(database) == after


def test_days_of_one_table_go_by_two_connections_at_a_time(
    lake: Lake, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "ROWS_AT_ONCE", 1)
    both = threading.Barrier(2, timeout=300)
    with databases("postgres", request, tmp_path) as database:
        kind = type(database.target)
        replace = kind.replace

        def met(target: Any, *given: Any) -> None:
            both.wait()
            replace(target, *given)

        monkeypatch.setattr(kind, "replace", met)
        (done,) = publish(lake, database.target, [SALES])
        assert (done.days, done.rows) == (2, 3)
        assert revenues(database) == HELD


def test_a_second_publisher_waits_for_the_first_and_sends_nothing_again(
    lake: Lake, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with databases("postgres", request, tmp_path) as database, ThreadPoolExecutor(1) as pool:
        other = database.target.beside()
        with database.target.turns([SALES]):
            later = pool.submit(publish, lake, other, [SALES])
            until = time.monotonic() + 300
            while database.do(waiting) == [(0,)] and time.monotonic() < until:
                time.sleep(0.05)
            assert database.do(waiting) == [(1,)]
            database.target.lay_out(SALES)
            rows = flattened(lake.scan("gold", "item_sales").collect(), SALES)
            marks = lake.tokens("gold", "item_sales", of_files=True)
            database.target.replace(SALES, rows, marks)
        (done,) = later.result(60)
        other.close()
        assert (done.days, done.rows, done.same) == (0, 0, 2)


def test_each_sending_reads_its_own_days_and_not_the_table(
    lake: Lake, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With thirty days in a transaction PostgreSQL would rather read all that is there."""
    first, days, a_day = dt.date(2025, 2, 1), 300, 100
    of_days = [first + dt.timedelta(d) for d in range(days)]
    rows = [sales(day, f"item {n}", "1.00") for day in of_days for n in range(a_day)]
    store(lake, *rows, days=(of_days[0], of_days[-1]))
    monkeypatch.setattr(run, "ROWS_AT_ONCE", 30 * a_day)
    read = "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'item_sales'"
    with databases("postgres", request, tmp_path) as database:
        with database.target.beside() as sender:
            (done,) = publish(lake, sender, [SALES])
        assert done.rows == days * a_day + 3
        database.do("SELECT pg_stat_force_next_flush()")
        ((rows_read,),) = database.do(read)
        assert rows_read < 0.5 * done.rows


def test_new_columns_are_added_and_none_is_dropped(lake: Lake, database: Database) -> None:
    database.target.lay_out(SALES)
    database.do(f"ALTER TABLE {place(database)} DROP COLUMN suspicious_purchases")
    database.do(f"ALTER TABLE {place(database)} ADD COLUMN remark text")
    publish(lake, database.target, [SALES])
    asked = f"SELECT suspicious_purchases, remark FROM {place(database)}"
    assert database.do(asked) == [(0, None)] * 3


def test_a_table_with_other_types_is_left_alone(lake: Lake, database: Database) -> None:
    database.do(f"CREATE TABLE {place(database)} (item_id text, gaming_day date, buyers text)")
    with pytest.raises(BadInput, match=r"(?i)buyers is (text|varchar), not (big|int|num)"):
        publish(lake, database.target, [SALES])
    assert database.do(f"SELECT count(*) FROM {place(database)}") == [(0,)]


def test_rows_that_a_database_loses_are_noticed(
    lake: Lake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.target.lay_out(SALES)
    if isinstance(database.target, SQLite):
        database.do(
            "CREATE TRIGGER lose AFTER INSERT ON item_sales WHEN NEW.revenue < 0 "
            "BEGIN DELETE FROM item_sales WHERE rowid = NEW.rowid; END"
        )
    elif isinstance(database.target, Snowflake):  # has no triggers
        lost = "DELETE FROM gold.item_sales WHERE revenue < 0"
        merged = snowflake.merged
        monkeypatch.setattr(snowflake, "merged", lambda *given: [*merged(*given), lost])
    else:
        database.do(
            "CREATE FUNCTION gold.lose() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN IF NEW.revenue < 0 THEN RETURN NULL; END IF; RETURN NEW; END $$"
        )
        database.do(
            "CREATE TRIGGER lose BEFORE INSERT ON gold.item_sales "
            "FOR EACH ROW EXECUTE FUNCTION gold.lose()"
        )
    with pytest.raises(StorageError, match=r"2025-01-02: 1 rows with sums .* has no rows"):
        publish(lake, database.target, [SALES])
    assert revenues(database) == []
    assert database.target.known(SALES) == {}


def test_keys_and_meanings_follow_from_the_contract(lake: Lake, database: Database) -> None:
    publish(lake, database.target, [SALES])
    if isinstance(database.target, Snowflake):  # has keys and enforces none; fakesnow tells of none
        asked = "SELECT comment FROM information_schema.tables WHERE table_name = 'ITEM_SALES'"
        assert database.do(asked) == [(SALES.comment,)]
        return
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        database.do(f"INSERT INTO {place(database)} SELECT * FROM {place(database)}")
    said = "SELECT col_description('gold.item_sales'::regclass, 5)"
    if isinstance(database.target, SQLite):
        said = "SELECT sql FROM sqlite_master WHERE name = 'item_sales'"
    ((words,),) = database.do(said)
    assert next(c.comment for c in SALES.columns if c.name == "revenue") in words


def test_views_stand_where_their_tables_do(lake: Lake, database: Database) -> None:
    assert database.target.lay_out_views() == []
    database.target.lay_out(shape_of("gold", "player_metrics"))
    made = database.target.lay_out_views()
    assert [v.removeprefix("gold.") for v in made] == ["fct_player_metrics"]
    assert database.do(f"SELECT user_id FROM {place(database, 'fct_player_metrics')}") == []


def test_restricted_tables_need_the_grant(tmp_path: Path) -> None:
    for name in ("restricted.sar_cases", "silver.compliance_sar"):
        with pytest.raises(BadInput, match=r"restricted|no table"):
            named(name, restricted=False)
    assert named("restricted.sar_cases", restricted=True).layer == "restricted"
    with pytest.raises(BadInput, match=r"no table .gold\.nothing"):
        named("gold.nothing", restricted=True)
    layers = {s.layer for s in usual(Settings(root=str(tmp_path), domains=DOMAINS), "postgres")}
    assert layers == {"gold", "silver"}


@pytest.mark.parametrize(
    "address",
    [
        "me:hunter2@127.0.0.1:1/casino",
        "me:p@hunter2@127.0.0.1:1/casino",
        "me:hunter2/x@127.0.0.1:1/casino",
        "me:hunter2%@127.0.0.1:1/casino",
        "me:hunter2@[::1/casino",
        "127.0.0.1:1/casino?user=me&password=hunter2%zz",
    ],
)
def test_a_password_is_not_told(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_POSTGRES", f"postgresql://{address}")
    store(Lake(str(tmp_path / "lake")), sales(DAYS[0], "axe", "1.00"), days=(DAYS[0], DAYS[0]))
    said = CliRunner().invoke(build(), ["publish", "postgres", "--tables", "item_sales"])
    assert isinstance(said.exception, StorageError)
    assert "cannot reach PostgreSQL" in str(said.exception)
    assert "hunter2" not in f"{said.output}{said.exception}{said.exception.__cause__}"


def test_a_database_must_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    said = CliRunner().invoke(build(), ["publish", "postgres"])
    assert "LAKEHOUSE_POSTGRES" in str(said.exception)
    said = CliRunner().invoke(build(), ["publish", "sqlite", str(tmp_path / "g.sqlite")])
    assert "the lake has none of these tables" in str(said.exception)


@pytest.mark.slow
def test_tables_of_databases_follow_gold_as_assets(
    lake: Lake, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dagster as dg

    from igaming_assets.assembly import assemble

    with (
        databases("sqlite", request, tmp_path) as file,
        databases("postgres", request, tmp_path) as server,
        databases("snowflake", request, tmp_path) as warehouse,
    ):
        account = request.getfixturevalue("account") | {"database": tmp_path.name.upper()}
        account.pop("session_parameters")
        monkeypatch.setenv("LAKEHOUSE_ROOT", lake.root)
        monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["floor", "platform"]')
        monkeypatch.setenv("LAKEHOUSE_SQLITE", str(tmp_path / GOLD))
        monkeypatch.setenv("LAKEHOUSE_POSTGRES", request.getfixturevalue("server"))
        monkeypatch.setenv("LAKEHOUSE_SNOWFLAKE", json.dumps(account))
        made = assemble(load_settings())
        whole = made.resolve_job_def("gaming_day").asset_layer.executable_asset_keys
        assert dg.AssetKey(["gold", "item_sales"]) in whole
        for name, database in {"sqlite": file, "postgres": server, "snowflake": warehouse}.items():
            key = dg.AssetKey([name, "item_sales"])
            asset = made.resolve_asset_graph().get(key)
            assert asset.parent_keys == {dg.AssetKey(["gold", "item_sales"])}
            assert key not in whole
            job = made.resolve_implicit_global_asset_job_def().get_subset(asset_selection={key})
            assert job.execute_in_process(partition_key="2025-01-02").success
            assert revenues(database) == HELD[2:]
