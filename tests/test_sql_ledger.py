"""What became of landed files, in SQL."""

from pathlib import Path

import pytest

from lakehouse import cli
from lakehouse.errors import BadInput
from lakehouse.serve.sql.catalog import Catalog
from tests.landed import CAGE, cage_csv, cage_row, drop, lake_at, take_in

FILED = "report_id,report_timestamp\nR1,2025-01-05T12:00:00-08:00\n"
ASKED = "SELECT path, state, rows, bronze_rows, quarantine_rows FROM ops.ingest_ledger"


def test_the_ledger_can_be_asked_but_for_files_that_may_tell_of_suspicion(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", cage_csv(cage_row(1), cage_row(2, "bad")))
    drop(lake, "compliance/b.csv", FILED)
    take_in(lake, settings)
    ended = f"{ASKED} WHERE state = 'ingested' ORDER BY path"
    with Catalog(lake) as catalog:
        assert catalog.frame(ended).rows() == [(f"{CAGE}/a.csv", "ingested", 2, 1, 1)]
        count = "SELECT count(*) FROM ops.ingest_ledger WHERE table_name = 'compliance'"
        assert catalog.frame(count).item() == 0
        with pytest.raises(BadInput):
            catalog.frame("SELECT * FROM bronze.financial_txn")
    with Catalog(lake, restricted=True) as catalog:
        assert catalog.frame(ended)["path"].to_list() == ["compliance/b.csv", f"{CAGE}/a.csv"]


def test_the_command_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, settings = lake_at(tmp_path)
    monkeypatch.setenv("LAKEHOUSE_ROOT", lake.root)
    monkeypatch.setenv("LAKEHOUSE_SOURCE", "landing")
    assert cli.run(["sql", "SELECT count(*) AS n FROM ops.ingest_ledger", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "n\n0\n"
    drop(lake, f"{CAGE}/a.csv", cage_csv(cage_row(1)))
    take_in(lake, settings)
    assert cli.run(["sql", f"{ASKED} WHERE state = 'ingested'", "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [f"{CAGE}/a.csv,ingested,1,1,0"]
