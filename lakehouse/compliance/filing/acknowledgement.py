"""FinCEN's acknowledgement of a batch: which filing was accepted, under what number."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from lakehouse.compliance.filing.batch import read_xml
from lakehouse.contracts import contract
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from lxml.etree import _Element

    from lakehouse.storage import Lake

TABLE, TABLE_OF_EXPORTS = "filing_acknowledgements", "filing_exports"
REFUSING_LEVELS = ("ERROR", "FATAL")


@dataclass(frozen=True)
class Answer:
    """What FinCEN said of one filing, in the order of the batch."""

    bsa_id: str | None
    messages: tuple[str, ...]
    refused: bool

    @property
    def said(self) -> str:
        if self.refused or self.bsa_id is None:
            return "Rejected"
        return "Accepted with warnings" if self.messages else "Accepted"


REFUSED = Answer(None, ("FinCEN refused the whole batch",), refused=True)


def take_in(lake: Lake, content: bytes, batch_id: str | None, at: dt.datetime) -> pl.DataFrame:
    """Reads an acknowledgement and notes the answer to each filing of its batch (contract
    `filing_acknowledgements`), once for the same file. Raises BadInput as `read` and `match`."""
    from lakehouse.storage import Commit

    answers = read(content)
    batch = match(answers, lake.scan("restricted", TABLE_OF_EXPORTS).collect(), batch_id)
    noted = rows(answers or [REFUSED] * batch.height, batch, at)
    file_id = hashlib.sha256(content).hexdigest()[:16]
    lake.append(
        "restricted",
        TABLE,
        noted,
        commit=Commit(file_id, f"restricted/{TABLE}", "1"),
        app_transaction=(f"{TABLE}:{noted['batch_id'][0]}:{file_id}", 1),
    )
    return noted


def read(content: bytes) -> list[Answer]:
    """The answers of an acknowledgement file, in the batch's order; none where FinCEN refused
    the file as a whole. Raises BadInput for a file that is no acknowledgement.
    """
    from lxml import etree

    try:
        root = read_xml(content)
    except etree.XMLSyntaxError as error:
        raise BadInput(f"the acknowledgement is not XML: {error.msg}") from error
    submissions = root.findall("{*}EFilingSubmissionXML")
    if _name(root) != "EFilingBatchXML" or not submissions:
        raise BadInput(
            f"the acknowledgement has the root {_name(root)!r} and {len(submissions)} "
            "submissions; expected EFilingBatchXML with EFilingSubmissionXML"
        )
    activities = [a for s in submissions for a in s.findall("{*}EFilingActivityXML")]
    rejected = any(e.get("StatusCode") == "R" for e in (root, *submissions))
    if not activities and not rejected:
        raise BadInput("the acknowledgement neither answers a filing nor refuses the batch")
    return [_answer(activity, batch_rejected=rejected) for activity in activities]


def _answer(activity: _Element, *, batch_rejected: bool) -> Answer:
    errors = [e for e in activity.findall("{*}EFilingActivityErrorXML") if len(e)]
    levels = [_text(e, "ErrorLevelText") or "" for e in errors]
    refused = batch_rejected or any(level.upper() in REFUSING_LEVELS for level in levels)
    return Answer(_text(activity, "BSAID"), tuple(_message(e) for e in errors), refused)


def _message(error: _Element) -> str:
    parts = ("ErrorLevelText", "ErrorTypeCode", "ErrorElementNameText", "ErrorText")
    return " ".join(filter(None, (_text(error, p) for p in parts)))


def _text(node: _Element, child: str) -> str | None:
    return (node.findtext(f"{{*}}{child}") or "").strip() or None


def _name(node: _Element) -> str:
    return str(node.tag).rpartition("}")[2]


def match(answers: list[Answer], exports: pl.DataFrame, batch_id: str | None) -> pl.DataFrame:
    """The exported rows of the batch that an acknowledgement answers, in their order.

    Without `batch_id`, the one batch with as many filings. Raises BadInput where that is none
    or more than one, or where the counts differ: answers are known by their position alone.
    """
    counts = exports.group_by("batch_id").len()
    if answers:
        counts = counts.filter(pl.col("len") == len(answers))
    found = sorted(counts["batch_id"])
    size = f"{len(answers)} filings" if answers else "any filing"
    if batch_id is None and len(found) != 1:
        listed = f": {', '.join(found)}" if found else ""
        raise BadInput(f"{len(found)} exported batches have {size}; name one with --batch{listed}")
    if batch_id is not None and batch_id not in found:
        raise BadInput(f"no exported batch {batch_id!r} with {size}")
    return exports.filter(pl.col("batch_id") == (batch_id or found[0])).sort("position")


def rows(answers: list[Answer], batch: pl.DataFrame, at: dt.datetime) -> pl.DataFrame:
    """Rows for the contract `filing_acknowledgements`."""
    schema = contract("filing_acknowledgements").bronze_schema()
    return batch.select(
        "batch_id",
        "filing_id",
        "form",
        pl.Series("answer", [a.said for a in answers], pl.String),
        pl.Series("bsa_id", [a.bsa_id for a in answers], pl.String),
        pl.Series("messages", [list(a.messages) for a in answers], pl.List(pl.String)),
        pl.lit(at.astimezone(dt.UTC)).cast(schema["acknowledged_at"]).alias("acknowledged_at"),
    )
