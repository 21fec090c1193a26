"""`lakehouse filings`: forms for FinCEN out, its acknowledgements in."""

from __future__ import annotations

import dataclasses
import enum
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import opened, parse_day
from lakehouse.errors import BadInput
from lakehouse.outputs import check_output, replacing

if TYPE_CHECKING:
    import polars as pl

    from lakehouse.compliance.filing.export import Export, Request
    from lakehouse.settings import Settings
    from lakehouse.storage import Days, Lake

_HELP = {"help_option_names": ["-h", "--help"]}


class FormOption(enum.StrEnum):
    ctr = "ctr"
    sar = "sar"


Type = Annotated[FormOption, typer.Option("--type", help="Form.")]
DayFrom = Annotated[str, typer.Option("--from", help="First gaming day.")]
DayTo = Annotated[str, typer.Option("--to", help="Last gaming day.")]


def register(app: typer.Typer) -> None:
    filings = typer.Typer(
        help="Forms for FinCEN, and its answers.", no_args_is_help=True, context_settings=_HELP
    )
    filings.command("export")(export)
    filings.command("acknowledge")(acknowledge)
    filings.command("list")(list_)
    filings.command("identities")(identities)
    app.add_typer(filings, name="filings")


def export(
    type_: Type,
    first: DayFrom,
    last: DayTo,
    out: Annotated[Path, typer.Option("--out", help="File to write, mode 0600.")],
    xsd: Annotated[
        Path | None, typer.Option("--xsd", help="FinCEN's XML schema, or a folder with it.")
    ] = None,
    production: Annotated[
        bool, typer.Option("--production", help="To be sent; needs the real filer.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also those sent before and not yet answered.")
    ] = False,
    amend: Annotated[
        bool, typer.Option("--amend", help="Correct those accepted whose facts changed since.")
    ] = False,
    skip_blocked: Annotated[
        bool, typer.Option("--skip-blocked", help="Leave out what an incomplete identity holds.")
    ] = False,
) -> None:
    """Write FinCEN's batch XML of the CTRs of these days, or of the SARs decided for filing."""
    from lakehouse.compliance.filing import batch as batches
    from lakehouse.compliance.filing import export as exports

    check_output(out)
    settings, lake, asked = _asked(type_, first, last)
    request = dataclasses.replace(
        asked, production=production, again=again, amend=amend, skip_blocked=skip_blocked
    )
    made = exports.prepare(lake, settings.filer, request)
    if schema := xsd or settings.filer.schemas:
        named = schema / batches.SCHEMA_FILES[request.form] if schema.is_dir() else schema
        batches.validate(made.batch.content, named)
    _write(made.batch.content, out)
    exports.record(lake, made, request)
    _tell(made, out, production=production, validated=schema is not None)


def acknowledge(
    file: Annotated[Path, typer.Argument(help="FinCEN's acknowledgement.")],
    batch: Annotated[
        str | None, typer.Option("--batch", help="The batch it answers, where that is not plain.")
    ] = None,
) -> None:
    """Read an acknowledgement back in: it sets the status of each filing of its batch."""
    from lakehouse.commands import caller
    from lakehouse.compliance.filing import acknowledgement

    _, lake = opened()
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror or error}") from error
    rows = acknowledgement.take_in(lake, content, batch, caller.now())
    for answer, count in rows["answer"].value_counts(sort=True).iter_rows():
        print(f"{answer}: {count}", file=sys.stderr)  # noqa: T201
    _show(rows.select("batch_id", "filing_id", "answer", "bsa_id", "messages"))


def list_(
    type_: Type = FormOption.ctr,
    first: DayFrom = "1900-01-01",
    last: DayTo = "2999-12-31",
) -> None:
    """Where each filing stands: due, exported, accepted or rejected."""
    from lakehouse.compliance.filing import export as exports

    _, lake, request = _asked(type_, first, last)
    _show(exports.overview(lake, request))


def identities(
    file: Annotated[Path, typer.Argument(help="CSV with the columns of identity_vault.")],
) -> None:
    """Put captured identities into the vault, which exports join; all rows or none."""
    from lakehouse.commands import caller
    from lakehouse.compliance.filing import intake

    _, lake = opened()
    count = intake.take_in(lake, intake.read(file), who=caller.user(), at=caller.now())
    print(f"{count} identities taken into the vault", file=sys.stderr)  # noqa: T201


def _asked(type_: FormOption, first: str, last: str) -> tuple[Settings, Lake, Request]:
    """Who asks now for which forms; for SARs, with the zone's key where there is one."""
    from lakehouse.commands import caller
    from lakehouse.compliance.filing.export import Request
    from lakehouse.serve.sql.restricted import unlock_where_locked

    settings, lake = opened()
    request = Request(
        form="CTR" if type_ is FormOption.ctr else "SAR",
        days=_days(first, last),
        who=caller.user(),
        at=caller.now(),
        timezone=settings.timezone,
    )
    if type_ is FormOption.sar:
        unlock_where_locked(settings, lake)
    return settings, lake, request


def _days(first: str, last: str) -> Days:
    days = (parse_day(first, "--from"), parse_day(last, "--to"))
    if days[1] < days[0]:
        raise BadInput(f"--to {last} is before --from {first}")
    return days


def _write(content: bytes, out: Path) -> None:
    with replacing(out, private=True) as beside:
        beside.write_bytes(content)


def _tell(made: Export, out: Path, *, production: bool, validated: bool) -> None:
    batch = made.batch
    kind = "production" if production else "test"
    held = f"; {len(made.blocked)} blocked" if made.blocked else ""
    before = f"; {made.sent_before} sent before" if made.sent_before else ""
    checked = "valid against the schema" if validated else "not validated: name --xsd"
    marked = f"; {len(made.unknown)} with something unknown" if made.unknown else ""
    print(  # noqa: T201
        f"{kind} batch {batch.batch_id}: {len(batch.filing_ids)} {batch.form}s, "
        f"{sum(batch.amounts):,} USD, {checked}{held}{before}{marked} -> {out}",
        *made.blocked,
        *made.unknown,
        sep="\n  ",
        file=sys.stderr,
    )


def _show(frame: pl.DataFrame) -> None:
    from lakehouse.serve.reports.render import show

    show(frame)
