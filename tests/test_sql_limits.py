"""A question that takes too long, too much, or that its asker no longer wants."""

import os
import signal
import time
from pathlib import Path

import pytest

from lakehouse.errors import BadInput, LakehouseError
from lakehouse.serve.sql import limits
from lakehouse.serve.sql.catalog import Catalog
from lakehouse.serve.sql.limits import Limits, Runaway
from lakehouse.settings import load_settings
from lakehouse.storage import Lake
from tests.processes import Warm

ENDLESS = "SELECT count(*) FROM range(100000000) a, range(100000000) b"
DEAF = "SELECT list_reduce(range(100000000), (a, b) -> a + b)"
"""One call of a function, which DuckDB cannot interrupt."""
LARGE = "SELECT len(list(i)) FROM range(10000000000) t(i)"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def test_a_question_is_stopped_in_time_and_the_next_is_answered(lake: Lake) -> None:
    with Catalog(lake, limits=Limits(seconds=0.3)) as catalog:
        with pytest.raises(LakehouseError, match=r"stopped after 0.3 s, .* sql_seconds") as told:
            catalog.frame(ENDLESS)
        assert told.value.exit_code == 1
        assert catalog.frame("SELECT 1").item() == 1


@pytest.mark.slow
def test_a_question_that_needs_too_much_memory_is_stopped(lake: Lake) -> None:
    with Catalog(lake, limits=Limits(memory=0.01)) as catalog:
        with pytest.raises(LakehouseError, match=r"more than 1% .* sql_memory"):
            catalog.frame(LARGE)
        assert catalog.frame("SELECT 1").item() == 1


@pytest.mark.slow
def test_a_question_that_cannot_be_stopped_is_given_up(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on in this process until it is done."""
    monkeypatch.setattr(limits, "GRACE", 0.2)
    catalog = Catalog(lake, limits=Limits(seconds=0.2))
    with pytest.raises(Runaway, match=r"stopped after 0\.2 s"), catalog:
        catalog.frame(DEAF.replace("100000000", "5000000"))


def test_code_that_has_the_connection_is_stopped_in_time(lake: Lake) -> None:
    with (
        Catalog(lake, timezone="UTC", limits=Limits(seconds=0.3)) as catalog,
        pytest.raises(LakehouseError, match=r"stopped after 0\.3 s"),
        catalog.connection(["gold.player_day"]) as connection,
    ):
        connection.execute(ENDLESS).fetchall()


@pytest.mark.parametrize(
    ("name", "value"),
    [("sql_seconds", 0), ("sql_seconds", -1), ("sql_memory", 0), ("sql_memory", 1.5)],
)
def test_a_limit_that_is_none_is_refused(name: str, value: float) -> None:
    with pytest.raises(BadInput, match=f"setting '{name}'"):
        load_settings(**{name: value})


def asked(lake: Lake, *arguments: str, **settings: str) -> Warm:
    env = os.environ | {"LAKEHOUSE_ROOT": lake.root, **settings}
    return Warm("lakehouse", "sql", *arguments, env=env)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "settings", "told"),
    [
        (ENDLESS, {"LAKEHOUSE_SQL_SECONDS": "0.5"}, "SQL: stopped after 0.5 s"),
        (DEAF, {"LAKEHOUSE_SQL_SECONDS": "0.5"}, "SQL: stopped after 0.5 s"),
        (LARGE, {"LAKEHOUSE_SQL_MEMORY": "0.01"}, "SQL: stopped, as it needs more than 1%"),
        (
            "SELECT repeat('x', 300000000) FROM range(20)",
            {"LAKEHOUSE_SQL_MEMORY": "0.01"},
            "SQL: stopped, as it needs more than 1%",
        ),
    ],
)
def test_the_command_ends_in_one_line(
    lake: Lake, query: str, settings: dict[str, str], told: str
) -> None:
    out, err = (process := asked(lake, query, **settings)).communicate(timeout=300)
    assert process.returncode == 1
    assert err.startswith(f"lakehouse: {told}")
    assert err.count("\n") == 1
    assert out == ""


@pytest.mark.slow
@pytest.mark.parametrize("query", [ENDLESS, DEAF])
def test_ctrl_c_ends_a_running_query(lake: Lake, tmp_path: Path, query: str) -> None:
    process = asked(lake, query, "--out", str(tmp_path / "out.csv"), "--format", "csv")
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob(".*.part")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (130, "lakehouse: interrupted\n")
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith((".out", "out"))] == []
