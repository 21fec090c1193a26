"""Where a new simulated lake starts: its example month is the thirty days that closed last."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.storage import Lake

MONTH = dt.timedelta(days=30)


def settle_start(settings: Settings, lake: Lake, file: Path) -> Settings:
    """The settings, with a start that follows today for a lake that begins: written to `file`,
    so that it stays. A start that somebody chose, a file that is there, a lake with tables and
    one that takes in files are left as they are."""
    from lakehouse.commands.caller import now
    from lakehouse.regulation.gaming_day import gaming_day_of
    from lakehouse.settings import load_settings

    chosen = "start" in settings.model_fields_set or file.exists()
    if chosen or settings.source != "simulator" or settings.sources or lake.stored():
        return settings
    start = gaming_day_of(now(), settings.timezone) - MONTH
    file.write_text(f"start = {start}\n", encoding="utf-8")
    typer.echo(f"wrote {file}: the lake starts on {start}", err=True)
    return load_settings()
