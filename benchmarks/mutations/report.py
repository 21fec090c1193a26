"""The table of defects, what must fail of each and what did."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.mutations.declared import every_mutation
from benchmarks.mutations.judged import Trial
from benchmarks.mutations.landing import landing_mutations, landing_settings
from lakehouse.settings import DOMAINS, Settings

Line = tuple[str, str, tuple[str, ...], tuple[str, ...]]
"""Defect, table as layer/name, checks that must fail, checks that did."""
_HEAD = ["| defect | in | must fail | failed |", "|---|---|---|---|"]


def tried(trials: Iterable[Trial]) -> list[Line]:
    return [
        (one.defect, one.home, one.fails, tuple(trial.of(slot, one)))
        for trial in trials
        for slot in trial.slots
        for one in slot.mutations
    ]


def declared(settings: Settings) -> list[Line]:
    """As `tried` where exactly what must fail does."""
    return [(m.defect, m.home, m.fails, m.fails) for m in every_mutation(settings)]


def landed() -> list[Line]:
    with tempfile.TemporaryDirectory() as name:
        every = list(landing_mutations(landing_settings(Path(name), domains=DOMAINS)))
    return [(m.defect, f"landing/{m.table}", tuple(m.fails), tuple(m.fails)) for m in every]


def table(lines: Sequence[Line]) -> str:
    """Defects that are planted alike in many tables are one line."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for defect, home, must, did in sorted([*lines, *landed()]):
        cells = (defect, _checks(must, home), _checks(did, home))
        rows.setdefault(cells, []).append(home)
    body = [
        f"| {defect} | {_tables(homes)} | {must} | {did} |"
        for (defect, must, did), homes in rows.items()
    ]
    return "\n".join([*_HEAD, *body])


def _tables(homes: list[str]) -> str:
    by_layer: dict[str, list[str]] = {}
    for home in homes:
        layer, _, name = home.partition("/")
        by_layer.setdefault(layer, []).append(name)
    return "; ".join(f"{layer}: {', '.join(names)}" for layer, names in by_layer.items())


def _checks(addresses: Iterable[str], home: str) -> str:
    """A check of the damaged table by its name, any other with its table."""
    name = home.partition("/")[2]
    said = []
    for address in sorted(addresses):
        place, _, check = address.partition(":")
        at, _, on = place.partition("/")
        if place == home:
            said.append(f"`{check}`")
        elif on == name:
            said.append(f"`{check}` of {at}")
        else:
            said.append(f"`{check}` of {at}.{on}")
    return ", ".join(sorted(said))
