"""Run history in sqlite, written in batches over connections that stay open.

Dagster's own class opens a database for every statement and commits it for every event, of
which a month has thousands: half of a run's time was bookkeeping (docs/decisions). Files and
schema are Dagster's own, so either class reads what the other wrote.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster import AssetCheckEvaluation, DagsterEventType, EventLogEntry
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationPlanned,
)
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
)
from sqlalchemy import Connection, Engine, bindparam, create_engine, event, func, select

from igaming_assets.interruption import uninterrupted

OPEN_SHARDS = 8
"""One file per run: the last so many stay open."""
MOST_WAITING = 2_000
_KIND = DagsterEventType
_BY_DAY = frozenset(
    {
        _KIND.ASSET_MATERIALIZATION,
        _KIND.ASSET_MATERIALIZATION_PLANNED,
        _KIND.ASSET_CHECK_EVALUATION,
        _KIND.ASSET_CHECK_EVALUATION_PLANNED,
    }
)
_WITHIN = frozenset({_KIND.STEP_INPUT, _KIND.LOADED_INPUT, _KIND.STEP_OUTPUT, _KIND.HANDLED_OUTPUT})
"""Events that come by the gaming day, or in the middle of a step. They wait for the next event
of another kind, at the latest that of their step's end; whoever reads sees them."""
_ENDS = frozenset({_KIND.STEP_START, _KIND.STEP_SUCCESS})
"""Events of one file that are written with those that waited for them."""

Row = dict[str, Any]


class PooledSqliteEventLog(SqliteEventLogStorage):
    """SqliteEventLogStorage on pooled connections, with synchronous=NORMAL (in WAL mode a
    power cut may lose the newest events, never the consistency of the file)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._tables_seen: set[str] = set()
        self._waiting: list[EventLogEntry] = []
        self._writing = threading.RLock()
        super().__init__(*args, **kwargs)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> PooledSqliteEventLog:  # noqa: ARG003
        """Where Dagster's own class has its files, below DAGSTER_HOME."""
        home = Path(os.environ["DAGSTER_HOME"])
        return cls(inst_data=inst_data, base_dir=str(home / "history" / "runs"))

    def store_event(self, event: EventLogEntry) -> None:
        with self._writing:
            kind = event.dagster_event_type if event.is_dagster_event else None
            if kind not in _BY_DAY | _WITHIN | _ENDS:
                with uninterrupted():
                    self.write_waiting()
                    super().store_event(event)
                return
            self._waiting.append(event)
            if kind in _ENDS or len(self._waiting) >= MOST_WAITING:
                self.write_waiting()

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        for one in events:
            self.store_event(one)

    def write_waiting(self) -> None:
        """Stores the events that wait: a transaction for each file."""
        with self._writing:
            if self._waiting:
                with uninterrupted():
                    events, self._waiting = self._waiting, []
                    self._write(events)

    def _write(self, events: Sequence[EventLogEntry]) -> None:
        rows = [self._event_to_row(e) for e in events]
        for run_id in dict.fromkeys(e.run_id for e in events):
            with self._connect(run_id) as run:
                mine = [r for r in rows if r["run_id"] == run_id]
                run.execute(SqlEventLogStorageTable.insert(), mine)
        shared = [n for n, e in enumerate(events) if e.dagster_event_type in _BY_DAY]
        if shared:
            with self._connect(INDEX_SHARD_NAME) as index:
                # Of other processes one writes here at a time, from its first look on.
                index.exec_driver_sql("BEGIN IMMEDIATE")
                _write_index(self, index, [events[n] for n in shared], [rows[n] for n in shared])

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        self.write_waiting()
        with (
            uninterrupted(),
            self._db_lock,
            self._engine(shard).connect() as connection,
            connection.begin(),
        ):
            yield connection

    def has_table(self, table_name: str) -> bool:
        """A table that was there stays there; Dagster asks before it stores a check."""
        if table_name not in self._tables_seen and super().has_table(table_name):
            self._tables_seen.add(table_name)
        return table_name in self._tables_seen

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            engine = create_engine(self.conn_string_for_shard(shard), connect_args={"timeout": 30})
            event.listen(engine, "connect", _hurry)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            self._engines[shard] = engine
            if len(self._engines) > OPEN_SHARDS:
                self._engines.popitem(last=False)[1].dispose()
        self._engines.move_to_end(shard)
        return self._engines[shard]

    def dispose(self) -> None:
        self.write_waiting()
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


def _hurry(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")


def _write_index(
    storage: PooledSqliteEventLog,
    index: Connection,
    events: Sequence[EventLogEntry],
    rows: list[Row],
) -> None:
    """What the file of all runs holds of these events."""
    events_table = SqlEventLogStorageTable
    last = index.execute(select(func.max(events_table.c.id))).scalar() or 0
    ids = range(last + 1, last + 1 + len(events))
    numbered = [row | {"id": number} for row, number in zip(rows, ids, strict=True)]
    index.execute(events_table.insert(), numbered)
    pairs = list(zip(events, numbered, strict=True))
    of_assets = [(e, row) for e, row in pairs if e.dagster_event_type in ASSET_EVENTS]
    _write_assets(storage, index, of_assets)
    _write_checks(
        index, [(e, row) for e, row in pairs if e.dagster_event_type in ASSET_CHECK_EVENTS]
    )


def _write_assets(
    storage: PooledSqliteEventLog, index: Connection, found: Sequence[tuple[EventLogEntry, Row]]
) -> None:
    """An asset's row shows the last event of each kind."""
    if not found:
        return
    storage._store_asset_event_tags(index, [e for e, _ in found], [row["id"] for _, row in found])
    newest = {(row["asset_key"], e.dagster_event_type): (e, row) for e, row in found}
    by_asset: dict[str, Row] = {}
    for one, row in sorted(newest.values(), key=lambda pair: int(pair[1]["id"])):
        values = storage._get_asset_entry_values(one, row["id"], has_asset_key_index_cols=True)
        by_asset.setdefault(row["asset_key"], {}).update(values)
    keys = AssetKeyTable.c.asset_key
    known = set(index.execute(select(keys).where(keys.in_(list(by_asset)))).scalars())
    for asset, values in by_asset.items():
        if asset in known:
            index.execute(AssetKeyTable.update().where(keys == asset).values(**values))
        else:
            index.execute(AssetKeyTable.insert().values(asset_key=asset, **values))


def _write_checks(index: Connection, found: Sequence[tuple[EventLogEntry, Row]]) -> None:
    """Plans have a row for every day of theirs, and an evaluation takes the place of its plan,
    where there is one."""
    planned = [row for one, stored in found for row in _planned(one, stored)]
    if planned:
        index.execute(AssetCheckExecutionsTable.insert(), planned)
    executions = [_execution(one, row) for one, row in found if _is_made(one)]
    if executions:
        _write_executions(index, executions)


def _is_made(entry: EventLogEntry) -> bool:
    return entry.dagster_event_type is _KIND.ASSET_CHECK_EVALUATION


def _write_executions(index: Connection, executions: Sequence[Row]) -> None:
    table = AssetCheckExecutionsTable
    told = (table.c.run_id, table.c.asset_key, table.c.check_name, table.c.partition)
    mine = [column.in_({x[column.name] for x in executions}) for column in told[:3]]
    stored = index.execute(select(table.c.id, *told).where(*mine))
    planned = {tuple(row[1:]): row[0] for row in stored}
    changed, added = [], []
    for values in executions:
        names = ("run_id", "asset_key", "check_name", "partition")
        number = planned.get(tuple(values[n] for n in names))
        changed.append(values | {"_id": number}) if number else added.append(values)
    if changed:
        index.execute(
            table.update()
            .where(table.c.id == bindparam("_id"))
            .values({n: bindparam(n) for n in changed[0] if n != "_id"}),
            changed,
        )
    if added:
        index.execute(table.insert(), added)


def _planned(entry: EventLogEntry, row: Row) -> list[Row]:
    said = entry.dagster_event.event_specific_data if entry.dagster_event else None
    if not isinstance(said, AssetCheckEvaluationPlanned):
        return []
    subset = said.partitions_subset
    one = {
        "asset_key": said.asset_key.to_string(),
        "check_name": said.check_name,
        "run_id": entry.run_id,
        "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
        "evaluation_event": row["event"],
        "evaluation_event_timestamp": row["timestamp"],
        "evaluation_event_storage_id": row["id"],
    }
    return [one | {"partition": d} for d in (subset.get_partition_keys() if subset else [None])]


def _execution(entry: EventLogEntry, row: Row) -> Row:
    evaluation = entry.dagster_event.event_specific_data if entry.dagster_event else None
    if not isinstance(evaluation, AssetCheckEvaluation):
        raise TypeError(f"{entry.dagster_event_type} is no evaluation of a check")
    status = AssetCheckExecutionRecordStatus
    target = evaluation.target_materialization_data
    return {
        "asset_key": evaluation.asset_key.to_string(),
        "check_name": evaluation.check_name,
        "run_id": entry.run_id,
        "execution_status": (status.SUCCEEDED if evaluation.passed else status.FAILED).value,
        "evaluation_event": row["event"],
        "evaluation_event_timestamp": row["timestamp"],
        "evaluation_event_storage_id": row["id"],
        "materialization_event_storage_id": target.storage_id if target else None,
        "partition": evaluation.partition,
    }
