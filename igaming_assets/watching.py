"""The monitor in Dagster: runs that failed, and a sensor that looks at all signals."""

import datetime as dt
import time
from collections.abc import Sequence

import dagster as dg

from igaming_assets.automation import first_cause
from igaming_assets.resources import Clock, LakeResource
from lakehouse.contracts.operations.signals import LEVELS
from lakehouse.ingest.streams.transport import transport
from lakehouse.serve.alerts.telling import ways
from lakehouse.serve.monitor.host import Machine
from lakehouse.serve.monitor.registry import FailedRun, Look, worst
from lakehouse.serve.monitor.watch import seen, tell
from lakehouse.settings import Settings

MOST_RUNS = 1_000
_ENDED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS]
_PARTITION = ("dagster/partition", "dagster/asset_partition_range_start")


def failed_runs(instance: dg.DagsterInstance, since: dt.datetime) -> Sequence[FailedRun]:
    """Runs that ended since then and failed, the newest first, without those after which the same
    job succeeded for the same day."""
    asked = dg.RunsFilter(statuses=_ENDED, updated_after=since)
    mended, found = set(), []
    for run in instance.get_runs(asked, limit=MOST_RUNS):  # the newest first
        work = (run.job_name, *(run.tags.get(tag, "") for tag in _PARTITION))
        if run.status is dg.DagsterRunStatus.SUCCESS:
            mended.add(work)
        elif work not in mended:
            found.append(FailedRun(run.run_id, _why(instance, run)))
    return found


def _why(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    day = next((run.tags[tag] for tag in _PARTITION if tag in run.tags), "")
    records = instance.get_records_for_run(
        run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE, limit=1
    ).records
    event = records[0].event_log_entry.dagster_event if records else None
    error = event.step_failure_data.error if event is not None else None
    cause = f": {first_cause(error)}" if error is not None else ""
    return f"{run.job_name}{f' of {day}' if day else ''}{cause}"[:200]


def monitor_sensor(settings: Settings) -> dg.SensorDefinition:
    """Looks at all signals, and tells each change of level once."""
    machine = Machine()

    @dg.sensor(
        name="monitor",
        minimum_interval_seconds=max(30, int(settings.monitor.seconds)),
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Looks at freshness, checks, runs, topics, alerts, storage, queries and the "
        "machine, and tells each change of level once: in the log, and by the settings "
        "alert_webhook and mail.",
    )
    def monitor(
        context: dg.SensorEvaluationContext, lake: LakeResource, clock: Clock
    ) -> dg.SkipReason:
        instance = context.instance
        look = Look(
            lake=lake.lake,
            settings=settings,
            now=clock.now(),
            host=machine,
            clock=time.monotonic,
            transport=lambda: transport(settings),
            failed_runs=lambda since: failed_runs(instance, since),
        )
        found = seen(look).states.values()
        for said in tell(lake.lake, ways(settings, context.log)):
            context.log.error(said)
        counts = [sum(s.level == level for s in found) for level in reversed(LEVELS)]
        told = ", ".join(f"{n} {level}" for n, level in zip(counts, reversed(LEVELS), strict=True))
        return dg.SkipReason(f"{worst(s.level for s in found)}: {told}")

    return monitor
