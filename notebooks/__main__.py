"""Runs the notebooks again and keeps what they print: `python -m notebooks`, or `make notebooks`.

They read the lake of the settings where LAKEHOUSE_ROOT is set; else four weeks of the simulated
floor and online casino, made for them in a temporary folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
BOOKS = sorted(HERE.glob("*.ipynb"))
WEEKS = ("2025-01-01", "2025-01-28")


def executed(book: Path) -> nbformat.NotebookNode:
    """A notebook with the outputs of a run of all its cells; raises where one fails. Without
    times and other traces of the machine that it ran on."""
    found = nbformat.read(book, as_version=4)
    NotebookClient(
        found,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(HERE)}},
    ).execute()
    found.metadata.pop("widgets", None)
    found.metadata["language_info"] = {"name": "python"}
    return found


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="notebooks-") as folder:
        if "LAKEHOUSE_ROOT" not in os.environ:
            os.environ["LAKEHOUSE_ROOT"] = f"{folder}/lake"
            os.environ["LAKEHOUSE_DOMAINS"] = '["floor", "online"]'
            home = {"DAGSTER_HOME": f"{folder}/home"}
            print(f"Making the gaming days {' to '.join(WEEKS)} ...", flush=True)  # noqa: T201
            command = ["run", "--from", WEEKS[0], "--to", WEEKS[1]]
            # In the folder, for the settings of this one are of another lake.
            made = subprocess.run(
                [sys.executable, "-m", "lakehouse", *command], env=os.environ | home, cwd=folder
            )
            # Its checks find what was planted, and end it with status 1.
            if made.returncode > 1:
                raise SystemExit(made.returncode)
        for book in BOOKS:
            print(f"Running {book.name} ...", flush=True)  # noqa: T201
            nbformat.write(executed(book), book)


if __name__ == "__main__":
    main()
