"""One export: what is to go in a span of days, joined to the vault, and the record of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

import polars as pl

from lakehouse.compliance import access_log, review_cases
from lakehouse.compliance.filing import batch as batches
from lakehouse.compliance.filing.due import ctr_filings, sar_filings
from lakehouse.compliance.filing.filer import FilerSettings, require_real
from lakehouse.compliance.filing.identity import Vault, open_vault
from lakehouse.compliance.filing.records import CtrFiling, Form, SarFiling, facts
from lakehouse.compliance.filing.status import status
from lakehouse.contracts import contract
from lakehouse.errors import BadInput, LakehouseError
from lakehouse.regulation.gaming_day import local_date

if TYPE_CHECKING:
    from lakehouse.storage import Days, Lake

Filing = TypeVar("Filing", CtrFiling, SarFiling)

FORMS: tuple[Form, ...] = ("CTR", "SAR")


@dataclass(frozen=True)
class Request:
    """Who asks for which forms of which gaming days, when, and how."""

    form: Form
    days: Days
    who: str
    at: dt.datetime
    timezone: str
    production: bool = False
    again: bool = False
    """Also those that were sent and not yet answered."""
    amend: bool = False
    """Also those that FinCEN accepted with other facts than the rows now give."""
    skip_blocked: bool = False


@dataclass(frozen=True)
class Export:
    """A batch that is ready to be written, and what stayed behind."""

    batch: batches.BatchFile
    blocked: tuple[batches.Blocked, ...]
    sent_before: int
    unknown: tuple[batches.Blocked, ...] = ()
    """What SARs of the batch mark as unknown of their subjects."""


def prepare(lake: Lake, filer: FilerSettings, request: Request) -> Export:
    """The batch of a request. Writes the access to the log, reads the vault, changes no table.

    Raises BadInput where nothing is to go or a production batch has no real filer, and
    LakehouseError where a filing is blocked, unless blocked ones are to be left out.
    """
    if request.production:
        require_real(filer)
    days = f"{request.days[0]} to {request.days[1]}"
    access_log.record(
        lake, request.who, f"FinCEN {request.form} export", f"filings of {days}", request.at
    )
    filed_on = local_date(request.at, request.timezone)
    if request.form == "CTR":
        rows = lake.scan("gold", "ctr_filings", days=request.days).collect()
        ctrs = _ready(lake, ctr_filings(rows), request)
        batch = batches.ctr_batch(ctrs.filings, ctrs.vault, filer, filed_on=filed_on)
        return Export(batch, ctrs.blocked, ctrs.sent_before)
    sars = _ready(lake, _decided(lake, request), request)
    batch = batches.sar_batch(sars.filings, sars.vault, filer, filed_on=filed_on)
    unknown = tuple(batches.unknown(sars.filings, sars.vault))
    return Export(batch, sars.blocked, sars.sent_before, unknown)


def record(lake: Lake, export: Export, request: Request) -> pl.DataFrame:
    """Notes the batch's contents (contract `filing_exports`), once for the same file."""
    from lakehouse.storage import Commit

    batch = export.batch
    rows = _rows(batch, request)
    known = lake.scan("restricted", "filing_exports").collect()
    if batch.batch_id not in known["batch_id"]:
        commit = Commit(batch.batch_id, "restricted/filing_exports", "1")
        transaction = (f"filing_exports:{batch.batch_id}", 1)
        lake.append(
            "restricted", "filing_exports", rows, commit=commit, app_transaction=transaction
        )
    return rows


def standing(lake: Lake, as_of: dt.datetime, timezone: str) -> pl.DataFrame:
    """Where each filing stands with FinCEN at a moment (`status.status`)."""
    exports = lake.scan("restricted", "filing_exports").collect()
    answers = lake.scan("restricted", "filing_acknowledgements").collect()
    return status(exports, answers, as_of, timezone)


def overview(lake: Lake, request: Request) -> pl.DataFrame:
    """Each filing of the days asked for, by due date, with where it stands: filing_id,
    player_id, gaming_day, amount (USD), due, status {Not exported, …}, is_production, filed_on,
    bsa_id. A look at SARs is written to the access log first."""
    now = standing(lake, request.at, request.timezone).drop("batch_id", "facts")
    ours = now.filter(pl.col("form") == request.form).drop("form")
    if request.form == "CTR":
        rows = lake.scan("gold", "ctr_filings", days=request.days).with_columns(
            amount=(pl.col("cash_in").fill_null(0) + pl.col("cash_out").fill_null(0))
        )
    else:
        access_log.record(lake, request.who, "SAR filing status", "filings list", request.at)
        worked = worked_cases(lake, request.at, request.timezone).lazy()
        to_file = pl.col("state").is_in(["to_file", "filed"])
        inside = pl.col("gaming_day").is_between(*request.days)
        rows = worked.filter(to_file & inside).rename({"case_id": "filing_id"})
    named = ("filing_id", "player_id", "gaming_day", "amount", "due")
    return (
        rows.select(named)
        .collect()
        .join(ours, on="filing_id", how="left")
        .with_columns(pl.col("status").fill_null("Not exported"))
        .sort("due", "filing_id")
    )


def worked_cases(lake: Lake, as_of: dt.datetime, timezone: str) -> pl.DataFrame:
    """Every review case with its state and clock at a moment (`review_cases.worklist`)."""
    return review_cases.worklist(
        lake.scan("restricted", "sar_cases").collect(),
        review_cases.read(lake),
        standing(lake, as_of, timezone),
        as_of=as_of,
        today=local_date(as_of, timezone),
    )


def _decided(lake: Lake, request: Request) -> list[SarFiling]:
    """Cases decided for filing whose surviving case was detected in the days asked for."""
    worked = worked_cases(lake, request.at, request.timezone)
    inside = worked.filter(pl.col("gaming_day").is_between(*request.days))["case_id"]
    return [f for f in sar_filings(worked) if f.filing_id in inside]


@dataclass(frozen=True)
class _Ready(Generic[Filing]):
    filings: list[Filing]
    vault: Vault
    blocked: tuple[batches.Blocked, ...]
    sent_before: int


def _ready(lake: Lake, filings: list[Filing], request: Request) -> _Ready[Filing]:
    """What was not sent before and is not blocked. A test forgets what was sent."""
    waiting = _unsent(lake, filings, request) if request.production else filings
    before = len(filings) - len(waiting)
    if not waiting:
        raise BadInput(
            f"no {request.form} to export for {request.days[0]} to {request.days[1]}"
            + (f": {before} were sent before" if before else "")
        )
    vault = open_vault(lake.scan("restricted", "identity_vault"), _players(waiting))
    held = batches.blocked(waiting, vault, reviewed=request.production)
    names = {b.filing_id for b in held}
    ready = [f for f in waiting if f.filing_id not in names]
    if held and not (request.skip_blocked and ready):
        raise LakehouseError(batches.complaint(held, len(waiting), request.form))
    return _Ready(ready, vault, tuple(held), before)


def _unsent(lake: Lake, filings: list[Filing], request: Request) -> list[Filing]:
    """Filings never sent or rejected; with `again` those not yet answered; with `amend` those
    accepted whose facts have changed, each as a correction of the accepted one."""
    ours = pl.col("is_production") & (pl.col("form") == request.form)
    now = standing(lake, request.at, request.timezone).filter(ours)
    stands = {r["filing_id"]: r for r in now.iter_rows(named=True)}
    found = []
    for filing in filings:
        sent = stands.get(filing.filing_id)
        if sent is None or sent["status"] == "Rejected":
            found.append(filing)
        elif sent["status"] == "Exported":
            found += [filing] if request.again else []
        elif request.amend and sent["facts"] != facts(filing):
            found.append(replace(filing, corrects_bsa_id=sent["bsa_id"]))
    return found


def _players(filings: Sequence[CtrFiling] | Sequence[SarFiling]) -> set[str]:
    return {p for f in filings for p in f.player_ids if p is not None}


def _rows(batch: batches.BatchFile, request: Request) -> pl.DataFrame:
    schema = contract("filing_exports").bronze_schema()
    contents = zip(batch.filing_ids, batch.amounts, batch.facts, strict=True)
    written = (batch.form, request.at.astimezone(dt.UTC), request.who, request.production)
    rows = [
        [batch.batch_id, position, written[0], filing_id, *written[1:], amount, said]
        for position, (filing_id, amount, said) in enumerate(contents, start=1)
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")
