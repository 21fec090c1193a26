"""A new source table, mart, check or rule of law is declared in one place; all else follows.

Each copy of the project runs once, in a process of its own, and says in JSON what it found."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.additions import ADDITIONS, ROOT, project, touched

Said = dict[str, Any]
DAY = "2025-01-01"
COUNTS = {"source table": 1, "producer": 1, "mart": 2, "check": 1, "measure": 1, "rule of law": 4}
"""Files that are written or changed for each."""
ASKED = """
import contextlib, io, json, sys
from lakehouse.cli import run
said = {}
for name, command in json.loads(sys.argv[1]).items():
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run(command)
    said[name] = [status, out.getvalue(), err.getvalue()]
from igaming_assets.definitions import defs
from lakehouse.serve.dictionary.documents import dictionary
graph = defs.resolve_asset_graph()
hotel = [k for k in graph.get_all_asset_keys() if "hotel" in k.path[1]]
said["assets"] = {
    k.to_user_string(): [n.group_name, *(p.to_user_string() for p in n.parent_keys)]
    for k, n in ((k, graph.get(k)) for k in hotel)
}
said["checks"] = sorted(k.to_user_string() for k in graph.asset_check_keys if k.asset_key in hotel)
said["dictionary"] = [t for t in dictionary().splitlines() if t.startswith("### hotel")]
print(json.dumps(said))
"""
NIGHTS = """night_id,check_in,room_type,country,price,paid
N1,2025-01-01T20:00:00-08:00,double,us,100.00,100.00
N2,2025-01-01T21:00:00-08:00,SUITE,US,-1.00,0.00
N3,2025-01-01T22:00:00-08:00,suite,CA,300.00,300.00
"""


def run(copy: Path, commands: dict[str, list[str]]) -> Said:
    environment = os.environ | {
        "PYTHONPATH": str(copy),
        "DAGSTER_HOME": str(copy / "home"),
        "LAKEHOUSE_ROOT": str(copy / "lake"),
        "LAKEHOUSE_SCALE": "0.01",
        "LAKEHOUSE_START": DAY,
        "COLUMNS": "250",
    }
    done = subprocess.run(
        [sys.executable, "-c", ASKED, json.dumps(commands)],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: Said = json.loads(done.stdout)
    return found


def query(sql: str) -> list[str]:
    return ["sql", sql, "--format", "csv"]


@pytest.mark.slow
def test_a_source_table_needs_its_contract_alone(tmp_path: Path) -> None:
    (tmp_path / "nights.csv").write_text(NIGHTS)
    said = run(
        project(tmp_path, "source table"),
        {
            "init": ["init"],
            "land": ["land", "nights.csv", "--table", "hotel_nights"],
            "ingest": ["ingest"],
            "run": ["run", "--from", DAY, "--select", "key:bronze/hotel_nights+"],
            "silver": query("SELECT night_id, room_type, country FROM hotel_nights ORDER BY ALL"),
            "rejects": ["sql", "--saved", "rejects", "--format", "csv"],
            "describe": ["describe", "silver.hotel_nights"],
            "tables": ["tables", "silver"],
            "quarantine": ["quarantine", "list"],
        },
    )
    ends = [said[name][0] for name in ("init", "land", "ingest", "run")]
    assert ends == [0, 0, 1, 1], said  # a third of the rows is rejected
    folders = [p.name for p in (tmp_path / "lake/landing").iterdir() if p.is_dir()]
    assert [f for f in folders if not f.startswith(".")] == ["hotel_nights"]
    kept = ["night_id,room_type,country", "N1,ROOM,US", "N3,SUITE,CA"]
    assert said["silver"][1].split() == kept
    assert f"hotel_nights,price|min,1,{DAY},{DAY}" in said["rejects"][1]
    assert "hotel_nights" in said["quarantine"][1]
    assert "made from  bronze.hotel_nights" in said["describe"][1]
    assert "One of SUITE, ROOM. Also read: Double as ROOM." in said["describe"][1]
    assert "Files may call it check_in." in said["describe"][1]
    assert re.search(r"silver\.hotel_nights +2025-01-01 +2025-01-01 +1 +2 ", said["tables"][1])
    assert said["assets"]["silver/hotel_nights"] == ["silver", "bronze/hotel_nights"]
    wanted = {"bronze/{}:contract", "silver/{}:contract", "silver/{}:conservation"}
    assert {name.format("hotel_nights") for name in wanted} <= set(said["checks"])
    assert said["dictionary"] == ["### hotel_nights"]


@pytest.mark.slow
def test_a_producer_a_mart_a_check_and_a_rule_of_law_need_their_declaration_alone(
    tmp_path: Path,
) -> None:
    said = run(
        project(tmp_path, *ADDITIONS),
        {
            "init": ["init"],
            "run": ["run", "--from", DAY, "--select", "key:bronze/hotel_nights+"],
            "mart": query("SELECT * FROM gold.hotel_day"),
            "notices": query("SELECT price FROM gold.hotel_notices ORDER BY ALL"),
            "describe": ["describe", "hotel_day"],
            "parent": ["describe", "silver.hotel_nights"],
            "truth": ["checks", "--from", DAY, "--truth", "nights_are_paid", "-o", "csv"],
            "measure": query(
                "SELECT status, measure, bound, said FROM gold.check_results "
                "WHERE check_name = 'somebody_stays'"
            ),
            "listed": ["checks", "list", "--table", "silver.hotel_nights"],
            "generate": ["generate", "--all", "--scale", "0.005", "-d", "2", "-o", "out"],
        },
    )
    assert [said[name][0] for name in ("init", "run", "generate")] == [0] * 3, said
    assert "hotel_nights: a consequence of the play; 6 rows in 2 days" in said["generate"][2]
    _has_its_mart(said)
    _has_its_check(said)
    assert said["notices"][1].split() == ["price", "100.01", "300.00"], "and not 100.00"
    assert said["dictionary"] == ["### hotel_nights", "### hotel_day", "### hotel_notices"]


def _has_its_mart(said: Said) -> None:
    assert said["mart"][1].split() == ["gaming_day,nights,price", f"{DAY},3,500.01"]
    assert said["assets"]["gold/hotel_day"] == ["floor", "silver/hotel_nights"]
    assert "gold/hotel_day:contract" in said["checks"]
    assert "made from  silver.hotel_nights" in said["describe"][1]
    assert "read by    gold.hotel_notices, gold.hotel_day" in said["parent"][1]


def _has_its_check(said: Said) -> None:
    assert "silver/hotel_nights:nights_are_paid" in said["checks"]
    assert "check not passed: " in said["run"][2]
    assert "silver/hotel_nights:somebody_stays" in said["checks"]
    assert said["measure"][1].split("\n")[1] == "warned,3.0,10.0,3 stay."
    assert "A quiet night is possible." in said["listed"][1]
    status, found, summary = said["truth"]
    assert status == 1
    assert "300.00,prices,250.00,payments" in found
    assert "discrepancies: 1, of them explained by rows in quarantine: 0" in summary


@pytest.mark.parametrize("kind", ADDITIONS)
def test_so_many_files_are_touched(kind: str, tmp_path: Path) -> None:
    assert touched(project(tmp_path, kind)) == set(ADDITIONS[kind])
    assert len(ADDITIONS[kind]) == COUNTS[kind]


def test_the_contributor_is_told_so_many_files() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| (?:a|an|its) ([a-z ]+) \| (\d+) \|", text, re.MULTILINE))
    assert {kind: int(told[kind]) for kind in COUNTS} == COUNTS
