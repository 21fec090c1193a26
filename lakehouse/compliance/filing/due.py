"""The filings that are to go: from the marts of the law and of suspicion to forms' records."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import polars as pl

from lakehouse.compliance.filing.records import (
    FOREIGN_IN,
    FOREIGN_OUT,
    CtrFiling,
    CtrLine,
    CtrPerson,
    SarFiling,
)

FOREIGN_CODES = {"in": FOREIGN_IN, "out": FOREIGN_OUT}


def ctr_filings(rows: pl.DataFrame) -> list[CtrFiling]:
    """One record per row of `ctr_filings`, by gaming day and id."""
    ordered = rows.sort("gaming_day", "filing_id")
    return [_ctr(row) for row in ordered.iter_rows(named=True)]


def _ctr(row: dict[str, Any]) -> CtrFiling:
    reportable = [d for d in ("in", "out") if row[f"cash_{d}"] is not None]
    return CtrFiling(
        filing_id=row["filing_id"],
        player_id=row["player_id"],
        gaming_day=row["gaming_day"],
        cash_in=row["cash_in"],
        cash_out=row["cash_out"],
        persons=tuple(_persons(row["parties"], reportable)),
        lines=tuple(_lines(row, reportable)),
        multiple_transactions=row["multiple_transactions"],
        aggregate=row["aggregate"],
    )


def _persons(parties: list[dict[str, Any]], reportable: list[str]) -> Iterable[CtrPerson]:
    for party in parties:
        cash = {d: party[f"cash_{d}"] if d in reportable else None for d in ("in", "out")}
        yield CtrPerson(party["player_id"], party["role"], cash["in"], cash["out"])


def _lines(row: dict[str, Any], reportable: list[str]) -> Iterable[CtrLine]:
    for detail in row["details"]:
        if detail["direction"] in reportable:
            yield CtrLine(detail["code"], detail["amount"])
    for money in row["foreign"]:
        if money["direction"] in reportable:
            code = FOREIGN_CODES[money["direction"]]
            yield CtrLine(code, money["amount"], money["country"] or "")


def sar_filings(worked: pl.DataFrame) -> list[SarFiling]:
    """One record per case that an officer decided to file, with the cases merged into it.

    `worked` is `lakehouse.compliance.review_cases.worklist` over `sar_cases`.
    """
    to_file = worked.filter(pl.col("state") == "to_file")["case_id"]
    groups: dict[str, list[dict[str, Any]]] = {case: [] for case in sorted(to_file)}
    ordered = worked.filter(pl.col("survivor").is_in(to_file.implode()))
    for case in ordered.sort("first_activity_on", "case_id").iter_rows(named=True):
        groups[case["survivor"]].append(case)
    return [_sar(root, group) for root, group in groups.items()]


def _sar(root: str, group: list[dict[str, Any]]) -> SarFiling:
    reviewed = next(c["reviewed_narrative"] for c in group if c["case_id"] == root)
    return SarFiling(
        filing_id=root,
        player_ids=tuple(dict.fromkeys(p for c in group for p in _subjects(c))),
        gaming_day=max(c["gaming_day"] for c in group),
        first_activity=min(c["first_activity_on"] for c in group),
        last_activity=max(c["last_activity_on"] for c in group),
        amount=_amount(group),
        subtypes=tuple(dict.fromkeys(s for c in group for s in c["subtypes"])),
        narrative=reviewed or " ".join(c["narrative"] for c in group),
        is_reviewed=reviewed is not None,
    )


def _subjects(case: dict[str, Any]) -> list[str]:
    return case["player_ids"] or [p for p in (case["player_id"],) if p is not None]


def _amount(group: list[dict[str, Any]]) -> int:
    """Whole dollars, rounded up. Of cases that rest on the same rows the largest counts, so
    that a dollar is reported once."""
    counted: set[tuple[object, ...]] = set()
    total = 0
    for case in sorted(group, key=lambda c: (-c["amount"], c["case_id"])):
        rows = {
            (row["source"], row["record_id"], row["at"])
            for row in case["evidence"]
            if row["source"] != "staff_observations"
        }
        if counted.isdisjoint(rows):
            total += math.ceil(case["amount"])
        counted |= rows
    return total
