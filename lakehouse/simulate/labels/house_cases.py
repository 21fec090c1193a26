"""The cases of machines and staff that were planted, as truth/plants tells them: a row for each
day and piece of evidence that came through the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from lakehouse.simulate.faults.house_cases import Case, cases, of_kind
from lakehouse.simulate.floor import fillers, rota, security, slots, tables, windows
from lakehouse.simulate.floor.cage import rows_of as cage_rows
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.floor.tampering import forced_number, tampered_meters
from lakehouse.simulate.kernel import ids
from lakehouse.simulate.kernel.counter import I64
from lakehouse.simulate.kernel.plants import nothing, planted
from lakehouse.simulate.kernel.producers import label
from lakehouse.simulate.kernel.staff import badge_at
from lakehouse.simulate.kernel.world import World


@dataclass(frozen=True)
class Shown:
    """A case as it shows on a day, in one row of a table where that is the evidence."""

    case: Case
    kind: str
    entity_type: str
    entity_id: str
    table: str
    key: str | None


@label("slot_telemetry")
def planted_house_cases(world: World, day: int) -> pl.DataFrame:
    """One plant per case, day and piece of evidence; the parts of a case share their number."""
    if not cases(world.config, day):
        return nothing()
    found = [shown for show in _SHOWS for shown in show(world, day)]
    return _plants(world, day, found) if found else nothing()


def _plants(world: World, day: int, found: list[Shown]) -> pl.DataFrame:
    config, cases_of = world.config, [s.case for s in found]

    def texts(values: Iterable[str | None]) -> pl.Series:
        return pl.Series(list(values), dtype=pl.String)

    kinds = texts(s.kind for s in found)
    return planted(
        kinds,
        texts(f"case:{c.number}" for c in cases_of),
        entity_type=texts(s.entity_type for s in found),
        entity=texts(s.entity_id for s in found),
        table=texts(s.table for s in found),
        key=texts(s.key for s in found),
        rule=kinds,
        day=config.date(day),
        intensity=pl.Series([c.intensity for c in cases_of], dtype=pl.Float64),
        is_look_alike=pl.Series([c.is_look_alike for c in cases_of], dtype=pl.Boolean),
    ).with_columns(
        window_start=pl.Series([config.date(c.first_day) for c in cases_of]),
        window_end=pl.Series([config.date(c.last_day) for c in cases_of]),
    )


def _one(series: pl.Series) -> str:
    return str(series[0])


def _machine(c: Case, kind: str, key: str | None = None) -> Shown:
    name = _one(ids.machines(np.array([c.entity])))
    return Shown(c, kind, "machine", name, "slot_telemetry", key)


def _rows(world: World, day: int, machine: int) -> slots.Rows:
    sessions = np.searchsorted(day_plan(world, day).slots.machine, [machine, machine + 1])
    at = range(machine, machine + 1)
    return slots.rows_of_machines(world, day, at, slice(int(sessions[0]), int(sessions[1])))


def _slot_keys(world: World, r: slots.Rows, at: I64) -> list[str]:
    found = ids.event_ids(world.config.seed, "slot_telemetry", r.day[at], r.ordinal[at])
    return [str(k) for k in found]


def _drifts(world: World, day: int) -> Iterator[Shown]:
    played = set(day_plan(world, day).slots.machine.tolist())
    for c in of_kind(world.config, day, "hold_drift"):
        if c.entity in played:
            yield _machine(c, "hold_drift")


def _meters(world: World, day: int) -> Iterator[Shown]:
    """Each reading that is at odds with the play since the one before it, on the day or the day
    before."""
    config, days = world.config, range(max(day - 1, 0), day + 1)
    # A case of the day before may be over: what was played after its last reading shows now.
    found = {c: d for d in days for c in of_kind(config, d, "meter_against_play")}
    tampered = {m for d in days for m in tampered_meters(config, d)}
    for c, last in found.items():
        if c.is_look_alike:
            if last == day and c.entity in set(day_plan(world, day).slots.machine.tolist()):
                yield _machine(c, c.kind)
        elif c.entity in tampered:
            r = _rows(world, day, c.entity)
            before = [_rows(world, day - 1, c.entity)] if day else []
            yield from (
                _machine(c, c.kind, k) for k in _slot_keys(world, r, _wrong_readings(before, r))
            )


def _wrong_readings(before: list[slots.Rows], r: slots.Rows) -> I64:
    """Positions in `r`, which follows on the rows of `before`."""
    days = [*before, r]
    kind, meter = (np.concatenate([getattr(d, f) for d in days]) for f in ("kind", "meter"))
    played = np.cumsum(np.concatenate([d.coin_in for d in days]))
    read = np.flatnonzero(kind == fillers.METER)
    wrong = read[1:][np.diff(meter[read]) != np.diff(played[read])] - (len(kind) - len(r))
    return wrong[wrong >= 0]


def _doors(world: World, day: int) -> Iterator[Shown]:
    kind = "door_without_badge"
    opened = fillers.openings(world, day)
    for c, at in opened:
        r = _rows(world, day, c.entity)
        second = (r.event - day_plan(world, day).start) // 1_000_000
        here = np.flatnonzero((r.kind == fillers.DOOR_OPEN) & (second == at))
        yield from (_machine(c, kind, k) for k in _slot_keys(world, r, here))


def _jackpots(world: World, day: int) -> Iterator[Shown]:
    came = set(day_plan(world, day).slots.scenario.tolist())
    for c in of_kind(world.config, day, "jackpot_without_play"):
        if forced_number(c) in came:
            r, p = _rows(world, day, c.entity), day_plan(world, day).slots
            keys = p.key[p.scenario == forced_number(c)]
            here = (r.kind == fillers.JACKPOT) & np.isin(r.keys, keys)[r.session]
            yield from (_machine(c, c.kind, k) for k in _slot_keys(world, r, np.flatnonzero(here)))


def _collusion(world: World, day: int) -> Iterator[Shown]:
    """The end of each rating with the dealer; he and his player are the parts."""
    p = day_plan(world, day)
    if not p.meetings:
        return
    r = tables.rows_of(world, day)
    ends = ids.event_ids(world.config.seed, "table_games", r.day, r.ordinal)
    for m in p.meetings:
        met = p.tables.key[(p.tables.scenario == m.number) & (p.tables.start == m.start)]
        here = r.rated & (r.kind == tables.TYPE["RATING_END"]) & np.isin(r.key, met)
        for at in np.flatnonzero(here & (r.dealer == m.case.entity)).tolist():
            dealer = _one(ids.dealers(np.array([m.case.entity])))
            player = _one(ids.players(np.array([m.player])))
            for whose, name in (("employee", dealer), ("player", player)):
                yield Shown(m.case, m.case.kind, whose, name, "table_games", str(ends[at]))


def _cashiers(world: World, day: int) -> Iterator[Shown]:
    """On days on which the cashier served anybody; of a case, on which he did it."""
    found = windows.active_cases(world.config, day)
    if not found:
        return
    r = cage_rows(world, day)
    low = (r.supervisor >= 0) & (r.cash.cents <= windows.APPROVED_CENTS)
    for c in found:
        did = r.voids if c.kind == "cashier_voids" else low
        if ((r.cashier == c.entity) & (did | c.is_look_alike)).any():
            name = _one(ids.employees(np.array([c.entity])))
            yield Shown(c, c.kind, "employee", name, "financial_txn", None)


def _badges(world: World, day: int) -> Iterator[Shown]:
    """Of a copy its reads; of who came or went behind another, the read that is there."""
    behind = rota.tailgating(world.config, day)
    copied = rota.cloning(world.config, day)
    if not (behind or copied):
        return
    r = security.rows_of(world, day)
    keys = ids.event_ids(world.config.seed, "security_events", r.day, r.ordinal)
    for c in (*behind, *copied):
        badge = badge_at(world.config, c.entity)
        here = r.case == c.number
        if c in behind and not c.is_look_alike:
            here = (r.cause == security.BADGES) & (r.badge == badge) & (r.place == 0)
        name = _one(ids.numbered("BDG-", np.array([badge]), 5))
        for at in np.flatnonzero(here).tolist():
            yield Shown(c, c.kind, "badge", name, "security_events", str(keys[at]))


_SHOWS: tuple[Callable[[World, int], Iterator[Shown]], ...] = (
    _drifts,
    _meters,
    _doors,
    _jackpots,
    _collusion,
    _cashiers,
    _badges,
)
