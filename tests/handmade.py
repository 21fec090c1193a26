"""A world made by hand: the rows are what a test writes down, everything else is empty."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from lakehouse.regulation import law
from lakehouse.simulate.compliance import filings
from lakehouse.simulate.kernel.cash import METHOD, TYPE, Cash, cash_rows
from lakehouse.simulate.kernel.clock import day_start
from lakehouse.simulate.kernel.config import NO_FAULTS, WorldConfig
from lakehouse.simulate.kernel.player_totals import PlayerTotals

WINS = {
    "win_id": pl.String,
    "player": pl.Int64,
    "game_type": pl.String,
    "gross_cents": pl.Int64,
    "wager_cents": pl.Int64,
    "won_second": pl.Int64,
    "paid_second": pl.Int64,
    "machine": pl.Int64,
    "transaction_id": pl.String,
    "is_free_play": pl.Boolean,
}


@dataclass(eq=False)
class Handmade:
    """`cash` and `wins`: rows by day, columns left out take a default."""

    config: WorldConfig = field(default_factory=lambda: WorldConfig(faults=NO_FAULTS))
    cash_rows: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    win_rows: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    here: dict[int, list[int]] = field(default_factory=dict)
    planted: dict[int, list[Any]] = field(default_factory=dict)
    known: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    """player → visits, theo_micro, win_cents, last_day; the same on every day."""

    block = 4
    near = 6

    @property
    def law(self) -> law.Law:
        return law.load(self.config.profile)

    def cash(self, day: int) -> Cash:
        rows = self.cash_rows.get(day, [])
        paid = [w.get("transaction_id") for w in self.win_rows.get(day, [])]

        def column(values: Iterable[int]) -> np.ndarray:
            return np.array(list(values), dtype=np.int64)

        cash = cash_rows(
            column(TYPE[r["transaction_type"]] for r in rows),
            column(METHOD[r.get("payment_method", "Cash")] for r in rows),
            column(r["player"] for r in rows),
            column(r["amount_cents"] for r in rows),
            column(r.get("second", 50_000) for r in rows),
            on_behalf_of=column(r.get("on_behalf_of", -1) for r in rows),
            win=column(
                paid.index(r["transaction_id"]) if r.get("transaction_id") in paid else -1
                for r in rows
            ),
        )
        new = [r.get("is_new_currency", True) for r in rows]
        return replace(cash, is_new=np.array(new, dtype=bool))

    def wins(self, day: int) -> pl.DataFrame:
        usual = {
            "game_type": "SLOT",
            "wager_cents": 100,
            "won_second": 40_000,
            "paid_second": 41_000,
            "machine": 3,
            "transaction_id": None,
            "is_free_play": None,
        }
        rows = [
            usual | {"win_id": f"w{day}-{k}"} | row
            for k, row in enumerate(self.win_rows.get(day, []))
        ]
        wins = pl.DataFrame(rows, schema=WINS)
        paid = pl.Series(self.utc(day, wins["paid_second"].to_numpy()), dtype=pl.Int64)
        return wins.with_columns(paid_at=paid.cast(pl.Datetime("us", "UTC")))

    def scenarios(self, day: int) -> list[Any]:
        return self.planted.get(day, [])

    def named(self, day: int) -> np.ndarray:
        return np.array(sorted(self.here.get(day, [])), dtype=np.int64)

    def totals(self, day: int, who: np.ndarray) -> PlayerTotals:
        rows = [(*self.known[p], 0) if p in self.known else (0, 0, 0, -1, -1) for p in who.tolist()]
        return PlayerTotals(*np.array(rows, dtype=np.int64).reshape(-1, 5).T)

    def filed(self, day: int) -> np.ndarray:
        return filings.persons(self, day)

    def obliged(self, day: int) -> np.ndarray:
        return filings.obliged(self, day)

    def reports(self, day: int) -> np.ndarray:
        return filings.reported_rows(self, day)

    def blocks(self, days: tuple[dt.date, dt.date]) -> list[range]:
        return [range(self.config.index(days[0]), self.config.index(days[1]) + 1)]

    def utc(self, day: int, second: np.ndarray) -> np.ndarray:
        start = day_start(self.config.date(day), self.config.timezone)
        return start + np.asarray(second, dtype=np.int64) * 1_000_000


def verified(config: WorldConfig, count: int, *, start: int = 0) -> list[int]:
    """The first players from `start` whose identity and taxpayer number are known, US persons."""
    from lakehouse.simulate.kernel import person

    who = np.arange(start, start + 20 * count + 20)
    ok = (
        person.identity_verified(config, who)
        & person.tin_on_file(config, who)
        & ~person.non_resident(config, who)
        & ~person.household(config, who)
    )
    return who[ok][:count].tolist()
