"""Dirt that only text can hold: values of a wrong type, times in mixed forms, lines that are told
twice or in another order. A line has one defect at most, and the truth says where it ends."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from lakehouse.contracts import contract
from lakehouse.simulate.faults.cells import KINDS, Cell, Struck
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import U64, below, draw, key, uniform
from lakehouse.simulate.kernel.places import ABROAD
from lakehouse.simulate.kernel.producers import producers

DOMAINS = ("online", "platform", "shop")
TRUTH = pl.Schema({"line": pl.Int64, "defect": pl.String, "column": pl.String, "fate": pl.String})
"""Of each struck line its number in the file, from 1; `column` is empty where the line as a whole
is struck; `fate` is the layer in which it ends."""
AGAIN, MOVED = "retransmit", "out_of_order"
UNPLACED = "time_of_unknown_zone"
"""A local time of a country with several clocks, in a file that names no zone."""
RATES = {
    "time_with_offset": 0.05,
    "time_in_utc": 0.05,
    "time_without_zone": 0.05,
    "time_epoch_s": 0.03,
    "time_epoch_ms": 0.03,
    "missing_time": 0.005,
    "unreadable_time": 0.005,
    "wrong_type": 0.01,
    "number_as_text": 0.01,
    "negative_amount": 0.01,
    "missing_value": 0.01,
    AGAIN: 0.005,
    MOVED: 0.02,
}
_UNTIMED = 0.05
"""Rate of missing times, where the source sends rows without."""
_FATES = dict.fromkeys(
    ("missing_time", "unreadable_time", "wrong_type", "negative_amount", "missing_value"),
    "quarantine",
)
_FATES |= {UNPLACED: "quarantine", AGAIN: "duplicates"}
_FURTHEST = 20
"""Lines that a line is moved by, at the most."""
_VALUE = r'^("(?:[^"\\]|\\.)*"|[^,}\]]+)'


def can_be_dirty(table: str) -> bool:
    """Whether lines of a table may be struck: it holds events of the online domains."""
    known = contract(table)
    return known.domain in DOMAINS and known.event_time is not None


@dataclass
class Dirt:
    """Spoils the lines of one file as they come, piece by piece."""

    config: WorldConfig
    table: str
    is_csv: bool
    columns: Sequence[str]
    """Those of the file."""
    _rows: int = field(default=0, init=False)
    _lines: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._lines = int(self.is_csv)

    def spoil(self, rows: pl.DataFrame, text: bytes) -> tuple[bytes, pl.DataFrame]:
        """Bronze rows and the lines that they would be → the lines as they are, and the truth."""
        lines = text.decode().splitlines(keepends=True)
        h = draw(key(self.config.seed, f"lines:{self.table}"), self._rows + np.arange(len(lines)))
        self._rows += len(lines)
        kinds = self._kinds(rows, h)
        columns = np.where(kinds == UNPLACED, str(contract(self.table).event_time), "").tolist()
        for kind, strike in KINDS.items():
            at = np.flatnonzero(kinds == kind)
            struck = Struck(
                self.table, rows[at], draw(1, h[at]), self.columns, self.config.timezone
            )
            for i, cell in zip(at.tolist(), strike(struck), strict=True):
                if cell is None:
                    kinds[i] = ""
                else:
                    lines[i], columns[i] = self._edited(lines[i], cell), cell.column
        return self._placed(lines, kinds, columns, draw(2, h))

    def _kinds(self, rows: pl.DataFrame, h: U64) -> np.ndarray:
        """The defect of each line, or nothing."""
        rates = dict(RATES)
        if producers()[self.table].untimed:
            rates["missing_time"] = _UNTIMED
        nth = np.searchsorted(np.cumsum(list(rates.values())), uniform(h), side="right")
        kinds = np.array([*rates, ""], dtype=object)[nth]
        if "time_zone" in rows.columns and "time_zone" not in self.columns:
            known = rows["country"].is_in({place[3] for place in ABROAD}).fill_null(value=False)
            kinds[~known.to_numpy()] = UNPLACED
        return kinds

    def _edited(self, line: str, cell: Cell) -> str:
        second = contract(self.table).second_names
        names = [cell.column, *(n for n, c in second if c == cell.column)]
        if self.is_csv:
            [cells] = csv.reader([line])
            for name in names:
                cells[self.columns.index(name)] = cell.text or ""
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerow(cells)
            return out.getvalue()
        token = str(cell.text) if cell.is_number else json.dumps(cell.text)
        for name in names:
            before, named, after = line.partition(f'"{name}":')
            line = before + named + token + re.sub(_VALUE, "", after, count=1)
        return line

    def _placed(
        self, lines: list[str], kinds: np.ndarray, columns: list[str], h: U64
    ) -> tuple[bytes, pl.DataFrame]:
        """Moved lines and second ones come up to `_FURTHEST` lines later."""
        again, moved = np.flatnonzero(kinds == AGAIN), kinds == MOVED
        first = np.arange(len(lines))
        late = first + 1 + below(h, _FURTHEST)
        order = np.argsort(
            np.concatenate([np.where(moved, late, first), late[again]]), kind="stable"
        )
        source = np.concatenate([first, again])[order]
        is_second = order >= len(lines)
        told = np.where(is_second | (kinds[source] != AGAIN), kinds[source], "")
        start = self._lines
        self._lines += len(order)
        truth = self._truth(start + 1, told, [columns[k] for k in source])
        return "".join(lines[k] for k in source).encode(), truth

    def _truth(self, first: int, told: np.ndarray, columns: list[str]) -> pl.DataFrame:
        rows = [
            (first + k, kind, column, _FATES.get(kind, "silver"))
            for k, (kind, column) in enumerate(zip(told.tolist(), columns, strict=True))
            if kind
        ]
        return pl.DataFrame(rows, schema=TRUTH, orient="row")
