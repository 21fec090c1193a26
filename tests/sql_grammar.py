"""Random queries of DuckDB's SELECT, of which it is known whether each name is in its scope."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import partial

from duckdb import DuckDBPyConnection

from lakehouse.errors import BadInput, LakehouseError
from lakehouse.serve.sql.catalog import Catalog
from lakehouse.serve.sql.limits import Limits, within
from tests.sql_world import CANARY, CASE, OPEN_TABLES, World, opened, ran

KNOWN = ("gold.player_day", "player_day", "GOLD.Player_Day", "silver.compliance", "compliance")
REFUSED = ("read_text('{0}')", "read_csv('{0}')", "read_blob('{0}')", "glob('{0}')",
           "query('FROM ''{0}''')", "query_table('{0}')", "parquet_metadata('{0}')",
           "sniff_csv('{0}')", "duckdb_views()", "pragma_table_info('{0}')")  # fmt: skip
PREDICATES = ("true", "true", "1 = 1", "EXISTS ({0})", "'x' NOT IN ({0})",
              "CASE WHEN true THEN ({0} LIMIT 1) END IS NOT NULL",
              "len([x FOR x IN [1] IF EXISTS ({0})]) >= 0")  # fmt: skip
DEPTH = 3
EACH, WHOLE = Limits(seconds=1), 2**50
"""Limits of one query behind the gate; its memory is that of the connection."""


@dataclass
class Maker:
    """Writes one query. `strays` are the names and functions in it that must not be there."""

    world: World
    random: random.Random
    strays: list[str] = field(default_factory=list)

    def query(self, seen: frozenset[str] = frozenset(), depth: int = DEPTH) -> str:
        """One that gives one column n of text."""
        names, ctes = seen, []
        recursive = self.random.random() < 0.15
        for _ in range(self.random.choice((0, 0, 1, 1, 2)) if depth else 0):
            name = self.name()
            if any(cte.startswith(f'"{name}"') for cte in ctes):
                continue
            how = self.random.choice(("", "", "MATERIALIZED ", "NOT MATERIALIZED "))
            ctes.append(f'"{name}"(n) AS {how}({self.body(names, name, recursive, depth)})')
            names |= {name.lower()}
        head = f"WITH {'RECURSIVE ' * recursive}{', '.join(ctes)} " if ctes else ""
        return head + self.core(names, depth)

    def body(self, seen: frozenset[str], name: str, recursive: bool, depth: int) -> str:
        if not recursive or self.random.random() < 0.5:
            return self.query(seen, depth - 1)
        again = self.select(seen | {name.lower()}, depth - 1)
        return f"{self.select(seen, depth - 1)} UNION ALL SELECT n FROM ({again}) WHERE false"

    def core(self, seen: frozenset[str], depth: int) -> str:
        form = self.random.randrange(8) if depth else 0
        if form == 1:
            kind = self.random.choice(("UNION ALL", "UNION", "EXCEPT", "INTERSECT ALL"))
            return f"({self.query(seen, depth - 1)}) {kind} ({self.query(seen, depth - 1)})"
        if form == 2:
            return f"SELECT n FROM ({self.query(seen, depth - 1)}) ORDER BY ({self.query(seen, 0)})"
        if form == 3:
            return f"VALUES ((({self.query(seen, depth - 1)} LIMIT 1)))"
        return self.select(seen, depth)

    def select(self, seen: frozenset[str], depth: int) -> str:
        refs = [f"{self.ref(seen, depth)} AS t{k}" for k in range(self.random.choice((1, 1, 2)))]
        where = f"WHERE {self.predicate(seen, depth)}" if depth else ""
        return f"SELECT min(t0::VARCHAR) AS n FROM {', '.join(refs)} {where}"

    def predicate(self, seen: frozenset[str], depth: int) -> str:
        form = self.random.choice(PREDICATES)
        return form.format(self.query(seen, depth - 1)) if "{0}" in form else form

    def ref(self, seen: frozenset[str], depth: int) -> str:
        form = self.random.randrange(9)
        if form < 3 and depth:
            lateral = "LATERAL " * (form == 2)
            return f"{lateral}({self.query(seen, depth - 1)})"
        if form == 3:
            return self.random.choice(("range(3)", "unnest([1, 2])", "(VALUES ('a'), ('b'))"))
        if form == 4 and self.random.random() < 0.3:
            return self.stray(self.random.choice(REFUSED).format(self.path()))
        if form < 7:
            return self.random.choice(KNOWN)
        name = self.name()
        return f'"{name}"' if name.lower() in seen else self.bare(name)

    def bare(self, name: str) -> str:
        if name == "player_day" or self.random.random() < 0.5:
            return "player_day"
        return self.stray(f'"{name}"')

    def stray(self, text: str) -> str:
        self.strays.append(text)
        return text

    def name(self) -> str:
        return self.random.choice(("a", "B", "player_day", "pg_class", self.path()))

    def path(self) -> str:
        words = ("other_file", "key", "silver_compliance", "restricted_identity_vault")
        return self.world.paths[self.random.choice(words)]


@dataclass
class Tally:
    """What became of the queries; `faults` are those that were judged wrongly or read a path."""

    admitted: int = 0
    refused: int = 0
    answered: int = 0
    faults: list[str] = field(default_factory=list)


def fuzz(world: World, seed: int, queries: int) -> Tally:
    """Each query is judged by the gate and, whatever that said, run behind it."""
    tally = Tally()
    with (
        Catalog(world.lake, limits=Limits(seconds=86_400)) as catalog,
        catalog.connection(OPEN_TABLES) as connection,
    ):
        connection.execute("CALL enable_logging('FileSystem')")
        for number in range(queries):
            made = Maker(world, random.Random(f"{seed}/{number}"))
            sql = made.query()
            _judge(tally, catalog, sql, made.strays)
            said = _tried(connection, sql)
            tally.answered += not said.startswith("refused: ")
            if any(word in said.replace(sql, "") for word in (CANARY, CASE)):
                tally.faults.append(f"read what it may not: {sql}")
        tally.faults += [opened(connection)] if opened(connection) else []
    return tally


def _tried(connection: DuckDBPyConnection, sql: str) -> str:
    """A name that stands for itself may recur for ever: that is stopped, and no fault."""
    try:
        return within(EACH, WHOLE, connection.interrupt, partial(ran, connection, sql))
    except LakehouseError as error:
        return f"refused: {error}"


def _judge(tally: Tally, catalog: Catalog, sql: str, strays: list[str]) -> None:
    try:
        catalog.admit(sql)
        tally.admitted += 1
        if strays:
            tally.faults.append(f"admitted in spite of {strays}: {sql}")
    except BadInput as error:
        tally.refused += 1
        if not strays:
            tally.faults.append(f"refused though nothing is wrong with it ({error}): {sql}")
