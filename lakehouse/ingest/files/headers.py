"""What files call their columns. A name may be a person's: the first line of a file without a
header is a row. So names that no column of ours takes are kept in the landing zone, which is
as closed as the file itself, and told elsewhere by their number."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from lakehouse import private_files

HEADERS = "_headers"


def told(columns: Sequence[str], ignored: Collection[str]) -> str:
    """The columns of a file as a JSON list, the ignored ones as `column 3`."""
    names = [f"column {i}" if n in ignored else n for i, n in enumerate(columns, 1)]
    return json.dumps(names, ensure_ascii=False)


def told_ignored(columns: Sequence[str], ignored: Collection[str]) -> str:
    """Which columns are ignored, by number; of rows that name their own fields, how many."""
    if not columns:
        return f"{len(ignored)} fields" if ignored else ""
    return ", ".join(str(i) for i, n in enumerate(columns, 1) if n in ignored)[:2000]


def keep_header(zone: Path, file_id: str, columns: Sequence[str]) -> None:
    """For a retry with a mapping that takes columns which are ignored now."""
    with private_files.entered(zone / HEADERS, make=True) as folder:
        private_files.put(folder, _name(file_id), json.dumps(list(columns)).encode())


def header_of(zone: Path, ledger_row: dict[str, Any]) -> list[str]:
    """The columns of a file in the ledger, as far as they are known."""
    try:
        with private_files.open_file(zone / HEADERS / _name(ledger_row["file_id"])) as file:
            kept: list[str] = json.loads(file.read())
    except FileNotFoundError:
        kept = json.loads(ledger_row["file_columns"])
    return kept


def _name(file_id: str) -> str:
    return file_id.rpartition(":")[2] + ".json"
