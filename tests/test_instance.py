"""The Dagster instance: made once however many begin, and rid of what killed processes left."""

import inspect
import os
import platform
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.launcher.base import WorkerStatus
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator
from dagster._daemon import controller
from dagster._daemon.backfill import execute_backfill_iteration_loop

from igaming_assets.instance import (
    OWNER,
    _named,
    instance_of_home,
    is_dead,
    release_dead,
    this_process,
)
from lakehouse.errors import LakehouseError
from lakehouse.locks import locked
from tests.processes import Warm

INSTANCE = "igaming_assets.instance"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_SCALE", "0.02")
    return tmp_path


@pytest.fixture
def instance(place: Path) -> Iterator[dg.DagsterInstance]:
    with instance_of_home() as opened:
        yield opened


def start(*arguments: str, module: str = "lakehouse") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def a_dead_process() -> str:
    """The name of a process that was, and is no more."""
    child = subprocess.Popen(["sleep", "60"])
    name = _named(platform.node(), child.pid)
    assert not is_dead(name)
    child.kill()
    child.wait()
    return name


@dg.op(pool="silver_player_profile")
def work() -> None: ...


@dg.job
def job() -> None:
    work()


def begun(instance: dg.DagsterInstance, owner: str) -> str:
    """A run of this process or another, under way, with a slot."""
    run = instance.create_run_for_job(
        job_def=job, status=dg.DagsterRunStatus.STARTED, tags={OWNER: owner}
    )
    storage = instance.event_log_storage
    storage.set_concurrency_slots("silver_player_profile", 2)
    storage.claim_concurrency_slot("silver_player_profile", run.run_id, "work")
    return str(run.run_id)


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


@pytest.mark.slow
def test_processes_are_told_apart() -> None:
    own = this_process()
    assert not is_dead(own)
    host, pid, started = own.split(" ", 2)
    assert is_dead(f"{host} {pid} {started}0")  # the number was given to another one
    assert not is_dead(f"elsewhere {pid} 1")  # nobody here can know
    assert is_dead(a_dead_process())


def test_a_process_that_is_not_buried_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    alive = this_process().split(" ", 2)
    time.sleep(0.5)
    assert is_dead(f"{alive[0]} {child.pid} 1")
    child.wait()


@pytest.mark.slow
def test_runs_and_slots_of_the_dead_are_released_and_of_the_living_kept(
    instance: dg.DagsterInstance,
) -> None:
    living, dead = begun(instance, this_process()), begun(instance, a_dead_process())
    assert release_dead(instance) == [dead]
    assert status(instance, dead) == dg.DagsterRunStatus.FAILURE
    assert status(instance, living) == dg.DagsterRunStatus.STARTED
    assert instance.event_log_storage.get_concurrency_run_ids() == {living}
    assert release_dead(instance) == []


@pytest.mark.slow
def test_dagster_s_own_monitoring_tells_the_dead_too(instance: dg.DagsterInstance) -> None:
    launcher = instance.run_launcher
    found = []
    for owner in (this_process(), a_dead_process()):
        run = instance.get_run_by_id(begun(instance, owner))
        assert run is not None
        found.append(launcher.check_run_worker_health(run).status)
    assert found == [WorkerStatus.RUNNING, WorkerStatus.FAILED]
    gone = instance.create_run_for_job(
        job_def=job, tags={".dagster/grpc_info": '{"host": "localhost", "socket": "/no/such"}'}
    )
    assert launcher.check_run_worker_health(gone).status == WorkerStatus.FAILED
    shipped = yaml.safe_load(
        (Path(__file__).parent.parent / "igaming_assets/dagster.yaml").read_text()
    )
    assert shipped["run_monitoring"]["enabled"] is True
    assert instance.run_monitoring_enabled


@pytest.mark.slow
def test_a_run_that_was_killed_holds_nobody_up(place: Path) -> None:
    command = ("run", "--from", "2025-01-01", "--select", "key:silver/player_profile+")
    first = Warm("lakehouse", *command)
    history = place / "home" / "history" / "runs.db"
    deadline = time.monotonic() + 300
    while not _started_runs(history):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    first.kill()
    first.communicate()
    second = Warm("lakehouse", "run", "--from", "2025-01-01", "--select", "key:bronze/gaming_wins")
    _, said = second.communicate(timeout=300)
    assert second.returncode == 0, said
    with instance_of_home() as opened:
        found = {r.status for r in opened.get_runs()}
    assert found == {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS}


def _started_runs(history: Path) -> list[tuple[str]]:
    try:
        with sqlite3.connect(f"file:{history}?mode=ro", uri=True) as connection:
            return connection.execute("SELECT run_id FROM runs WHERE status = 'STARTED'").fetchall()
    except sqlite3.Error:
        return []


@pytest.mark.slow
def test_an_interrupted_run_ends_at_once_in_one_line(place: Path) -> None:
    running = Warm("lakehouse", "run", "--from", "2025-01-01", "--to", "2025-01-20")
    history = place / "home" / "history" / "runs.db"
    deadline = time.monotonic() + 300
    while not _started_runs(history):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    try:
        _, said = running.communicate(timeout=300)
    finally:
        running.kill()
    assert (running.returncode, said) == (130, "lakehouse: interrupted\n")
    with instance_of_home() as opened:
        assert [r.status for r in opened.get_runs()] == [dg.DagsterRunStatus.CANCELED]


@pytest.mark.slow
def test_an_interruption_that_python_drops_is_said_again() -> None:
    process = Warm("tests.buried")
    said = process.communicate(timeout=300)
    assert (process.returncode, *said) == (0, "at once", "")


def test_the_daemon_looks_at_backfills_every_few_seconds(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller, "DEFAULT_DAEMON_INTERVAL_SECONDS", 30)
    with instance_of_home() as opened:
        assert isinstance(opened.run_coordinator, QueuedRunCoordinator)
        assert controller.DEFAULT_DAEMON_INTERVAL_SECONDS == 3
    # The loop asks for it when it begins, after the instance has its coordinator.
    said = inspect.getsource(execute_backfill_iteration_loop)
    assert "import DEFAULT_DAEMON_INTERVAL_SECONDS" in said


@pytest.mark.slow
def test_many_that_begin_at_once_make_one_instance(place: Path) -> None:
    """Two that import all first, and twice four with nothing to import before the instance, which
    come closer together."""
    for begin, number in (
        (partial(start, module=INSTANCE), 2),
        *2 * [(partial(Warm, INSTANCE), 4)],
    ):
        shutil.rmtree(place / "home", ignore_errors=True)
        many = [begin() for _ in range(number)]
        said = [p.communicate(timeout=300)[1] for p in many]
        assert [p.returncode for p in many] == number * [0], said
        with sqlite3.connect(place / "home" / "history" / "runs.db") as connection:
            heads = connection.execute("SELECT count(*) FROM alembic_version").fetchone()
        assert heads == (1,)


@pytest.mark.slow
def test_a_broken_instance_is_told_how_to_heal(place: Path) -> None:
    instance_of_home().dispose()
    with sqlite3.connect(place / "home" / "history" / "runs.db") as connection:
        connection.execute("INSERT INTO alembic_version VALUES ('another')")
    with pytest.raises(LakehouseError, match=r"more than one head.*remove its folders") as caught:
        instance_of_home()
    assert "\n" not in str(caught.value)
    for name in ("history", "schedules"):
        shutil.rmtree(place / "home" / name)
    instance_of_home().dispose()


@pytest.mark.slow
def test_who_waits_is_told_for_whom_and_not_for_ever(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "lock"
    with locked(path, "the zone, taken", wait_seconds=0):
        since = time.strftime("%H:%M:", time.localtime(path.stat().st_mtime))
        with (
            pytest.raises(LakehouseError, match=r"gave up after 1\.5 s \(setting wait_seconds\)"),
            locked(path, "the zone, taken", wait_seconds=1.5, tell=said.append),
        ):
            pytest.fail("the lock was taken twice")
    [line] = said
    assert line.startswith(f"waiting for the zone, taken by process {os.getpid()} since {since}")
    with locked(path, "the zone, taken", wait_seconds=0):
        pass
