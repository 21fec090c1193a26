"""`lakehouse land --dry-run`: what a file would become, tried in a lake of its own that is gone
afterwards."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lakehouse.commands.printing import lines
from lakehouse.errors import BadInput, LakehouseError

if TYPE_CHECKING:
    import polars as pl

    from lakehouse.ingest.files.run import IngestReport
    from lakehouse.settings import Settings
    from lakehouse.storage import Lake

FIRST_ROWS = 20


def dry_run(
    files: list[Path], table: str, mapping: Path | None, settings: Settings, lake: Lake
) -> None:
    """Prints the first rows before and after, rejects by reason, and gold of the day with most
    rows. Raises BadInput, and LakehouseError where a file would be rejected whole."""
    from lakehouse.commands.caller import now
    from lakehouse.contracts import is_closed

    if is_closed(table):
        raise BadInput(f"{table} may hold restricted rows, which a dry run would show; land it")
    as_of = now()
    mapping = mapping or _mapping_there(lake, table)
    with tempfile.TemporaryDirectory(prefix="lakehouse-dry-run-") as folder:
        there, trial = _lake_beside(settings, Path(folder))
        failed = _tried(files, table, mapping, (there, trial), as_of)
        if failed:
            raise LakehouseError(f"would not be taken in: {failed}")
        rows = trial.partitions("bronze", table)
        if rows.is_empty():
            typer.echo("no row would reach bronze, and so none gold")
            _tell_rejects(trial, table, files)
            return
        day = rows.sort("rows", "gaming_day", descending=[True, False])["gaming_day"][0]
        _fill(lake, trial, day)
        _fill_table(lake, trial, table, mapping, day)
        _tell_minimal(settings, trial)
        _derive(there, trial, day, as_of)
        _tell_rejects(trial, table, files)
        _tell_gold(trial, table, day)
    typer.echo("nothing was kept; without --dry-run the files are landed", err=True)


def _lake_beside(settings: Settings, folder: Path) -> tuple[Settings, Lake]:
    from lakehouse.storage import Lake

    own = {"root": str(folder / "lake"), "source": "landing", "sources": {}}
    keys = {"pii_key_file": None, "restricted_key_file": None}
    there = settings.model_copy(update={**own, **keys})
    return there, Lake.open(there)


def _mapping_there(lake: Lake, table: str) -> Path | None:
    """The mapping that the landing zone has for all files of a table."""
    from lakehouse.ingest.files.mapping_files import FOLDER_MAPPING
    from lakehouse.ingest.files.zone import landing_zone

    place = landing_zone(lake) / table / FOLDER_MAPPING
    return place if place.is_file() else None


def _tried(
    files: list[Path],
    table: str,
    mapping: Path | None,
    beside: tuple[Settings, Lake],
    as_of: dt.datetime,
) -> str:
    """Lands and takes in the files; why the first that cannot be, cannot."""
    from lakehouse.ingest.files.land import land as copy_in
    from lakehouse.ingest.files.mapping import Mapping
    from lakehouse.ingest.files.mapping_files import load_mapping
    from lakehouse.ingest.files.run import ingest
    from lakehouse.ingest.files.trial import first_rows

    settings, trial = beside
    landed = copy_in(files, table, trial, mapping)
    given = load_mapping(mapping, table) if mapping else Mapping()
    zone = settings.timezone
    # Whom no profile tells of shows when the lake's are there.
    report = ingest(trial, settings.model_copy(update={"orphans": {}}), as_of=as_of)
    if report.failed:
        return f"{report.failed[0].name} {report.failed[0].reason}"
    for path in landed:
        shown = first_rows(path, table, given, as_of=as_of, timezone=zone, most=FIRST_ROWS)
        _show(f"{path.name}: first rows as they are in the file", shown.before)
        _show(f"{path.name}: as they would be in bronze", shown.after)
    _tell(report)
    return ""


def _tell(report: IngestReport) -> None:
    for o in report.outcomes:
        typer.echo(
            f"{o.name}: {o.state}, {o.rows:,} rows, {o.bronze_rows:,} to bronze, "
            f"{o.quarantine_rows:,} to quarantine" + (f"; {o.reason}" if o.reason else "")
        )


def _fill(lake: Lake, trial: Lake, day: dt.date) -> None:
    """Adds what the lake has of that day, and of all days what rows refer to, such as patrons;
    but for the table that is tried."""
    from lakehouse.contracts import contract, contracts

    sources = contracts("source")
    parents = {parent for c in sources.values() for parent, _ in c.references().values()}
    for name in sources:
        if not contract(name).is_restricted and trial.partitions("bronze", name).is_empty():
            days = None if name in parents else (day, day)
            _add(trial, name, lake.scan("bronze", name, days=days).collect())


def _fill_table(lake: Lake, trial: Lake, table: str, mapping: Path | None, day: dt.date) -> None:
    """Of the table itself, the rows of that day that would not give way to the files'."""
    import polars as pl

    from lakehouse.contracts import contract
    from lakehouse.ingest.files.mapping import Mapping
    from lakehouse.ingest.files.mapping_files import load_mapping

    given = load_mapping(mapping, table) if mapping else Mapping()
    key = list(contract(table).key)
    tried = trial.scan("bronze", table).select(*key, "_source").collect()
    rows = lake.scan("bronze", table, days=(day, day)).collect()
    landed = pl.col("_source").str.starts_with("landing:")
    if given.snapshot:
        rows = rows.filter(~pl.col("_source").str.contains(f"^landing:{table}/[^/]*$"))
    if given.on_same_key == "replace":
        own = rows.filter(~landed)
        rows = pl.concat([own, rows.filter(landed).join(tried, on=key, how="anti")])
    _add(trial, table, rows.join(tried, on=[*key, "_source"], how="anti"))


def _tell_minimal(settings: Settings, trial: Lake) -> None:
    """Makes the minimal profiles that the files bring; those that the lake has stay."""
    from lakehouse.ingest.files.mapping import PROFILE
    from lakehouse.ingest.files.minimal import minimal_profiles, tables_with
    from lakehouse.ingest.files.trial import masked

    tables = tables_with(settings)
    if not tables:
        return
    made = minimal_profiles(trial, tables, trial.scan("bronze", PROFILE))
    _add(trial, PROFILE, made)
    if made.height:
        count = f"{made.height:,} minimal profile{'s' if made.height > 1 else ''}"
        title = f"{count} would be made, of patrons whom no profile tells of"
        _show(title, masked(made.head(FIRST_ROWS), PROFILE))


def _add(trial: Lake, table: str, rows: pl.DataFrame) -> None:
    from lakehouse.storage import Commit

    if rows.height:
        trial.append("bronze", table, rows, commit=Commit("dry run", "bronze", "1"))


def _derive(settings: Settings, trial: Lake, day: dt.date, as_of: dt.datetime) -> None:
    from lakehouse.pipeline.marts import derive, in_order_of_reference
    from lakehouse.pipeline.silver import refresh_silver
    from lakehouse.storage import Commit

    commit = Commit("dry run", "silver", "1")
    for name in in_order_of_reference(settings):
        held = trial.partitions("bronze", name)["gaming_day"].drop_nulls()
        if held.len():
            first, last = held.min(), held.max()
            refresh_silver(trial, settings, name, (first, last), commit)  # type: ignore[arg-type]
    derive(trial, settings, (day, day), as_of=as_of, commit=commit)


def _tell_rejects(trial: Lake, table: str, files: list[Path]) -> None:
    import polars as pl

    from lakehouse.ingest.files.rejects import rejects

    names = [f"{table}/{f.name}" for f in files]
    source = pl.col("source").str.strip_prefix("landing:")
    landed = rejects(trial, tables=[table]).filter(source.is_in(names))
    found = landed.group_by("stage", "rule").agg(pl.col("rows").sum()).sort("rows", "rule")
    if found.is_empty():
        typer.echo("no row would be rejected")
        return
    _show("rejected, by reason", found.reverse())
    typer.echo("lakehouse describe --rule RULE explains one", err=True)


def _tell_gold(trial: Lake, table: str, day: dt.date) -> None:
    """Of each mart that follows from the table: its rows of the day, and what its amounts are
    together."""
    import polars as pl

    from lakehouse.gold.marts import marts

    told = []
    for name, mart in sorted(marts().items()):
        if mart.layer != "gold" or table not in mart.sources():
            continue
        rows = trial.scan("gold", name, days=(day, day)).collect()
        sums = rows.select(pl.col(pl.Decimal).sum()).to_dict(as_series=False)
        amounts = [f"{n} {v:,}" for n, [v] in sums.items() if v]
        told.append({"mart": name, "rows": rows.height, "sums": ", ".join(amounts)})
    _show(f"what gold would say of {day}", pl.DataFrame(told, schema=["mart", "rows", "sums"]))


def _show(title: str, frame: pl.DataFrame) -> None:
    typer.echo(f"\n{title}")
    lines([n.removeprefix("_") for n in frame.columns], frame.iter_rows())
