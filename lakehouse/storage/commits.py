"""What a commit says of itself, and how often it is tried."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from lakehouse.regulation.gaming_day import Days
from lakehouse.storage.marks import KEY, known_to, told_by

ATTEMPTS = 12
REACHED = "reached"
"""In a commit's metadata: id → the offset that it brought the table to."""
Transactions = Sequence[tuple[str, int | None]]
"""Ids of application transactions with their numbers; None: that of the commit."""


@dataclass(frozen=True)
class Commit:
    """Who writes: stored with the Delta commit."""

    run_id: str
    asset: str
    code_version: str
    derived: Mapping[dt.date, str] = field(default_factory=dict)
    """Gaming day → mark of the inputs that it was derived from, of days done with by this."""

    def deriving(self, marks: Mapping[dt.date, str]) -> Commit:
        """The same, telling these marks."""
        return replace(self, derived=marks)

    def of(self, days: Days) -> Commit:
        """This commit with the marks of these days alone."""
        marks = {d: mark for d, mark in self.derived.items() if days[0] <= d <= days[1]}
        return self.deriving(marks)


def attempts() -> Retrying:
    return Retrying(
        retry=retry_if_exception_type(CommitFailedError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.02, max=2),
        reraise=True,
    )


def properties(
    commit: Commit,
    delta: DeltaTable,
    home: tuple[str, str],
    again: int = 0,
    days: Days | None = None,
    transactions: Transactions = (),
    known: Mapping[dt.date, str] | None = None,
    *,
    rebase: bool = False,
) -> CommitProperties:
    """Metadata of the next commit on `delta`, the table `home`. With `rebase` it may go behind
    commits that others made meanwhile, of other ids: Delta refuses those of the same id. `known`:
    the marks of commits so far, where they are; else the log is asked."""
    marks = known_to(delta, *home) if known is None else known
    said = {
        "run_id": commit.run_id,
        "asset": commit.asset,
        "code_version": commit.code_version,
        "retries": str(again),
        KEY: told_by(delta, marks, commit.derived),
    }
    if days is not None:
        said["days"] = f"{days[0]}..{days[1]}"
    if not transactions:
        return CommitProperties(custom_metadata=said)
    if rebase:
        said[REACHED] = json.dumps(dict(transactions))
    following = delta.version() + 1
    # Else with any commit in between, what was read or looked up is no longer true.
    return CommitProperties(
        custom_metadata=said,
        max_commit_retries=None if rebase else 0,
        app_transactions=[
            Transaction(name, following if number is None else number)
            for name, number in transactions
        ],
    )


def is_reached(delta: DeltaTable, transaction: str, number: int) -> bool:
    """Whether an application transaction has got as far as this number."""
    reached = delta.transaction_version(transaction)
    return reached is not None and reached >= number


def unreached(
    given: Mapping[str, pl.DataFrame], by: Sequence[tuple[str, int]], delta: DeltaTable
) -> pl.DataFrame | None:
    """Of rows by the id of an application transaction those whose number was not reached; None
    where there are no such ids."""
    done = {t[0] for t in by if is_reached(delta, *t)}
    new = [rows for name, rows in given.items() if name not in done]
    return pl.concat(new) if new else None
