"""SQL for assets and checks: the connection that people query the lake with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from igaming_assets.resources import LakeResource


class LakeSQL(DuckDBResource):
    """The connection of `lakehouse sql`, for assets and checks: silver, gold and quarantine,
    read-only, shut in, and with the same limits of time and memory."""

    database: str = ":memory:"
    lake: dg.ResourceDependency[LakeResource]

    @contextmanager
    def get_connection(
        self, tables: Sequence[str] | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """With these tables, such as gold.property_day; all by default."""
        from lakehouse.serve.sql.catalog import Catalog
        from lakehouse.serve.sql.limits import Limits

        settings = self.lake.settings
        with (
            Catalog(
                self.lake.lake, timezone=settings.timezone, limits=Limits.of(settings)
            ) as catalog,
            catalog.connection(tables) as connection,
        ):
            yield connection
