"""Files all of whose rows are stored: what their coming does to others, and their end in the
ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lakehouse.contracts import contract, is_closed
from lakehouse.ingest.files.clashes import Turn, carry_out, plan
from lakehouse.ingest.files.ledger import Entry, batch_prefix, days_from, read_ledger, record_all
from lakehouse.ingest.files.storing import FACTS, GONE, commit_of
from lakehouse.ingest.files.supersede import CLASH, newcomers
from lakehouse.ingest.files.zone import LandedFile
from lakehouse.storage import Lake


@dataclass(frozen=True)
class Stored:
    """A file whose rows are all stored; `facts` as the ledger has them, and `is_noted` if it does
    already."""

    file: LandedFile
    file_id: str
    facts: dict[str, Any]
    as_of: dt.datetime
    is_noted: bool = False

    def entry(self, state: str, facts: dict[str, Any]) -> Entry:
        once = str(facts["attempt"])
        return Entry(state, self.file_id, self.file, self.as_of, facts, once)


@dataclass(frozen=True)
class Ended:
    """A file that is in the lake: what the ledger says of it, and the gaming days on which it
    changed bronze, those of rows of other files among them."""

    file: LandedFile
    facts: dict[str, Any]
    days: set[dt.date]


def finish(lake: Lake, files: Sequence[Stored]) -> list[Ended]:
    """Removes what stored files of one table replace, sets aside what clashes, and ends them in
    the ledger. It needs no look at the files. They count as if each had come alone, in the order
    of their arrival."""
    c, ledger = contract(files[0].file.table), read_ledger(lake)
    come = newcomers(c, [f.file_id for f in files], ledger)
    if come.has_snapshots and len(files) > 1:
        return [ended for file in files for ended in finish(lake, [file])]
    said = plan(lake, come)
    turns = [said.turns[batch_prefix(f.file_id)] for f in files]
    facts = [
        f.facts if f.is_noted else _with_gone(f.facts, t) for f, t in zip(files, turns, strict=True)
    ]
    new = [f.entry("stored", told) for f, told in zip(files, facts, strict=True) if not f.is_noted]
    if any(e.facts[n] for e in new for n in GONE):
        record_all(lake, new)
    carry_out(lake, said, commit_of(files[0].file_id, c.name))
    ended = []
    for file, told, turn in zip(files, facts, turns, strict=True):
        days = {*days_from(told["gaming_days"]), *ledger.earlier_days(file.file_id, file.file)}
        reasons = (
            file.facts.get("reason", ""),
            _unwanted(told["left_out_rows"], c.name),
            _in_words(turn, c.name),
        )
        reason = {"reason": "; ".join(r for r in reasons if r)}
        ended.append(Ended(file.file, {n: told[n] for n in FACTS} | reason, days | turn.days))
    record_all(lake, [f.entry("ingested", e.facts) for f, e in zip(files, ended, strict=True)])
    return ended


def _with_gone(facts: dict[str, Any], turn: Turn) -> dict[str, Any]:
    counts = zip(GONE, (turn.replaced, turn.healed), strict=True)
    return facts | {n: facts[n] + count for n, count in counts}


def _unwanted(rows: int | None, table: str) -> str:
    if not rows:
        return ""
    return "left out by where: " + ("some rows" if is_closed(table) else f"{rows:,}")


def _in_words(turn: Turn, table: str) -> str:
    """Of tables that may hold restricted rows without a number."""
    if not turn.others:
        return ""
    first, more = turn.others[:3], len(turn.others) - 3
    files = ", ".join(first) + (f" and {more} more" if more > 0 else "")
    keys = "keys" if is_closed(table) else f"{turn.shared} of its keys"
    return (
        f"{keys} came in {files} too; where their contents differ, all are in quarantine as "
        f"{CLASH}; prefix or on_same_key in the mapping tells them apart or says which counts"
    )
