"""Dashboards for Grafana: in its published shape, of names that are written and SQL that runs."""

import datetime as dt
import fnmatch
import json
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest
import yaml

from lakehouse.serve.monitor.registry import Reading, signals
from lakehouse.serve.publish.graphite.options import GraphiteSettings
from lakehouse.serve.publish.graphite.series import SERIES, Series, points, points_of
from lakehouse.serve.publish.shapes import shape_of
from lakehouse.storage import stored_schema

HERE = Path(__file__).parents[1] / "examples/grafana"
DASHBOARDS = {p.stem: json.loads(p.read_text()) for p in sorted(HERE.glob("dashboards/*.json"))}
SCHEMA = json.loads((Path(__file__).parent / "grafana/schema.json").read_text())
GRAPHITE, POSTGRES = "lakehouse-graphite", "lakehouse-postgres"
PANELS = [(n, p) for n, d in DASHBOARDS.items() for p in d["panels"]]
FUNCTIONS = {
    "alias", "aliasByNode", "averageSeries", "countSeries", "highestMax", "maxSeries", "summarize",
    "sumSeries", "sumSeriesWithWildcards",
}  # fmt: skip
"""Of Graphite 1.1 (https://graphite.readthedocs.io/en/latest/functions.html)."""
NOW = dt.datetime(2025, 1, 8, 20, tzinfo=dt.UTC)


def shaped(part: str, given: Any) -> list[str]:
    """What is wrong with it."""
    schema = {**SCHEMA["properties"][part], "$defs": SCHEMA["$defs"]}
    return [e.message for e in jsonschema.Draft7Validator(schema).iter_errors(given)]


def test_there_are_the_dashboards_that_were_asked_for() -> None:
    assert {*DASHBOARDS} == {"servers", "latency", "fraud", "sales", "pipeline"}
    uids = [d["uid"] for d in DASHBOARDS.values()]
    assert len(set(uids)) == len(uids)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_of_the_published_shape(name: str) -> None:
    dashboard = DASHBOARDS[name]
    assert shaped("dashboard", dashboard) == []
    broken = dashboard | {"refreshes": "5s"}
    assert shaped("dashboard", broken) != []
    assert shaped("dashboard", dashboard | {"schemaVersion": "42"}) != []


@pytest.mark.parametrize(
    "panel", [p for _, p in PANELS], ids=[f"{n}: {p['title']}" for n, p in PANELS]
)
def test_a_panel_is_of_its_kind_s_published_shape(panel: dict[str, Any]) -> None:
    assert shaped("panel", panel) == []
    assert shaped(panel["type"], panel["options"]) == []
    custom = panel["fieldConfig"]["defaults"].get("custom", {})
    if custom:
        assert shaped(f"{panel['type']}Field", custom) == []
    x, width = panel["gridPos"]["x"], panel["gridPos"]["w"]
    assert x + width <= 24


def test_panels_lie_side_by_side() -> None:
    for dashboard in DASHBOARDS.values():
        cells = [
            (x, y)
            for at in (p["gridPos"] for p in dashboard["panels"])
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        ]
        assert len(set(cells)) == len(cells)
        ids = [p["id"] for p in dashboard["panels"]]
        assert len(set(ids)) == len(ids)


def test_panels_ask_sources_that_are_provisioned() -> None:
    told = yaml.safe_load((HERE / "provisioning/datasources/lakehouse.yaml").read_text())
    types = {s["uid"]: s["type"] for s in told["datasources"]}
    asked = {
        (source["uid"], source["type"])
        for _, panel in PANELS
        for source in (panel["datasource"], *(t["datasource"] for t in panel["targets"]))
    }
    assert asked == set(types.items())
    (provider,) = yaml.safe_load((HERE / "provisioning/dashboards/lakehouse.yaml").read_text())[
        "providers"
    ]
    assert provider["type"] == "file"


TARGETS = [
    (f"{name}: {panel['title']}", t["target"])
    for name, panel in PANELS
    for t in panel["targets"]
    if t["datasource"]["uid"] == GRAPHITE
]


def written(series: Series) -> list[str]:
    """Names of a row in which everything is known."""
    values = {c: [1.0] for c in series.values.values()}
    whose = {c: [_WHOSE.get(c, "x")] for c in series.by}
    moment = {series.at: [NOW.date() if series.at == "gaming_day" else NOW]}
    frame = pl.LazyFrame({**values, **whose, **moment})
    found = points(frame, series, prefix="casino", timezone="America/Los_Angeles")
    return found["name"].to_list()


_WHOSE = {"profile": "tuned", "level": "CRITICAL"}
SUBJECTS = {
    "cpu": "machine", "memory": "machine", "disk": "volume", "storage": "lake",
    "live_alerts": "fraud",
}  # fmt: skip
"""Those that panels name; tests of the signals hold them."""


@pytest.fixture(scope="module")
def names() -> list[str]:
    """Of what is published: by the code that sends."""
    read = [Reading(s, SUBJECTS.get(s, "x"), "INFO", 1.0, "u", "said", "do") for s in signals()]
    told = [n for s in SERIES for n in written(s)]
    told += [n.replace("CRITICAL", "HIGH") for n in told if ".fraud.CRITICAL." in n]
    return told + points_of(read, NOW, prefix="casino")["name"].to_list()


@pytest.mark.parametrize(("of", "target"), TARGETS)
def test_a_target_asks_for_names_that_are_written(of: str, target: str, names: list[str]) -> None:
    paths = re.findall(r"\$prefix[\w.$*-]+", target)
    assert paths
    for path in paths:
        asked = path.replace("$prefix", "casino").replace("$server", "*")
        assert "$" not in asked
        depth = [n for n in names if n.count(".") == asked.count(".")]
        assert fnmatch.filter(depth, asked), f"{of}: nothing is called {asked}"
    assert set(re.findall(r"(\w+)\(", target)) <= FUNCTIONS
    assert target.count("(") == target.count(")")


def test_the_prefix_is_that_of_the_settings() -> None:
    for dashboard in DASHBOARDS.values():
        (prefix,) = [v for v in dashboard["templating"]["list"] if v["name"] == "prefix"]
        assert prefix["query"] == GraphiteSettings().prefix


def test_carbon_keeps_each_series_by_a_rule_of_its_own() -> None:
    """And no closer together than its points come."""
    text = (HERE / "carbon/storage-schemas.conf").read_text()
    rules = re.findall(r"\[(\w+)\]\npattern = (.+)\nretentions = (\d+)([smd]):", text)
    held = {
        s.stem: next(
            (name, int(n) * {"s": 1, "m": 60, "d": 86_400}[unit])
            for name, pattern, n, unit in rules
            if re.search(pattern, written(s)[0])
        )
        for s in SERIES
    }
    assert held["servers"] == ("servers", 300)
    assert held["sales"] == ("sales", 30)
    assert held["fraud"] == ("fraud", 60)
    assert {held[s.stem] for s in SERIES if s.stem.startswith("daily.")} == {("daily", 86_400)}
    assert "rest" not in {name for name, _ in held.values()}


QUERIES = [
    (f"{name}: {panel['title']}", panel, t["rawSql"])
    for name, panel in PANELS
    for t in panel["targets"]
    if t["datasource"]["uid"] == POSTGRES
]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real PostgreSQL with the tables as `publish postgres` lays them out."""
    if sys.version_info >= (3, 13):
        pytest.skip("the wheel of PostgreSQL is for Python before 3.13")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies, over where files may lie
        import pgserver

        server = pgserver.get_server(tmp_path_factory.mktemp("pg") / "data")
    from adbc_driver_postgresql import dbapi

    from lakehouse.serve.publish.postgres import Postgres

    tables = {t for _, _, sql in QUERIES for t in re.findall(r"FROM gold\.(\w+)", sql)}
    with Postgres(server.get_uri()) as target:
        for table in tables:
            target.lay_out(shape_of("gold", table))
    with dbapi.connect(server.get_uri()) as connection:
        yield connection
    server.cleanup()


def plain(sql: str) -> str:
    """As Grafana sends it: its macros filled in, of 7 and 8 January."""
    first, last = "2025-01-07T00:00:00Z", "2025-01-08T23:59:59Z"
    filled = re.sub(r"\$__timeFilter\(([\w.\"]+)\)", rf"\1 BETWEEN '{first}' AND '{last}'", sql)
    assert "$" not in filled
    return filled


@pytest.mark.slow
@pytest.mark.parametrize(("of", "panel", "sql"), QUERIES, ids=[q[0] for q in QUERIES])
def test_a_query_runs_on_what_is_published(
    database: Any, of: str, panel: dict[str, Any], sql: str
) -> None:
    with database.cursor() as cursor:
        cursor.execute(plain(sql))
        schema = cursor.fetch_arrow_table().schema
    database.rollback()
    if panel["type"] == "timeseries":
        assert schema.names[0] == "time"
        assert str(schema.types[0]).startswith("timestamp")
        assert {"metric", "value"} <= {*schema.names} or len(schema.names) > 1
    assert panel["targets"][0]["format"] == (
        "time_series" if panel["type"] == "timeseries" else "table"
    )


@pytest.mark.slow
def test_a_query_says_what_is_so(database: Any) -> None:
    """Two servers of a region on 7 January, one on the 9th that is not asked for."""
    rows = [("a", 7, 120.0), ("b", 7, 180.0), ("a", 9, 999.0)]
    sql = next(q for of, _, q in QUERIES if of.endswith("p95 by region and gaming day"))
    required = [n for n in stored_schema("gold", "server_health") if n.startswith("latency")]
    with database.cursor() as cursor:
        for server, day, p95 in rows:
            zeros = ", ".join("0" for _ in required)
            cursor.execute(
                "INSERT INTO gold.server_health (server_id, period, period_start, gaming_day, "
                f"region, measurements, cpu_load, highest_cpu_load, memory_usage, disconnections, "
                f"{', '.join(required)}) VALUES ('{server}', 'day', '2025-01-0{day}T14:00Z', "
                f"'2025-01-0{day}', 'eu', 1, 1, 1, 1, 0, {zeros})"
            )
            cursor.execute(
                f"UPDATE gold.server_health SET latency_p95 = {p95} "
                f"WHERE server_id = '{server}' AND gaming_day = '2025-01-0{day}'"
            )
        cursor.execute(plain(sql))
        found = cursor.fetchall()
    database.rollback()
    assert [(str(day), *rest) for day, *rest in found] == [("2025-01-07 00:00:00", "eu", 180.0)]
