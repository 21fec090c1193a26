"""Reading and writing a lake's tables by gaming day."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, TableNotFoundError

from lakehouse.contracts import contract
from lakehouse.errors import BadInput, Overtaken, StorageError
from lakehouse.paths import is_url
from lakehouse.regulation.gaming_day import Days
from lakehouse.settings import Settings
from lakehouse.storage.commits import (
    ATTEMPTS,
    Commit,
    Transactions,
    attempts,
    is_reached,
    properties,
    unreached,
)
from lakehouse.storage.damage import damaged_log, refuse_empty_commits
from lakehouse.storage.days import batches_predicate, refuse_outside, replace_predicate
from lakehouse.storage.history import upsert_history
from lakehouse.storage.listing import DataFile, files_by_day, listed_files, no_days
from lakehouse.storage.log import (
    Version,
    created,
    is_plain,
    lacking,
    naming,
    pruned,
    travel,
    version_of,
    widen,
)
from lakehouse.storage.marks import Tokens, held, known_to, tokens
from lakehouse.storage.modes import close_written, make_folder
from lakehouse.storage.offsets import Reach
from lakehouse.storage.opened import Opened
from lakehouse.storage.places import address, folder_of, refuse_lost_log
from lakehouse.storage.shapes import (
    collected,
    conform,
    is_private,
    keeps_history,
    partition_columns,
    place,
    shared_schema,
    stored_tables,
)
from lakehouse.storage.stream import Stream, write
from lakehouse.storage.unchanged import says_nothing
from lakehouse.storage.written import Written

T = TypeVar("T")
Table = DeltaTable
"""One version of a stored table, for those who read its files themselves."""
AsOf = int | dt.datetime
"""A version, or an aware moment."""

_REBUILD = "lakehouse.rebuild"


@dataclass(frozen=True)
class Lake:
    """A lake at a root: a folder, or an object-store URL with its options."""

    root: str
    storage_options: Mapping[str, str] = field(default_factory=dict)
    landing: Path | None = None
    """Where files land of one in an object store, on this machine."""
    _opened: Opened = field(default_factory=Opened, compare=False, repr=False)

    @classmethod
    def open(cls, settings: Settings) -> Lake:
        root = settings.root.rstrip("/") or "/"
        options = tuple(sorted(settings.storage_options.items()))
        if is_url(root):
            return _of_process(root, options, settings.beside("landing").absolute())
        return _of_process(folder_of(root), options, None)

    def apart(self) -> Lake:
        """The same lake, whose open tables are nobody else's."""
        return Lake(self.root, self.storage_options, self.landing)

    def uri(self, layer: str, table: str) -> str:
        return f"{self.root}/{place(layer, table)}"

    def exists(self, layer: str, table: str) -> bool:
        return self.table(layer, table) is not None

    def stored(self, *layers: str) -> list[tuple[str, str]]:
        """The (layer, table) pairs of contracts that this lake has."""
        return [pair for pair in stored_tables(*layers) if self.exists(*pair)]

    def version(self, layer: str, table: str) -> int | None:
        """Newest version; None for a table that does not exist."""
        delta = self.table(layer, table)
        return None if delta is None else delta.version()

    def history(self, layer: str, table: str, limit: int | None = None) -> list[Version]:
        """Lists the commits of a table, newest first."""
        delta = self.table(layer, table)
        if delta is None:
            return []
        with naming(self.uri(layer, table), "read the history of"):
            return [version_of(entry) for entry in delta.history(limit)]

    def partitions(self, layer: str, table: str) -> pl.DataFrame:
        """One row per gaming day stored (a null day for a table in one piece) with its rows,
        bytes and files. Reads the log, no data."""
        delta = self.table(layer, table)
        return no_days() if delta is None else self._of(delta, layer, table, self._by_day)

    def scan(
        self,
        layer: str,
        table: str,
        *,
        days: Days | None = None,
        columns: Sequence[str] | None = None,
        as_of: AsOf | None = None,
    ) -> pl.LazyFrame:
        """The table, pruned to days and columns, as it is or as it was. A missing table is a
        typed empty frame; columns that the contract gained since read as null.

        Raises BadInput for unknown columns or versions, ContractError where the stored
        columns are not the contract's, StorageError where the log cannot be read.
        """
        unknown = [c for c in columns or () if c not in shared_schema(layer, table)]
        if unknown:
            raise BadInput(f"{layer}.{table} has no column {', '.join(unknown)}")
        delta = self.table(layer, table, as_of)
        files = missing = None
        if delta is not None:
            missing = self._of(delta, layer, table, lacking)
            files = self._of(delta, layer, table, listed_files) if is_plain(delta) else None
        return pruned(delta, layer, table, days, columns, files, missing)

    def data_files(self, layer: str, table: str) -> Sequence[DataFile]:
        """Lists the data files, in order of path. Reads the log, no data."""
        delta = self.table(layer, table)
        return () if delta is None else self._of(delta, layer, table, listed_files)

    def steady(self, layer: str, table: str) -> AbstractContextManager[None]:
        """Within it this lake sees one version of a table that it does not write."""
        return self._opened.steady(self.uri(layer, table))

    def tokens(self, layer: str, table: str, *, of_files: bool = False) -> Tokens:
        """Gaming day → a text that changes with what was derived, or with its files; no data."""
        say = held if of_files else tokens
        delta = self.table(layer, table)
        with naming(self.uri(layer, table), "read the log of"):
            return {} if delta is None else self._of(delta, layer, table, say)

    def _by_day(self, delta: DeltaTable, layer: str, table: str) -> pl.DataFrame:
        return files_by_day(self._of(delta, layer, table, listed_files))

    def _of(
        self, delta: DeltaTable, layer: str, table: str, say: Callable[[DeltaTable, str, str], T]
    ) -> T:
        """What the log says of a version, worked out once for the newest."""
        uri = self.uri(layer, table)
        return self._opened.remembered(uri, delta, say.__name__, lambda: say(delta, layer, table))

    def write_days(
        self,
        layer: str,
        table: str,
        frame: pl.LazyFrame | pl.DataFrame,
        days: Days,
        *,
        commit: Commit,
        where: Mapping[str, str] | None = None,
        only: Collection[dt.date] | None = None,
    ) -> Written:
        """Replaces exactly these days (of them only those `only` names, and the partitions
        `where` names), in one commit; of a table that keeps history, the versions of these
        days. A typed empty frame empties its days and no other.

        Raises BadInput for days or `where` that do not bound the write, ContractError for
        rows or columns that do not belong there, StorageError; the table is then as before.
        """
        keys = partition_columns(layer, table)
        if layer == "silver" and keeps_history(contract(table)):
            build = partial(upsert_history, table, new_rows=collected(frame), days=days)
            return self.rebuild(layer, table, build, commit=commit)
        if not keys:
            raise BadInput(f"{layer}.{table} is stored in one piece: rebuild it")
        predicate = replace_predicate(days, where or {}, keys, only)
        rows = conform(collected(frame), layer, table)
        refuse_outside(rows, days, where or {}, f"{layer}.{table}", only)
        if rows.is_empty() and says_nothing(self, layer, table, days, commit):
            version = self.version(layer, table) or 0
            return Written.of(rows, days, version, version, 0)
        return self._commit(
            layer, table, lambda _: rows, commit, days=days, mode="overwrite", predicate=predicate
        )

    def make(self, layer: str, table: str) -> None:
        """Makes the table where it is missing."""
        if not self.exists(layer, table):
            self._opened.keep(self.uri(layer, table), self._open_to_write(layer, table))
            self.close(layer, table)

    def rebuild(
        self,
        layer: str,
        table: str,
        build: Callable[[pl.LazyFrame], pl.DataFrame],
        *,
        commit: Commit,
        days: Days | None = None,
    ) -> Written:
        """Replaces a table stored in one piece, or of any other these `days`, by what `build` makes
        of its content; it runs again when somebody else committed in between."""
        keys = partition_columns(layer, table)
        if bool(keys) is (days is None):
            how = "by day: write its days" if keys else "in one piece: it has no days"
            raise BadInput(f"{layer}.{table} is stored {how}")
        predicate = None if days is None else replace_predicate(days, {}, keys)

        def rows(delta: DeltaTable) -> pl.DataFrame:
            made = conform(build(pruned(delta, layer, table, days)), layer, table)
            if days is not None:
                refuse_outside(made, days, {}, f"{layer}.{table}")
            return made

        by: dict[str, Any] = {"predicate": predicate, "transactions": [(_REBUILD, None)]}
        return self._commit(layer, table, rows, commit, days=days, mode="overwrite", **by)

    def append(
        self,
        layer: str,
        table: str,
        frame: pl.LazyFrame | pl.DataFrame,
        *,
        commit: Commit,
        app_transaction: tuple[str, int] | None = None,
    ) -> Written:
        """Adds rows. With an application transaction (id, number) exactly once: a number that
        this id has reached before writes nothing, and `rows` is 0."""
        by = [] if app_transaction is None else [app_transaction]
        given = {by[0][0] if by else "": collected(frame)}
        return self._append(layer, table, given, by, commit)

    def append_each(
        self, layer: str, table: str, parts: Mapping[str, pl.DataFrame], *, commit: Commit
    ) -> Written:
        """As `append`, in one commit: id of an application transaction → its rows, number 1."""
        return self._append(layer, table, parts, [(name, 1) for name in parts], commit)

    def _append(
        self,
        layer: str,
        table: str,
        parts: Mapping[str, pl.DataFrame],
        by: Sequence[tuple[str, int]],
        commit: Commit,
    ) -> Written:
        given = {name: conform(rows, layer, table) for name, rows in parts.items()}
        rows = partial(unreached, given, by)
        return self._commit(layer, table, rows, commit, mode="append", transactions=by)

    def append_offsets(
        self,
        layer: str,
        table: str,
        rows: pl.DataFrame,
        offsets: Mapping[str, int],
        *,
        begin: Mapping[str, int] | None = None,
        place: str = "_source",
        commit: Commit,
    ) -> Written:
        """Adds in one commit rows and how far they reach: id → the offset after the last one read.
        A row's `place` ends in <id>@<offset>; those before what the table has reached are left out,
        whoever brings them again. Where all ids have reached as far, nothing is written.

        Raises Gap where the reading's `begin` (id → offset) is beyond what the table has reached,
        ContractError for rows of no such id, StorageError.
        """
        known = partial(self._opened.reached, self.uri(layer, table), ids=list(offsets))
        mine = conform(rows, layer, table)
        reach = Reach(f"{layer}.{table}", offsets, begin or {}, place, mine, known)
        by: dict[str, Any] = {"transactions": reach.moved, "rebase": True}
        return self._commit(layer, table, reach.new, commit, mode="append", **by)

    def reached(self, layer: str, table: str, ids: Iterable[str]) -> dict[str, int]:
        """Id → the offset that the table has reached; without ids that it never saw."""
        delta = self.table(layer, table)
        return {} if delta is None else self._opened.reached(self.uri(layer, table), delta, ids)

    def append_stream(
        self,
        layer: str,
        table: str,
        frames: Iterator[pl.DataFrame],
        *,
        commit: Commit,
        app_transaction: tuple[str, int],
    ) -> int:
        """Adds the rows of many frames in one commit, with few of them in memory; how many.
        Exactly once, as `append`: where the number was reached, no frame is taken.

        Raises Overtaken where somebody else committed meanwhile, as frames can be taken once
        only, and whatever `frames` raises; nothing is added then.
        """
        uri = self.uri(layer, table)
        delta = self._open_to_write(layer, table)
        if is_reached(delta, *app_transaction):
            return 0
        stream = Stream(frames, layer, table)
        said = properties(commit, delta, (layer, table), transactions=[app_transaction])
        try:
            with naming(uri, "write"):
                write(delta, stream.reader(), layer, table, "append", said, codec="ZSTD")
        except CommitFailedError as error:
            raise Overtaken(f"cannot write {uri}: somebody else committed meanwhile") from error
        except StorageError as error:
            raise (stream.error or error) from None
        self.close(layer, table)
        return stream.rows

    def take_out(
        self, layer: str, table: str, batches: str, *, but: str | None = None, commit: Commit
    ) -> int:
        """Removes in one commit the rows whose `_batch_id` begins with `batches`, except for
        those where it begins with `but`; how many. Older versions still have them."""
        predicate = batches_predicate(batches, but)
        if not self.exists(layer, table):
            return 0
        uri = self.uri(layer, table)
        try:
            for attempt in attempts():
                with attempt, naming(uri, "take rows out of"):
                    delta = self._open_to_write(layer, table)
                    said = properties(commit, delta, (layer, table))
                    gone = delta.delete(predicate, commit_properties=said)
        except CommitFailedError as error:
            raise StorageError(f"cannot write {uri}: others kept committing") from error
        self.close(layer, table)
        return int(gone["num_deleted_rows"])

    def table(self, layer: str, table: str, as_of: AsOf | None = None) -> DeltaTable | None:
        """The Delta table itself, or None, to be read. For this package and the SQL catalog."""
        if as_of is None:
            return self._opened.table(self.uri(layer, table), partial(self._open, layer, table))
        delta = self._open(layer, table)
        if delta is not None:
            with naming(self.uri(layer, table), "open"):
                travel(delta, as_of, f"{layer}.{table}")
        return delta

    def _open(self, layer: str, table: str) -> DeltaTable | None:
        """The table for whoever asks alone."""
        uri = self.uri(layer, table)
        refuse_empty_commits(self, layer, table)
        try:
            with naming(uri, "open"):
                return DeltaTable(address(uri), storage_options=self._options())
        except TableNotFoundError:
            refuse_lost_log(uri)
            return None
        except StorageError as error:
            if damage := damaged_log(self, layer, table):
                raise damage from error
            raise

    def close(
        self, layer: str, table: str, days: Days | None = None, version: int | None = None
    ) -> None:
        """Leaves the files of a private table to their owner alone. Call it after writing any,
        of some days, of one version or of all."""
        if is_private(layer, table) and not is_url(self.root):
            close_written(Path(self.uri(layer, table)), days, version)

    def _options(self) -> dict[str, str] | None:
        return dict(self.storage_options) or None

    def _open_to_write(self, layer: str, table: str) -> DeltaTable:
        uri = self.uri(layer, table)
        if not is_url(uri):
            with naming(uri, "create"):
                make_folder(Path(self.root), place(layer, table), private=is_private(layer, table))
        with naming(uri, "open"):
            delta = self._opened.take(uri)
        delta = delta or self._open(layer, table)
        with naming(uri, "create"):
            delta = delta or created(address(uri), layer, table, self._options())
        widen(delta, layer, table)
        return delta

    def _commit(
        self,
        layer: str,
        table: str,
        rows: Callable[[DeltaTable], pl.DataFrame | None],
        commit: Commit,
        *,
        mode: Literal["overwrite", "append"],
        predicate: str | None = None,
        transactions: Transactions | Callable[[DeltaTable], Transactions] = (),
        days: Days | None = None,
        rebase: bool = False,
    ) -> Written:
        """Tries until no other commit is in the way. `rows` is asked anew for each attempt."""
        uri = self.uri(layer, table)
        try:
            for attempt in attempts():
                with attempt:
                    again = attempt.retry_state.attempt_number - 1
                    delta = self._open_to_write(layer, table)
                    before = delta.version()
                    frame = rows(delta)
                    by = transactions(delta) if callable(transactions) else transactions
                    known = self._opened.marks(uri, delta, partial(known_to, delta, layer, table))
                    home = (layer, table)
                    said = properties(commit, delta, home, again, days, by, known, rebase=rebase)
                    if frame is not None:
                        with naming(uri, "write"):
                            write(delta, frame, layer, table, mode, said, predicate=predicate)
        except CommitFailedError as error:
            raise StorageError(
                f"cannot write {uri}: others kept committing through {ATTEMPTS} attempts"
            ) from error
        if rebase:
            self._opened.went_on(uri, delta, before, dict(by), {**known, **commit.derived})
        self.close(layer, table, days, delta.version() if rebase else None)
        self._opened.keep(uri, delta)
        made = frame if frame is not None else pl.DataFrame(schema=shared_schema(layer, table))
        return Written.of(made, days, before, delta.version(), again)


@functools.lru_cache(maxsize=4)
def _of_process(root: str, options: tuple[tuple[str, str], ...], landing: Path | None) -> Lake:
    """One for all of a process: steps, managers and commands share the tables that are open."""
    return Lake(root, dict(options), landing)
