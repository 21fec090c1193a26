"""The run history that is written in batches is the one that Dagster's own class writes."""

import os
import signal
import sqlite3
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy import Engine
from sqlalchemy.event import listen, remove

from igaming_assets.event_log import PooledSqliteEventLog

DAYS = dg.DailyPartitionsDefinition("2025-01-01")
TABLES = ("event_logs", "asset_keys", "asset_check_executions", "asset_event_tags")


def job() -> dg.JobDefinition:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)

        @dg.asset(
            partitions_def=DAYS,
            backfill_policy=dg.BackfillPolicy.single_run(),
            check_specs=[dg.AssetCheckSpec("whole", asset="table")],
        )
        def table(context: dg.AssetExecutionContext) -> Any:
            yield dg.MaterializeResult(metadata={"rows": 7})
            for day in context.partition_keys:
                context.op_execution_context.log_event(
                    dg.AssetCheckEvaluation(
                        asset_key=dg.AssetKey("table"),
                        check_name="whole",
                        passed=day != "2025-01-02",
                        partition=day,
                    )
                )
            yield dg.AssetCheckResult(passed=True, check_name="whole")

    return dg.Definitions(assets=[table]).resolve_implicit_global_asset_job_def()


@pytest.fixture(scope="module")
def events() -> list[dg.EventLogEntry]:
    """Of a range run and of a run of one day, as Dagster hands them to its storage."""
    tags = [
        {
            "dagster/asset_partition_range_start": "2025-01-01",
            "dagster/asset_partition_range_end": "2025-01-03",
        },
        {"dagster/partition": "2025-01-02"},
    ]
    found: list[dg.EventLogEntry] = []
    with dg.DagsterInstance.ephemeral() as instance:
        for tag in tags:
            run = job().execute_in_process(instance=instance, tags=tag)
            records = instance.get_records_for_run(run.run_id).records
            found += [r.event_log_entry for r in records]
    return found


def stored(storage: SqliteEventLogStorage, shard: str) -> dict[str, list[dict[str, Any]]]:
    with sqlite3.connect(storage.path_for_shard(shard)) as opened:
        opened.row_factory = sqlite3.Row
        found = {t: opened.execute(f"SELECT * FROM {t} ORDER BY id").fetchall() for t in TABLES}
    return {
        t: [{k: row[k] for k in row.keys() if k != "create_timestamp"} for row in rows]  # noqa: SIM118
        for t, rows in found.items()
    }


@pytest.mark.slow
def test_the_files_are_those_that_dagster_would_write(
    tmp_path: Path, events: list[dg.EventLogEntry]
) -> None:
    theirs = SqliteEventLogStorage(str(tmp_path / "theirs"))
    ours = PooledSqliteEventLog(str(tmp_path / "ours"))
    with dg.DagsterInstance.ephemeral() as instance:
        for storage in (theirs, ours):
            storage.register_instance(instance)
            for event in events:
                storage.store_event(event)
        ours.write_waiting()
        kinds = {e.dagster_event_type for e in events}
        assert {"ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION"} <= {k.value for k in kinds if k}
        for shard in ("index", *{e.run_id for e in events}):
            assert stored(ours, shard) == stored(theirs, shard)
        ours.dispose()


@pytest.mark.slow
def test_whoever_reads_sees_what_waits(tmp_path: Path, events: list[dg.EventLogEntry]) -> None:
    ours = PooledSqliteEventLog(str(tmp_path))
    with dg.DagsterInstance.ephemeral() as instance:
        ours.register_instance(instance)
        made = [
            e for e in events if e.dagster_event_type == dg.DagsterEventType.ASSET_MATERIALIZATION
        ]
        for event in made:
            ours.store_event(event)
        assert len(ours.get_records_for_run(made[0].run_id).records) == 3
        assert len(ours.fetch_materializations(dg.AssetKey("table"), limit=10).records) == 4
        ours.dispose()


@pytest.mark.slow
def test_two_runs_at_once_write_one_history(tmp_path: Path, events: list[dg.EventLogEntry]) -> None:
    """Two runs are two processes: each has a storage of its own, over the same files."""
    kinds = (
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    )
    made = [e for e in events if e.dagster_event_type in kinds]
    runs = list(dict.fromkeys(e.run_id for e in made))
    assert len(runs) == 2
    rounds = 40

    def write(storage: PooledSqliteEventLog, run_id: str, rounds: int) -> int:
        mine = [e for e in made if e.run_id == run_id]
        for event in rounds * mine:
            storage.store_event(event)
            storage.write_waiting()
        return rounds * len(mine)

    with dg.DagsterInstance.ephemeral() as instance, ThreadPoolExecutor(2) as pool:
        storages = [PooledSqliteEventLog(str(tmp_path)) for _ in runs]
        for storage in storages:
            storage.register_instance(instance)
        # Files are made one after the other, as what makes them knows of one thread.
        written = sum(map(write, storages, runs, (1, 1)))
        written += sum(pool.map(write, storages, runs, (rounds, rounds)))
        with sqlite3.connect(storages[0].path_for_shard("index")) as opened:
            [[found]] = opened.execute("SELECT count(*) FROM event_logs")
            assert found == written
            assert opened.execute("SELECT asset_key FROM asset_keys").fetchall() == [('["table"]',)]
        for storage in storages:
            storage.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("statement", range(0, 37, 3))
def test_an_interruption_leaves_no_event_behind_and_no_file_locked(
    tmp_path: Path, events: list[dg.EventLogEntry], statement: int
) -> None:
    """It comes with any of the statements that store."""
    ours, twin = (PooledSqliteEventLog(str(tmp_path / n)) for n in ("ours", "twin"))
    left = iter(range(statement, -1, -1))

    def interrupt(_: Any, __: Any, said: str, *___: Any) -> None:
        if said.startswith("INSERT") and next(left, None) == 0:
            os.kill(os.getpid(), signal.SIGINT)

    listen(Engine, "before_cursor_execute", interrupt)
    interrupted = 0
    try:
        for event in events:
            try:
                ours.store_event(event)
            except KeyboardInterrupt:
                interrupted += 1
    finally:
        remove(Engine, "before_cursor_execute", interrupt)
    assert interrupted == 1
    for event in events:
        twin.store_event(event)
    for storage in (ours, twin):
        storage.write_waiting()
    for shard in ("index", *dict.fromkeys(e.run_id for e in events)):
        assert stored(ours, shard) == stored(twin, shard)
        with sqlite3.connect(ours.path_for_shard(shard), timeout=0) as another:
            another.execute("BEGIN IMMEDIATE")
    for storage in (ours, twin):
        storage.dispose()
