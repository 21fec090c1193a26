"""The query that a card shows says in the terminal what the card says."""

from __future__ import annotations

import datetime as dt
import random
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from filing_lake import answer_of, append, ctr_row, export_of, write
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from live_house import House
from live_streams import EVENTS, bet, stream, streams

from lakehouse.gold.platform.health import server_health
from lakehouse.live.views import answer
from lakehouse.serve.pages import compliance, live
from lakehouse.serve.pages.asking import Asking
from lakehouse.serve.pages.figures import Figure, query_of
from lakehouse.serve.pages.frame import filled
from lakehouse.serve.pages.here import Here, Span
from lakehouse.serve.pages.here import House as Pages
from lakehouse.serve.pages.menu import PAGES
from lakehouse.serve.pages.viewer import Viewer
from lakehouse.serve.pages.watched import Watched
from lakehouse.serve.sql.catalog import Catalog
from lakehouse.settings import DOMAINS, Settings
from lakehouse.silver import clean
from lakehouse.storage import Commit, Lake, stored_schema

BRIEF = settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
COMMIT = Commit("test", "test", "1")
NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
DAY = dt.date(2025, 1, 3)
HEALTH = "server_health"
PANELS = [p for of_page in live.PANELS.values() for p in of_page if p.view != HEALTH]


def here(lake: Lake, of: Settings, page: str, span: Span) -> Here:
    views = {name: lambda params, name=name: answer(lake, of, name, params) for name in
             ("progress", *(p.view for ps in live.PANELS.values() for p in ps))}  # fmt: skip
    made = Pages(Asking(lake, of), lambda: NOW, Watched(views))
    found = next(p for p in PAGES if p.name == page)
    viewer = Viewer("kim", frozenset({page}), frozenset())
    return Here(made, found, span, {}, lambda: viewer, PAGES)


def asked(lake: Lake, *, restricted: bool = False) -> Catalog:
    return Catalog(lake, restricted=restricted, timezone="America/Los_Angeles")


def terminal(lake: Lake, sql: str, *, restricted: bool = False) -> list[tuple[Any, ...]]:
    with asked(lake, restricted=restricted) as catalog:
        return catalog.frame(sql).rows()


@st.composite
def houses(draw: Any) -> list[tuple[str, pl.DataFrame, bool]]:
    """Events of each topic in two pieces, so that what is said is amended, and whether the second
    is far behind or the first is told before."""
    found = []
    for table in EVENTS:
        bronze = draw(streams(table)).bronze
        cut = draw(st.integers(0, len(bronze)))
        found.append((table, bronze.head(cut), draw(st.booleans())))
        found.append((table, bronze.slice(cut), True))
    return [f for f in found if len(f[1])]


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of frames, if it fails
@BRIEF
@given(pieces=houses())
def test_a_live_panel_shows_the_query_of_its_rows(
    pieces: list[tuple[str, pl.DataFrame, bool]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder) / "house", *EVENTS)
        catalog = asked(house.lake)
        for table, rows, is_told in pieces:
            house.store(table, rows)
            if is_told:
                house.flush(40)
        for panel in PANELS:
            sql = filled(panel.figure(), panel.given(house.settings))
            page = next(name for name, of in live.PANELS.items() if panel in of)
            reader = here(house.lake, house.settings, page, Span(DAY, DAY))
            shown = live._rows(reader, panel)
            assert catalog.frame(sql).rows() == shown.rows(), panel.view
        catalog.close()


def test_a_panel_shows_as_many_rows_as_its_query(tmp_path: Path) -> None:
    """More windows, products and sessions than are shown: each query ends where its panel does."""
    house = House(tmp_path / "house", *EVENTS)
    start = dt.datetime(2026, 6, 15, 13, tzinfo=dt.UTC)
    drawn = Picked()
    for table, event in EVENTS.items():
        events = [event(n, start + dt.timedelta(seconds=20 * n), f"U{n}", drawn)
                  for n in range(150)]  # fmt: skip
        house.store(table, stream(table, events).bronze)
    house.flush()
    sizes, catalog = {}, asked(house.lake)
    for panel in PANELS:
        rows = catalog.frame(filled(panel.figure(), panel.given(house.settings))).rows()
        told = answer(house.lake, house.settings, panel.view, panel.params).select(panel.columns)
        shown = told if panel.draw == "table" else told.reverse()
        assert rows == shown.rows(), panel.view
        sizes[panel.view] = len(rows)
    catalog.close()
    assert sizes["sessions"] >= 90  # 30 minutes of 20 seconds each
    assert (sizes["sales"], sizes["conversion"]) == (40, 10)


class Picked:
    """In the place of what draws: each time the next of what there is."""

    def __init__(self) -> None:
        self.turn = 0

    def __call__(self, strategy: st.SearchStrategy[Any]) -> Any:
        values = list(strategy.elements)  # type: ignore[attr-defined]
        self.turn += 1
        return values[self.turn % len(values)]


def test_sessions_of_one_account_at_one_moment_have_an_order(tmp_path: Path) -> None:
    """Session n stakes n dollars."""
    house = House(tmp_path / "house", "clickstream")
    at = dt.datetime(2026, 6, 15, 13, tzinfo=dt.UTC)
    events = [bet("U1", at, n) | {"session_id": f"S{n:02}", "bet_amount": Decimal(n)}
              for n in random.Random(1).sample(range(1, 61), 60)]  # fmt: skip
    house.store("clickstream", stream("clickstream", events).bronze)
    house.flush()
    [panel] = [p for p in PANELS if p.view == "sessions"]
    told = answer(house.lake, house.settings, panel.view, panel.params)
    assert told["stakes"].to_list() == [Decimal(n) for n in range(60, 0, -1)]
    catalog = asked(house.lake)
    rows = catalog.frame(filled(panel.figure(), panel.given(house.settings))).rows()
    catalog.close()
    assert rows == told.select(panel.columns).rows()


def test_what_stands_now_shows_its_query(tmp_path: Path) -> None:
    house = House(tmp_path / "house", "shop_orders", "clickstream")
    at = dt.datetime(2026, 6, 15, 13, tzinfo=dt.UTC)
    drawn = Picked()
    for table in house.tables:
        events = [EVENTS[table](n, at + dt.timedelta(seconds=n), f"U{n}", drawn) for n in range(5)]
        house.store(table, stream(table, events).bronze)
    house.flush()
    reader = here(house.lake, house.settings, "shop", Span(DAY, DAY))
    topics = {"topics": " ".join(live._topics(reader))}
    [(events, late, rejected, as_of)] = terminal(house.lake, filled(live.NOW, topics))
    assert (events, late, rejected, as_of) == (5, 0, 0, house.now)
    assert f"{house.now:%Y-%m-%d %H:%M} UTC" in live._standing(reader)[0]
    others = here(house.lake, house.settings, "platform", Span(DAY, DAY))
    assert live._standing(others) == (live.EMPTY, False)


def test_gold_says_of_servers_what_the_panel_says_of_bronze(tmp_path: Path) -> None:
    of = Settings(root=str(tmp_path / "lake"), domains=DOMAINS)
    lake = Lake.open(of)
    at = dt.datetime(2025, 1, 3, 18, tzinfo=dt.UTC)
    measured = [
        {"metric_id": f"M{n}{server}", "server_id": server, "disconnections": 1,
         "timestamp": at + dt.timedelta(minutes=n), "cpu_load": 10.0 + n, "memory_usage": 50.0,
         "latency": 20.0 + n, "players_online": 5 * n, "region": "eu", "gaming_day": DAY,
         "_source": "test", "_ingested_at": at, "_batch_id": "b"}
        for n in range(8) for server in ("s1", "s2")
    ]  # fmt: skip
    bronze = pl.DataFrame(
        [{n: row.get(n) for n in stored_schema("bronze", "server_metrics")} for row in measured],
        schema=stored_schema("bronze", "server_metrics"),
    )
    lake.write_days("bronze", "server_metrics", bronze, (DAY, DAY), commit=COMMIT)
    (panel,) = (p for ps in live.PANELS.values() for p in ps if p.view == HEALTH)
    told = answer(lake, of, HEALTH, panel.params).select(panel.columns)
    assert told.select("server_id", "cpu_load", "most_players").rows() == [
        ("s1", 16.0, 35), ("s2", 16.0, 35),
    ]  # fmt: skip
    good = clean("server_metrics", bronze.lazy(), timezone=of.timezone).good.lazy()
    servers = lake.scan("silver", "servers")
    gold = server_health(good, servers, days=(DAY, DAY)).collect()
    lake.write_days("gold", HEALTH, gold, (DAY, DAY), commit=COMMIT)
    sql = filled(panel.figure(), panel.given(of))
    assert terminal(lake, sql) == told.rows()


@pytest.mark.parametrize("name", ["batches", "standing"])
def test_a_card_of_batches_shows_the_query_of_its_rows(name: str, tmp_path: Path) -> None:
    of = Settings(root=str(tmp_path / "lake"), domains=DOMAINS)
    lake = Lake.open(of)
    first = ctr_row("P1")["gaming_day"]
    write(lake, "gold", "ctr_filings", [ctr_row(f"P{n}") for n in range(6)])
    of_player = [f"CTR-{first}-P{n}" for n in range(6)]
    append(
        lake,
        "filing_exports",
        *(export_of("b1", filing, "CTR", 9) for filing in of_player[:4]),
        export_of("b2", of_player[0], "CTR", 12, real=False),
        export_of("b3", of_player[1], "CTR", 13),
        export_of("b4", of_player[4], "CTR", 14, real=False),
        export_of("s1", "A", "SAR", 9),
    )
    append(
        lake,
        "filing_acknowledgements",
        answer_of("b1", of_player[0], "CTR", "Rejected", 10),
        answer_of("b1", of_player[0], "CTR", "Accepted with warnings", 11),
        answer_of("b1", of_player[1], "CTR", "Rejected", 11),
        answer_of("b1", of_player[2], "CTR", "Rejected", 11),
        answer_of("b4", of_player[4], "CTR", "Accepted", 15),
        answer_of("s1", "A", "SAR", "Accepted", 10),
    )
    reader = here(lake, of, "compliance", Span(first, first))
    card = {"batches": compliance.batches, "standing": compliance.standing}[name]
    shown = card(reader, "CTR").drop("opens", strict=False)
    given = reader.given() | {"timezone": of.timezone}
    sql = filled(Figure("", name, name, "table", query_of(name)), given)
    assert len(shown) == {"batches": 4, "standing": 6}[name]
    assert plain(terminal(lake, sql, restricted=True)) == plain(shown.rows())


def plain(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(int(v) if isinstance(v, Decimal) else v for v in row) for row in rows]
