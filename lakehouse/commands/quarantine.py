"""`lakehouse quarantine`: what was rejected, why, and another try after a fix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import Purpose, Restricted, admitted, opened, parse_day, refuse_restricted
from lakehouse.commands.printing import Format, Shape, lines
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

    from lakehouse.storage import Days, Lake

_HELP = {"help_option_names": ["-h", "--help"]}


Rule = Annotated[str | None, typer.Option("--rule", help="Only rules that contain this.")]
DayFrom = Annotated[str | None, typer.Option("--from", help="First gaming day.")]
DayTo = Annotated[str | None, typer.Option("--to", help="Last gaming day.")]
Table = Annotated[str, typer.Argument(metavar="TABLE", help="Such as slot_telemetry.")]


def register(app: typer.Typer) -> None:
    quarantine = typer.Typer(
        help="See rejected rows by rule, source and day; retry them after a fix.",
        no_args_is_help=True,
        context_settings=_HELP,
    )
    quarantine.command("list")(list_)
    quarantine.command("show")(show)
    quarantine.command("retry")(retry)
    app.add_typer(quarantine, name="quarantine")


def list_(
    table: Annotated[list[str] | None, typer.Option("--table", "-t", help="Only this one.")] = None,
    rule: Rule = None,
    first: DayFrom = None,
    last: DayTo = None,
    shape: Shape = Format.table,
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """Count rejected rows by cause: table, and the rule that they broke."""
    from lakehouse.contracts import contracts
    from lakehouse.ingest.files.rejects import causes, rejects
    from lakehouse.quality.retrying import source_table

    _, lake = opened()
    named = [source_table(t) for t in table or ()]
    asked = " ".join(["quarantine list", *named])
    is_open = _opened_by(asked, named, restricted=restricted, purpose=purpose)
    every = [n for n, c in contracts("source").items() if is_open or not c.is_restricted]
    tables = named or every
    found = causes(rejects(lake, tables=tables, rule=rule, days=_days(first, last)))
    _print(_with_reasons(found, shape), shape)
    if found.height:
        typer.echo(
            "lakehouse describe --rule 'RULE' says what a rule demands; lakehouse quarantine show "
            "TABLE --rule 'RULE' shows its rows",
            err=True,
        )


def _with_reasons(found: pl.DataFrame, shape: Format) -> pl.DataFrame:
    import polars as pl

    from lakehouse.contracts import contract
    from lakehouse.quality.rule_words import in_words
    from lakehouse.texts import formatted

    pairs = found.select("table", "rule").iter_rows()
    because = pl.Series([in_words(contract(t), r) for t, r in pairs], dtype=pl.String)
    first, more = pl.col("sources").list.first(), pl.col("sources").list.len() - 1
    short = pl.when(more > 0).then(formatted("{} and {} more", first, more)).otherwise(first)
    told = found.with_columns(because=because)
    return told if shape is Format.json else told.with_columns(sources=short)


def show(
    table: Table,
    rule: Rule = None,
    first: DayFrom = None,
    last: DayTo = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Most rows to show.")] = 20,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            help="With the landed text, which may hold personal data; audited; needs the key.",
        ),
    ] = False,
    shape: Shape = Format.table,
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """Show rejected rows: why, with the offending value, file and line."""
    from lakehouse.contracts import contract
    from lakehouse.ingest.files.evidence import placed
    from lakehouse.ingest.files.rejects import rejected_rows
    from lakehouse.quality.retrying import source_table

    if raw and purpose is None:
        raise BadInput('--raw needs --purpose "…": it is audited')
    settings, lake = opened()
    days = _days(first, last)
    key = contract(source_table(table)).key
    asked = f"quarantine show {table}{' --raw' if raw else ''}"
    _opened_by(asked, [table], restricted=restricted or raw, purpose=purpose)
    named = ["gaming_day", *key, "_stage", "because", "value", "_rules", "_file", "_line"]
    if raw:
        named.append("_raw")
    rows = rejected_rows(lake, table, rule=rule, days=days)
    shown = placed(lake, settings, table, rows.head(limit))
    shown = shown.sort("gaming_day", "_file", "_line", nulls_last=True, maintain_order=True)
    found = _explained(lake, table, shown, openly=raw)
    _print(found.select(list(dict.fromkeys(named))), shape)
    if rows.height > limit:
        typer.echo(f"{limit} of {rows.height:,} rows; --limit shows more", err=True)


def _explained(lake: Lake, table: str, rows: pl.DataFrame, *, openly: bool) -> pl.DataFrame:
    """With why each row was rejected, in words, and the values that broke its rules."""
    import functools

    import polars as pl

    from lakehouse.contracts import contract
    from lakehouse.ingest.files.evidence import offending
    from lakehouse.quality.rule_words import columns_of, in_words

    c = contract(table)
    said = [
        "; ".join(in_words(c, rule) for rule in rules or ()) for rules in rows["_rules"].to_list()
    ]
    values = offending(lake, table, rows, functools.partial(columns_of, c), openly=openly)
    texts = {"because": said, "value": values}
    return rows.with_columns(pl.Series(n, v, dtype=pl.String) for n, v in texts.items())


def retry(
    table: Table,
    rule: Rule = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", "-m", help="TOML to read landed rows with.")
    ] = None,
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """Read rejected rows again after a fix of the mapping or the contract."""
    from lakehouse.commands.caller import now
    from lakehouse.contracts import door_of
    from lakehouse.ingest.files.mapping_files import load_mapping
    from lakehouse.quality.retrying import retry as try_again
    from lakehouse.quality.retrying import source_table

    settings, lake = opened()
    asked = f"quarantine retry {source_table(table)}"
    _opened_by(asked, [table], restricted=restricted, purpose=purpose)
    given = load_mapping(mapping, door_of(table)) if mapping else None
    done = try_again(lake, settings, table, as_of=now(), rule=rule, mapping=given)
    typer.echo(done.said(), err=True)
    for first, last in done.ranges:
        typer.echo(f"gold follows with: lakehouse run --from {first} --to {last}", err=True)


def _opened_by(asked: str, tables: list[str], *, restricted: bool, purpose: str | None) -> bool:
    """Whether restricted tables are open. Raises BadInput where one of `tables` needs it."""
    from lakehouse.contracts import contract

    if admitted(asked, restricted=restricted, purpose=purpose):
        return True
    for table in tables:
        if contract(table).is_restricted:
            refuse_restricted(f"quarantine of {table}")
    return False


def _days(first: str | None, last: str | None) -> Days | None:
    import datetime as dt

    if first is None and last is None:
        return None
    start = parse_day(first, "--from") if first else dt.date(1, 1, 1)
    end = parse_day(last, "--to") if last else dt.date(9999, 12, 31)
    return start, end


def _print(frame: pl.DataFrame, shape: Format) -> None:
    import polars as pl

    flat = frame.with_columns(
        pl.col(n).list.join(", ") for n, t in frame.schema.items() if isinstance(t, pl.List)
    )
    if shape is Format.csv:
        typer.echo(flat.write_csv(), nl=False)
    elif shape is Format.json:
        typer.echo(frame.write_json())
    else:
        lines(flat.columns, flat.iter_rows())
