"""`lakehouse stream` as it is called: produce, kill -9, plant; and what the truth says of it."""

import datetime as dt
import json
import time
import warnings
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from benchmarks.instances import short_lived
from igaming_assets.bronze import plants_asset
from igaming_assets.checks import declared
from lakehouse.cli import run
from lakehouse.detection.fraud.measures import measured, nothing_remembered
from lakehouse.detection.fraud.rules import column, judged
from lakehouse.ingest.streams.log import Log
from lakehouse.regulation.gaming_day import gaming_day
from lakehouse.settings import load_settings
from lakehouse.silver import clean
from lakehouse.simulate.arrivals import Arrivals
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.shop.burst import burst, is_burst
from lakehouse.simulate.shop.cases import KINDS
from lakehouse.simulate.world import World, world_of
from lakehouse.storage import Lake
from tests.processes import Warm
from tests.test_landing_assets import resources

FIRST, SECOND = dt.date(2025, 1, 1), dt.date(2025, 1, 2)
ZONE = "America/Los_Angeles"
TOPICS = ("clickstream", "sales_stream", "shop_actions")


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_START", str(FIRST))
    monkeypatch.setenv("LAKEHOUSE_SCALE", "0.3")
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["online", "shop"]')
    return Lake.open(load_settings())


def produce(*more: str) -> int:
    return run(["stream", "produce", "--topics", ",".join(TOPICS), *more])


def messages(lake: Lake, topic: str) -> list[list[bytes]]:
    log = Log(Path(f"{lake.root}.topics"))
    return [log.read(topic, p, 0, 10**7)["value"].to_list() for p in range(log.topics()[topic])]


def events(lake: Lake, topic: str) -> pl.DataFrame:
    found = [json.loads(v) for part in messages(lake, topic) for v in part]
    return pl.DataFrame(found, infer_schema_length=None)


def plants(lake: Lake) -> pl.DataFrame:
    return lake.scan("truth", "plants").collect()


@pytest.mark.slow
def test_a_producer_killed_again_and_again_sends_each_event_once(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["stream", "produce", "--topics", ",".join(TOPICS), "--speed", "20000x"]
    for seconds in (0.5, 1.0):
        process = Warm("lakehouse", *asked, "--to", str(SECOND))
        time.sleep(seconds)
        process.kill()
        process.communicate(300)
    assert produce("--as-fast", "--to", str(SECOND)) == 0
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "whole"))
    assert produce("--as-fast", "--to", str(SECOND)) == 0
    whole = Lake.open(load_settings())
    for topic in TOPICS:
        assert messages(lake, topic) == messages(whole, topic)
        assert sum(map(len, messages(whole, topic))) > 20
    columns = ["plant_id", "table_name", "row_key", "kind"]
    told = [plants(place).select(columns).sort(columns, nulls_last=True) for place in (lake, whole)]
    assert told[0].equals(told[1])


@pytest.mark.slow
def test_a_term_ends_it_well(lake: Lake) -> None:
    process = Warm("lakehouse", "stream", "produce", "--rate", "50", "--topics", "shop_actions")
    note = Path(f"{lake.root}.topics/produced.json")
    while not (note.exists() and json.loads(note.read_text())["at"]):
        time.sleep(0.05)
    second, (_, said) = Warm("lakehouse", "stream", "produce", "--as-fast"), ("", "")
    _, said = second.communicate(300)
    assert second.returncode == 1
    assert "events are produced by process" in said
    process._process.terminate()
    out, _ = process.communicate(300)
    assert process.returncode == 0
    assert "of 50 asked" in out
    total = json.loads(note.read_text())["topics"]["shop_actions"]["total"]
    assert total == sum(map(len, messages(lake, "shop_actions")))
    assert out.startswith(f"{total:,} events in ")


@pytest.fixture(scope="module")
def world() -> World:
    return world_of(load_settings(seed=5, start=FIRST, scale=0.3, domains=("online", "shop")))


def test_every_row_comes_once_and_on_its_time(world: World) -> None:
    """Over eight days all rows of the first three have come: the planted late ones on a later
    day, one to three after their own; all others within two hours of when they happened, those
    without a time and with a wrong one among them."""
    arrivals = Arrivals(world, {"shop_actions": FIRST})
    days = [FIRST + dt.timedelta(days=k) for k in range(8)]
    come = [arrivals.day(day)["shop_actions"] for day in days]
    assert all(at.is_sorted() for at, _ in come)
    rows = pl.concat(
        part.with_columns(at=at, came=day) for day, (at, part) in zip(days, come, strict=True)
    )
    mine = rows.filter(pl.col("gaming_day") <= days[2])
    for day in days[:3]:
        made, got = world.frame("shop_actions", day), mine.filter(gaming_day=day)
        assert got.select(made.columns).sort(made.columns).equals(made.sort(made.columns))
    late = pl.concat(world.plants(day) for day in days[:3]).filter(
        kind="late", table_name="shop_actions"
    )
    is_late = pl.col("event_id").is_in(late["row_key"].implode())
    waited = pl.col("came") - pl.col("gaming_day")
    assert len(late) > 5
    assert set(mine.filter(is_late).select(waited.dt.total_days()).to_series()) <= {1, 2, 3}
    soon = mine.filter(~is_late & pl.col("timestamp").is_not_null())
    delay = soon["at"] - soon["timestamp"]
    assert (delay < dt.timedelta(hours=2)).mean() > 0.99
    assert (delay == dt.timedelta()).mean() > 0.95


@pytest.mark.slow
def test_the_truth_has_what_a_run_tells_of_the_days(lake: Lake, world: World) -> None:
    """The rows that a plant names are among the events, and there is one for each defect."""
    assert produce("--as-fast", "--to", str(FIRST)) == 0
    found = plants(lake)
    assert set(found["table_name"]) <= {"clickstream", "shop_orders", "shop_actions"}
    assert found["gaming_day"].unique().to_list() == [FIRST]
    spoiled = found.filter(kind="null_required", table_name="clickstream")
    ids = events(lake, "clickstream")
    assert len(spoiled) > 0
    assert set(spoiled["row_key"]) <= set(ids["event_id"])
    again = found
    assert produce("--as-fast", "--to", str(FIRST)) == 0
    assert plants(lake).equals(again)
    told = world_of(load_settings()).plants(FIRST)
    asked = told.filter(pl.col("table_name").is_in(["clickstream", "shop_orders", "shop_actions"]))
    order = ["plant_id", "table_name", "row_key"]
    assert found.select(order).sort(order).equals(asked.select(order).sort(order))


@pytest.mark.slow
def test_a_burst_is_planted_at_the_clock_of_the_events(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    assert produce("--as-fast", "--until", "500") == 0
    at = dt.datetime.fromisoformat(
        json.loads(Path(f"{lake.root}.topics/produced.json").read_text())["at"]
    )
    before = [events(lake, t)["timestamp"].len() for t in ("sales_stream", "shop_actions")]
    for _ in range(2):
        assert run(["stream", "plant", "card-testing"]) == 0
    said = capsys.readouterr().out
    bursts = plants(lake).filter(is_burst())
    assert bursts["plant_id"].n_unique() == 2
    assert bursts["kind"].unique().to_list() == ["card_testing"]
    assert bursts["entity_id"].n_unique() == 2
    assert all(user in said for user in bursts["entity_id"])
    orders = events(lake, "sales_stream")
    mine = orders.filter(pl.col("transaction_id").is_in(bursts["row_key"].implode()))
    assert len(mine) == len(bursts) == len(orders) - before[0]
    assert len(mine) >= 40
    assert (mine["status"] == "failed").mean() > 0.5
    assert mine["transaction_id"].n_unique() == len(mine)
    assert mine.group_by("user_id").len()["len"].min() >= 20
    last = max(dt.datetime.fromisoformat(t) for t in mine["timestamp"])
    assert abs(last - at) < dt.timedelta(seconds=1)
    done = events(lake, "shop_actions")
    assert done["event_id"].n_unique() >= len(done) - before[1]
    assert produce("--as-fast", "--until", "500") == 0
    kept = plants(lake).filter(pl.col("plant_id").is_in(bursts["plant_id"].implode()))
    assert kept.sort("row_key").equals(bursts.sort("row_key"))


def test_refunds_of_a_burst_come_with_it_and_are_found() -> None:
    """Four refunds are needed, of a sixth of what was paid; each of a payment that came before."""
    world = World(WorldConfig(seed=7))
    ends = dt.datetime(2025, 1, 3, 20, tzinfo=dt.UTC)
    rows = burst(world, "refund_abuse", ends, 0, user="A00000007").rows["shop_orders"]
    back = rows.filter(status="refunded")
    of = rows.filter(status="completed").select(refund_of="transaction_id", paid="timestamp")
    both = back.join(of, on="refund_of")
    assert len(both) == len(back) >= 4
    assert (both["paid"] < both["timestamp"]).all()
    assert rows["timestamp"].max() == ends
    assert ends - rows["timestamp"].min() < dt.timedelta(days=1)
    day = gaming_day(pl.col("timestamp"), ZONE)
    good = clean("shop_orders", rows.with_columns(gaming_day=day), timezone=ZONE).good
    measures, _ = measured(good, nothing_remembered())
    assert judged(measures, "tuned")[column("refund_abuse")].max() > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_can_be_planted(lake: Lake, kind: str) -> None:
    given = ["--user", "A00000007", "--at", "2025-01-03T20:00:00Z", "--intensity", "0.9"]
    assert run(["stream", "plant", kind.replace("_", "-"), *given]) == 0
    assert plants(lake)["kind"].unique().to_list() == [kind]
    orders = events(lake, "sales_stream")
    assert orders["user_id"].unique().to_list() == ["A00000007"]
    assert orders["timestamp"].max() <= "2025-01-03T20:00:00+00:00"
    assert set(plants(lake)["row_key"]) <= set(orders["transaction_id"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["produce"], "give one of --rate EVENTS, --speed TIMESx and --as-fast"),
        (["produce", "--rate", "5", "--as-fast"], "give one of"),
        (["produce", "--rate", "0"], "--rate 0"),
        (["produce", "--rate", "nan"], "--rate nan"),
        (["produce", "--speed", "fast"], "--speed 'fast': write it as 60x"),
        (["produce", "--speed", "-1x"], "--speed -1x"),
        (["produce", "--as-fast", "--until", "0"], "--until 0"),
        (["produce", "--as-fast", "--from", "now"], "--from 'now' is no day"),
        (["produce", "--as-fast", "--from", "2024-12-31"], "2024-12-31 is before"),
        (["produce", "--as-fast", "--topics", "clicks"], "--topics 'clicks': events come in by"),
        (["produce", "--as-fast", "--topics", "purchases"], "--topics 'purchases'"),
        (["plant", "theft"], "no fraud 'theft'; there are: card_testing, "),
        (["plant", "card-testing", "--user", "B1"], "no user 'B1'; they are A00000000 to "),
        (["plant", "card-testing", "--at", "2025-01-03"], "needs its offset"),
        (["plant", "card-testing", "--at", "2024-01-03T00:00:00Z"], "is before the world's first"),
        (["plant", "card-testing", "--intensity", "2"], "--intensity 2"),
    ],
)
def test_wrong_input_is_told_in_a_line(
    lake: Lake, capsys: pytest.CaptureFixture[str], asked: list[str], said: str
) -> None:
    assert run(["stream", *asked]) == 2
    assert said in capsys.readouterr().err
    assert not Path(f"{lake.root}.topics").exists() or not list(
        Path(f"{lake.root}.topics").rglob("*.log")
    )


@pytest.mark.parametrize(
    "asked", [["produce", "--as-fast"], ["plant", "card-testing"]], ids=["produce", "plant"]
)
def test_a_lake_of_the_floor_alone_has_no_events(
    lake: Lake,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    asked: list[str],
) -> None:
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["floor"]')
    assert run(["stream", *asked]) == 2
    assert "the setting domains" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_keeps_what_was_planted_among_events(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shop's rows come by topics, so that no run simulates them; the others' it does."""
    assert run(["stream", "plant", "card-testing", "--at", "2025-01-01T20:00:00Z"]) == 0
    before = plants(lake)
    landed = {"shop_orders": "landing", "shop_actions": "landing"}
    monkeypatch.setenv("LAKEHOUSE_SOURCES", json.dumps(landed))
    settings = load_settings()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        asset = plants_asset(settings, declared(settings))
    with short_lived() as instance:
        dg.materialize(
            [asset], partition_key="2025-01-01", instance=instance, resources=resources(settings)
        )
    after = plants(lake)
    mine = after.filter(pl.col("table_name").str.starts_with("shop_"))
    assert mine.sort("row_key").equals(before.sort("row_key"))
    assert set(after["table_name"]) > {"shop_orders", "clickstream"}
