"""Answers to the page's questions: few catalogs, and an answer kept while its tables stay."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from queue import LifoQueue

import polars as pl

from lakehouse.serve.pages.figures import Figure
from lakehouse.serve.sql.catalog import Catalog
from lakehouse.serve.sql.limits import Limits, Runaway
from lakehouse.serve.sql.shared import Shared
from lakehouse.settings import Settings
from lakehouse.storage import Lake

KEPT = 500
"""Answers that are kept."""
AT_ONCE = max(2, os.cpu_count() or 1)
"""Questions that are asked of the lake at the same time: each uses all cores, and a table is made
known to a catalog when it is first asked."""
MOST_ROWS = 200
"""Rows of a figure that a page shows; its CSV has them all."""
Versions = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Answer:
    """The rows of a figure, and the tables at the versions that they are of."""

    rows: pl.DataFrame
    versions: Versions


class Asking:
    """Asks a lake. For several threads."""

    def __init__(self, lake: Lake, settings: Settings) -> None:
        self.lake, self.settings = lake, settings
        self._shared = Shared()
        self._catalogs: LifoQueue[Catalog | None] = LifoQueue()
        for _ in range(AT_ONCE):
            self._catalogs.put(None)
        self._kept: OrderedDict[tuple[str, tuple[tuple[str, str], ...]], Answer] = OrderedDict()
        self._turn = threading.Lock()

    def answer(self, figure: Figure, given: Mapping[str, str]) -> pl.DataFrame:
        """What the figure's query says. Raises BadInput, StorageError or LakehouseError as the
        catalog does."""
        bound = figure.bound(dict(given))
        return self.ask(figure.sql, bound)

    def ask(self, sql: str, given: Mapping[str, str]) -> pl.DataFrame:
        """What a query says, out of memory where no table of it was written since."""
        key = (sql, tuple(sorted(given.items())))
        with self._turn:
            kept = self._kept.get(key)
        if kept is not None and kept.versions == self._now(kept.versions):
            return kept.rows
        with self._catalog() as catalog:
            versions = self._versions(catalog, sql)
            rows = catalog.frame(sql, dict(given))
        with self._turn:
            self._kept[key] = Answer(rows, versions)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return rows

    @contextmanager
    def _catalog(self) -> Iterator[Catalog]:
        """One that nobody else asks; a new one comes after one that does not end."""
        taken = self._catalogs.get()
        try:
            taken = taken or Catalog(
                self.lake,
                timezone=self.settings.timezone,
                limits=Limits.of(self.settings),
                shared=self._shared,
            )
            yield taken
        except Runaway:
            taken = None
            raise
        finally:
            self._catalogs.put(taken)

    def _versions(self, catalog: Catalog, sql: str) -> Versions:
        names = [p for n in catalog.admit(sql).tables for p in catalog.views[n].parts or (n,)]
        views = [catalog.views[n] for n in names]
        return tuple((v.name, self.lake.version(v.schema, v.table)) for v in views)

    def _now(self, versions: Versions) -> Versions:
        found = ((name, *name.split(".")) for name, _ in versions)
        return tuple((name, self.lake.version(layer, table)) for name, layer, table in found)
