"""Casework: decisions that only append, and the state of each case that follows from them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from lakehouse.compliance import access_log
from lakehouse.contracts import contract
from lakehouse.contracts.compliance.review_cases import DECISIONS
from lakehouse.errors import BadInput
from lakehouse.regulation.law import Law, Period

if TYPE_CHECKING:
    from lakehouse.storage import Lake

STATES = {
    "assign": "open",
    "escalate": "escalated",
    "file": "to_file",
    "no_file": "no_file",
    "merge": "merged",
}
ALL_STATES = (*STATES.values(), "filed")
CLOSED = ("no_file", "merged", "filed")
LISTED = (
    "case_id", "state", "assignee", "typology", "player_id", "amount", "detected_on", "due",
    "days_left", "is_overdue",
)  # fmt: skip
"""Columns of a worklist that lists show."""
TABLE = "case_decisions"
LOG = contract(TABLE).bronze_schema()


def decision(
    case_id: str,
    kind: str,
    *,
    who: str,
    at: dt.datetime,
    reason: str | None = None,
    assignee: str | None = None,
    merged_into: str | None = None,
    narrative: str | None = None,
) -> pl.DataFrame:
    """One row for the log (contract `case_decisions`).

    Raises BadInput for a decision that lacks what its kind needs.
    """
    needs = {"no_file": ("reason", reason), "merge": ("into", merged_into)}
    needs |= dict.fromkeys(("assign", "escalate"), ("to", assignee))
    if kind not in DECISIONS:
        raise BadInput(f"unknown decision {kind!r}; allowed: {', '.join(DECISIONS)}")
    if kind in needs and not (needs[kind][1] or "").strip():
        raise BadInput(f"decision {kind!r} on case {case_id!r} needs {needs[kind][0]!r}")
    if narrative is not None and (kind != "file" or not narrative.strip()):
        raise BadInput(f"decision {kind!r}: only file takes a narrative, and it says something")
    if not who.strip():
        raise BadInput(f"decision {kind!r} on case {case_id!r} does not say who decided")
    row = [case_id, kind, who, at.astimezone(dt.UTC), reason, assignee, merged_into, narrative]
    known_by = hashlib.sha256(repr(row).encode()).hexdigest()[:16]
    return pl.DataFrame([[known_by, *row]], schema=LOG, orient="row")


def note(
    lake: Lake, case: str, kind: str, *, who: str, purpose: str, at: dt.datetime,
    **given: str | None,
) -> str:  # fmt: skip
    """Appends a decision to the log, after the audit log has that it is being made; its id.

    `given` as `decision` takes it. Raises BadInput as `decision`, `decide` and the audit do.
    """
    row = decision(case, kind, who=who, at=at, **given)
    access_log.record(lake, who, purpose, f"decide {kind} on review case {case}", at)
    decide(lake, row, lake.scan("restricted", "sar_cases", columns=["case_id"]).collect())
    return str(row["decision_id"].item())


def decide(lake: Lake, row: pl.DataFrame, cases: pl.DataFrame) -> None:
    """Appends a decision to the log. Raises BadInput for one that is not lawful.

    Those who decide at the same time take turns: each is judged by all decisions before it.
    """
    from lakehouse.storage import append_in_turn

    def lawful(before: pl.DataFrame) -> tuple[str, pl.DataFrame]:
        require_lawful(row, cases, before)
        return row["decision_id"].item(), row

    append_in_turn(lake, "restricted", TABLE, lawful, log="the log of decisions")


def read(lake: Lake) -> pl.DataFrame:
    """The log, in the order of the decisions."""
    return lake.scan("restricted", TABLE).collect().sort("decided_at", "decision_id")


def states(decisions: pl.DataFrame, as_of: dt.datetime) -> pl.DataFrame:
    """One row per decided case: its state as of a moment, by the decisions made until then.

    Columns: case_id, state, assignee, merged_into, reason, decided_by, decided_at,
    reviewed_narrative. A case without a row is open. The last decision holds; an assignment
    does not change the state.
    """
    known = decisions.filter(pl.col("decided_at") <= as_of).sort("decided_at", "decision_id")
    substantial = pl.col("decision") != "assign"
    decided = known.filter(substantial).group_by("case_id", maintain_order=True).last()
    latest = decided.select(
        "case_id",
        pl.col("decision").replace_strict(STATES, return_dtype=pl.String).alias("state"),
        "merged_into",
        "reason",
        "decided_by",
        "decided_at",
        pl.col("narrative").alias("reviewed_narrative"),
    )
    return (
        known.group_by("case_id", maintain_order=True)
        .agg(pl.col("assignee").drop_nulls().last())
        .join(latest, on="case_id", how="left")
        .with_columns(pl.col("state").fill_null("open"))
        .select("case_id", "state", "assignee", *latest.columns[2:])
    )


def require_lawful(row: pl.DataFrame, cases: pl.DataFrame, decisions: pl.DataFrame) -> None:
    """Raises BadInput for a decision on a case that is unknown, merged or on its way to FinCEN,
    and for a merge into itself, into an unknown case or in a circle."""
    new = row.row(0, named=True)
    for case in filter(None, (new["case_id"], new["merged_into"])):
        if case not in cases["case_id"]:
            raise BadInput(f"unknown case {case!r}")
    latest = max([new["decided_at"], *decisions["decided_at"]])
    now = {s["case_id"]: s for s in states(decisions, latest).iter_rows(named=True)}
    state = now.get(new["case_id"], {}).get("state", "open")
    if state == "merged":
        raise BadInput(f"case {new['case_id']!r} goes on as {now[new['case_id']]['merged_into']!r}")
    if state == "to_file" and new["decision"] not in ("assign", "file"):
        raise BadInput(
            f"case {new['case_id']!r} is to be filed; only its assignee and narrative can change"
        )
    if new["decision"] == "merge":
        merged = {c: s["merged_into"] for c, s in now.items() if s["state"] == "merged"}
        if survivor(new["merged_into"], merged) == new["case_id"]:
            raise BadInput(f"case {new['case_id']!r} cannot be merged into itself")


def survivor(case: str, merged: Mapping[str, str]) -> str:
    """The case that a case goes on as, through any number of merges."""
    seen = {case}
    while (after := merged.get(case)) is not None and after not in seen:
        seen.add(after)
        case = after
    return case


def worklist(
    cases: pl.DataFrame, decisions: pl.DataFrame, filed: pl.DataFrame, *, as_of: dt.datetime,
    today: dt.date,
) -> pl.DataFrame:  # fmt: skip
    """Every case with its state and clock as of a moment, soonest due first.

    `cases` needs case_id, detected_on and due; `filed` is `filing.status.status`.
    Cases detected after `today` are left out. Adds state {open, escalated, to_file, filed,
    no_file, merged}, assignee, survivor, reason, decided_by, decided_at,
    reviewed_narrative, filed_on, bsa_id,
    days_left (to `today`) and is_overdue.
    A case into which others were merged is due when the first of them is: the clock runs from
    the initial detection (31 CFR 1021.320(b)(3)), and neither escalation nor a merge stops it.
    """
    now = states(decisions, as_of)
    merges = now.filter(pl.col("state") == "merged").select("case_id", "merged_into")
    merged: dict[str, str] = dict(merges.iter_rows())
    cases = cases.filter(pl.col("detected_on") <= today)
    roots = pl.Series("survivor", [survivor(c, merged) for c in cases["case_id"]], pl.String)
    sent = (pl.col("form") == "SAR") & pl.col("is_production")
    answered = filed.filter(sent).select(
        pl.col("filing_id").alias("case_id"), "status", "filed_on", "bsa_id"
    )
    return (
        cases.with_columns(roots)
        .with_columns(pl.col("detected_on", "due").min().over("survivor"))
        .join(now.drop("merged_into"), on="case_id", how="left")
        .join(answered, on="case_id", how="left")
        .with_columns(state=_state())
        .with_columns(days_left=_days_left(today))
        .with_columns(is_overdue=(pl.col("days_left") < 0).fill_null(value=False))
        .drop("status")
        .sort("days_left", "case_id", nulls_last=True)
    )


def _state() -> pl.Expr:
    accepted = pl.col("status").str.starts_with("Accepted").fill_null(value=False)
    return (
        pl.when(accepted).then(pl.lit("filed")).otherwise(pl.col("state").fill_null("open"))
    ).alias("state")


def _days_left(today: dt.date) -> pl.Expr:
    running = ~pl.col("state").is_in(CLOSED)
    return pl.when(running).then((pl.col("due") - pl.lit(today)).dt.total_days())


def adrift(cases: pl.DataFrame, decisions: pl.DataFrame) -> list[str]:
    """Decided cases that the law no longer derives, because late or mended rows changed them."""
    gone = decisions.join(cases, on="case_id", how="anti")
    return sorted(gone["case_id"].unique())


def calendar(worked: pl.DataFrame, law: Law, *, today: dt.date) -> pl.DataFrame:
    """Open duties that follow from a worklist, by due date: case_id, duty, due, assignee.

    decide: no decision yet; file: decided, not yet accepted by FinCEN; continuing: the last day
    to report activity that goes on after an accepted SAR, as long as it has not passed.
    """
    running = worked.filter(~pl.col("state").is_in(CLOSED)).select(
        "case_id",
        pl.when(pl.col("state") == "to_file")
        .then(pl.lit("file"))
        .otherwise(pl.lit("decide"))
        .alias("duty"),
        "due",
        "assignee",
    )
    term = law.dated("sar", _continuing, pl.col("filed_on"))
    goes_on = (
        worked.filter(pl.col("state") == "filed")
        .select(
            "case_id",
            pl.lit("continuing").alias("duty"),
            due=pl.col("filed_on") + pl.duration(days=term),
            assignee="assignee",
        )
        .filter(pl.col("due") >= today)
    )
    return pl.concat([running, goes_on]).sort("due", "case_id")


def _continuing(rule: Period) -> int | None:
    days: int | None = (rule.params or {}).get("due_days_continuing")
    return days
