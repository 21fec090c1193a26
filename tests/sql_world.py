"""A lake in which all that nobody may read in SQL holds one word, and files beside it that do."""

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from lakehouse.serve.sql.catalog import Catalog
from lakehouse.storage import Lake
from tests.small_lake import FIRST, fill, put

CANARY = "canary-4711"
CASE = "canary-case"
"""Of suspicious activity: the restricted key opens it."""
OPEN_TABLES = ("gold.player_day", "silver.compliance", "quarantine.compliance")


@dataclass(frozen=True)
class World:
    lake: Lake
    folder: Path

    @property
    def paths(self) -> dict[str, str]:
        """Word in braces → path."""
        return {
            "key": str(self.folder / "lake.pii-key"),
            "other_file": str(self.folder / "other.csv"),
            "OTHER_FILE": str(self.folder / "other.csv").upper(),
            "restricted_identity_vault": self._file("restricted", "identity_vault"),
            "restricted_sar_cases": self._file("restricted", "sar_cases"),
            "silver_compliance": self._file("silver", "sar_filings"),
            "folder": str(self.folder),
        }

    def filled_in(self, sql: str) -> str:
        for word, path in self.paths.items():
            sql = sql.replace(f"{{{word}}}", path)
        return sql

    def files(self) -> dict[str, int]:
        """Every file, and when it was written."""
        found = (f"{inside}/{name}" for inside, _, names in os.walk(self.folder) for name in names)
        return {path: Path(path).stat().st_mtime_ns for path in found}

    def _file(self, layer: str, table: str) -> str:
        return str(next(Path(self.lake.uri(layer, table)).rglob("*.parquet")))


def build(folder: Path) -> World:
    lake = Lake(str(folder / "lake"))
    fill(lake)
    day = {"gaming_day": [FIRST]}
    put(lake, "restricted", "identity_vault", {"player_id": ["P1"], "last_name": [CANARY], **day})
    put(lake, "bronze", "player_profile", {"player_id": ["P1"], "last_name": [CANARY], **day})
    put(lake, "restricted", "sar_cases", {"case_id": ["C1"], "narrative": [CASE], **day})
    filed = {
        "report_id": ["R1"],
        "report_type": ["CTR"],
        "report_timestamp": [dt.datetime(2025, 1, 2, 3, 30, tzinfo=dt.UTC)],
        "gaming_day": [FIRST],
    }
    put(lake, "silver", "compliance", filed)
    suspicious = {"report_id": ["R2"], "report_type": ["SAR"], "sar_narrative": [CASE]}
    put(lake, "silver", "sar_filings", filed | suspicious)
    rejected = {
        "report_id": ["R4"],
        "report_type": ["ctr"],
        "ssn_hash": [CANARY],
        "gaming_day": [FIRST],
        "_stage": ["silver"],
        "_rules": [["due_date|nullability"]],
        "_raw": [CANARY],
    }
    put(lake, "quarantine", "compliance", rejected)
    (folder / "other.csv").write_text(f"a,b\n{CANARY},1\n", encoding="utf-8")
    (folder / "lake.pii-key").write_text(f"{CANARY}\n", encoding="utf-8")
    return World(lake, folder)


def attacks() -> Iterator[str]:
    for line in (Path(__file__).parent / "sql_attacks.txt").read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("# "):
            yield line


def behind_the_gate(catalog: Catalog, sql: str) -> str:
    """What DuckDB says to a text that no parser has judged: its rows, its refusal, and each file
    that it opened by itself."""
    with catalog.connection(OPEN_TABLES) as connection:
        connection.execute("CALL enable_logging('FileSystem')")
        return f"{ran(connection, sql)} {opened(connection)}"


def ran(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    try:
        return str(connection.execute(sql) and connection.fetchall())
    except duckdb.Error as error:
        return f"refused: {error}"


def opened(connection: duckdb.DuckDBPyConnection) -> str:
    """Files that DuckDB opened by itself since its log was enabled."""
    log = "SELECT message FROM duckdb_logs WHERE type = 'FileSystem'"
    return " ".join(f"opened: {m}" for (m,) in connection.cursor().execute(log).fetchall())
