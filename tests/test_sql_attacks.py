"""Attempts to read, through SQL, what is not the reader's: with the gate, and without it."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from lakehouse.errors import BadInput, LakehouseError
from lakehouse.serve.sql.catalog import Catalog
from lakehouse.serve.sql.limits import Limits
from tests.sql_grammar import fuzz
from tests.sql_world import CANARY, CASE, OPEN_TABLES, World, attacks, behind_the_gate, build, ran

LIMITS = Limits(seconds=20)
ATTACKS = list(attacks())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def ordinary(world: World) -> Iterator[Catalog]:
    with Catalog(world.lake, limits=LIMITS) as opened:
        yield opened


@pytest.fixture(scope="module")
def granted(world: World) -> Iterator[Catalog]:
    with Catalog(world.lake, limits=LIMITS, restricted=True) as opened:
        yield opened


def said(catalog: Catalog, sql: str) -> str:
    try:
        return str(catalog.frame(sql).rows())
    except LakehouseError as error:
        return str(error)


@pytest.mark.slow
@pytest.mark.parametrize("sql", ATTACKS)
def test_an_attack_reads_nothing(ordinary: Catalog, world: World, sql: str) -> None:
    before = world.files()
    found = said(ordinary, world.filled_in(sql))
    assert not [w for w in (CANARY, CASE, "root:x:", "R2", "'SAR'") if w in found]
    assert world.files() == before


@pytest.mark.slow
@pytest.mark.parametrize("sql", ATTACKS)
def test_the_restricted_key_opens_review_cases_and_no_more(
    granted: Catalog, world: World, sql: str
) -> None:
    before = world.files()
    found = said(granted, world.filled_in(sql))
    assert not [w for w in (CANARY, "root:x:") if w in found]
    assert world.files() == before


class Ungated:
    """A connection behind the gate, which is another after a text that may have changed it: only
    what is one statement and refused has not."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._catalog: Catalog | None = None

    def said(self, sql: str) -> str:
        self._catalog = self._catalog or Catalog(self.world.lake, limits=LIMITS)
        found = behind_the_gate(self._catalog, sql)
        refused = found.startswith("refused: ") and "opened:" not in found
        if not (refused and is_one_statement(sql) and self.answers()):
            self.close()
        return found

    def answers(self) -> bool:
        assert self._catalog is not None
        with self._catalog.connection(OPEN_TABLES) as connection:
            return ran(connection, "SELECT count(*) FROM gold.player_day") == "[(4,)]"

    def close(self) -> None:
        if self._catalog is not None:
            self._catalog.close()
        self._catalog = None


def is_one_statement(sql: str) -> bool:
    try:
        return len(duckdb.extract_statements(sql)) == 1
    except duckdb.Error:
        return True  # nothing of it can be run


@pytest.fixture(scope="module")
def ungated(world: World) -> Iterator[Ungated]:
    opened = Ungated(world)
    yield opened
    opened.close()


@pytest.mark.slow
@pytest.mark.parametrize("sql", ATTACKS)
def test_without_the_gate_no_file_is_opened(
    ungated: Ungated, world: World, sql: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = world.files()
    found = ungated.said(world.filled_in(sql))
    found = found.replace(world.filled_in(sql), "") + capfd.readouterr().out
    assert not [w for w in (CANARY, CASE, "root:x:", "opened:") if w in found]
    assert world.files() == before


@pytest.mark.slow
def test_an_open_duckdb_falls_for_them(tmp_path: Path) -> None:
    """So that the absence of the words above means something."""
    world = build(tmp_path)
    fallen = 0
    for sql in (world.filled_in(a) for a in ATTACKS if '"{other_file}"' in a):
        with duckdb.connect(":memory:", config={"autoinstall_known_extensions": False}) as c:
            try:
                kinds = [s.type.name for s in c.extract_statements(sql)]
                rows = c.execute(sql).fetchall() if kinds == ["SELECT"] else []
            except duckdb.Error:
                continue
        fallen += any(w in str(rows) for w in (CANARY, CASE, "root:x:"))
    assert fallen >= 10


ELSEWHERE = [
    'SELECT * FROM (WITH "{0}" AS (SELECT 1) FROM "{0}"), "{0}"',
    'SELECT * FROM "{0}", (WITH "{0}" AS (SELECT 1) FROM "{0}")',
    '(WITH "{0}" AS (SELECT 1) FROM "{0}") UNION ALL FROM "{0}"',
    'SELECT (WITH "{0}" AS (SELECT 1 x) SELECT x FROM "{0}") WHERE EXISTS (FROM "{0}")',
    'WITH "{0}" AS (FROM "{0}") FROM "{0}"',
    'WITH a AS (FROM "{0}"), "{0}" AS (SELECT 1) FROM a',
    'WITH a AS (WITH "{0}" AS (SELECT 1) FROM "{0}") FROM a, "{0}"',
    'WITH RECURSIVE "{0}"(n) AS (FROM "{0}" UNION ALL SELECT n FROM "{0}") FROM "{0}"',
    'SELECT * FROM range(2), LATERAL (WITH "{0}" AS (SELECT 1) FROM "{0}"), LATERAL (FROM "{0}")',
    'WITH x AS (SELECT 1) SELECT * FROM main."{0}"',
    'WITH "{0}" AS (SELECT 1) SELECT * FROM gold."{0}"',
]


@pytest.mark.parametrize("name", ["{other_file}", "pg_class", "sar_cases", "anything"])
@pytest.mark.parametrize("sql", ELSEWHERE)
def test_a_name_holds_in_its_own_scope_only(
    ordinary: Catalog, world: World, sql: str, name: str
) -> None:
    with pytest.raises(BadInput, match="unknown table"):
        ordinary.admit(sql.format(world.filled_in(name)))


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ('WITH "/etc/passwd" AS (SELECT 1) FROM "/etc/passwd"', [(1,)]),
        ("WITH a AS (SELECT 1 x), b AS (FROM a) SELECT a.x + b.x FROM a, b", [(2,)]),
        ("WITH a AS (SELECT 1) SELECT * FROM (WITH a AS (SELECT 2) FROM a), a", [(2, 1)]),
        ("WITH a AS (SELECT 1) SELECT * FROM (SELECT * FROM (FROM A))", [(1,)]),
        ("WITH a AS (SELECT 1 x) SELECT 5 WHERE EXISTS (FROM a) UNION ALL FROM a", [(5,), (1,)]),
        ("WITH player_day AS (FROM player_day) SELECT count(*) FROM player_day", [(4,)]),
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) "
            "SELECT sum(i) FROM n",
            [(6,)],
        ),
        ("WITH a AS (SELECT 2 n) SELECT count(*) FROM (FROM range(9) LIMIT (FROM a))", [(2,)]),
    ],
)
def test_a_name_is_seen_where_duckdb_sees_it(
    ordinary: Catalog, sql: str, answer: list[tuple[object, ...]]
) -> None:
    assert sorted(ordinary.frame(sql).rows()) == sorted(answer)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT 1\0; DROP TABLE x", "SQL: character 9 is a NUL, which is not allowed"),
        ("\0", "SQL: character 1 is a NUL"),
        ("SELECT '\udc80'", "SQL: character 9 is no character of UTF-8"),
        ("SELECT 1" + "+1" * 900, "nested too deeply"),
    ],
)
def test_what_is_judged_is_all_that_is_there(ordinary: Catalog, sql: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        ordinary.frame(sql)


def test_the_connection_tells_of_no_path_and_of_no_restricted_table(world: World) -> None:
    with Catalog(world.lake) as catalog, catalog.connection() as connection:
        for listing in ("pg_class", "duckdb_views()", "duckdb_tables()", "duckdb_schemas()",
                        "duckdb_columns()", "duckdb_settings()", "duckdb_databases()"):  # fmt: skip
            found = str(connection.execute(f"FROM {listing}").fetchall())
            assert str(world.folder) not in found, listing
            assert str(Path.home()) not in found, listing
            assert "sar_cases" not in found, listing
            assert "identity_vault" not in found, listing


def test_the_files_of_a_table_that_is_not_shown_whole_are_not_given(world: World) -> None:
    with Catalog(world.lake) as catalog, catalog.connection() as connection:
        given = str(connection.execute("SELECT sql FROM duckdb_views()").fetchall())
    assert "lake://gold/player_day/" in given
    assert "lake://restricted/" not in given
    assert "lake://quarantine/" not in given


@pytest.mark.slow
def test_random_queries_are_judged_by_scope_and_open_no_path(world: World) -> None:
    tally = fuzz(world, seed=2025, queries=300)
    assert tally.faults == []
    assert min(tally.admitted, tally.refused, tally.answered) > 50
