"""Another try at rows in quarantine, from the landed text to silver."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.contracts import contracts, door_of, stored_as
from lakehouse.errors import BadInput
from lakehouse.ingest.files.rejects import Retried, rejects
from lakehouse.ingest.files.rejects import retry as retry_landed
from lakehouse.ingest.streams.rejected import retry_events
from lakehouse.pipeline.silver import refresh_silver
from lakehouse.regulation.gaming_day import ranges_of
from lakehouse.storage import Commit, Lake

if TYPE_CHECKING:
    from lakehouse.ingest.files.mapping import Mapping
    from lakehouse.settings import Settings
    from lakehouse.storage import Days


@dataclass(frozen=True)
class Healed:
    """A table's retry: what landed rows and events became, rows that silver rejected before and
    rejects now, and the gaming days whose silver is new."""

    landed: Retried
    events: Retried
    before: int
    after: int
    days: tuple[dt.date, ...]

    @property
    def ranges(self) -> list[Days]:
        """The days that gold is to follow."""
        return list(ranges_of(list(self.days)))

    def said(self) -> str:
        """In one line."""
        done, events = self.landed, self.events
        reread = done.reread + events.reread
        anew = f", {reread:,} that silver rejected were read anew" if reread else ""
        return (
            f"{done.table}: {done.healed + events.healed:,} of {done.tried + events.tried:,} "
            f"rejected rows went to bronze{anew}; "
            f"silver rejects {self.after:,} rows now, {self.before:,} before; "
            f"{len(self.days)} gaming days of silver are new"
        )


def source_table(name: str) -> str:
    """The name, if it is of a table with a quarantine. Raises BadInput."""
    known = contracts("source")
    if name not in known:
        raise BadInput(f"{name!r} has no quarantine; tables: {', '.join(sorted(known))}")
    return name


def retry(
    lake: Lake,
    settings: Settings,
    table: str,
    *,
    as_of: dt.datetime,
    rule: str | None = None,
    mapping: Mapping | None = None,
) -> Healed:
    """Reads rejected rows of a table again after a fix of the mapping or the contract, and makes
    the silver of their days anew. Raises BadInput for a table without a quarantine."""
    source_table(table)
    done = retry_landed(lake, settings, table, as_of=as_of, rule=rule, mapping=mapping)
    events = retry_events(lake, settings, table, rule=rule, mapping=mapping)
    silver = rejects(lake, tables=[table], rule=rule).filter(stage="silver")
    days = tuple(sorted({*done.days, *events.days, *silver["gaming_day"].to_list()}))
    before = _rejected(lake, table)
    for made in ranges_of(done.made):
        commit = Commit("quarantine retry", "silver/player_profile", "1")
        refresh_silver(lake, settings, "player_profile", made, commit)
    for (first, last), home in itertools.product(ranges_of(list(days)), stored_as(door_of(table))):
        commit = Commit("quarantine retry", f"silver/{home}", "1")
        refresh_silver(lake, settings, home, (first, last), commit)
    return Healed(done, events, before, _rejected(lake, table), days)


def _rejected(lake: Lake, table: str) -> int:
    return lake.scan("quarantine", table).filter(_stage="silver").collect().height
