"""What is derived from what, as the asset graph has it, and whether all of it is."""

from collections.abc import Iterator

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from igaming_assets.automation import late_check
from igaming_assets.checks import ERROR, WARN, by_day, days_of_run
from igaming_assets.partitions import gaming_days, key_of
from igaming_assets.resources import Clock, LakeResource
from igaming_assets.verdicts import log_days, report
from lakehouse.pipeline.derivation import marks_of, underived
from lakehouse.pipeline.marts import derivations
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings

EVERY_ROW = "every_stored_row_is_derived"
SHOWN_ON = dg.AssetKey(["gold", "property_day"])
"""The day of the whole property: the last of what a gaming day comes to."""


def derived_check(settings: Settings) -> dg.AssetChecksDefinition:
    """What bronze holds is in silver, quarantine or duplicates, and in every mart. It judges
    all days that the lake has; a run fails for its own days only, and only where it was asked
    for all tables, as others may not yet be due."""
    others = [dg.AssetKey(t) for t, inputs in derivations(settings).items() if inputs]
    spec = by_day(
        settings,
        EVERY_ROW,
        SHOWN_ON,
        "Every row that bronze holds is in silver, or kept out of it, and in gold.",
        additional_deps=[k for k in others if k != SHOWN_ON],
        automation_condition=late_check(),
        blocking=True,
    )

    @dg.multi_asset_check(name=EVERY_ROW, specs=[spec], can_subset=True)
    def every_stored_row_is_derived(
        context: dg.AssetCheckExecutionContext, lake: LakeResource
    ) -> Iterator[dg.AssetCheckResult]:
        stale = {key_of(d): t for d, t in underived(lake.lake, derivations(settings)).items()}
        own = days_of_run(context.run.tags)
        keys = [key_of(d) for d in each_day(own)] if own else list(stale)
        verdicts = {k: (k not in stale, {"not_derived": ", ".join(stale.get(k, []))}) for k in keys}
        asked = context.run.asset_selection
        whole = asked is None or asked >= set(others)
        severity = ERROR if whole else WARN
        elsewhere = {k: (False, {"not_derived": ", ".join(t)}) for k, t in stale.items()}
        log_days(
            context, spec, {k: v for k, v in elsewhere.items() if k not in keys}, severity=WARN
        )
        if own is None:
            log_days(context, spec, verdicts, severity=severity)
        else:
            yield report(context, spec, verdicts, severity=severity)

    return every_stored_row_is_derived


def underived_sensor(settings: Settings) -> dg.SensorDefinition:
    """Asks for the days that are stored and not derived, such as a killed command leaves: no
    event of Dagster's tells of them. Late data of other runs is `late_data`'s; so it waits
    while any run is under way, and asks once for what a day holds."""
    every = derivations(settings)
    derived = [dg.AssetKey(t) for t, inputs in every.items() if inputs]
    sources = [t for t, inputs in every.items() if not inputs]

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
        stale = [d for d in underived(lake.lake, every) if key_of(d) in known]
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
