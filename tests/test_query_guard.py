"""What a query may not do: write, leave its tables, or read what is not the reader's."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from lakehouse.errors import BadInput, LakehouseError
from lakehouse.serve.sql.catalog import Catalog
from lakehouse.serve.sql.query_guard import nearest, spliced
from lakehouse.storage import Lake
from tests.small_lake import fill


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake(str(tmp_path_factory.mktemp("lake")))
    fill(made)
    return made


@pytest.fixture(scope="module")
def catalog(lake: Lake) -> Iterator[Catalog]:
    with Catalog(lake) as opened:
        yield opened


WRITES = [
    "INSERT INTO gold.player_day VALUES ('P9')",
    "UPDATE gold.player_day SET theo = 0",
    "DELETE FROM gold.player_day",
    "TRUNCATE gold.player_day",
    "MERGE INTO gold.player_day USING gold.player_day ON false WHEN MATCHED THEN DELETE",
    "CREATE TABLE gold.mine AS SELECT 1",
    "CREATE OR REPLACE VIEW gold.player_day AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "ALTER TABLE gold.player_day ADD COLUMN x INTEGER",
    "DROP VIEW gold.player_day",
    "DROP SCHEMA gold CASCADE",
    "COMMENT ON VIEW gold.player_day IS 'x'",
    "COPY gold.player_day TO '{folder}/out.csv'",
    "COPY (SELECT 1) TO '{root}/gold/player_day/out.csv'",
    "COPY gold.player_day FROM '/etc/passwd'",
    "EXPORT DATABASE '{folder}/out'",
    "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1",
    "EXPLAIN COPY (SELECT 1) TO '{folder}/out.csv'",
    "SELECT 1; DROP VIEW gold.player_day",
    "PREPARE p AS SELECT 1",
    "BEGIN",
    "CHECKPOINT",
    "VACUUM",
]
SETTINGS = [
    "SET threads = 1",
    "RESET threads",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "PRAGMA database_list",
    "PRAGMA memory_limit = '1GB'",
    "CALL pragma_version()",
    "USE gold",
    "ATTACH '{folder}/other.db'",
    "DETACH memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{folder}/x.duckdb_extension'",
    "IMPORT DATABASE '{folder}'",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
]
FILES = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_csv_auto('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "FROM '/etc/hostname'",
    "SELECT * FROM 'http://localhost/x.parquet'",
    "SELECT * FROM 's3://bucket/x.parquet'",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "SELECT 1 WHERE EXISTS (SELECT * FROM read_text('/etc/passwd'))",
    "WITH a AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM a",
    "WITH a AS (SELECT * FROM '/etc/passwd') SELECT * FROM a",
    "SELECT * FROM range(3) t(i), LATERAL (SELECT * FROM read_text('/etc/' || i))",
    "SELECT 1 UNION ALL SELECT content FROM read_text('/etc/passwd')",
    "SELECT [x.content FOR x IN (SELECT * FROM read_text('/etc/passwd'))]",
    "DESCRIBE SELECT * FROM read_csv('/etc/passwd')",
    "SUMMARIZE '/etc/passwd'",
    "EXPLAIN ANALYZE SELECT * FROM read_text('/etc/passwd')",
    "PIVOT (SELECT * FROM read_text('/etc/passwd')) ON filename IN ('a') USING count(*)",
    "SELECT * FROM read_parquet('{root}/silver/compliance/*/*.parquet')",
    "SELECT * FROM parquet_metadata('{root}/silver/compliance/x.parquet')",
    "SELECT * FROM '{root}/silver/compliance/*/*.parquet'",
    "SELECT * FROM '{root}/bronze/compliance/*/*.parquet'",
    "SELECT * FROM delta_scan('{root}/silver/compliance')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('gold.player_day')",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "SELECT * FROM python_map_function(1)",
]
HIDDEN = [
    "SELECT * FROM bronze.compliance",
    "SELECT * FROM bronze.player_profile",
    "SELECT * FROM truth.plants",
    "SELECT * FROM restricted.identity_vault",
    "SELECT * FROM restricted.access_log",
    "SELECT * FROM silver.staff_observations",
    "SELECT * FROM quarantine.staff_observations",
    "SELECT * FROM memory.gold.player_day",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM pg_class",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM information_schema.columns",
    "SELECT * FROM duckdb_tables",
    "SELECT * FROM duckdb_columns()",
    "SELECT * FROM sqlite_master",
]


@pytest.mark.slow
@pytest.mark.parametrize("sql", [*WRITES, *SETTINGS, *FILES, *HIDDEN])
def test_refused_in_one_line(catalog: Catalog, lake: Lake, tmp_path: Path, sql: str) -> None:
    with pytest.raises(BadInput) as refused:
        catalog.frame(sql.format(root=lake.root, folder=tmp_path))
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("SQL: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sql", [*FILES[:11], "COPY (SELECT 1) TO '{folder}/out.csv'"])
def test_the_connection_refuses_what_the_gate_would_let_through(
    catalog: Catalog, lake: Lake, tmp_path: Path, sql: str
) -> None:
    with pytest.raises(duckdb.Error):
        catalog._connection.execute(sql.format(root=lake.root, folder=tmp_path)).fetchall()
    assert list(tmp_path.iterdir()) == []


def test_after_all_refusals_the_lake_is_as_it_was(catalog: Catalog, lake: Lake) -> None:
    assert catalog.frame("SELECT count(*) AS n FROM gold.player_day").item() == 4
    assert lake.version("gold", "player_day") == 1
    assert not list(Path(lake.root).rglob("out.csv"))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "SELECT * FROM gold.playr_day",
            "table 'gold.playr_day'; nearest: gold.player_day",
        ),
        ("SELECT * FROM gold.compliance", "nearest: silver.compliance"),
        ("SELECT * FROM zzz", "unknown table 'zzz'; see `lakehouse tables`"),
        ("SELECT nope FROM gold.player_day", '"nope" not found'),
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("", "one statement, not 0"),
        ("SELECT 1; SELECT 2", "one statement, not 2"),
        ("PIVOT gold.player_day ON player_id USING sum(theo)", "columns of a PIVOT with IN"),
        ("DROP VIEW gold.player_day", "DROP is not allowed; the lake is read with SELECT"),
        ("SELECT * FROM glob('*')", "'glob' is not allowed; allowed: generate_series, range"),
        ("SELECT $missing", "$missing has no value; give --param missing=VALUE"),
    ],
)
def test_the_refusal_says_what_is_wrong(catalog: Catalog, sql: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        catalog.frame(sql)
    assert said in str(refused.value)


def test_a_query_that_fails_over_its_data_is_failed_work(catalog: Catalog) -> None:
    with pytest.raises(LakehouseError, match="Could not convert") as failed:
        catalog.frame("SELECT player_id::INTEGER FROM gold.player_day")
    assert failed.value.exit_code == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM player_day",
        "select * from GOLD.PLAYER_DAY",
        "FROM gold.player_day",
        "TABLE gold.player_day",
        "VALUES (1)",
        "WITH a AS (SELECT * FROM gold.player_day) SELECT * FROM a, a AS b",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) FROM n",
        "SELECT * FROM range(3), unnest([1, 2]), generate_series(1, 2)",
        "PIVOT gold.player_day ON player_id IN ('P1') USING sum(theo)",
        "DESCRIBE gold.player_day",
        "SUMMARIZE gold.player_day",
        "EXPLAIN SELECT * FROM gold.player_day",
        "EXPLAIN ANALYZE SELECT * FROM gold.player_day",
        "-- a remark\nSELECT 1;",
        "SHOW TABLES",
        "SHOW ALL TABLES",
    ],
)
def test_reading_is_admitted(catalog: Catalog, sql: str) -> None:
    assert catalog.frame(sql).height > 0


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("player_dya", "gold.player_day"),
        ("silver.player_day", "gold.player_day"),
        ("gold.slot_performence", "gold.slot_performance"),
    ],
)
def test_nearest_names(catalog: Catalog, name: str, first: str) -> None:
    assert nearest(name, catalog.views)[0] == first


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT $day::DATE + $ days", "SELECT <d>::DATE + <n>"),
        ("SELECT 'é $day', \"$day\", $day -- $day", "SELECT 'é $day', \"$day\", <d> -- $day"),
        ("SELECT $$ $day $$, $a$ $day $a$, $day", "SELECT $$ $day $$, $a$ $day $a$, <d>"),
        ("SELECT $daylight, $day", "SELECT $daylight, <d>"),
        ("EXPLAIN SELECT $day", "EXPLAIN SELECT <d>"),
        ("SELECT 1", "SELECT 1"),
    ],
)
def test_values_stand_only_where_parameters_do(sql: str, expected: str) -> None:
    assert spliced(sql, {"day": "<d>", "days": "<n>"}) == expected
