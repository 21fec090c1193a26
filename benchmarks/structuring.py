"""False alarms of structuring on honest regulars and look-alikes, and what is found of the planted,
on simulated months with misconduct off and on: `python -m benchmarks structuring`.

Writes its tables into docs/filings.md. No row of truth is read but to say who was planted.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from benchmarks.page import written
from lakehouse.contracts import told_apart
from lakehouse.regulation.currency import currency_ledger
from lakehouse.regulation.law import Law, load
from lakehouse.regulation.suspicion.hits import watched
from lakehouse.regulation.suspicion.structuring import structuring
from lakehouse.silver import clean
from lakehouse.simulate.kernel.config import WINDOW, Faults, WorldConfig
from lakehouse.simulate.world import World

PAGE = Path(__file__).parents[1] / "docs" / "filings.md"
SET_ON, UNSEEN = (42, 7, 101), (404, 505)
"""Seeds that the house's parameters were set on, and seeds that were not looked at before."""
KIND = "structuring"
LAW = load("us-federal")
NEVER = 10**9


@dataclass(frozen=True)
class Month:
    """A simulated month: its currency, how many carded player-days it had, and who was planted."""

    ledger: pl.LazyFrame
    player_days: int
    planted: pl.DataFrame

    def hits(self, law: Law) -> pl.DataFrame:
        """Persons and gaming days, and whether the alert is CRITICAL."""
        params = watched(law).periods(KIND)[-1].params or {}
        is_critical = (pl.col("strength") >= float(params["critical"])).alias("is_critical")
        found = structuring(self.ledger, law).select("player_id", "hit_day", is_critical)
        return found.unique().collect()

    def honest(self, hits: pl.DataFrame) -> int:
        """Hits on persons of whom nothing at all was planted."""
        return hits.join(self.planted, left_on="player_id", right_on="entity_id", how="anti").height

    @property
    def complete(self) -> pl.DataFrame:
        """Planted structuring that ended within the month."""
        last = WorldConfig().date(WINDOW - 1)
        ours = (pl.col("kind") == KIND) & (pl.col("window_end") <= last)
        return self.planted.filter(ours).unique("plant_id")

    def found(self, hits: pl.DataFrame) -> int:
        """Complete ones that were hit before they ended."""
        inside = pl.col("hit_day").is_between("window_start", "window_end")
        met = self.complete.join(hits, left_on="entity_id", right_on="player_id").filter(inside)
        return met["plant_id"].n_unique()


def month(seed: int, *, with_misconduct: bool) -> Month:
    faults = Faults() if with_misconduct else Faults(misconduct=0.0)
    config = WorldConfig(seed=seed, faults=faults)
    world, days = World(config), (config.date(0), config.date(WINDOW - 1))
    tables = ("financial_txn", "gaming_wins", "slot_telemetry", "table_games")
    silver = {t: _silver(world, t, days) for t in tables}
    carded = [
        silver[t].select("player_id", "gaming_day").drop_nulls("player_id")
        for t in tables
        if t != "gaming_wins"
    ]
    plants = pl.concat(world.plants(config.date(d)) for d in range(WINDOW))
    return Month(
        currency_ledger(silver["financial_txn"].lazy(), silver["gaming_wins"].lazy()),
        pl.concat(carded).unique().height,
        plants.filter((pl.col("entity_type") == "player") & ~pl.col("is_look_alike")),
    )


def _silver(world: World, table: str, days: tuple[dt.date, dt.date]) -> pl.DataFrame:
    rows = pl.concat(told_apart(table, frame)[table] for frame in world.rows(table, days))
    return clean(table, rows, timezone=world.config.timezone, parents={}).good


def changed(**params: float) -> Law:
    """The law with other parameters of structuring."""
    periods = (replace(p, params={**(p.params or {}), **params}) for p in LAW.periods(KIND))
    return replace(LAW, rules={**LAW.rules, KIND: tuple(periods)})


def per_10_000(count: int, months: list[Month]) -> str:
    return f"{count / sum(m.player_days for m in months) * 10_000:.1f}"


def by_seed(off: dict[int, Month], on: dict[int, Month]) -> list[str]:
    lines = [
        "| seed | misconduct | carded player-days | hits on others than planted | per 10,000 "
        "| by totals alone | CRITICAL | planted structuring found | CRITICAL |",
        "|---" * 9 + "|",
    ]
    totals_alone = changed(amounts=NEVER)
    for seed, (name, months) in itertools.product(off, (("off", off), ("on", on))):
        m = months[seed]
        hits = m.hits(LAW)
        count, days_only = m.honest(hits), m.honest(m.hits(totals_alone))
        urgent = hits.filter("is_critical")
        whole = m.complete.height
        found = (f"{m.found(h)} of {whole}" if whole else "" for h in (hits, urgent))
        unseen = ", unseen" if seed in UNSEEN else ""
        lines.append(
            f"| {seed}{unseen} | {name} | {m.player_days:,} | {count} | {per_10_000(count, [m])} "
            f"| {per_10_000(days_only, [m])} | {per_10_000(m.honest(urgent), [m])} "
            f"| {' | '.join(found)} |"
        )
    return lines


def by_parameter(months: list[Month]) -> list[str]:
    """Single amounts alone."""
    lines = [
        "| single amounts from | within | two or more | three or more | four or more |",
        "|---|---|---|---|---|",
    ]
    for low, hours in itertools.product((7_000, 8_000, 9_000), (24, 72)):
        cells = []
        for amounts in (2, 3, 4):
            law = changed(from_usd=low, hours=hours, amounts=amounts, totals=NEVER)
            hits = [m.hits(law) for m in months]
            honest = sum(m.honest(h) for m, h in zip(months, hits, strict=True))
            found = sum(m.found(h) for m, h in zip(months, hits, strict=True))
            planted = sum(m.complete.height for m in months)
            cells.append(f"{per_10_000(honest, months)}; {found} of {planted}")
        lines.append(f"| ${low:,} | {hours} h | {' | '.join(cells)} |")
    return lines


def main() -> None:
    seeds = (*SET_ON, *UNSEEN)
    off = {seed: month(seed, with_misconduct=False) for seed in seeds}
    on = {seed: month(seed, with_misconduct=True) for seed in seeds}
    parts = by_seed(off, on), by_parameter([on[seed] for seed in SET_ON])
    text = "\n\n".join("\n".join(part) for part in parts)
    print(text)
    written(PAGE, KIND, text)
