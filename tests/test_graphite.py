"""Points in Graphite: what they are called, and that a real carbon has each once, whatever dies."""

import datetime as dt
import json
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import live_house
import polars as pl
import pytest
from carbon_server import Carbon, free_port
from live_streams import stream
from small_lake import COMMIT, rows
from test_live_views import AT, paid
from typer.testing import CliRunner

from lakehouse.cli import build
from lakehouse.commands.monitor import _send
from lakehouse.errors import BadInput, LakehouseError
from lakehouse.live.views import answer, views
from lakehouse.serve.monitor.registry import Reading
from lakehouse.serve.monitor.watch import Seen
from lakehouse.serve.publish.graphite import spool as spools
from lakehouse.serve.publish.graphite.options import GraphiteSettings
from lakehouse.serve.publish.graphite.run import Live, chosen, place, publish, spool_of
from lakehouse.serve.publish.graphite.series import POINTS, SERIES, Series, points, points_of
from lakehouse.serve.publish.graphite.spool import Spool
from lakehouse.serve.publish.graphite.wire import encoded
from lakehouse.settings import DOMAINS, Settings
from lakehouse.storage import Lake, stored_schema

ZONE = "America/Los_Angeles"
BY_STEM = {s.stem: s for s in SERIES}
TODAY = dt.datetime.now(dt.UTC).replace(hour=20, minute=0, second=0, microsecond=0)
"""Carbon keeps what lies within its retention of its own clock."""
NOON = TODAY - dt.timedelta(days=3)
"""About noon of a gaming day of the property."""
DAY = NOON.date()


def seconds(moment: dt.datetime) -> int:
    return int(moment.timestamp())


def made(stem: str, layer: str, **given: list[Any]) -> list[tuple[Any, ...]]:
    one = BY_STEM[stem]
    found = points(
        one.prepare(rows(layer, one.table, given).lazy(), ZONE), one, prefix="casino", timezone=ZONE
    )
    return found.rows()


def test_a_row_is_a_point_of_each_value_that_is_known() -> None:
    at = dt.datetime(2025, 1, 7, 20, 5, tzinfo=dt.UTC)
    found = made(
        "servers", "gold", server_id=["eu west.1", "a"], period=["five_minutes", "day"],
        period_start=[at, at], gaming_day=[at.date()] * 2, cpu_load=[65.5, 1.0],
        latency=[float("nan"), 2.0], disconnections=[3, 4],
    )  # fmt: skip
    # 2025-01-07 is 20,095 days after 1970, and 20:05 is 72,300 s of it.
    moment = 20_095 * 86_400 + 72_300
    assert found == [
        ("casino.servers.eu_west_1.cpu_load", 65.5, moment),
        ("casino.servers.eu_west_1.disconnections", 3.0, moment),
    ]


def test_a_day_is_a_point_at_its_opening() -> None:
    """06:00 at the property is 14:00 UTC in January, 13:00 in July."""
    days = [dt.date(2025, 1, 7), dt.date(2025, 7, 7)]
    found = made("daily.kpi", "gold", gaming_day=days, revenue=[Decimal("12.50"), None],
                 transactions=[None, 4])  # fmt: skip
    assert found == [
        ("casino.daily.kpi.revenue", 12.5, 20_095 * 86_400 + 14 * 3_600),
        ("casino.daily.kpi.transactions", 4.0, (20_095 + 181) * 86_400 + 13 * 3_600),
    ]


def test_windows_over_the_border_of_two_days_are_left_out() -> None:
    """Each day has a part of it, under one name and moment."""
    border = dt.datetime(2025, 1, 8, 14, tzinfo=dt.UTC)
    starts = [border + dt.timedelta(seconds=s) for s in (-60, -30, -30, 0)]
    found = made(
        "sales", "gold", window_start=starts, transactions=[1, 2, 3, 4],
        window_end=[s + dt.timedelta(seconds=60) for s in starts],
        gaming_day=[dt.date(2025, 1, 7)] * 2 + [dt.date(2025, 1, 8)] * 2,
    )  # fmt: skip
    assert [(n, v) for n, v, _ in found] == [("casino.sales.transactions", v) for v in (1.0, 4.0)]


def test_fraud_is_counted_by_minute_and_level() -> None:
    at = dt.datetime(2025, 1, 7, 20, 5, 40, tzinfo=dt.UTC)
    found = made(
        "fraud", "gold", alert_timestamp=[at, at, at, at + dt.timedelta(seconds=20)],
        alert_level=["HIGH"] * 4, profile=["tuned", "tuned", "streamify", "tuned"],
    )  # fmt: skip
    minute = 20_095 * 86_400 + 72_300
    name = "casino.fraud.HIGH.alerts"
    assert found == [(name, 2.0, minute), (name, 1.0, minute + 60)]


def test_series_are_of_columns_that_there_are() -> None:
    known = {s.view for s in SERIES if s.view} - views().keys()
    assert known == set()
    for one in SERIES:
        if one.table:
            frame = pl.LazyFrame(schema=stored_schema("gold", one.table))
            assert points(one.prepare(frame, ZONE), one, prefix="p", timezone=ZONE).schema == POINTS
        assert one.table or one.view
    assert len(BY_STEM) == len(SERIES)


def test_both_protocols_say_the_same() -> None:
    lines = [f"a.b{n} {n}.5 {1_700_000_000 + n}" for n in range(1_001)]
    assert b"".join(encoded(lines, "plaintext")).decode() == "".join(f"{x}\n" for x in lines)
    told = []
    for message in encoded(lines, "pickle"):
        (size,) = struct.unpack("!L", message[:4])
        assert size == len(message) - 4 < 2**20
        told += pickle.loads(message[4:])
    assert told == [(f"a.b{n}", (1_700_000_000 + n, n + 0.5)) for n in range(1_001)]


def test_the_port_follows_from_the_protocol() -> None:
    assert GraphiteSettings(server="h").address == ("h", 2003)
    assert GraphiteSettings(server="h", protocol="pickle").address == ("h", 2004)
    assert GraphiteSettings(server="h:9", protocol="pickle").address == ("h", 9)


@pytest.fixture(scope="session")
def carbon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carbon]:
    server = Carbon(tmp_path_factory.mktemp("carbon"))
    server.start()
    yield server
    server.stop()


class House:
    """A lake whose servers were measured, and a server of Graphite."""

    def __init__(self, folder: Path, graphite: GraphiteSettings) -> None:
        root = str(folder / "lake")
        self.settings = Settings(root=root, domains=DOMAINS, graphite=graphite)
        self.lake = Lake.open(self.settings)
        self.said: list[str] = []

    def measure(self, day: int, *loads: float) -> None:
        """Loads of server s1 on the gaming day so many days after the first, from noon on."""
        noon, date = NOON + dt.timedelta(days=day), DAY + dt.timedelta(days=day)
        given = {
            "server_id": ["s1"] * len(loads),
            "period": ["five_minutes"] * len(loads),
            "period_start": [noon + dt.timedelta(minutes=5 * n) for n in range(len(loads))],
            "gaming_day": [date] * len(loads),
            "cpu_load": list(loads),
        }
        frame = rows("gold", "server_health", given)
        self.lake.write_days("gold", "server_health", frame, (date, date), commit=COMMIT)

    def publish(self, **more: Any) -> int:
        spool = spool_of(self.settings)
        asked = chosen(self.settings, ["servers"])
        sent = publish(self.lake, self.settings, spool, asked, tell=self.said.append, **more)
        return sum(s.points for s in sent)


def loads(carbon: Carbon, prefix: str, least: int, days: int = 2) -> list[float]:
    first, end = seconds(NOON), seconds(NOON + dt.timedelta(days=days))
    found = carbon.written(f"{prefix}.servers.s1.cpu_load", first, end, least)
    return [v for _, v in sorted(found.items())]


def until(carbon: Carbon, prefix: str, wanted: list[float]) -> bool:
    deadline = time.monotonic() + 300
    while loads(carbon, prefix, len(wanted)) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    return loads(carbon, prefix, len(wanted)) == wanted


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["plaintext", "pickle"])
def test_carbon_has_what_the_lake_has(carbon: Carbon, tmp_path: Path, protocol: str) -> None:
    house = House(tmp_path, carbon.options(protocol, prefix=protocol))
    house.measure(0, 10.0, 20.5)
    house.measure(1, 30.0)
    assert house.publish() == 3
    held = carbon.written(f"{protocol}.servers.s1.cpu_load", seconds(NOON), seconds(TODAY), 3)
    assert held == {
        seconds(NOON): 10.0,
        seconds(NOON) + 300: 20.5,
        seconds(NOON) + 86_400: 30.0,
    }
    assert carbon.names(protocol) == [f"{protocol}.servers.s1.cpu_load"]
    assert house.publish() == 0
    assert house.said[-1] == "servers: nothing new"
    # A day that is made again is sent again, and takes the place of what was there.
    house.measure(0, 11.0)
    assert house.publish() == 1
    assert until(carbon, protocol, [11.0, 20.5, 30.0])
    assert house.publish(again=True) == 2
    last = DAY + dt.timedelta(days=1)
    assert house.publish(again=True, days=(last, last)) == 1


@pytest.mark.slow
def test_a_server_that_is_away_gets_everything_later_in_order(
    carbon: Carbon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spools, "ATTEMPTS", 1)
    monkeypatch.setattr(Spool.drain, "__kwdefaults__", {"attempts": 1})
    house = House(tmp_path, carbon.options(prefix="away"))
    carbon.stop()
    for load in (1.0, 2.0, 3.0):
        house.measure(0, load, load)
        with pytest.raises(LakehouseError, match=r"took nothing: .* points wait in .*\.graphite"):
            house.publish()
    spool = spool_of(house.settings)
    assert spool.points() == 6
    assert [f.name for f in spool.waiting()] == [f"{n:012}.points" for n in (1, 2, 3)]
    carbon.start()
    assert house.publish() == 0
    assert spool.waiting() == []
    # Had they come in another order, the last would be another.
    assert until(carbon, "away", [3.0, 3.0])
    time.sleep(1.2)  # carbon writes once a second
    assert loads(carbon, "away", 2) == [3.0, 3.0]


SENDER = """
import sys
from pathlib import Path
from lakehouse.serve.publish.graphite.options import GraphiteSettings
from lakehouse.serve.publish.graphite.spool import Spool
Spool(Path(sys.argv[1]), GraphiteSettings.model_validate_json(sys.argv[2])).drain()
"""


@pytest.mark.slow
def test_whoever_is_killed_in_the_middle_loses_nothing(
    carbon: Carbon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty files of 50 points; killed when some have gone out and some have not."""
    monkeypatch.setattr(spools, "BATCH", 50)
    options = carbon.options(prefix="killed")
    spool, first = Spool(tmp_path / "spool", options), seconds(TODAY) - 86_400 * 10
    names = ["killed.servers.s1.cpu_load"] * 2_000
    moments = [first + 300 * n for n in range(2_000)]
    spool.add(pl.DataFrame([names, [float(n) for n in range(2_000)], moments], schema=POINTS))
    assert len(spool.waiting()) == 40
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    given = [sys.executable, "-c", SENDER, str(tmp_path / "spool"), options.model_dump_json()]
    process = subprocess.Popen(given, env=env)
    while len(spool.waiting()) > 35 and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    process.wait()
    left = len(spool.waiting())
    assert 0 < left < 40
    assert spool.drain() == left * 50
    held = carbon.written(names[0], first, first + 300 * 2_000, 2_000)
    assert held == {at: float(n) for n, at in enumerate(moments)}


@pytest.mark.slow
def test_a_server_that_is_killed_while_it_takes_gets_it_again(
    carbon: Carbon, tmp_path: Path
) -> None:
    options = carbon.options(prefix="dies")
    spool, first = Spool(tmp_path / "spool", options), seconds(TODAY) - 86_400
    points = [["dies.servers.s1.cpu_load"] * 20, [float(n) for n in range(20)]]
    spool.add(pl.DataFrame([*points, [first + 300 * n for n in range(20)]], schema=POINTS))
    carbon.signal(signal.SIGSTOP)  # it takes connections, as the kernel does, and reads nothing
    failed: list[LakehouseError] = []

    def drain() -> None:
        try:
            spool.drain(attempts=1)
        except LakehouseError as error:
            failed.append(error)

    sender = threading.Thread(target=drain)
    sender.start()
    time.sleep(0.5)
    assert sender.is_alive()  # without carbon's own end of the connection nothing is taken
    carbon.stop(signal.SIGKILL)
    sender.join(300)
    assert failed
    assert spool.points() == 20
    carbon.start()
    assert spool.drain() == 20
    held = carbon.written("dies.servers.s1.cpu_load", first, first + 300 * 20, 20)
    assert held == {first + 300 * n: float(n) for n in range(20)}


def test_two_that_spool_at_once_take_nothing_from_each_other(tmp_path: Path) -> None:
    options = GraphiteSettings(server=f"127.0.0.1:{free_port()}")

    def add(who: int) -> None:
        spool = Spool(tmp_path / "spool", options)
        for n in range(20):
            spool.add(pl.DataFrame([[f"a{who}"], [float(n)], [n]], schema=POINTS))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    files = Spool(tmp_path / "spool", options).waiting()
    told = [f.read_text().split() for f in files]
    for who in range(3):
        assert [float(v) for name, v, _ in told if name == f"a{who}"] == [
            float(n) for n in range(20)
        ]
    assert {p.stat().st_mode & 0o777 for p in files} == {0o600}


def test_live_views_are_sent_as_they_change(tmp_path: Path) -> None:
    settings = Settings(root=str(tmp_path / "lake"), domains=DOMAINS)
    start = dt.datetime(2025, 1, 7, 20, tzinfo=dt.UTC)
    told = {"a": 1, "b": 2}

    def items(params: Any) -> pl.DataFrame:
        assert params == {"windows": "20"}
        return pl.DataFrame(
            [
                {"item_id": i, "window_start": start, "purchase_count": n, "buyers": None,
                 "total_revenue": Decimal("1.50")}
                for i, n in told.items()
            ],
            schema_overrides={"buyers": pl.Int64},
        )  # fmt: skip

    live = Live(settings, {"item_sales": items})
    at = seconds(start)
    assert live.changed().rows() == [
        ("casino.items.a.purchase_count", 1.0, at),
        ("casino.items.a.total_revenue", 1.5, at),
        ("casino.items.b.purchase_count", 2.0, at),
        ("casino.items.b.total_revenue", 1.5, at),
    ]
    assert live.changed().is_empty()
    told["b"] = 3
    assert live.changed().rows() == [("casino.items.b.purchase_count", 3.0, at)]


def test_a_window_that_is_live_has_the_names_of_the_day_s_table(tmp_path: Path) -> None:
    shop = live_house.House(tmp_path / "house", "shop_orders")
    events = [paid(1, 0, "U1"), paid(2, 20, "U2", "5000.00"), paid(3, 29, "U2", "2.50")]
    shop.store("shop_orders", stream("shop_orders", events).bronze)
    shop.flush()
    live = Live(shop.settings, {"sales": partial(answer, shop.lake, shop.settings, "sales")})
    told = {(n, at): v for n, v, at in live.changed().iter_rows()}
    assert told["casino.sales.transactions", seconds(AT)] == 3.0
    assert told["casino.sales.sales", seconds(AT)] == 5012.5
    stored = pl.LazyFrame(schema=stored_schema("gold", "sales_windows")).collect_schema()
    assert {n.rpartition(".")[2] for n, _ in told} <= {*stored}


@pytest.mark.parametrize("series", [s for s in SERIES if s.view], ids=lambda s: s.stem)
def test_an_empty_live_view_has_no_points(series: Series, tmp_path: Path) -> None:
    settings = Settings(root=str(tmp_path / "lake"), domains=DOMAINS)
    lake = Lake.open(settings)
    live = Live(settings, {series.view: lambda params: answer(lake, settings, series.view, params)})
    assert live.changed().is_empty()


def test_what_the_monitor_reads_is_sent_and_waits_where_nobody_listens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = Reading("cpu", "the machine", "WARNING", 81.5, "percent", "said", "do")
    none = Reading("storage_growth", "lake", "INFO", None, "days", "said", "do")
    assert points_of([one, none], NOON, prefix="casino").rows() == [
        ("casino.monitor.cpu.the_machine.level", 1.0, seconds(NOON)),
        ("casino.monitor.cpu.the_machine.value", 81.5, seconds(NOON)),
        ("casino.monitor.storage_growth.lake.level", 0.0, seconds(NOON)),
    ]
    away = GraphiteSettings(server=f"127.0.0.1:{free_port()}")
    settings = Settings(root=str(tmp_path / "lake"), graphite=away)
    _send(settings, Seen([one], {}))
    assert "took nothing: Connection refused; 2 points wait" in capsys.readouterr().err
    assert spool_of(settings).points() == 2
    _send(Settings(root=str(tmp_path / "other")), Seen([one], {}))
    assert not place(Settings(root=str(tmp_path / "other"))).exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "LAKEHOUSE_GRAPHITE__SERVER"),
        (("--live", "--again"), "--live sends what is so now"),
        (("--series", "nope"), "no series 'nope' of a table; there are: servers"),
        (("--every", "0"), "0.1 to 3600"),
    ],
)
def test_what_cannot_be_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", json.dumps(DOMAINS))
    if arguments:
        monkeypatch.setenv("LAKEHOUSE_GRAPHITE__SERVER", f"127.0.0.1:{free_port()}")
    found = CliRunner().invoke(build(), ["publish", "graphite", *arguments])
    assert isinstance(found.exception, BadInput)
    assert said in str(found.exception)


def test_a_server_that_shuts_the_door_has_taken_nothing(tmp_path: Path) -> None:
    """It accepts, and ends the connection with what was sent unread."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            connection, _ = listening.accept()
            time.sleep(0.2)
            connection.close()

        thread = threading.Thread(target=refuse)
        thread.start()
        options = GraphiteSettings(server=f"127.0.0.1:{listening.getsockname()[1]}")
        spool = Spool(tmp_path / "spool", options)
        spool.add(pl.DataFrame([["a"], [1.0], [1]], schema=POINTS))
        with pytest.raises(LakehouseError, match="reset"):
            spool.drain(attempts=1)
        thread.join()
    assert spool.points() == 1
