"""The job run in this process, on the same instance and with the same history as the UI."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from typing import Any

from lakehouse.collector import lasting
from lakehouse.contracts import contracts
from lakehouse.errors import BadInput, LakehouseError, is_disk_full
from lakehouse.pipeline.derivation import found_parents, underived
from lakehouse.pipeline.marts import derivations
from lakehouse.quality.landing_checks import simulated_tables
from lakehouse.quality.results import Check
from lakehouse.regulation.gaming_day import cut, each_day, gaming_day_of, ranges_of
from lakehouse.settings import Settings, load_settings
from lakehouse.storage import Days, Lake, rows_stored

with lasting():
    import dagster as dg
    from dagster._core.definitions.job_base import InMemoryJob
    from dagster._core.execution.api import execute_run_iterator
    from dagster._utils.interrupts import check_captured_interrupt

    from igaming_assets.assembly import assemble, checks_alone
    from igaming_assets.automation import first_cause
    from igaming_assets.checks import declared, key_of_check
    from igaming_assets.instance import OWNER, instance_of_home, this_process
    from igaming_assets.interruption import is_interruption
    from igaming_assets.partitions import ASKED, DAYS_PER_RUN, key_of, tags_of
    from igaming_assets.resources import LakeResource
    from igaming_assets.verdicts import CheckVerdict, verdicts_of

ROWS_BETWEEN = 50_000
"""Rows of days between those of a run of scattered days; working them through costs about what
the start of one more run does."""
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

Progress = Callable[[str, int, int], None]
"""Called with the step that ended, how many have, and how many there are in all."""


@dataclass
class Outcome:
    """What the runs of one command did. Checks count by gaming day; `failed` names asset and
    check, once each."""

    run_ids: list[str] = field(default_factory=list)
    materialized: int = 0
    checks_passed: int = 0
    checks_failed: int = 0
    failed: set[str] = field(default_factory=set)
    causes: list[str] = field(default_factory=list)
    stale: dict[str, str] = field(default_factory=dict)
    """Table and day that keeps its old rows → which file is damaged."""

    def add_check(self, evaluation: Any) -> None:
        # A range run has an evaluation per day, and a summary of the days that has none.
        if evaluation.partition is not None:
            self.checks_passed += evaluation.passed
            self.checks_failed += not evaluation.passed
        if not evaluation.passed:
            self.failed.add(f"{evaluation.asset_key.to_user_string()}:{evaluation.check_name}")
        if "stale" in evaluation.metadata:
            table = evaluation.asset_key.to_user_string()
            self.stale[f"{table} of {evaluation.partition}"] = evaluation.metadata["stale"].value


def run_days(
    settings: Settings,
    days: Days,
    *,
    now: dt.datetime,
    select: str | None = None,
    progress: Progress | None = None,
    instance: dg.DagsterInstance | None = None,
    **resources: Any,
) -> Outcome:
    """Materialises the selected assets (all by default) for `days`, with their checks.

    Raises BadInput for days that are no partitions or a selection of nothing, LakehouseError
    for work that failed, naming the step and its cause. Days done before stay.
    """
    refuse_other_days(settings, days, now)
    stored = LakeResource.of(settings)
    given = {"lake": stored, **resources}
    job = _job(assemble(settings, executor=dg.in_process_executor, **given), select)
    outcome = Outcome()
    with instance_of_home() if instance is None else nullcontext(instance) as opened:
        for piece in cut(days, DAYS_PER_RUN):
            _execute(job, piece, progress, opened, outcome)
        if select is None:
            found = _with_parents_found(stored.lake, settings, now)
            for others in ranges_of([d for d in found if not days[0] <= d <= days[1]]):
                for piece in cut(others, DAYS_PER_RUN):
                    _execute(job, piece, progress, opened, outcome)
    return outcome


def judge_days(
    settings: Settings,
    asked: Collection[Check],
    days: Days | None,
    *,
    progress: Progress | None = None,
    instance: dg.DagsterInstance | None = None,
    **resources: Any,
) -> Outcome:
    """Judges these checks over stored days, `days` or all, and makes nothing. Raises
    LakehouseError for a check that could not run, after all others have."""
    given = {"lake": LakeResource.of(settings), **resources}
    job = checks_alone(settings, asked, days, **given)
    outcome = Outcome()
    with instance_of_home() if instance is None else nullcontext(instance) as opened:
        _execute(job, None, progress, opened, outcome)
    return outcome


def derive_days(
    settings: Settings,
    days: Sequence[dt.date],
    *,
    now: dt.datetime,
    instance: dg.DagsterInstance | None = None,
    tell: Callable[[Sequence[dt.date]], None] = lambda _: None,
) -> Outcome:
    """Materialises everything for these days, wherever they lie: a run costs seconds before its
    first day, so that scattered days share one. `tell` hears of the days of each run. Raises
    as `run_days`."""
    stored, outcome = LakeResource.of(settings), Outcome()
    # The simulator would fill days in between that nobody asked for.
    between = 0 if simulated_tables(settings) else ROWS_BETWEEN
    with instance_of_home() if instance is None else nullcontext(instance) as opened:

        def run(wanted: Sequence[dt.date]) -> None:
            rows = rows_stored(stored.lake, (("bronze", table) for table in contracts("source")))
            for part in in_runs(wanted, rows, between):
                refuse_other_days(settings, (part[0], part[-1]), now)
                tell(part)
                gaps = set(each_day((part[0], part[-1]))) - set(part)
                defs = assemble(settings, but=gaps, executor=dg.in_process_executor, lake=stored)
                job = _job(defs, None)
                _execute(job, (part[0], part[-1]), None, opened, outcome, part if gaps else ())

        run(days)
        run([d for d in _with_parents_found(stored.lake, settings, now) if d not in days])
    return outcome


def in_runs(
    days: Sequence[dt.date], rows: Mapping[dt.date, int], most_between: int
) -> list[list[dt.date]]:
    """The days in runs of at most DAYS_PER_RUN. Days in between, which are worked through with
    them and come out as they are, may hold `most_between` rows in a run; with 0, there are
    none."""
    runs: list[list[dt.date]] = []
    held = 0
    for day in sorted(days):
        gap = _between(runs[-1][-1], day) if runs else []
        held += sum(rows.get(d, 0) for d in gap)
        may_join = not gap or 0 < most_between >= held
        if runs and may_join and len(runs[-1]) < DAYS_PER_RUN:
            runs[-1].append(day)
        else:
            runs.append([day])
            held = 0
    return runs


def _between(first: dt.date, last: dt.date) -> list[dt.date]:
    return each_day((first, last))[1:-1]


def _with_parents_found(lake: Lake, settings: Settings, now: dt.datetime) -> list[dt.date]:
    """Days whose rows were kept out for want of what has come in by now: they are made
    again, so that days may come in any order."""
    last = gaming_day_of(now, settings.timezone)
    return [d for d in found_parents(lake, settings) if settings.start <= d <= last]


def underived_days(settings: Settings, lake: Lake) -> list[dt.date]:
    """Gaming days of which bronze holds rows that silver or a mart was not yet derived from,
    or was, and that bronze no longer holds."""
    return list(underived(lake, settings, derivations(settings)))


def refuse_other_days(settings: Settings, days: Days, now: dt.datetime) -> None:
    """Raises BadInput for days that the lake cannot have: before its start, or not begun."""
    if days[0] > days[1]:
        raise BadInput(f"days {days[0]} to {days[1]}: the first is after the last")
    last = gaming_day_of(now, settings.timezone)
    for day in days:
        if not settings.start <= day <= last:
            raise BadInput(f"no gaming day {day}: the lake has {settings.start} to {last}")


def _job(defs: dg.Definitions, select: str | None) -> dg.JobDefinition:
    job = defs.resolve_job_def("gaming_day")
    if select is None:
        return job
    graph = defs.resolve_asset_graph()
    groups = ", ".join(
        sorted({graph.get(k).group_name or "" for k in graph.materializable_asset_keys})
    )
    such_as = f"such as 'key:gold/player_day' or 'group:silver'; the groups are {groups}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)
            keys = dg.AssetSelection.from_string(select).resolve(graph)
    except dg.DagsterError as error:
        said = " ".join(str(error).split())
        raise BadInput(f"selection {select!r}: {said}; {such_as}") from error
    if not keys:
        raise BadInput(f"selection {select!r} matches no asset; {such_as}")
    return job.get_subset(asset_selection=frozenset(keys))


def _execute(
    job: dg.JobDefinition,
    days: Days | None,
    progress: Progress | None,
    instance: dg.DagsterInstance,
    outcome: Outcome,
    only: Sequence[dt.date] = (),
) -> None:
    """Streams one run's events; `execute_in_process` would keep every frame in memory."""
    run = instance.create_run_for_job(
        job_def=job,
        run_config=_QUIET,
        tags=(tags_of(days) if days else {}) | _asked(only) | {OWNER: this_process()},
        asset_selection=job.asset_selection or None,
    )
    outcome.run_ids.append(run.run_id)
    ended, steps = 0, len(job.nodes)
    stream = execute_run_iterator(InMemoryJob(job), run, instance)
    with closing(stream) as events:  # type: ignore[type-var]  # a generator, typed as Iterator
        for event in events:
            _note(event, outcome)
            if event.is_step_success:
                ended += 1
                if progress is not None:
                    progress(event.step_key or "", ended, steps)
            if is_interruption(event) or check_captured_interrupt():
                break
        else:
            _refuse_failure(instance, run.run_id, days, outcome)
            return
    instance.report_run_canceled(run, "Interrupted at the keyboard.")
    raise KeyboardInterrupt


def _refuse_failure(
    instance: dg.DagsterInstance, run_id: str, days: Days | None, outcome: Outcome
) -> None:
    ended_run = instance.get_run_by_id(run_id)
    if ended_run is None or not ended_run.is_success or outcome.causes:
        said = [c for c in outcome.causes if is_disk_full(LakehouseError(c))][:1]
        told = "; ".join(said or outcome.causes) or "the run did not start"
        of = f" of {days[0]} to {days[1]}" if days else ""
        raise LakehouseError(f"run {run_id[:8]}{of} failed: {told}")


def _note(event: dg.DagsterEvent, outcome: Outcome) -> None:
    if event.is_step_failure:
        outcome.causes.append(f"{event.step_key}: {first_cause(event.step_failure_data.error)}")
    elif event.is_engine_event and event.engine_event_data.error is not None:
        # What ends a run, such as the results of its checks being written, fails no step.
        outcome.causes.append(first_cause(event.engine_event_data.error))
    elif event.event_type_value == "ASSET_MATERIALIZATION":
        outcome.materialized += 1
    elif event.event_type_value == "ASSET_CHECK_EVALUATION":
        outcome.add_check(event.asset_check_evaluation_data)


def _asked(days: Sequence[dt.date]) -> dict[str, str]:
    return {ASKED: " ".join(map(key_of, days))} if days else {}


def latest_checks(instance: dg.DagsterInstance) -> list[CheckVerdict]:
    """Every check that this instance has run, over all days that it has judged."""
    return verdicts_of(instance, sorted(map(key_of_check, declared(load_settings())), key=str))
