"""Contracts, conservation and truths across tables, with a result for every gaming day."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl

from igaming_assets.partitions import days_of
from igaming_assets.resources import LakeResource
from igaming_assets.sql import LakeSQL
from lakehouse.checks import TRUTHS, Truth, judged, summed_up
from lakehouse.conformance import broken_rules, conservation
from lakehouse.steps import DAYS_IN_HAND, each_day, pieces
from lakehouse.storage import Days, Lake

CONTRACT, CONSERVATION = "contract", "conservation"
Verdicts = Mapping[str, tuple[bool, dict[str, Any]]]
"""Partition key → passed, and what was found."""


def contract_spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        CONTRACT, asset=key, blocking=True, description="Every stored row keeps every rule."
    )


def conservation_spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        CONSERVATION,
        asset=key,
        blocking=True,
        description="bronze = silver + quarantine + duplicates, by gaming day.",
    )


def contract_verdicts(lake: Lake, layer: str, table: str, days: Days) -> Verdicts:
    """Of restricted tables, whether and which rules, but no numbers."""
    found: dict[str, dict[str, int]] = {}
    for piece in pieces(days, DAYS_IN_HAND):
        broken = broken_rules(layer, table, lake.scan(layer, table, days=piece))
        for day, rule, rows in broken.iter_rows():
            found.setdefault(str(day), {})[rule] = 0 if layer == "restricted" else rows
    return {
        str(day): (str(day) not in found, {"rows_by_rule": found.get(str(day), {})})
        for day in each_day(days)
    }


def conservation_verdicts(lake: Lake, table: str, days: Days) -> Verdicts:
    return {
        str(row.pop("gaming_day")): (row["lost"] == 0, row)
        for row in conservation(lake, table, days).iter_rows(named=True)
    }


def truth_verdicts(lake: Lake, truth: Truth, days: Days) -> Verdicts:
    """A day passes where the rows kept out of silver explain every finding to the cent."""
    found = summed_up(judged(truth, functools.partial(lake.scan, days=days)))
    nothing = {"unexplained": 0, "explained": 0}
    said = {str(day): found.get(day, nothing) for day in each_day(days)}
    return {day: (told["unexplained"] == 0, told) for day, told in said.items()}


def report(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
    spec: dg.AssetCheckSpec,
    verdicts: Verdicts,
    *,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """The result for the run. A range run stores a returned result without its days, and the
    UI shows them as skipped: so each day of a range is logged as an evaluation of its own,
    and names its day, which a check's history does not show."""
    if len(verdicts) == 1:
        [(key, (passed, said))] = verdicts.items()
        return _result(spec, severity, passed, said, key)
    for key, (passed, said) in verdicts.items():
        context.op_execution_context.log_event(
            dg.AssetCheckEvaluation(
                asset_key=spec.asset_key,
                check_name=spec.name,
                passed=passed,
                metadata=said,
                severity=severity,
                blocking=spec.blocking,
                partition=key,
                description=key,
            )
        )
    failed = [key for key, (passed, _) in verdicts.items() if not passed]
    said = {"days": len(verdicts), "days_failed": ", ".join(failed) or "none"}
    about = f"{min(verdicts)} to {max(verdicts)}" if verdicts else "no day"
    return _result(spec, severity, not failed, said, about)


def _result(
    spec: dg.AssetCheckSpec,
    severity: dg.AssetCheckSeverity,
    passed: bool,
    said: dict[str, Any],
    about: str,
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=passed,
        metadata=said,
        severity=severity,
        description=about,
    )


def truth_specs() -> dict[str, dg.AssetCheckSpec]:
    """A truth is shown on the last of its inputs: the table that could still be mended."""
    return {
        truth.name: dg.AssetCheckSpec(
            truth.name,
            asset=dg.AssetKey(truth.inputs[-1].split(".")),
            additional_deps=[dg.AssetKey(i.split(".")) for i in truth.inputs[:-1]],
            description=truth.description,
        )
        for truth in TRUTHS.values()
    }


@dg.multi_asset_check(name="truths", specs=list(truth_specs().values()), can_subset=True)
def truths(
    context: dg.AssetCheckExecutionContext, lake: LakeResource
) -> Iterator[dg.AssetCheckResult]:
    """All truths across tables in one step, by gaming day: those of the run, or all that the
    lake has where the checks are run alone. A breach of a truth that holds by construction is
    an error; any other, where no row kept out of silver explains it, is news about the casino:
    a warning."""
    opened = lake.lake
    for name, spec in truth_specs().items():
        if spec.key in context.selected_asset_check_keys:
            truth = TRUTHS[name]
            days = run_days_of(context.run.tags) or _stored(opened, truth.inputs)
            severe = dg.AssetCheckSeverity.ERROR if truth.blocking else dg.AssetCheckSeverity.WARN
            verdicts = truth_verdicts(opened, truth, days) if days else {}
            yield report(context, spec, verdicts, severity=severe)


_DAY_REPORT = dg.AssetKey(["gold", "property_day"])
_WINS = ("gold.property_day", "gold.slot_performance", "gold.table_performance")
_DISAGREEING = """
    WITH slots AS (
        SELECT gaming_day, sum(win) AS win FROM gold.slot_performance GROUP BY 1
    ), pit AS (
        SELECT gaming_day, sum(win) AS win FROM gold.table_performance GROUP BY 1
    )
    SELECT p.gaming_day, p.win, coalesce(s.win, 0) + coalesce(t.win, 0) AS parts
    FROM gold.property_day p LEFT JOIN slots s USING (gaming_day) LEFT JOIN pit t USING (gaming_day)
    WHERE p.gaming_day BETWEEN $first AND $last AND p.win <> parts
"""


@dg.asset_check(
    asset=_DAY_REPORT,
    additional_deps=[["gold", "slot_performance"], ["gold", "table_performance"]],
    description="The day's win is the win of its machines and tables, asked in SQL.",
)
def marts_agree(
    context: dg.AssetCheckExecutionContext, lake: LakeResource, sql: LakeSQL
) -> dg.AssetCheckResult:
    opened = lake.lake
    days = run_days_of(context.run.tags) or _stored(opened, ["gold.property_day"])
    spec = dg.AssetCheckSpec("marts_agree", asset=_DAY_REPORT)
    if days is None:
        return report(context, spec, {})
    with sql.get_connection(_WINS) as connection:
        rows = connection.execute(_DISAGREEING, {"first": days[0], "last": days[1]}).fetchall()
    found = {day: f"{win} / {parts}" for day, win, parts in rows}
    return report(
        context,
        spec,
        {
            str(d): (d not in found, {"day_and_parts": found.get(d, "equal")})
            for d in each_day(days)
        },
    )


def run_days_of(tags: Mapping[str, str]) -> Days | None:
    one = tags.get("dagster/partition")
    first = tags.get("dagster/asset_partition_range_start", one)
    last = tags.get("dagster/asset_partition_range_end", one)
    return days_of(dg.PartitionKeyRange(first, last)) if first and last else None


def _stored(lake: Lake, tables: Sequence[str]) -> Days | None:
    stored = [lake.partitions(*name.split("."))["gaming_day"].drop_nulls() for name in tables]
    days = pl.concat(stored)
    return None if days.is_empty() else (days.min(), days.max())  # type: ignore[return-value]


def rows_by_rule(rejects: pl.DataFrame) -> list[tuple[str, int]]:
    total = rejects.group_by("rule").agg(pl.col("rows").sum())
    return list(total.sort("rows", "rule", descending=[True, False]).iter_rows())
