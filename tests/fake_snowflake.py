"""A Snowflake to publish to: fakesnow's server, reached by the real connector over HTTP.

It is DuckDB beneath: what it cannot do is said here and in docs/publish.md."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import fakesnow.cursor
import fakesnow.info_schema
from fakesnow import server

DATABASE = "CASINO"


@contextmanager
def fake_snowflake() -> Iterator[dict[str, Any]]:
    """Options of a connection. Temporary tables are lasting ones, as DuckDB has no temporary
    ones in schemas; comments of tables may hold quotes, which fakesnow's own may not."""
    execute = fakesnow.cursor.FakeSnowflakeCursor.execute
    comment = fakesnow.info_schema.insert_table_comment_sql

    def lasting(self: Any, command: str, *args: Any, **named: Any) -> Any:
        return execute(self, command.replace("TEMPORARY TABLE", "TABLE"), *args, **named)

    def with_quotes(catalog: str, schema: str, table: str, said: str | None) -> str:
        return comment(catalog, schema, table, (said or "").replace("'", "''"))

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    with (
        mock.patch.object(fakesnow.cursor.FakeSnowflakeCursor, "execute", lasting),
        mock.patch.object(fakesnow.info_schema, "insert_table_comment_sql", with_quotes),
        server() as options,
    ):
        yield options | {"database": DATABASE, "schema": "PUBLIC"}
