"""What SQL answers: versions, confidential rows, forms of output, saved queries."""

import csv
import datetime as dt
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from lakehouse import cli
from lakehouse.errors import BadInput, ContractError, LakehouseError, StorageError
from lakehouse.serve.sql.catalog import Catalog
from lakehouse.serve.sql.saved_queries import saved_queries, saved_query
from lakehouse.serve.sql.visible import views
from lakehouse.storage import Lake
from tests.small_lake import DAYS, FIRST, LAST, fill, put


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake(str(tmp_path_factory.mktemp("filled")))
    fill(made)
    return made


@pytest.fixture
def lake(filled: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A copy to change."""
    monkeypatch.chdir(tmp_path)
    root = shutil.copytree(filled.root, str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_ROOT", root)
    return Lake(root)


@pytest.fixture(scope="module")
def still(filled: Lake) -> Iterator[Catalog]:
    with Catalog(filled, timezone="America/Los_Angeles") as opened:
        yield opened


def test_money_and_days_keep_their_types(still: Catalog) -> None:
    found = still.frame(
        "SELECT gaming_day, sum(theo) AS theo FROM gold.player_day GROUP BY ALL ORDER BY ALL"
    )
    assert found.schema == {"gaming_day": pl.Date(), "theo": pl.Decimal(38, 2)}
    assert [str(v) for v in found["theo"]] == ["12.50", "0.25", "100.00"]


def test_moments_are_shown_in_property_time(still: Catalog) -> None:
    hour = still.frame("SELECT hour(report_timestamp) FROM silver.compliance LIMIT 1")
    assert hour.item() == 19, "03:30 UTC on 2 January is 19:30 in Los Angeles on the 1st"


def test_only_the_files_of_the_days_asked_for_are_read(still: Catalog) -> None:
    plan = still.frame("EXPLAIN SELECT * FROM gold.player_day WHERE gaming_day = DATE '2025-01-02'")
    assert "Scanning Files: 1/3" in plan["explain_value"][0]


def test_sars_are_not_in_the_ordinary_catalog(still: Catalog) -> None:
    found = still.frame("SELECT report_id, report_type FROM silver.compliance ORDER BY ALL")
    assert found.rows() == [("R1", "CTR"), ("R3", "W2G")]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM silver.compliance WHERE report_type = 'SAR'",
        "SELECT report_id FROM silver.compliance "
        "WHERE CASE WHEN report_type = 'SAR' THEN error(report_id) ELSE report_id = 'R2' END",
        "SELECT DISTINCT stats(report_id) FROM silver.compliance",
        "SELECT count(*) FROM quarantine.compliance WHERE report_id = 'R5'",
        "SUMMARIZE silver.compliance",
    ],
)
def test_nothing_tells_of_a_sar_by_the_back_door(still: Catalog, sql: str) -> None:
    said = " ".join(str(cell) for row in still.frame(sql).rows() for cell in row)
    assert "R2" not in said.replace("'R2'", "")
    assert "SAR" not in said
    assert ".parquet" not in said


def test_a_reject_that_may_be_a_sar_is_not_either(still: Catalog) -> None:
    assert still.frame("SELECT report_id FROM quarantine.compliance").rows() == [("R4",)]


def test_rejects_show_no_identifiers(still: Catalog) -> None:
    for name, view in still.views.items():
        if name.startswith("quarantine."):
            assert not {"_raw", "ssn_hash", "last_name", "date_of_birth"} & set(view.columns)
    assert "secret" not in str(still.frame("SELECT * FROM quarantine.compliance").to_dicts())


REJECTS = "SELECT table_name, _stage, _rules FROM rejects ORDER BY ALL"


def test_rejects_of_all_tables_stand_under_one_another(lake: Lake) -> None:
    cage = {"transaction_id": ["T1"], "gaming_day": [LAST], "_stage": ["silver"]}
    put(lake, "quarantine", "financial_txn", cage | {"_rules": [["amount|min"]]})
    with Catalog(lake) as catalog:
        assert catalog.frame(REJECTS).rows() == [
            ("compliance", "silver", ["due_date|nullability"]),
            ("financial_txn", "silver", ["amount|min"]),
        ]
        put(lake, "quarantine", "financial_txn", cage | {"_rules": [["amount|max"]]})
        assert catalog.frame(REJECTS).rows()[1][2] == ["amount|max"]


def test_rejects_that_may_be_sars_stand_there_with_the_grant_only(filled: Lake) -> None:
    sql = "SELECT table_name, count(*) FROM quarantine.rejects GROUP BY ALL ORDER BY ALL"
    with Catalog(filled) as open_to_all, Catalog(filled, restricted=True) as granted:
        assert open_to_all.frame(sql).rows() == [("compliance", 1)]
        assert granted.frame(sql).rows() == [("compliance", 1), ("sar_filings", 2)]
        known = "SELECT sql FROM duckdb_views() WHERE view_name = 'rejects'"
        with open_to_all.connection(["quarantine.rejects"]) as connection:
            assert "sar_filings" not in str(connection.execute(known).fetchall())
            assert "staff_observations" not in str(connection.execute(known).fetchall())


def test_rejects_hold_every_table_that_the_reader_sees() -> None:
    for restricted in (False, True):
        found = views(restricted=restricted)
        tables = {n for n in found if n.startswith("quarantine.")} - {"quarantine.rejects"}
        assert set(found["quarantine.rejects"].parts) == tables
        assert "_raw" not in found["quarantine.rejects"].columns


def test_a_version_of_one_table_is_none_of_all_rejects(filled: Lake) -> None:
    with (
        Catalog(filled, as_of=0) as catalog,
        pytest.raises(BadInput, match=r"this query reads .*quarantine.financial_txn"),
    ):
        catalog.frame(REJECTS)


def test_what_the_catalog_holds() -> None:
    ordinary, restricted = views(), views(restricted=True)
    assert {v.schema for v in ordinary.values()} == {"gold", "silver", "quarantine", "ops"}
    assert {v.schema for v in restricted.values()} == {*("gold", "silver", "quarantine"), "ops"} | {
        "restricted"
    }
    assert "silver.staff_observations" not in ordinary
    assert "silver.staff_observations" in restricted
    assert "silver.player_profile" in ordinary
    assert not [n for n in restricted if "identity_vault" in n or n.startswith(("bronze", "truth"))]


def test_a_table_of_the_contracts_that_is_not_made_yet_is_empty(still: Catalog) -> None:
    found = still.frame("SELECT * FROM gold.player_value")
    assert found.height == 0
    assert found.schema["theo_30"] == pl.Decimal(18, 2)


def test_columns_that_share_a_name_both_come(still: Catalog) -> None:
    found = still.frame("SELECT 1 AS a, 2 AS a, 3 AS a_1, INTERVAL 1 DAY AS b")
    assert found.rows() == [(1, 2, 3, "1 day")]
    assert found.columns[0] == "a"
    assert len(set(found.columns)) == 4


def test_the_next_query_sees_the_newest_version(lake: Lake) -> None:
    with Catalog(lake) as catalog:
        assert catalog.frame("SELECT count(*) FROM gold.player_day").item() == 4
        put(lake, "gold", "player_day", {"player_id": ["P1"], "gaming_day": [LAST]})
        assert catalog.frame("SELECT count(*) FROM gold.player_day").item() == 1


def test_as_of_a_version_or_a_moment(lake: Lake) -> None:
    before = lake.version("gold", "player_day")
    at = dt.datetime.now(dt.UTC)
    put(lake, "gold", "player_day", {"player_id": ["P1"], "gaming_day": [LAST]})
    for as_of in (before, at):
        with Catalog(lake, as_of=as_of) as catalog:
            assert catalog.frame("SELECT count(*) FROM gold.player_day").item() == 4


def test_a_version_number_is_of_one_table(lake: Lake) -> None:
    with (
        Catalog(lake, as_of=1) as catalog,
        pytest.raises(BadInput, match=r"--as-of 1 is the version of one table"),
    ):
        catalog.frame("SELECT * FROM gold.player_day, silver.compliance")


@pytest.mark.parametrize("as_of", [99, dt.datetime(1999, 1, 1, tzinfo=dt.UTC)])
def test_as_of_before_or_after_all_versions(lake: Lake, as_of: int | dt.datetime) -> None:
    with Catalog(lake, as_of=as_of) as catalog, pytest.raises((BadInput, StorageError)):
        catalog.frame("SELECT * FROM gold.player_day")


def test_a_damaged_table_is_named(lake: Lake) -> None:
    next(Path(lake.uri("gold", "player_day")).rglob("*.parquet")).unlink()
    with (
        Catalog(lake) as catalog,
        pytest.raises(StorageError, match=r"cannot read gold.player_day"),
    ):
        catalog.frame("SELECT * FROM gold.player_day")


def test_a_column_dropped_by_hand_is_named(lake: Lake) -> None:
    log = Path(lake.uri("gold", "player_day")) / "_delta_log" / "00000000000000000000.json"
    log.write_text(log.read_text().replace('\\"name\\":\\"theo\\"', '\\"name\\":\\"teo\\"'))
    with Catalog(lake) as catalog, pytest.raises(ContractError, match="theo is missing"):
        catalog.frame("SELECT * FROM gold.player_day")


def test_a_lake_of_one_day_tells_its_newest(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    put(lake, "gold", "player_day", {"player_id": ["P1"], "gaming_day": [LAST]})
    with Catalog(lake) as catalog:
        found = catalog.frame("SELECT max(gaming_day) AS newest FROM gold.player_day")
    assert found["newest"].to_list() == [LAST]


def test_saved_queries_are_enough_and_each_says_what_it_answers() -> None:
    every = saved_queries()
    assert len(every) >= 10
    assert {"slot manager", "host", "finance controller"} <= {s.reader for s in every.values()}
    assert len({s.title for s in every.values()}) == len(every)


@pytest.mark.parametrize("name", saved_queries())
def test_a_saved_query_runs(still: Catalog, name: str) -> None:
    saved = saved_query(name)
    assert set(still.admit(saved.sql).parameters) == set(saved.parameters)
    assert still.frame(saved.sql, saved.bound({})).width > 2


def test_a_saved_query_takes_its_parameters(still: Catalog) -> None:
    saved = saved_query("player")
    found = still.frame(saved.sql, saved.bound({"player": "P1"}))
    assert found["gaming_day"].to_list() == DAYS
    with pytest.raises(BadInput, match="no parameter 'plyer'; it has: player"):
        saved.bound({"plyer": "P1"})
    with pytest.raises(BadInput, match="no saved query 'playr'; nearest: player"):
        saved_query("playr")


QUERY = (
    "SELECT player_id, theo, visits, [1, 2] AS l, TIMESTAMPTZ '2025-01-01 20:00:00Z' AS t "
    "FROM gold.player_day ORDER BY theo LIMIT 2"
)


def test_csv(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["sql", QUERY, "--format", "csv"]) == 0
    assert list(csv.reader(capsys.readouterr().out.splitlines())) == [
        ["player_id", "theo", "visits", "l", "t"],
        ["P1", "0.25", "1", "1; 2", "2025-01-01T12:00:00.000000-08:00"],
        ["P2", "2.50", "1", "1; 2", "2025-01-01T12:00:00.000000-08:00"],
    ]


def test_json(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["sql", QUERY, "--format", "json"]) == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert first == {
        "player_id": "P1",
        "theo": "0.25",
        "visits": 1,
        "l": [1, 2],
        "t": "2025-01-01T12:00:00.000000-08:00",
    }


def test_json_of_nothing_is_a_list(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["sql", "SELECT * FROM gold.player_value", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_csv_of_nothing_has_its_head(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["sql", "SELECT 1 AS a, 2 AS b WHERE false", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "a,b\n"


def test_parquet(lake: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.parquet"
    assert cli.run(["sql", QUERY, "--format", "parquet", "--out", str(out)]) == 0
    assert pl.read_parquet(out)["player_id"].to_list() == ["P1", "P2"]
    assert capsys.readouterr().out == ""
    assert [p.name for p in tmp_path.iterdir() if "part" in p.name] == []


def test_a_table_is_cut_and_says_so(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["sql", "SELECT * FROM range(5) t(i)", "--limit", "3"]) == 0
    said = capsys.readouterr()
    assert said.out.split() == ["i", "─", "0", "1", "2"]
    assert said.err == "first 3 rows; --limit 0 shows all\n"


def test_a_query_from_a_file(
    lake: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "q.sql").write_text("SELECT count(*) AS n FROM player_day WHERE player_id = $p;\n")
    assert cli.run(["sql", "-f", "q.sql", "--param", "p=P1", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "n\n3\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "xml"], "--format 'xml': one of table, csv, json, parquet"),
        (["--format", "parquet"], "--format parquet needs --out FILE"),
        (["--as-of", "lately"], "--as-of 'lately': give a version number or a moment"),
        (["--param", "x"], "--param 'x': write NAME=VALUE"),
        (["--param", "x=1"], "excess parameters: x"),
        (["--saved", "player"], "give one of a query, --file and --saved"),
        (["--restricted"], "--restricted needs --purpose"),
        (["--purpose", "curious"], "--purpose goes with --restricted"),
        (["--restricted", "--purpose", "case R2"], "what is restricted needs the key file"),
        (["--limit", "-1"], "--limit"),
        (["--out", "."], "is a folder; name a file"),
    ],
)
def test_bad_options_end_in_one_line(
    lake: Lake, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert cli.run(["sql", "SELECT 1", *arguments]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_restricted_needs_a_key_and_leaves_a_row_of_audit_first(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "SELECT report_id FROM silver.sar_filings WHERE report_type = 'SAR'"
    asked = ["sql", query, "--restricted", "--purpose", "review of R2", "--format", "csv"]
    assert cli.run(["access", "init"]) == 0
    capsys.readouterr()
    assert cli.run(asked) == 0
    assert capsys.readouterr().out == "report_id\nR2\n"
    log = lake.scan("restricted", "access_log").collect().sort("entry")
    assert log["query"].to_list()[1:] == [query]
    assert log["purpose"][1] == "review of R2"
    assert cli.run(["access", "verify"]) == 0


def test_a_refused_query_leaves_no_row_and_a_failing_one_does(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--restricted", "--purpose", "review of R2"]
    cli.run(["access", "init"])
    assert cli.run(["sql", "DROP VIEW silver.compliance", *options]) == 2
    assert cli.run(["sql", "SELECT report_id::INT FROM silver.compliance", *options]) == 1
    log = lake.scan("restricted", "access_log").collect().sort("entry")
    assert log["query"].to_list()[1:] == ["SELECT report_id::INT FROM silver.compliance"]


@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_a_key_that_others_can_read_opens_nothing(
    lake: Lake, capsys: pytest.CaptureFixture[str], mode: int
) -> None:
    cli.run(["access", "init"])
    Path(f"{lake.root}.keys/restricted-key").chmod(mode)
    assert cli.run(["sql", "SELECT 1", "--restricted", "--purpose", "review of R2"]) == 2
    assert f"mode {mode:04o}" in capsys.readouterr().err


def test_the_key_of_another_lake_opens_nothing(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.run(["access", "init"])
    Path(f"{lake.root}.keys/restricted-key").write_text("00" * 32)
    assert cli.run(["sql", "SELECT 1", "--restricted", "--purpose", "review of R2"]) == 2
    assert "is not the key in force" in capsys.readouterr().err


def test_nobody_without_the_key_makes_one(
    lake: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.run(["access", "init"])
    monkeypatch.setenv("LAKEHOUSE_RESTRICTED_KEY_FILE", str(tmp_path / "mine.key"))
    assert cli.run(["access", "init"]) == 2
    assert cli.run(["access", "rotate"]) == 2
    assert not (tmp_path / "mine.key").exists()


def test_a_replaced_key_opens_nothing_any_more(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["sql", "SELECT 1 AS a", "--restricted", "--purpose", "review of R2"]
    key = Path(f"{lake.root}.keys/restricted-key")
    cli.run(["access", "init"])
    old = key.read_text()
    assert cli.run(["access", "rotate"]) == 0
    assert cli.run(asked) == 0
    key.write_text(old)
    assert cli.run(asked) == 2
    assert "is not the key in force" in capsys.readouterr().err


def test_a_query_cannot_pass_for_the_issue_of_a_key(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.run(["access", "init"])
    log = lake.scan("restricted", "access_log").collect()
    forged = f"SELECT 'restricted key issued: {log['hash'][0][:8]}'"
    asked = ["sql", "--restricted", "--purpose", "review of R2"]
    assert cli.run([*asked, forged]) == 0
    assert cli.run([*asked, "SELECT 1"]) == 0


def test_as_of_in_the_command(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    put(lake, "gold", "player_day", {"player_id": ["P1"], "gaming_day": [FIRST]})
    query = ["sql", "SELECT count(*) AS n FROM gold.player_day", "--format", "csv"]
    assert cli.run([*query, "--as-of", "1"]) == 0
    assert capsys.readouterr().out == "n\n4\n"


def test_a_table_that_is_not_made_is_told(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["sql", "SELECT count(*) AS n FROM gold.player_value", "--format", "csv"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("n\n0\n", "not made yet, so empty: gold.player_value\n")


def test_the_prompt_goes_on_after_an_error(
    lake: Lake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter(["SELECT count(*) AS n", "FROM player_day;", "DROP TABLE x;", ".nope", ".quit"])
    monkeypatch.setattr("builtins.input", lambda _: next(typed))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert cli.run(["sql"]) == 0
    said = capsys.readouterr()
    assert said.out.split() == ["n", "─", "4"]
    assert "DROP is not allowed" in said.err
    assert list(typed) == []


def test_a_query_from_a_pipe(
    lake: Lake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 42 AS x"))
    assert cli.run(["sql", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "x\n42\n"


def test_a_query_with_parameters_runs_when_its_rows_are_fetched(still: Catalog) -> None:
    sql = "SELECT ($prefix || range)::INTEGER AS n FROM range(3)"
    assert still.frame(sql, {"prefix": "1"})["n"].to_list() == [10, 11, 12]
    taken = []  # run to its end while it is bound, it would hold Python's lock
    with pytest.raises(LakehouseError, match="Could not convert"):
        still.answer(sql, lambda found: taken.append(found.columns) or found.pl(), {"prefix": "a"})
    assert taken == [["n"]]
