"""The Dagster instance's folder. Imports no Dagster, so that commands stay quick."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

HOME = ".dagster"


def home() -> Path:
    """DAGSTER_HOME, or ./.dagster; made where there is none, with its dagster.yaml."""
    folder = Path(os.environ.get("DAGSTER_HOME") or HOME).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    template = Path(__file__).with_name("dagster.yaml")
    if not (folder / "dagster.yaml").exists() and template.exists():
        beside = folder / f".dagster.yaml.{os.getpid()}"
        shutil.copy(template, beside)
        beside.replace(folder / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(folder)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    return folder
