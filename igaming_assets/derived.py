"""What is derived from what, as the asset graph has it, and whether all of it is."""

import datetime as dt
from collections.abc import Iterator, Sequence

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from igaming_assets.checks import RESOURCES, days_of_run, spec_of
from igaming_assets.late_data import late_check
from igaming_assets.partitions import gaming_days, key_of
from igaming_assets.resources import Clock, LakeResource
from igaming_assets.verdicts import log_days, report
from lakehouse.pipeline.derivation import marks_of, underived
from lakehouse.pipeline.marts import derivations
from lakehouse.quality.derived_checks import EVERY_ROW, judged, said_of
from lakehouse.quality.results import Check, Severity
from lakehouse.regulation.gaming_day import each_day, gaming_day_of
from lakehouse.settings import Settings


def derived_check(settings: Settings, every: Sequence[Check]) -> dg.AssetChecksDefinition:
    """It judges all days that the lake has; a run fails for its own days only, and only where
    it was asked for all tables, as others may not yet be due."""
    [check] = [c for c in every if c.name == EVERY_ROW]
    others = [dg.AssetKey(t) for t, inputs in derivations(settings).items() if inputs]
    spec = spec_of(
        settings,
        check,
        additional_deps=[k for k in others if k != dg.AssetKey(check.table)],
        automation_condition=late_check(),
    )

    @dg.multi_asset_check(
        name=EVERY_ROW, specs=[spec], can_subset=True, required_resource_keys=RESOURCES
    )
    def every_stored_row_is_derived(
        context: dg.AssetCheckExecutionContext,
    ) -> Iterator[dg.AssetCheckResult]:
        lake = context.op_execution_context.resources.lake.lake
        of_run = context.run.run_id
        stale = judged(settings, derivations(settings), _began(context), lake, run=of_run)
        own = days_of_run(context.run.tags)
        days = each_day(own) if own else list(stale)
        asked = context.run.asset_selection
        whole = asked is None or asked >= set(others)
        severity: Severity = "error" if whole else "warn"
        elsewhere = {day: said for day, said in stale.items() if day not in days}
        log_days(context, check, elsewhere, severity="warn")
        found = {day: stale.get(day, said_of([])) for day in days}
        if own is None:
            log_days(context, check, found, severity=severity)
        else:
            yield report(context, check, found, severity=severity)

    return every_stored_row_is_derived


def _began(context: dg.AssetCheckExecutionContext) -> dt.datetime:
    record = context.instance.get_run_record_by_id(context.run.run_id)
    if record is None:
        raise RuntimeError(f"run {context.run.run_id} has no record")
    seconds = record.start_time or record.create_timestamp.timestamp()
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


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
        now = clock.now()
        known = set(gaming_days(settings).get_partition_keys(current_time=now))
        if settings.streamed():
            # Events come in at any moment: their day under way is derived as its hours close.
            known -= {key_of(gaming_day_of(now, settings.timezone))}
        stale = [d for d in underived(lake.lake, settings, every) if key_of(d) in known]
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
