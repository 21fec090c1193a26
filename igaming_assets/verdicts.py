"""Check results in Dagster's history: one for each gaming day, and which days are open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import dagster as dg
from dagster import AssetCheckEvaluation, AssetCheckSeverity, EventLogEntry
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._serdes import deserialize_value

from igaming_assets.check_ledger import LEDGER
from igaming_assets.partitions import is_asked
from igaming_assets.targets import Targets
from lakehouse.errors import Damaged
from lakehouse.quality.results import Check, Judgement, Severity

_SEVERITIES: Mapping[Severity, AssetCheckSeverity] = {
    "error": AssetCheckSeverity.ERROR,
    "warn": AssetCheckSeverity.WARN,
}

Found = Mapping[dt.date, Judgement]
Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


def report(
    context: Context,
    check: Check,
    found: Found,
    *,
    severity: Severity | None = None,
    stale: Mapping[dt.date, Damaged] = MappingProxyType({}),
    targets: Targets | None = None,
) -> dg.AssetCheckResult:
    """The result for the run. Dagster stores a returned result with its day in runs of one day
    only; of a range it would have none, and the days would show as skipped: there each day is
    logged as an evaluation of its own, and the result sums them up. A day's evaluation names
    the materialisation it judged: without, Dagster takes it for outdated.

    `stale` days could not be made or judged for damaged files: they are open, and stop nothing
    that comes after, as their old rows stand."""
    tags = context.run.tags
    found = {day: judgement for day, judgement in found.items() if is_asked(tags, day)}
    stale = {day: damage for day, damage in stale.items() if is_asked(tags, day)}
    asset = dg.AssetKey(check.table)
    targets = targets or Targets([asset])
    judged = targets.of(context.instance, asset, [*found, *stale])
    if context.op_execution_context.has_partition_key:
        [(day, judgement)] = found.items()
        _note(context, check, found, severity)
        said, about = metadata_of(check, judgement), judged.get(str(day))
        own = judgement.severity or severity
        return _result(check, own, judgement.passed, said, str(day), about)
    log_days(context, check, found, severity=severity, stale=stale, targets=targets)
    days = sorted([*found, *stale])
    failed = [str(day) for day, judgement in found.items() if not judgement.passed]
    said = {"days": len(found), "days_failed": ", ".join(failed) or "none"}
    if stale:
        said["days_stale"] = ", ".join(map(str, stale))
    newest = max(judged.values(), key=lambda target: target.storage_id, default=None)
    told = {j.severity or severity or check.severity for j in found.values() if not j.passed}
    worst = "warn" if told == {"warn"} else severity
    return _result(check, worst, not failed, said, f"{days[0]} to {days[-1]}", newest)


def log_days(
    context: Context,
    check: Check,
    found: Found,
    *,
    severity: Severity | None = None,
    stale: Mapping[dt.date, Damaged] = MappingProxyType({}),
    targets: Targets | None = None,
) -> None:
    """An evaluation for each day. A run without days, of checks alone, can have no other: there
    Dagster fails over a returned result. `targets` are known to a step that makes none."""
    unread = {
        day: Judgement(passed=False, said=str(damage), could_run=False, more={"stale": str(damage)})
        for day, damage in stale.items()
    }
    every = dict(sorted({**found, **unread}.items()))
    asset = dg.AssetKey(check.table)
    judged = (targets or Targets([asset])).of(context.instance, asset, every)
    for day, judgement in every.items():
        # Which file is damaged is told of every table.
        said = dict(judgement.more) if day in unread else metadata_of(check, judgement)
        context.op_execution_context.log_event(
            AssetCheckEvaluation(  # type: ignore[arg-type]  # logged well, typed as not
                asset_key=asset,
                check_name=check.name,
                passed=judgement.passed,
                metadata=said,
                target_materialization_data=judged.get(str(day)),
                severity=_SEVERITIES[judgement.severity or severity or check.severity],
                blocking=check.blocking,
                partition=str(day),
                description=str(day),
            )
        )
    _note(context, check, every, severity)


def metadata_of(check: Check, found: Judgement) -> dict[str, Any]:
    """What a person can act on. Of restricted tables nothing."""
    if check.is_closed:
        return {}
    said: dict[str, Any] = {"said": found.said} if found.said else {}
    for name in ("measure", "bound"):
        value = getattr(found, name)
        if value is not None:
            said[name] = float(value)
    for name in ("failing_rows", "checked_rows"):
        value = getattr(found, name)
        if value is not None:
            said[name] = int(value)
    if found.failing_rows and found.checked_rows:
        said["failing_rate"] = found.failing_rows / found.checked_rows
    if found.keys:
        said["keys"] = ", ".join(found.keys)
    if found.sql:
        said["sql"] = dg.MetadataValue.md(f"```sql\n{found.sql}\n```")
    return said | dict(found.more)


def _note(context: Context, check: Check, found: Found, severity: Severity | None) -> None:
    ledger = getattr(context.op_execution_context.resources, LEDGER)
    ledger.note(check, found, severity or check.severity)


class _Aimed(dg.AssetCheckResult):
    """With its target known. Dagster looks one up for every result, and unpacks the event of it
    with all that it says."""

    target: Target | None = None

    def _get_target_materialization_data(self, *_: Any) -> Target | None:
        return self.target


def _result(
    check: Check,
    severity: Severity | None,
    passed: bool,
    said: dict[str, Any],
    days: str,
    target: Target | None,
) -> dg.AssetCheckResult:
    result = _Aimed(
        asset_key=dg.AssetKey(check.table),
        check_name=check.name,
        passed=passed,
        metadata=said,
        severity=_SEVERITIES[severity or check.severity],
        description=days,
    )
    result.target = target
    return result


@dataclass(frozen=True)
class CheckVerdict:
    """A check over all gaming days that it ever judged, each by its newest result. A warning is
    news about the casino, not a fault here."""

    name: str
    severity: str
    open_days: tuple[str, ...]
    """Days that did not pass when they were last judged, whatever was made since."""

    @property
    def passed(self) -> bool:
        return not self.open_days

    @property
    def days(self) -> str:
        """The open days in a few words."""
        days = self.open_days
        return ", ".join(days) if len(days) < 4 else f"{len(days)} days, {days[0]} to {days[-1]}"


def verdicts_of(
    instance: dg.DagsterInstance, checks: Sequence[dg.AssetCheckKey]
) -> list[CheckVerdict]:
    """The checks that have judged any day, by name. A day that a later run meant to judge and
    did not, because it was killed, keeps its verdict."""
    newest: dict[dg.AssetCheckKey, list[tuple[str, str | None]]] = {}
    for key, day, event in _newest_evaluations(instance, checks):
        newest.setdefault(key, []).append((day, event))
    return sorted(map(_verdict, newest, newest.values()), key=lambda v: v.name)


def _newest_evaluations(
    instance: dg.DagsterInstance, checks: Collection[dg.AssetCheckKey]
) -> list[tuple[dg.AssetCheckKey, str, str | None]]:
    """Each check and gaming day that it judged, with the event where it did not pass. In one
    query: Dagster's own asks for each check, and for each day of it that is open."""
    from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
    from sqlalchemy import case, func, select

    storage: Any = instance.event_log_storage
    told = AssetCheckExecutionsTable.c
    status = AssetCheckExecutionRecordStatus
    is_open = told.execution_status == status.FAILED.value
    newest = (
        select(func.max(told.id))
        .where(
            told.partition.is_not(None),
            told.execution_status.in_([status.SUCCEEDED.value, status.FAILED.value]),
        )
        .group_by(told.asset_key, told.check_name, told.partition)
    )
    event = case((is_open, told.evaluation_event))
    asked = select(told.asset_key, told.check_name, told.partition, event)
    with storage.index_connection() as index:
        rows = index.execute(asked.where(told.id.in_(newest))).fetchall()
    keys = {(key.asset_key.to_string(), key.name): key for key in checks}
    return [(keys[a, n], day, event) for a, n, day, event in rows if (a, n) in keys]


def _verdict(key: dg.AssetCheckKey, newest: Iterable[tuple[str, str | None]]) -> CheckVerdict:
    failed = {day: _severity(event) for day, event in newest if event is not None}
    severity = "error" if AssetCheckSeverity.ERROR in failed.values() else "warning"
    return CheckVerdict(key.to_user_string(), severity, tuple(sorted(failed)))


def _severity(event: str) -> AssetCheckSeverity:
    entry = deserialize_value(event, EventLogEntry)
    return entry.get_dagster_event().asset_check_evaluation_data.severity
