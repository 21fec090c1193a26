"""Run history in sqlite, with connections that stay open.

Dagster's own class opens and closes a database for every statement, and waits for the disk at
every commit: 30 assets over 30 days took 30 s of bookkeeping, and take 8 s so (docs/decisions).
Files and schema are Dagster's own, so either class reads what the other wrote.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine, event

OPEN_SHARDS = 8
"""One file per run: the last so many stay open."""


class PooledSqliteEventLog(SqliteEventLogStorage):
    """SqliteEventLogStorage on pooled connections, with synchronous=NORMAL (in WAL mode a
    power cut may lose the newest events, never the consistency of the file)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._tables_seen: set[str] = set()
        super().__init__(*args, **kwargs)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> PooledSqliteEventLog:  # noqa: ARG003
        """Where Dagster's own class has its files, below DAGSTER_HOME."""
        home = Path(os.environ["DAGSTER_HOME"])
        return cls(inst_data=inst_data, base_dir=str(home / "history" / "runs"))

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine(shard).connect() as connection, connection.begin():
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
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


def _hurry(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
