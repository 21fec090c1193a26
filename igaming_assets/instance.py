"""The Dagster instance of this folder: made by one process, and rid of what dead ones left.

python -m igaming_assets.instance: makes it ready for `dagster dev`, whose processes are many.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
from alembic.util import CommandError
from dagster._core.launcher import DefaultRunLauncher
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES
from sqlalchemy.exc import SQLAlchemyError

from igaming_assets.home import home
from igaming_assets.migrations import read_once
from lakehouse.errors import DiskFull, LakehouseError, is_disk_full
from lakehouse.locks import locked

OWNER = "lakehouse/process"
"""Run tag: the host, the process and when it started, of a run that a command executes."""
UNFINISHED = [*IN_PROGRESS_RUN_STATUSES, dg.DagsterRunStatus.CANCELING]
UNFINISHED += [dg.DagsterRunStatus.NOT_STARTED]
OPENING_SECONDS = 60
BACKFILL_SECONDS = 3


def instance_of_home() -> dg.DagsterInstance:
    """The instance that the UI shows too; its history is in DAGSTER_HOME. Raises
    LakehouseError for a home that cannot be opened."""
    read_once()
    folder = home()
    what = f"the Dagster instance in {folder}, being opened"
    with locked(folder / ".lock", what, wait_seconds=OPENING_SECONDS):
        try:
            instance = dg.DagsterInstance.get()
            release_dead(instance)
        except (CommandError, SQLAlchemyError, sqlite3.Error) as error:
            if is_disk_full(error):
                raise DiskFull(f"the disk is full: no room for {folder}") from error
            raise LakehouseError(_unusable(folder, error)) from error
    return instance


def _unusable(folder: Path, error: Exception) -> str:
    said = str(error).splitlines()[0].rstrip(".")
    return (
        f"the Dagster instance in {folder} cannot be opened ({said}): remove its folders "
        "history and schedules, and it is made anew; the history of runs and checks is lost "
        "by that, the lake is not"
    )


def release_dead(instance: dg.DagsterInstance) -> list[str]:
    """Ends the runs whose process is gone, and frees the slots that ended runs still hold;
    the runs that were ended."""
    ended = []
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)):
        if OWNER in run.tags and is_dead(run.tags[OWNER]):
            instance.report_run_failed(run, f"Its process is gone: {run.tags[OWNER]}.")
            ended.append(run.run_id)
    storage = instance.event_log_storage
    for run_id in storage.get_concurrency_run_ids():
        holder = instance.get_run_by_id(run_id)
        if holder is None or holder.is_finished:
            storage.free_concurrency_slots_for_run(run_id)
    return ended


def this_process() -> str:
    return _named(platform.node(), os.getpid())


def is_dead(owner: str) -> bool:
    """Whether the process is of this host and gone. Of another host nobody can say."""
    host, pid, _ = owner.split(" ", 2)
    return host == platform.node() and _named(host, int(pid)) != owner


def _named(host: str, pid: int) -> str:
    return f"{host} {pid} {_started(pid)}"


def _started(pid: int) -> str:
    """When it did, as numbers are given again. A process that only waits to be buried is as
    dead as any."""
    if Path("/proc/self/stat").exists():
        try:
            said = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return "gone"
        return "gone" if said[0] in "ZX" else said[19]
    asked = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    return " ".join(said[1:]) if said and not said[0].startswith("Z") else "gone"


class WatchingRunLauncher(DefaultRunLauncher):
    """Dagster's own, that also tells its run monitoring which runs have lost their process:
    of those that a command executes, and of code servers that are gone."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        owner = run.tags.get(OWNER)
        if owner is not None and is_dead(owner):
            return CheckRunHealthResult(WorkerStatus.FAILED, f"its process is gone: {owner}")
        server: Any = None
        if owner is None:
            server = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]  # Dagster's
        if server is not None and not _answers(server):
            return CheckRunHealthResult(WorkerStatus.FAILED, "its code server is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


class PromptRunCoordinator(QueuedRunCoordinator):
    """Dagster's own. In the daemon it also has backfills looked at every few seconds: how often
    is a constant of thirty, which no setting reaches, and a backfill waits for two looks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        daemon: Any = sys.modules.get("dagster._daemon.controller")
        if daemon is not None:
            daemon.DEFAULT_DAEMON_INTERVAL_SECONDS = BACKFILL_SECONDS


def _answers(server: Any) -> bool:
    from dagster._core.errors import DagsterUserCodeUnreachableError

    try:
        server.ping("")
    except DagsterUserCodeUnreachableError:
        return False
    return True


def main() -> int:
    try:
        instance_of_home().dispose()
    except LakehouseError as error:
        sys.stderr.write(f"lakehouse: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
