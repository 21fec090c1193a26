"""The database file: whole or as before, and readable by a plain DuckDB."""

import shutil
from pathlib import Path

import duckdb
import pytest

from lakehouse import cli
from lakehouse.storage import Lake
from tests.small_lake import LAST, fill, put


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake(str(tmp_path_factory.mktemp("filled")))
    fill(made)
    return made


@pytest.fixture
def lake(filled: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A copy to change."""
    root = str(tmp_path / "lake")
    shutil.copytree(filled.root, root)
    monkeypatch.setenv("LAKEHOUSE_ROOT", root)
    return Lake(root)


def counted(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT count(*) FROM gold.player_day").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.slow
def test_any_tool_opens_it_without_lake_or_extension(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "out" / "casino.duckdb"
    assert cli.run(["catalog", "build", "--out", str(file)]) == 0
    shutil.rmtree(lake.root)
    options = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    with duckdb.connect(str(file), read_only=True, config=options) as opened:
        assert counted(opened) == 4
        tables = {f"{s}.{t}" for s, t in _rows(opened, "SELECT schema_name, table_name")}
        said = _rows(opened, "SELECT comment", "WHERE table_name = 'player_day'")
        meaning = opened.execute(
            "SELECT comment FROM duckdb_columns() WHERE table_name = 'player_day' "
            "AND column_name = 'theo'"
        ).fetchone()
        rejects = opened.execute("SELECT table_name, _rules FROM quarantine.rejects").fetchall()
        reports = opened.execute("SELECT DISTINCT report_type FROM silver.compliance").fetchall()
    assert "What one patron did in one gaming day" in said[0][0]
    assert meaning == ("slot_theo + table_theo.",)
    assert {r for (r,) in reports} == {"CTR", "W2G"}
    assert rejects == [("compliance", ["due_date|nullability"])]
    assert "silver.staff_observations" not in tables
    assert not [t for t in tables if t.startswith(("bronze", "restricted", "truth", "ops"))]
    assert [p.name for p in file.parent.iterdir()] == ["casino.duckdb"]


def _rows(opened: duckdb.DuckDBPyConnection, select: str, where: str = "") -> list[tuple[str, ...]]:
    return opened.execute(f"{select} FROM duckdb_tables() {where}").fetchall()


@pytest.mark.slow
def test_a_reader_keeps_its_file_while_it_is_built_again(lake: Lake) -> None:
    file = Path(lake.root) / "lakehouse.duckdb"
    assert cli.run(["catalog", "build", "--schema", "gold"]) == 0
    with duckdb.connect(str(file), read_only=True) as reader:
        put(lake, "gold", "player_day", {"player_id": ["P1"], "gaming_day": [LAST]})
        assert cli.run(["catalog", "build", "--schema", "gold"]) == 0
        assert counted(reader) == 4
    with duckdb.connect(str(file), read_only=True) as reader:
        assert counted(reader) == 1


@pytest.mark.slow
def test_days_and_schemas_can_be_chosen(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "day.duckdb"
    chosen = ["--from", "2025-01-02", "--to", "2025-01-03", "--schema", "gold"]
    assert cli.run(["catalog", "build", "--out", str(file), *chosen]) == 0
    with duckdb.connect(str(file), read_only=True) as opened:
        assert counted(opened) == 2
        assert {s for (s,) in _rows(opened, "SELECT schema_name")} == {"gold", "catalog"}


def test_a_build_that_fails_leaves_the_file_as_it_was(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(lake.root) / "lakehouse.duckdb"
    assert cli.run(["catalog", "build", "--schema", "gold"]) == 0
    before = file.read_bytes()
    gone = next(Path(lake.uri("gold", "player_day")).rglob("*.parquet"))
    gone.unlink()
    capsys.readouterr()
    assert cli.run(["catalog", "build", "--schema", "gold"]) == 1
    assert f"file {gone.name} is missing" in capsys.readouterr().err
    assert file.read_bytes() == before
    assert not list(Path(lake.root).glob(".lakehouse*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--schema", "bronze"], "--schema 'bronze': one of gold, silver, quarantine"),
        (["--from", "2025-01-01"], "give both --from and --to"),
        (["--from", "2025-01-02", "--to", "2025-01-01"], "is after --to"),
        (["--from", "soon", "--to", "2025-01-01"], "--from 'soon' is no day"),
        (["--out", "."], "is a folder; name a file"),
    ],
)
def test_bad_options(
    lake: Lake, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert cli.run(["catalog", "build", *arguments]) == 2
    assert said in capsys.readouterr().err
