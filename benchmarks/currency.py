"""Currency reports of a year, a month at a time: `python -m benchmarks currency`.

Prints 1, 4 and 16 million cash transactions; ROWS=100000000 in the environment, that many.
"""

from __future__ import annotations

import calendar
import datetime as dt
import json
import os
import subprocess
import sys
import time

import numpy as np
import polars as pl

WORKER = "--worker"
A_PLAYER = 2_000
"""Transactions of one player in the year."""
YEAR = 2025


def month_of_cash(month: int, rows: int, players: int) -> pl.LazyFrame:
    """Silver `financial_txn` of a month, in currency, both sides, $20 to $4,000."""
    from lakehouse.storage import stored_schema

    draw = np.random.default_rng([YEAR, month])
    days = draw.integers(0, calendar.monthrange(YEAR, month)[1], rows)
    opened = np.datetime64(f"{YEAR}-{month:02}-01T14:00:00", "us")
    at = (
        opened + days * np.timedelta64(86_400, "s") + draw.integers(0, 80_000, rows).astype("m8[s]")
    )
    given = pl.LazyFrame(
        {
            "transaction_id": np.arange(rows) + month * 10**9,
            "player_id": draw.integers(0, players, rows),
            "amount": draw.integers(1, 200, rows) * 20,
            "transaction_type": draw.integers(0, 2, rows).astype(np.uint32),
            "transaction_timestamp": at,
            "gaming_day": np.datetime64(f"{YEAR}-{month:02}-01", "D") + days,
        }
    ).with_columns(
        pl.col("transaction_id", "player_id").cast(pl.String),
        pl.col("amount").cast(pl.Decimal(18, 2)),
        pl.col("transaction_type").replace_strict([0, 1], ["CHIP_PURCHASE", "CHIP_REDEMPTION"]),
        pl.col("transaction_timestamp").dt.replace_time_zone("UTC"),
        payment_method=pl.lit("Cash"),
        currency=pl.lit("USD"),
        cage_location=pl.lit("Main Cage"),
    )
    return filled(given, stored_schema("silver", "financial_txn"))


def book(players: int) -> pl.LazyFrame:
    """Silver `player_profile`: everybody verified since the year before."""
    from lakehouse.storage import stored_schema

    since = dt.date(YEAR - 1, 1, 1)
    known = pl.LazyFrame({"player_id": np.arange(players)}).with_columns(
        pl.col("player_id").cast(pl.String),
        gaming_day=pl.lit(since),
        valid_from=pl.lit(since),
        is_current=pl.lit(value=True),
        identity_verified=pl.lit(value=True),
        _ingested_at=pl.lit(dt.datetime(YEAR - 1, 1, 2, tzinfo=dt.UTC)).cast(
            pl.Datetime("us", "UTC")
        ),
    )
    return filled(known, stored_schema("silver", "player_profile"))


def filled(given: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    known = given.collect_schema().names()
    return given.with_columns(
        pl.lit(None, dtype=t).alias(n) for n, t in schema.items() if n not in known
    ).select(schema.names())


def work(rows: int) -> None:
    import resource

    from lakehouse.gold.compliance.ctr_filings import ctr_filings
    from lakehouse.regulation.law import load
    from lakehouse.storage import stored_schema

    wins = pl.LazyFrame(schema=stored_schema("silver", "gaming_wins"))
    players = max(1, rows // A_PLAYER)
    profiles = book(players)
    reports, begun = 0, time.perf_counter()
    for month in range(1, 13):
        last = calendar.monthrange(YEAR, month)[1]
        found = ctr_filings(
            month_of_cash(month, rows // 12, players),
            wins,
            None,
            profiles,
            days=(dt.date(YEAR, month, 1), dt.date(YEAR, month, last)),
            law=load("us-federal"),
            timezone="America/Los_Angeles",
            as_of=dt.datetime(YEAR + 1, 2, 1, tzinfo=dt.UTC),
        )
        reports += found.select(pl.len()).collect().item()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = usage.ru_utime + usage.ru_stime
    said = {"wall": time.perf_counter() - begun, "cpu": cpu, "mb": usage.ru_maxrss // 1024}
    print(json.dumps(said | {"reports": reports}))


def main() -> None:
    sizes = [int(os.environ["ROWS"])] if "ROWS" in os.environ else [10**6, 4 * 10**6, 16 * 10**6]
    print("| cash transactions in a year | wall s | CPU s | peak MB | us/row | CTRs |")
    print("|---|---|---|---|---|---|")
    for rows in sizes:
        command = [sys.executable, "-m", "benchmarks.currency", WORKER, str(rows)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = json.loads(said.splitlines()[-1])
        print(
            f"| {rows:,} | {found['wall']:.1f} | {found['cpu']:.1f} | {found['mb']} "
            f"| {found['wall'] / rows * 1e6:.2f} | {found['reports']:,} |",
            flush=True,
        )


if __name__ == "__main__":
    work(int(sys.argv[-1]))
