"""Every declared check as an asset check: in the step that writes its table, or in a step of
its family, with a result for every gaming day."""

import datetime as dt
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import dagster as dg
import polars as pl

from igaming_assets.check_ledger import LEDGER
from igaming_assets.failing import retried_if_transient, sound_ones
from igaming_assets.late_data import late_check
from igaming_assets.partitions import asked_of, days_of, gaming_days, keys_of_run
from igaming_assets.turns import Judged, Turns
from igaming_assets.verdicts import report
from lakehouse.errors import Damaged
from lakehouse.quality.derived_checks import EVERY_ROW
from lakehouse.quality.freshness_checks import IS_THERE
from lakehouse.quality.registry import checks
from lakehouse.quality.results import Check, Family
from lakehouse.quality.stored_days import days_with_rows
from lakehouse.regulation.gaming_day import each_day, gaming_day_of, ranges_of
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake, as_far_as_sound

ANY_TIME = dt.datetime.max.replace(tzinfo=dt.UTC)
"""What a check is called and stands on does not depend on the time."""
RESOURCES = {"lake", "clock", LEDGER}
_OF_HISTORY = (Family.FRESHNESS, Family.VOLUME, Family.NULLS, Family.DRIFT)
"""Families that have nothing to say of a day without enough of a history: to Dagster it would lack
its check for ever. They are judged by each run, and by no sensor."""


def declared(settings: Settings) -> list[Check]:
    return list(checks(settings, ANY_TIME).values())


def at_once(every: Iterable[Check], layer: str, table: str) -> list[Check]:
    """The checks that are part of the step that writes a table."""
    return [c for c in every if c.at_once and c.table == (layer, table)]


def spec_of(settings: Settings, check: Check, **more: Any) -> dg.AssetCheckSpec:
    """A check with a result for each gaming day of its asset: an open day stays open in lineage
    and lists until that day passes, whatever other days do."""
    days = gaming_days(settings)
    with warnings.catch_warnings():
        # In preview since 2025, and what keeps the days of a check apart.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            check.name,
            asset=dg.AssetKey(check.table),
            description=check.description,
            partitions_def=days,
            blocking=check.blocking,
            metadata={"family": check.family.value, "severity": check.severity}
            | {"reason": check.reason},
            **more,
        )


def judged_at_once(
    context: dg.AssetExecutionContext,
    lake: Lake,
    days: Days,
    mine: Sequence[Check],
    stale: Mapping[dt.date, Damaged] | None = None,
    also: Iterable[dt.date] = (),
) -> Iterator[dg.AssetCheckResult]:
    """Results of a table's own checks, after its rows are written. Nothing of `stale` days; of
    days that were written `also`, as windows reach over the run's, an evaluation that stops
    nothing."""
    out = stale or {}
    asked = set(asked_of(context.run.tags, days))
    others = set(also) - asked - out.keys()
    own = asked - out.keys()
    turns = Turns(context, lake, mine)
    for check in mine:
        turns.log(check, turns.judged(check, others, partial(_each_span, check, lake, others)))
        found = turns.judged(check, own, partial(_each_span, check, lake, own))
        if found is not None:
            yield report(context, check, found, stale=out, targets=turns.targets)
    turns.end()


def _each_span(check: Check, lake: Lake, days: Collection[dt.date]) -> Judged:
    found: Judged = {}
    for span in _spans(check, lake, days):
        found |= check.judge(lake, span)
    return {day: judgement for day, judgement in found.items() if day in days}


def _spans(check: Check, lake: Lake, days: Iterable[dt.date]) -> list[Days]:
    """The days in ranges, with days in between of which the check's tables hold nothing: to look
    at a range costs more than a day without rows."""
    held = sorted(set[dt.date]().union(*(days_with_rows(lake, *t) for t in check.tables)))
    spans: list[Days] = []
    for span in ranges_of(days):
        if spans and bisect_right(held, spans[-1][1]) == bisect_left(held, span[0]):
            spans[-1] = spans[-1][0], span[1]
        else:
            spans.append(span)
    return spans


def steps_of_checks(settings: Settings, every: Sequence[Check]) -> list[dg.AssetChecksDefinition]:
    """The checks that are judged when all that they read is there: a step for each family."""
    later = [c for c in every if not c.at_once and c.name != EVERY_ROW]
    ordered = sorted(later, key=lambda check: check.family)
    return [
        _step(settings, f"{family}_checks", list(each), conditional=family not in _OF_HISTORY)
        for family, each in groupby(ordered, lambda check: check.family)
    ]


def every_check_alone(settings: Settings, days: Days | None) -> dg.AssetChecksDefinition:
    """All checks in one step that writes no table, of these days or of all that are stored."""
    return _step(settings, "checks", declared(settings), conditional=False, asked=days)


def _step(
    settings: Settings,
    name: str,
    mine: Sequence[Check],
    *,
    conditional: bool,
    asked: Days | None = None,
) -> dg.AssetChecksDefinition:
    condition = late_check() if conditional else None
    specs = [
        spec_of(
            settings,
            check,
            additional_deps=sorted(_assets(check) - {dg.AssetKey(check.table)}),
            automation_condition=condition,
        )
        for check in mine
    ]

    @dg.multi_asset_check(name=name, specs=specs, can_subset=True, required_resource_keys=RESOURCES)
    def step(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        """The chosen checks of the run's days, or of all that the lake has where they are run
        alone. One that cannot run leaves the others their turn."""
        resources = context.op_execution_context.resources
        lake, now = resources.lake.lake, resources.clock.now()
        known = checks(settings, now)
        asked_of = [c.key for c in mine if key_of_check(c) in context.selected_asset_check_keys]
        turns = Turns(context, lake, [known[key] for key in asked_of])
        closed = gaming_day_of(now, resources.lake.settings.timezone) - dt.timedelta(days=1)
        with retried_if_transient():
            for key in asked_of:
                yield from _in_turn(turns, known[key], closed, asked)
            turns.end()

    return step


def _assets(check: Check) -> set[dg.AssetKey]:
    """Those that write what a check reads; what checks write themselves is of none."""
    homes = {"quarantine": "silver", "duplicates": "silver"}
    return {dg.AssetKey([homes.get(n, n), t]) for n, t in check.tables if n != "ops"}


def key_of_check(check: Check) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(dg.AssetKey(check.table), check.name)


def _in_turn(
    turns: Turns, check: Check, closed: dt.date, asked: Days | None
) -> Iterator[dg.AssetCheckResult]:
    """The days of the run, or all stored ones up to the newest that has `closed`; nothing where
    no day could be judged."""
    of_run = days_of_run(turns.context.run.tags)
    days, stale = list[dt.date](), dict[dt.date, Damaged]()

    def judged() -> Judged:
        span = of_run or asked or _stored(turns.lake, check, closed)
        days.extend(each_day(span) if span else ())
        parts = as_far_as_sound([span] if span else [], partial(turns.soundly, check))
        return {day: said for _, part in sound_ones(parts, stale) for day, said in part.items()}

    found = turns.judged(check, days, judged)
    if found is None:
        return
    if of_run is None:
        turns.log(check, found, stale)
    elif found or stale:
        yield report(turns.context, check, found, stale=stale, targets=turns.targets)


def days_of_run(tags: Mapping[str, str]) -> Days | None:
    keys = keys_of_run(tags)
    return days_of(dg.PartitionKeyRange(*keys)) if keys else None


def _stored(lake: Lake, check: Check, closed: dt.date) -> Days | None:
    """Days that any of the tables has rows of; whether the newest is there, that one."""
    if check.name == IS_THERE:
        return closed, closed
    days = set[dt.date]().union(*(days_with_rows(lake, *table) for table in check.tables))
    return (min(days), max(days)) if days else None


def rows_by_rule(rejects: pl.DataFrame) -> list[tuple[str, int]]:
    total = rejects.group_by("rule").agg(pl.col("rows").sum())
    return list(total.sort("rows", "rule", descending=[True, False]).iter_rows())
