"""Publishing to Graphite: days of gold that it was not sent as they are now, and what is live."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lakehouse.errors import BadInput
from lakehouse.ingest.streams.transport import folder as topics_folder
from lakehouse.private_files import entered, put
from lakehouse.serve.publish.graphite.series import SERIES, Series, points
from lakehouse.serve.publish.graphite.spool import Spool
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake

SENT = "sent.json"
DAYS_AT_ONCE = 31
View = Callable[[Mapping[str, str]], pl.DataFrame]
"""Parameters of a live view → its rows."""


@dataclass(frozen=True)
class Sent:
    """What went out of one table."""

    stem: str
    days: int
    points: int


def place(settings: Settings) -> Path:
    """Folder where points wait."""
    if settings.graphite.spool is not None:
        return settings.graphite.spool.expanduser()
    topics = topics_folder(settings)
    return topics.with_name(f"{topics.name.removesuffix('.topics')}.graphite")


def spool_of(settings: Settings) -> Spool:
    """Raises BadInput where no server is named."""
    if settings.graphite.server is None:
        raise BadInput("name the server in LAKEHOUSE_GRAPHITE__SERVER, as host or host:port")
    return Spool(place(settings), settings.graphite)


def chosen(settings: Settings, stems: Sequence[str] | None) -> list[Series]:
    """Series of tables that the lake has, or those named. Raises BadInput for an unknown name."""
    found = [s for s in SERIES if s.table and settings.has(s.table)]
    unknown = [stem for stem in stems or () if stem not in {s.stem for s in found}]
    if unknown:
        known = ", ".join(s.stem for s in found)
        raise BadInput(f"no series {unknown[0]!r} of a table; there are: {known}")
    return [s for s in found if not stems or s.stem in stems]


def publish(
    lake: Lake,
    settings: Settings,
    spool: Spool,
    series: Sequence[Series],
    *,
    days: Days | None = None,
    again: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Sent]:
    """Sends the days that changed since they were sent; `again`: all. A day is noted once its
    points are in the spool, from which they go out.

    Raises LakehouseError where the server does not take them; they wait then."""
    noted, done = _Noted(settings), []
    for one in series:
        held = lake.tokens("gold", one.table, of_files=True)
        known = {} if again else noted.of(one.stem)
        changed = sorted(
            d
            for d, token in held.items()
            if known.get(d) != token and (days is None or days[0] <= d <= days[1])
        )
        sent = 0
        for some in _portions(changed):
            sent += _spooled(lake, settings, spool, one, some)
            noted.add(one.stem, {d: held[d] for d in some})
            spool.drain()
        done.append(Sent(one.stem, len(changed), sent))
        said = f"{len(changed)} days, {sent:,} points" if changed else "nothing new"
        tell(f"{one.stem}: {said}")
    spool.drain()
    return done


def _spooled(
    lake: Lake, settings: Settings, spool: Spool, series: Series, days: Sequence[dt.date]
) -> int:
    rows = lake.scan("gold", series.table, days=(days[0], days[-1]))
    mine = series.prepare(rows.filter(pl.col("gaming_day").is_in(days)), settings.timezone)
    named = {"prefix": settings.graphite.prefix, "timezone": settings.timezone}
    found = points(mine, series, **named)
    spool.add(found)
    return found.height


def _portions(days: Sequence[dt.date]) -> Iterator[Sequence[dt.date]]:
    for at in range(0, len(days), DAYS_AT_ONCE):
        yield days[at : at + DAYS_AT_ONCE]


class Live:
    """What live views show, sent as it changes. A restart sends the newest windows again."""

    def __init__(self, settings: Settings, views: Mapping[str, View]) -> None:
        self._settings = settings
        self._series = [(s, views[s.view]) for s in SERIES if s.view in views]
        self._known: dict[str, pl.DataFrame] = {}

    def changed(self) -> pl.DataFrame:
        """Points that are new or other than those of the look before."""
        return pl.concat([self._changed(s, view) for s, view in self._series])

    def _changed(self, series: Series, view: View) -> pl.DataFrame:
        zone, prefix = self._settings.timezone, self._settings.graphite.prefix
        rows = series.prepare_live(view(series.params).lazy(), zone)
        found = points(rows, series, prefix=prefix, timezone=zone)
        before = self._known.get(series.stem, found.clear())
        self._known[series.stem] = found
        return found.join(before, on=["name", "value", "at"], how="anti")


class _Noted:
    """Which state of which day a server was sent; in a file beside the spool."""

    def __init__(self, settings: Settings) -> None:
        self._folder = place(settings).absolute()
        host, port = settings.graphite.address
        self._server = f"{host}:{port}/{settings.graphite.prefix}"

    def of(self, stem: str) -> dict[dt.date, str]:
        mine = self._read().get(self._server, {}).get(stem, {})
        return {dt.date.fromisoformat(d): token for d, token in mine.items()}

    def add(self, stem: str, days: Mapping[dt.date, str]) -> None:
        every = self._read()
        mine = every.setdefault(self._server, {}).setdefault(stem, {})
        mine.update({str(d): token for d, token in days.items()})
        with entered(self._folder) as folder:
            put(folder, SENT, json.dumps(every).encode())

    def _read(self) -> dict[str, dict[str, dict[str, str]]]:
        try:
            found: dict[str, dict[str, dict[str, str]]] = json.loads(
                (self._folder / SENT).read_text("utf-8")
            )
        except FileNotFoundError:
            return {}
        return found
