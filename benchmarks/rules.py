"""Rules of detection in transactions a second, and beside a plain engine that looks at a row at a
time: `python -m benchmarks rules`.

Both find the same entities and days in the same silver rows in memory, in one process; the engine
in Python is what a rule engine is without columns: a row, a few dictionaries, a decision.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import polars as pl

from benchmarks.worlds import Floor
from lakehouse.detection.registry import limit_of, rules
from lakehouse.simulate.kernel.config import WorldConfig

Row = dict[str, Any]
Found = set[tuple[str, dt.date]]
Tables = dict[str, pl.DataFrame]
COMPARED = ("door_without_badge", "chips_between_counts", "card_sharing")
DAYS = 2
SCALES = (1, 4, 16)
_MINUTE = dt.timedelta(minutes=1)


def limits(rule: str, *names: str) -> tuple[float, ...]:
    day = pl.LazyFrame({"gaming_day": [WorldConfig().start]})
    return day.select(limit_of(rule, n).alias(n) for n in names).collect().row(0)


def doors(slots: Iterable[Row], security: Iterable[Row]) -> Found:
    """Openings without a badge: reads count from a minute before them on."""
    (minutes,) = limits("door_without_badge", "minutes")
    events = [
        (r["event_timestamp"] - _MINUTE, 0, int(r["location_detail"][5:]), "", r["gaming_day"])
        for r in security
        if r["badge_number"] and r["access_granted"] and _is_machine(r["location_detail"])
    ]
    events += [
        (r["event_timestamp"], 1, int(r["machine_id"][5:]), r["machine_id"], r["gaming_day"])
        for r in slots
        if r["event_type"] == "DOOR_OPEN"
    ]
    last: dict[int, dt.datetime] = {}
    watched: set[dt.date] = set()
    found: Found = set()
    for at, is_door, number, machine, day in sorted(events):
        if not is_door:
            watched.add(day)
            last.update(dict.fromkeys((number - 1, number, number + 1), at + _MINUTE))
        elif number not in last or (at - last[number]) / _MINUTE > minutes:
            found.add((machine, day))
    return {(machine, day) for machine, day in found if day in watched}


def _is_machine(place: str | None) -> bool:
    return bool(place) and str(place).startswith("SLOT-") and str(place)[5:].isdigit()


def counts(tables: Iterable[Row]) -> Found:
    """Shifts that open with other chips than the one before closed with."""
    (least,) = limits("chips_between_counts", "from_usd")
    order = {"SHIFT_END": 0, "FILL": 1, "CREDIT": 1, "SHIFT_START": 2}
    moves = [
        (r["table_id"], r["event_timestamp"], order[r["event_type"]], r["event_id"], r)
        for r in tables
        if r["event_type"] in order and r["amount"] is not None
    ]
    before: Row | None = None
    found: Found = set()
    for *_, r in sorted(moves, key=lambda m: m[:4]):
        if (
            before is not None
            and before["table_id"] == r["table_id"]
            and (before["event_type"], r["event_type"]) == ("SHIFT_END", "SHIFT_START")
            and (r["gaming_day"] - before["gaming_day"]).days <= 1
            and abs(r["amount"] - before["amount"]) >= least
        ):
            found.add((r["table_id"], r["gaming_day"]))
        before = r
    return found


def cards(slots: Iterable[Row], tables: Iterable[Row]) -> Found:
    """Cards in two places at once."""
    (least,) = limits("card_sharing", "from_seconds")
    stays: dict[tuple[str, dt.date], dict[tuple[str, str], list[dt.datetime]]] = defaultdict(dict)

    def see(r: Row, place: str, stay: str) -> None:
        if r["player_id"] is not None and r[stay] is not None:
            mine = stays[r["player_id"], r["gaming_day"]]
            mine.setdefault((r[stay], r[place]), []).append(r["event_timestamp"])

    for r in slots:
        see(r, "machine_id", "session_id")
    for r in tables:
        if r["event_type"] in ("RATING_START", "RATING_END"):
            see(r, "table_id", "player_rating_id")
    found: Found = set()
    for who, mine in stays.items():
        spans = [(place, min(at), max(at)) for (_, place), at in mine.items() if len(at) > 1]
        for n, (place, since, until) in enumerate(spans):
            for other, since_2, until_2 in spans[:n]:
                both = min(until, until_2) - max(since, since_2)
                if place != other and both.total_seconds() >= least:
                    found.add(who)
    return found


def row_by_row(tables: Tables) -> dict[str, Found]:
    def of(name: str) -> Iterable[Row]:
        return tables[name].iter_rows(named=True)

    return {
        "door_without_badge": doors(of("slot_telemetry"), of("security_events")),
        "chips_between_counts": counts(of("table_games")),
        "card_sharing": cards(of("slot_telemetry"), of("table_games")),
    }


def ours(tables: Tables, days: tuple[dt.date, dt.date]) -> dict[str, Found]:
    parts = [_alerts(name, tables, days) for name in COMPARED]
    found = pl.collect_all(parts)
    return {n: set(f.select("entity_id", "gaming_day").iter_rows()) for n, f in
            zip(COMPARED, found, strict=True)}  # fmt: skip


def _alerts(name: str, tables: Tables, days: tuple[dt.date, dt.date]) -> pl.LazyFrame:
    rule = rules()[name]
    return rule.alerts({r.table: tables[r.table].lazy() for r in rule.reads}, days)


def _of_sources() -> list[str]:
    """The rules that read silver alone."""
    return [n for n, r in rules().items() if r.reads and all(x.layer == "silver" for x in r.reads)]


def _cpu(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def measured(scale: float, names: list[str]) -> str:
    """A line of the table. Raises SystemExit where the two engines find other things."""
    floor = Floor(WorldConfig(scale=scale), DAYS)
    read = sorted({x.table for n in names for x in rules()[n].reads})
    tables = {name: floor.silver(name).collect() for name in read}
    rows = sum(t.height for t in tables.values())
    if row_by_row(tables) != ours(tables, floor.days):
        raise SystemExit("the two engines differ")
    every = _cpu(lambda: pl.collect_all([_alerts(n, tables, floor.days) for n in names]))
    mine = _cpu(lambda: ours(tables, floor.days))
    plain = _cpu(lambda: row_by_row(tables))
    return (
        f"| {scale:g}x | {rows:,} | {every:.2f} | {rows / every:,.0f} | {mine:.2f} "
        f"| {plain:.2f} | {plain / mine:.1f} |"
    )


def main(scales: tuple[float, ...] = SCALES) -> None:
    names = _of_sources()
    print(f"{len(names)} rules over silver, {DAYS} days; compared: {', '.join(COMPARED)}\n")
    print(
        "| scale | transactions | all these, CPU s | transactions/CPU s | compared, CPU s | "
        "row by row, CPU s | ratio |"
    )
    print("|---" * 7 + "|")
    for scale in scales:
        print(measured(scale, names), flush=True)
