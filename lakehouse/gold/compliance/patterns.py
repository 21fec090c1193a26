"""What cases and alerts of suspicion share: how far patterns look back, and what they find."""

from __future__ import annotations

import polars as pl

from lakehouse.regulation.law import Law
from lakehouse.regulation.suspicion.chips import (
    chip_balance,
    chip_walking,
    minimal_play,
    with_sides,
)
from lakehouse.regulation.suspicion.hits import cage_rows
from lakehouse.regulation.suspicion.machines import bill_stuffing
from lakehouse.regulation.suspicion.markers import marker_cycle
from lakehouse.regulation.suspicion.play import played
from lakehouse.regulation.suspicion.pooling import pooling
from lakehouse.regulation.suspicion.structuring import structuring


def pattern_days(law: Law) -> int:
    """Gaming days before its own that a pattern looks at, at the most."""
    return most(law, "structuring", "days")


def account_days(law: Law) -> int:
    """Gaming days on which play is held against money: as long as that stays in an account."""
    return most(law, "minimal_play", "account_days")


def most(law: Law, rule: str, param: str) -> int:
    """A parameter of a rule, the largest that was ever in force."""
    return max(int((p.params or {})[param]) for p in law.periods(rule))


def patterns(
    ledger: pl.LazyFrame,
    law: Law,
    *,
    financial_txn: pl.LazyFrame,
    gaming_wins: pl.LazyFrame,
    slot_telemetry: pl.LazyFrame,
    table_games: pl.LazyFrame,
) -> pl.DataFrame:
    """Hits (shape HIT) of all patterns that rows of the floor and the cage make."""
    cage = in_memory(cage_rows(financial_txn))
    players = with_sides(cage).filter(pl.col("side") == "in").select("player_id").unique()
    play = in_memory(played(slot_telemetry, table_games, gaming_wins, players))
    balance = chip_balance(cage, play)
    return pl.concat(
        pl.collect_all(
            [
                structuring(ledger, law),
                minimal_play(cage, play, law),
                chip_walking(cage, balance, law),
                pooling(cage, balance, law),
                marker_cycle(cage, law),
                bill_stuffing(slot_telemetry, law),
            ]
        )
    )


def in_memory(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Read once: every pattern goes over them several times."""
    return rows.collect(engine="streaming").lazy()
