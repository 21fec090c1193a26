"""What is derived from what, as the asset graph has it, and whether all of it is."""

from collections.abc import Iterable
from typing import Any

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from igaming_assets.checks import report, run_days_of
from igaming_assets.partitions import gaming_days, key_of
from igaming_assets.resources import Clock, LakeResource
from lakehouse.derived import Derivations, Table, marks_of, underived
from lakehouse.settings import Settings
from lakehouse.steps import each_day

EVERY_ROW = "every_stored_row_is_derived"
SHOWN_ON = dg.AssetKey(["gold", "property_day"])
"""The day of the whole property: the last of what a gaming day comes to."""


def derivations_of(assets: Iterable[Any]) -> Derivations:
    """Table → the tables that its asset is derived from, each after its inputs."""
    parents = {
        _table(key): sorted(_table(p) for p in made.asset_deps[key])
        for made in assets
        if isinstance(made, dg.AssetsDefinition)
        for key in made.keys
    }
    ordered: dict[Table, tuple[Table, ...]] = {}

    def place(table: Table) -> None:
        for parent in parents[table]:
            place(parent)
        ordered.setdefault(table, tuple(parents[table]))

    for table in parents:
        place(table)
    return ordered


def _table(key: dg.AssetKey) -> Table:
    layer, name = key.path
    return layer, name


def derived_check(derivations: Derivations) -> dg.AssetChecksDefinition:
    """What bronze holds is in silver, quarantine or duplicates, and in every mart. It judges
    all days that the lake has; a run fails for its own days only, and only where it was asked
    for all tables, as others may not yet be due."""
    others = [dg.AssetKey(list(t)) for t, inputs in derivations.items() if inputs]

    @dg.asset_check(
        name=EVERY_ROW,
        asset=SHOWN_ON,
        additional_deps=[k for k in others if k != SHOWN_ON],
        blocking=True,
        description="Every row that bronze holds is in silver, or kept out of it, and in gold.",
    )
    def every_stored_row_is_derived(
        context: dg.AssetCheckExecutionContext, lake: LakeResource
    ) -> dg.AssetCheckResult:
        spec = dg.AssetCheckSpec(EVERY_ROW, asset=SHOWN_ON, blocking=True)
        stale = {key_of(d): t for d, t in underived(lake.lake, derivations).items()}
        own = run_days_of(context.run.tags)
        keys = [key_of(d) for d in each_day(own)] if own else list(stale)
        for key in stale.keys() - set(keys):
            context.op_execution_context.log_event(_elsewhere(key, stale[key]))
        verdicts = {k: (k not in stale, {"not_derived": ", ".join(stale.get(k, []))}) for k in keys}
        asked = context.run.asset_selection
        whole = asked is None or asked.issuperset(others)
        severe = dg.AssetCheckSeverity.ERROR if whole else dg.AssetCheckSeverity.WARN
        return report(context, spec, verdicts, severity=severe)

    return every_stored_row_is_derived


def underived_sensor(derivations: Derivations, settings: Settings) -> dg.SensorDefinition:
    """Asks for the days that are stored and not derived, such as a killed command leaves: no
    event of Dagster's tells of them. Late data of other runs is `late_data`'s; so it waits
    while any run is under way, and asks once for what a day holds."""
    derived = [dg.AssetKey(list(t)) for t, inputs in derivations.items() if inputs]
    sources = [t for t, inputs in derivations.items() if t[0] == "bronze" and not inputs]

    @dg.sensor(
        name="underived",
        target=derived,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Derives what bronze holds and silver or a mart does not know yet.",
    )
    def underived_days(
        context: dg.SensorEvaluationContext, lake: LakeResource, clock: Clock
    ) -> dg.SensorResult | dg.SkipReason:
        if context.instance.get_runs_count(dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES))):
            return dg.SkipReason("a run is under way")
        known = set(gaming_days(settings).get_partition_keys(current_time=clock.now()))
        stale = [d for d in underived(lake.lake, derivations) if key_of(d) in known]
        held = {t: lake.lake.tokens(*t) for t in sources} if stale else {}
        marks = marks_of(held, stale)
        requests = [
            dg.RunRequest(
                run_key=f"underived:{d}:{marks[d]}",
                partition_key=key_of(d),
                asset_selection=derived,
            )
            for d in stale
        ]
        return dg.SensorResult(run_requests=requests)

    return underived_days


def _elsewhere(key: str, tables: list[str]) -> dg.AssetCheckEvaluation:
    """A day of no concern to the run, told all the same."""
    return dg.AssetCheckEvaluation(
        asset_key=SHOWN_ON,
        check_name=EVERY_ROW,
        passed=False,
        metadata={"not_derived": ", ".join(tables)},
        severity=dg.AssetCheckSeverity.ERROR,
        blocking=True,
        partition=key,
        description=key,
    )
