"""Logs of tables that were written long ago, and cut."""

import datetime as dt
import os
import time
from pathlib import Path

from deltalake import DeltaTable

from lakehouse.storage import Kept, Lake, tend

AN_HOUR = dt.timedelta(hours=1)
HOUR = Kept(AN_HOUR, AN_HOUR)
NOTHING = Kept(dt.timedelta(0), dt.timedelta(0))


def log_of(lake: Lake, layer: str, table: str) -> Path:
    return Path(lake.uri(layer, table)) / "_delta_log"


def entries(lake: Lake, layer: str, table: str) -> list[int]:
    """Versions of which the log has the commit."""
    return sorted(int(f.stem) for f in log_of(lake, layer, table).glob("[0-9]*.json"))


def checkpoint(lake: Lake, layer: str, table: str) -> None:
    DeltaTable(lake.uri(layer, table)).create_checkpoint()


def age(lake: Lake, layer: str, table: str, upto: int) -> None:
    """What the log has of versions up to this was written two hours ago."""
    then = time.time() - 2 * AN_HOUR.total_seconds()
    for file in log_of(lake, layer, table).glob("[0-9]*"):
        if int(file.name[:20]) <= upto:
            os.utime(file, (then, then))


def cut(lake: Lake, layer: str, table: str) -> None:
    """Removes all entries of the log before a checkpoint of the newest version."""
    checkpoint(lake, layer, table)
    age(lake, layer, table, max(entries(lake, layer, table)))
    tend(lake, layer, table, HOUR)
