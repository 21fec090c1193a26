"""Which gaming days a landed file touches, before any of it is stored."""

from __future__ import annotations

import datetime as dt

from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.ingest.files.byte_blocks import UnreadableFile
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.inspection import inspect
from lakehouse.ingest.files.mapping_files import mapping_of
from lakehouse.ingest.files.reading import judged, open_file
from lakehouse.ingest.files.zone import LandedFile, landing_zone
from lakehouse.regulation.gaming_day import gaming_day_of
from lakehouse.settings import Settings
from lakehouse.storage import Lake


def touched_days(
    lake: Lake, settings: Settings, file: LandedFile, as_of: dt.datetime
) -> list[dt.date]:
    """Days of the file's rows, rejected ones too where they name one. A file of which no row
    has a day touches the one it landed on: that is where its rejection is told."""
    c = contract(file.table)
    landed = gaming_day_of(as_of, settings.timezone)
    try:
        mapping = mapping_of(file.path, landing_zone(lake) / file.table, file.table)
        inspected = inspect(file.path, mapping)
        opened = open_file(file.path, inspected, c, mapping)
        origin = Origin(c, mapping, file.name, landed, as_of, settings.timezone, inspected.digest)
        days: set[dt.date] = set()
        for part in judged(opened.pieces, origin):
            days.update(part.good["gaming_day"].unique())
            days.update(set(part.bad["gaming_day"].unique()) - {landed})
    except (UnreadableFile, BadInput):
        return [landed]
    return sorted(days) or [landed]
