"""What a check is, and what it says of a gaming day."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from lakehouse.contracts import contract
from lakehouse.regulation.gaming_day import Days
from lakehouse.storage import Lake

KEYS_SHOWN = 10
"""Keys of failing rows that a result names."""

Severity = Literal["error", "warn"]


class Status(enum.StrEnum):
    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    COULD_NOT_RUN = "could_not_run"


WORST_FIRST = (Status.FAILED, Status.COULD_NOT_RUN, Status.WARNED, Status.PASSED)
"""A fault that is known is worse than one that may be."""


class Family(enum.StrEnum):
    """What a check is about."""

    SCHEMA = "schema"
    ROWS = "rows"
    KEYS = "keys"
    CONSERVATION = "conservation"
    VOLUME = "volume"
    FRESHNESS = "freshness"
    NULLS = "nulls"
    DRIFT = "drift"
    TRUTH = "truth"
    PRIVACY = "privacy"
    EXPECTATION = "expectation"


@dataclass(frozen=True)
class Judgement:
    """What one check says of one gaming day of one table. Of a restricted table it holds
    whether and nothing else."""

    passed: bool
    said: str = ""
    """One sentence that a controller understands."""
    measure: float | None = None
    """What was looked at: rows lost, a share, a ratio."""
    bound: float | None = None
    """What it was held against."""
    failing_rows: int | None = None
    """Rows that break the rule; null where no row is to blame."""
    checked_rows: int | None = None
    keys: tuple[str, ...] = ()
    """Up to `KEYS_SHOWN` keys of failing rows."""
    sql: str | None = None
    """A query of the lake's catalog with a row for each failing row."""
    more: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What else there is to say, by name."""
    could_run: bool = True
    """False: nothing was judged, `said` tells why; it is neither passed nor failed."""
    severity: Severity | None = None
    """Of this day, where it is another than the check's."""

    def status(self, severity: Severity) -> Status:
        if not self.could_run:
            return Status.COULD_NOT_RUN
        if self.passed:
            return Status.PASSED
        return Status.FAILED if (self.severity or severity) == "error" else Status.WARNED


Judge = Callable[[Lake, Days], Mapping[dt.date, Judgement]]
"""Days of which nothing can be said are absent."""


@dataclass(frozen=True)
class Check:
    """Declared once; asset check, command, results table, report and documents follow.

    `table` is what it stands on, `tables` all that it reads, both as (layer, table). `reason`
    says why the severity is what it is. A blocking check stops what is downstream. One that is
    judged `at_once` is part of the step that writes its table; any other is judged when all its
    tables are there."""

    name: str
    table: tuple[str, str]
    family: Family
    severity: Severity
    reason: str
    description: str
    judge: Judge
    tables: tuple[tuple[str, str], ...] = ()
    blocking: bool = False
    at_once: bool = False

    def __post_init__(self) -> None:
        if not self.tables:
            object.__setattr__(self, "tables", (self.table,))
        if self.table not in self.tables:
            raise TypeError(f"check {self.name} stands on {self.table}, which it does not read")

    @property
    def key(self) -> tuple[str, str, str]:
        """Layer, table and name: what tells it from all others."""
        return (*self.table, self.name)

    @property
    def address(self) -> str:
        """As Dagster names it: "silver/slot_telemetry:contract"."""
        return f"{'/'.join(self.table)}:{self.name}"

    @property
    def is_closed(self) -> bool:
        """Whether its result is told to those with the grant alone, and then only whether it
        passed: a rule that broke, as well as a count or a key, tells that a restricted table has
        a row of the day, and so that there is a case (31 U.S.C. 5318(g)(2))."""
        return not all(contract(table).is_countable for _, table in self.tables)
