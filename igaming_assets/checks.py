"""Contracts, conservation and truths across tables, with a result for every gaming day."""

import datetime as dt
import functools
import warnings
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl

from igaming_assets.automation import IS_THERE, late_check
from igaming_assets.describe import told
from igaming_assets.failing import retried_if_transient
from igaming_assets.partitions import days_of, gaming_days
from igaming_assets.resources import Clock, LakeResource
from igaming_assets.verdicts import Verdicts, log_days, report
from lakehouse.errors import Damaged
from lakehouse.quality.conformance import broken_rules, conservation, plants_without_row
from lakehouse.quality.findings import Truth, judged, openly, summed_up
from lakehouse.quality.truths import TRUTHS
from lakehouse.regulation.gaming_day import each_day, gaming_day_of
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake, Read, as_far_as_sound, portions, sound

CONTRACT, CONSERVATION = "contract", "conservation"
PLANTS = dg.AssetKey(["truth", "plants"])
DAY_REPORT = dg.AssetKey(["gold", "property_day"])
ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


def by_day(
    settings: Settings, name: str, asset: dg.AssetKey, description: str, **more: Any
) -> dg.AssetCheckSpec:
    """A check with a result for each gaming day of its asset: an open day stays open in lineage
    and lists until that day passes, whatever other days do."""
    days = gaming_days(settings)
    with warnings.catch_warnings():
        # In preview since 2025, and what keeps the days of a check apart.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            name, asset=asset, description=description, partitions_def=days, **more
        )


def contract_spec(settings: Settings, key: dg.AssetKey) -> dg.AssetCheckSpec:
    said = "Every stored row keeps every rule."
    if key.path[0] == "bronze":
        said = "Every row tells its gaming day, source, batch and when it came in."
    return by_day(settings, CONTRACT, key, said, blocking=True)


def conservation_spec(settings: Settings, key: dg.AssetKey) -> dg.AssetCheckSpec:
    said = "bronze = silver + quarantine + duplicates, by gaming day."
    return by_day(settings, CONSERVATION, key, said, blocking=True)


def contract_verdicts(
    lake: Lake, layer: str, table: str, days: Days, *, but: Container[dt.date] = ()
) -> Verdicts:
    """Of restricted tables, whether and nothing else. Nothing of days `but`."""
    found: dict[str, dict[str, int]] = {}
    for piece in _without(lake, days, but, (layer, table)):
        broken = broken_rules(layer, table, lake.scan(layer, table, days=piece))
        for day, rule, rows in broken.iter_rows():
            found.setdefault(str(day), {})[rule] = rows
    return {
        str(day): (str(day) not in found, told(table, {"rows_by_rule": found.get(str(day), {})}))
        for day in each_day(days)
        if day not in but
    }


def _without(lake: Lake, days: Days, but: Container[dt.date], table: tuple[str, str]) -> list[Days]:
    """The days in portions; one by one where some are left out."""
    kept = [day for day in each_day(days) if day not in but]
    is_whole = kept == each_day(days)
    return portions(lake, days, table) if is_whole else [(day, day) for day in kept]


def conservation_verdicts(
    lake: Lake, table: str, days: Days, *, but: Container[dt.date] = ()
) -> Verdicts:
    return {
        str(row.pop("gaming_day")): (row["lost"] == 0, told(table, row))
        for piece in _without(lake, days, but, ("bronze", table))
        for row in conservation(lake, table, piece).iter_rows(named=True)
    }


def truth_verdicts(lake: Lake, truth: Truth, days: Days) -> Verdicts:
    """A day passes where the rows kept out of silver explain every finding to the cent, and
    every input has rows of it: of a day without data nothing is said, unless it is a breach."""
    found: dict[dt.date, dict[str, Any]] = {}
    for piece in portions(lake, days, *truth.tables):
        scan = functools.partial(lake.scan, days=piece)
        found |= summed_up(truth, openly(truth, judged(truth, scan)))
    there = set.intersection(*(_days_with_rows(lake, *table) for table in truth.tables))
    nothing = {"unexplained": 0, "explained": 0}
    seen = {day: found.get(day, nothing) for day in each_day(days) if day in there | set(found)}
    return {str(day): (said["unexplained"] == 0, said) for day, said in seen.items()}


def truth_specs(settings: Settings) -> dict[str, dg.AssetCheckSpec]:
    """A truth is shown on the last of its inputs: the table that could still be mended."""
    return {
        truth.name: by_day(
            settings,
            truth.name,
            dg.AssetKey(truth.tables[-1]),
            truth.description,
            additional_deps=[dg.AssetKey(table) for table in truth.tables[:-1]],
            automation_condition=late_check(),
        )
        for truth in TRUTHS.values()
    }


def checks_across_tables(settings: Settings, tables: Sequence[str]) -> list[Any]:
    """The checks that are steps of their own; `tables` are those that the simulator fills."""
    return [
        _truths(settings),
        _plants_are_in_bronze(settings, tables),
        _is_there_by_ten(settings),
    ]


def _truths(settings: Settings) -> dg.AssetChecksDefinition:
    specs = truth_specs(settings)

    @dg.multi_asset_check(name="truths", specs=list(specs.values()), can_subset=True)
    def truths(
        context: dg.AssetCheckExecutionContext, lake: LakeResource
    ) -> Iterator[dg.AssetCheckResult]:
        """All truths across tables in one step, by gaming day: those of the run, or all that the
        lake has where the checks are run alone. A breach of a truth that holds by construction
        is an error; any other, where no row kept out of silver explains it, is news about the
        casino: a warning."""
        for name, spec in specs.items():
            if spec.key in context.selected_asset_check_keys:
                truth = TRUTHS[name]
                severity = ERROR if truth.blocking else WARN
                judge = functools.partial(truth_verdicts, lake.lake, truth)
                yield from _judged(context, lake.lake, spec, truth.tables, judge, severity)

    return truths


def _plants_are_in_bronze(settings: Settings, tables: Sequence[str]) -> dg.AssetChecksDefinition:
    spec = by_day(
        settings,
        "plants_are_in_bronze",
        PLANTS,
        "Every row that was planted on is a row of bronze, once its gaming day has closed.",
        additional_deps=[["bronze", table] for table in tables],
        automation_condition=late_check(),
    )

    @dg.multi_asset_check(name="plants_are_in_bronze", specs=[spec], can_subset=True)
    def plants_are_in_bronze(
        context: dg.AssetCheckExecutionContext, lake: LakeResource, clock: Clock
    ) -> Iterator[dg.AssetCheckResult]:
        """The open day's rows come in while it lasts, so that only closed days are judged."""
        is_open = gaming_day_of(clock.now(), settings.timezone)

        def judge(days: Days) -> Verdicts:
            lacking = dict(plants_without_row(lake.lake, tables, days).iter_rows())
            return {
                str(day): (day not in lacking, {"without_row": lacking.get(day, 0)})
                for day in each_day(days)
                if day < is_open
            }

        yield from _judged(context, lake.lake, spec, [("truth", "plants")], judge)

    return plants_are_in_bronze


def _is_there_by_ten(settings: Settings) -> dg.AssetChecksDefinition:
    said = "The gaming day that closed at 06:00 has its row by ten in the morning."
    spec = by_day(settings, IS_THERE.name, DAY_REPORT, said)

    @dg.multi_asset_check(name=IS_THERE.name, specs=[spec], can_subset=True)
    def is_there_by_ten(
        context: dg.AssetCheckExecutionContext, lake: LakeResource, clock: Clock
    ) -> Iterator[dg.AssetCheckResult]:
        """Of the day asked for; run alone, of the newest that has closed."""
        there = _days_with_rows(lake.lake, "gold", "property_day")
        closed = gaming_day_of(clock.now(), settings.timezone) - dt.timedelta(days=1)
        of_run = days_of_run(context.run.tags)
        newest = str(max(there)) if there else "none"
        days = each_day(of_run or (closed, closed))
        verdicts = {str(d): (d in there, {"newest_day": newest}) for d in days}
        if of_run is None:
            log_days(context, spec, verdicts)
        else:
            yield report(context, spec, verdicts)

    return is_there_by_ten


def _judged(
    context: dg.AssetCheckExecutionContext,
    lake: Lake,
    spec: dg.AssetCheckSpec,
    tables: Sequence[tuple[str, str]],
    judge: Callable[[Days], Verdicts],
    severity: dg.AssetCheckSeverity = ERROR,
) -> Iterator[dg.AssetCheckResult]:
    """The days of the run, or all stored ones; nothing where no day could be judged."""
    of_run = days_of_run(context.run.tags)
    days = of_run or _stored(lake, tables)
    if days is None:
        return

    def readable(piece: Days) -> Verdicts:
        with sound(lake, [Read(layer, table, piece) for layer, table in tables]):
            return judge(piece)

    with retried_if_transient():
        verdicts: dict[str, tuple[bool, dict[str, Any]]] = {}
        stale: dict[dt.date, Damaged] = {}
        for piece, part in as_far_as_sound([days], readable):
            if isinstance(part, Damaged):
                stale[piece[0]] = part
            else:
                verdicts |= part
        if of_run is None:
            log_days(context, spec, verdicts, severity=severity, stale=stale)
        elif verdicts or stale:
            yield report(context, spec, verdicts, severity=severity, stale=stale)


def days_of_run(tags: Mapping[str, str]) -> Days | None:
    one = tags.get("dagster/partition")
    first = tags.get("dagster/asset_partition_range_start", one)
    last = tags.get("dagster/asset_partition_range_end", one)
    return days_of(dg.PartitionKeyRange(first, last)) if first and last else None


def _days_with_rows(lake: Lake, layer: str, table: str) -> set[dt.date]:
    stored = lake.partitions(layer, table).filter(pl.col("rows") > 0)
    return set(stored["gaming_day"].drop_nulls())


def _stored(lake: Lake, tables: Sequence[tuple[str, str]]) -> Days | None:
    days = set[dt.date]().union(*(_days_with_rows(lake, *table) for table in tables))
    return (min(days), max(days)) if days else None


def rows_by_rule(rejects: pl.DataFrame) -> list[tuple[str, int]]:
    total = rejects.group_by("rule").agg(pl.col("rows").sum())
    return list(total.sort("rows", "rule", descending=[True, False]).iter_rows())
