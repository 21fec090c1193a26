"""Structuring: amounts of one side near the threshold, again and again (31 USC 5324)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lakehouse.regulation.currency import ROW
from lakehouse.regulation.law import Law
from lakehouse.regulation.people import by_person, covered
from lakehouse.regulation.suspicion.hits import as_hits, cents, house, house_cents
from lakehouse.texts import formatted

SIDE = ["person", "side"]
FOUND = [*SIDE, "hit_day"]
_HOUR = 3_600_000_000
_DAY = pl.col("gaming_day")


def structuring(ledger: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """Hits: amounts of one person and side in the band that come again. They are gaming-day
    totals within some days, or single amounts within some hours, on one gaming day or several.
    One total in the band is no suspicion (FinCEN and agencies' FAQ of 2025-10-09).

    Whoever moves more than the report's threshold in one piece keeps nothing from anybody:
    what came before it counts no longer. A report that the casino's own adding up produces
    ends nothing. The score counts gaming days: amounts of one day are on its report."""
    rows = by_person(ledger).with_columns(
        cents("amount"), law.over("ctr", pl.col("amount"), pl.col("gaming_day")).alias("is_open")
    )
    parts = (_by_day(rows, law), _by_amount(rows, law))
    found = pl.concat(_weighed(hits, rows, law) for hits in parts).collect(engine="streaming")
    per_hit = ["person", "hit_day"]
    hits = (
        _of_principals(found)
        .with_columns(
            pl.col("score", "strength").max().over(per_hit),
            pl.col("completed_at").min().over(per_hit),
        )
        .unique([*FOUND, *ROW], maintain_order=True)
    )
    return as_hits(_worded(hits), "structuring")


def _by_day(rows: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """The rows of each hit on gaming-day totals; the last day's running total completes it."""
    totals = rows.group_by(*SIDE, "gaming_day").agg(
        pl.col("cents", "amount").sum(), pl.col("is_open").any()
    )
    hours = 24 * house(law, "structuring", "days", "hit_day")
    hits = _repeated(
        _near(totals, law), "gaming_day", hours, law, least="totals", of=["gaming_day"]
    )
    found = rows.join(hits.drop("completed_at"), on=[*SIDE, "gaming_day"])
    today = pl.col("gaming_day") == pl.col("hit_day")
    running = pl.when(today).then(pl.col("cents")).otherwise(0).cum_sum()
    in_band = today & (running >= house_cents(law, "structuring", "from_usd", "hit_day"))
    completed = pl.col("at").filter(in_band).min().over(FOUND, order_by="at")
    return found.with_columns(completed.alias("completed_at"))


def _by_amount(rows: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """The rows of each hit on single amounts; an amount with enough before it completes it."""
    hours = house(law, "structuring", "hours", "hit_day")
    hits = _repeated(_near(rows, law), "at", hours, law, least="amounts", of=ROW)
    return rows.join(hits, on=[*SIDE, *ROW])


def _near(amounts: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """Those in the band (`is_near`), and those that are open."""
    return amounts.with_columns(_is_near(law).alias("is_near")).filter(
        pl.col("is_near") | pl.col("is_open")
    )


def _is_near(law: Law) -> pl.Expr:
    low = house_cents(law, "structuring", "from_usd")
    high = house_cents(law, "structuring", "to_usd")
    is_reported = law.over("ctr", pl.col("amount"), _DAY)
    return pl.col("cents").is_between(low, high) & ~is_reported


def _repeated(
    amounts: pl.LazyFrame, when: str, hours: pl.Expr, law: Law, *, least: str, of: Sequence[str]
) -> pl.LazyFrame:
    """FOUND, `of`, score, completed_at: each amount that a hit rests on, which is in the band, at
    most so many hours before the one that completes it, and has nothing open after it."""
    run = pl.col("is_open").cum_sum().over(SIDE)
    runs = amounts.sort(when, ~pl.col("is_open")).with_columns(run.alias("_run")).filter("is_near")
    same = [*SIDE, "_run"]
    last = runs.with_row_index("_hit").select(
        *same, "_hit", pl.col("gaming_day").alias("hit_day"), pl.col(when).alias("completed_at")
    )
    before = (pl.col("completed_at") - pl.col("_at")).dt.total_microseconds()
    pairs = last.join(runs.with_columns(pl.col(when).alias("_at")), on=same).filter(
        before.is_between(0, hours * _HOUR)
    )
    days = pl.col("gaming_day").n_unique().over("_hit")
    return pairs.filter(
        pl.len().over("_hit") >= house(law, "structuring", least, "hit_day")
    ).select(*FOUND, *of, (1 - 1 / (1 + days)).alias("score"), "completed_at")


def _weighed(hits: pl.LazyFrame, rows: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """With `strength`: the score, by how near the threshold the amounts are, and by how much of
    their days' currency came in one piece near it, or in the largest. Who buys in again and again
    as the play goes has many small ones. What is paid out follows from the game: it weighs less."""
    cents, limit = pl.col("cents"), law.dated("ctr", lambda p: int((p.amount or 0) * 100), _DAY)
    near = cents.filter(_is_near(law)).sum()
    days = rows.group_by(*SIDE, "gaming_day").agg(
        (pl.max_horizontal(near, cents.filter(~pl.col("is_open")).max()) / cents.sum()).alias("_of")
    )
    total = pl.when(cents.sum() <= limit.first()).then(cents.sum()).otherwise(cents.mean())
    paid_out = house(law, "structuring", "paid_out_weight", "hit_day")
    weight = pl.when(pl.col("side") == "out").then(paid_out).otherwise(1)
    hit = [*FOUND, "score"]
    strength = (
        hits.unique([*hit, *ROW])
        .join(days, on=[*SIDE, "gaming_day"])
        .group_by(*hit, "gaming_day")
        .agg(pl.col("_of").first() * total / limit.first())
        .group_by(hit)
        .agg(pl.col("_of").mean())
        .select(*hit, (pl.col("score") * weight * pl.col("_of")).clip(0, 1).alias("strength"))
    )
    return hits.join(strength, on=hit)


def _of_principals(rows: pl.DataFrame) -> pl.DataFrame:
    agents = covered(rows.unique(["hit_day", "person", *ROW, "side"]), "hit_day")
    return rows.join(agents, on=["hit_day", "person"], how="anti")


def _worded(found: pl.DataFrame) -> pl.LazyFrame:
    return (
        found.lazy()
        .rename({"person": "owner", "player_id": "_by"})
        .with_columns(
            pl.col("owner").alias("player_id"),
            pl.col("transaction_id").alias("record_id"),
            pl.col("gaming_day").alias("record_day"),
            formatted("currency {} (code {})", "side", "code").alias("what"),
        )
    )
