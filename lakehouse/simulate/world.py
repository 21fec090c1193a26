"""One simulated casino. Every table is a view of what happened in it."""

from __future__ import annotations

import datetime as dt
import functools
import threading
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.regulation.law import Law, load
from lakehouse.simulate import cage, defects, filings, ids, people, security, slots, tables, truth
from lakehouse.simulate.arrays import take
from lakehouse.simulate.clock import day_start
from lakehouse.simulate.config import WorldConfig
from lakehouse.simulate.counter import I64, draw, key
from lakehouse.simulate.ledger import Ledger, close
from lakehouse.simulate.misconduct import Scenario, scenarios
from lakehouse.simulate.plan import DayPlan, clean_rows, plan
from lakehouse.simulate.slot_play import SlotPlay
from lakehouse.simulate.table_play import TablePlay
from lakehouse.simulate.visits import Visits

TABLES = (
    "player_profile",
    "slot_telemetry",
    "table_games",
    "financial_txn",
    "gaming_wins",
    "staff_observations",
    "security_events",
    "compliance",
)
LONGEST_CREDIT = 14
"""Days after which a marker is paid at the latest."""


class World:
    """Random access to any table and gaming day: the same bytes in any order, alone or in a
    run. Safe to share between threads."""

    def __init__(self, config: WorldConfig) -> None:
        self.config = config
        self.law: Law = load(config.profile)
        self._lock = threading.RLock()
        self._ledgers: dict[int, Ledger] = {}
        self._plan = functools.lru_cache(maxsize=6)(self._make_plan)
        self._markers = functools.lru_cache(maxsize=40)(self._make_markers)
        self._scenarios = functools.lru_cache(maxsize=64)(functools.partial(scenarios, config))
        self._cash = functools.lru_cache(maxsize=8)(self._make_cash)
        self._pays = functools.lru_cache(maxsize=40)(self._make_pays)

    def plan(self, day: int) -> DayPlan:
        if day < 0:
            raise BadInput(
                f"{self.config.date(day)} is before the world's first gaming day "
                f"{self.config.start}"
            )
        return self._plan(day)

    def _make_plan(self, day: int) -> DayPlan:
        return plan(self.config, self.law, day)

    def visits(self, day: int) -> Visits:
        return self.plan(day).visits

    def slots(self, day: int) -> SlotPlay:
        return self.plan(day).slots

    def tables(self, day: int) -> TablePlay:
        return self.plan(day).tables

    def scenarios(self, day: int) -> list[Scenario]:
        return self._scenarios(day)

    def utc(self, day: int, second: I64) -> I64:
        """Microseconds since the epoch; knows days of 23 and 25 hours."""
        start = day_start(self.config.date(day), self.config.timezone)
        return start + np.asarray(second, dtype=np.int64) * 1_000_000

    def _make_markers(self, day: int) -> TablePlay:
        """Ratings of a day whose marker is paid on a later one."""
        t = self.tables(day)
        return take(t, (t.marker > 0) & (t.paid_after > 0))

    def hand_pays(self, day: int) -> cage.HandPays:
        return self._pays(day)

    def _make_pays(self, day: int) -> cage.HandPays:
        return cage.hand_pays(self.config, self.plan(day))

    def cash(self, day: int) -> pl.DataFrame:
        """Clean cage rows; see `cage.entries`, with `transaction_id`."""
        return self._cash(day)

    def _make_cash(self, day: int) -> pl.DataFrame:
        p = self.plan(day)
        before = range(1, min(LONGEST_CREDIT, day) + 1)
        payments = cage.later_payments(self.config, [self._markers(day - k) for k in before])
        rows = clean_rows(self.config, "financial_txn", day)
        return cage.cash(self.config, p, self.hand_pays(day), payments, rows)

    def wins(self, day: int) -> pl.DataFrame:
        """Hand-paid wins: one row per win that may be reportable."""
        h, s = self.hand_pays(day), self.slots(day)
        paid_by = cage.payouts(self.cash(day))["transaction_id"].head(len(h.cents))
        return pl.DataFrame(
            {
                "win_id": "W"
                + ids.hexadecimal(draw(key(self.config.seed, "win"), s.key[h.session], h.cents)),
                "player": h.player,
                "game_type": pl.repeat("SLOT", len(h.cents), dtype=pl.String, eager=True),
                "is_free_play": pl.repeat(
                    value=False, n=len(h.cents), dtype=pl.Boolean, eager=True
                ),
                "gross_cents": h.cents,
                "wager_cents": s.bet[h.session],
                "won_second": h.won,
                "paid_second": h.paid,
                "machine": s.machine[h.session],
                "transaction_id": paid_by,
            }
        )

    def named(self, day: int) -> I64:
        """Sorted unique players who did anything that day."""
        c = self.cash(day)
        who = [self.visits(day).player, c["player"].to_numpy(), c["on_behalf_of"].to_numpy()]
        found = np.unique(np.concatenate(who))
        return found[found >= 0]

    def ledger(self, day: int) -> Ledger:
        """Totals of every player and machine through `day`; empty before the first."""
        with self._lock:
            if day < 0:
                return Ledger.empty(self.config.machine_count)
            if day not in self._ledgers:
                known = max((d for d in self._ledgers if d < day), default=-1)
                current = self._ledgers.get(known, Ledger.empty(self.config.machine_count))
                for d in range(known + 1, day + 1):
                    current = close(current, self.plan(d))
                    self._remember(d, current)
            return self._ledgers[day]

    def _remember(self, day: int, ledger: Ledger) -> None:
        """Keeps the last days and every sixteenth, so that any day is near one."""
        self._ledgers[day] = ledger
        for old in [d for d in self._ledgers if d < day - 4 and d % 16]:
            del self._ledgers[old]

    def chunks(self, table: str, date: dt.date) -> Iterator[pl.DataFrame]:
        """The day's clean rows in pieces of about 100,000."""
        day = self.config.index(date)
        if table == "slot_telemetry":
            p, rows = self.plan(day), clean_rows(self.config, table, day)
            meters = self.ledger(day - 1).meters
            yield from slots.telemetry(self.config, day, p.start, p.length, p.slots, rows, meters)
        else:
            yield self._producers()[table](day)

    def _producers(self) -> dict[str, Callable[[int], pl.DataFrame]]:
        return {
            "table_games": lambda d: tables.table_games(
                self.config, self.plan(d), clean_rows(self.config, "table_games", d)
            ),
            "financial_txn": self._financial,
            "gaming_wins": self._wins,
            "staff_observations": self._observations,
            "player_profile": lambda d: people.profiles(self, d),
            "security_events": lambda d: security.events(self, d),
            "compliance": lambda d: filings.records(self, d),
        }

    def clean(self, table: str, date: dt.date) -> pl.DataFrame:
        """The day's rows before defects, in bronze shape."""
        parts = list(self.chunks(table, date))
        return pl.concat(parts) if parts else contract(table).empty()

    def frame(self, table: str, date: dt.date) -> pl.DataFrame:
        """The day's rows as they reach bronze, defects and all."""
        if table not in TABLES:
            raise BadInput(f"the simulator has no table {table!r}; it has: {', '.join(TABLES)}")
        return defects.arriving(self, table, self.config.index(date), self.clean(table, date))

    def plants(self, date: dt.date) -> pl.DataFrame:
        """All that was planted on the day: defects, scenarios, filing faults."""
        day = self.config.index(date)
        spoiled = [defects.spoil(self, t, day, self.clean(t, date))[1] for t in TABLES]
        return pl.concat([*spoiled, truth.scenario_plants(self, day), filings.plants(self, day)])

    def _financial(self, day: int) -> pl.DataFrame:
        limit = self.law.on("ctr", self.config.date(day)).amount or 0
        return cage.financial_txn(self.config, self.plan(day), self.cash(day), int(limit * 100))

    def _wins(self, day: int) -> pl.DataFrame:
        return truth.gaming_wins(self, day)

    def _observations(self, day: int) -> pl.DataFrame:
        return truth.staff_observations(self, day)
