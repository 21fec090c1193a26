"""`lakehouse checks report`: whether each gaming day may be trusted, as a page or for programs."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlsplit

import typer

from lakehouse.commands import Purpose, Restricted, admitted, opened
from lakehouse.commands.caller import now
from lakehouse.commands.check_results import days_asked
from lakehouse.errors import BadInput
from lakehouse.outputs import check_output, replacing

if TYPE_CHECKING:
    from lakehouse.serve.reports.checks.told import Told
    from lakehouse.settings import Settings
    from lakehouse.storage import Days, Lake

DAGSTER_URL = "http://localhost:3000"
LONGEST_YEARS = 10


class Format(enum.StrEnum):
    html = "html"
    junit = "junit"
    json = "json"


def report(
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", help="First gaming day; the newest 365 by default."),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Last gaming day; default: the first.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="File to write; by default a page is written to <root>.reports/checks.html, and "
            "other formats to standard output.",
        ),
    ] = None,
    shape: Annotated[
        Format,
        typer.Option("--format", help="A page to read, JUnit XML for CI, or JSON for programs."),
    ] = Format.html,
    dagster_url: Annotated[
        str, typer.Option("--dagster-url", metavar="URL", help="Where Dagster's UI is served.")
    ] = DAGSTER_URL,
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """Tell of each gaming day whether it may be trusted, and why not, on one page.

    Tables by days, what did not pass with rows, keys and SQL, trends, and what was kept out of
    silver. The page is one file that needs no network. Of restricted tables it has nothing without
    --restricted, and then whether each check passed.
    """
    days = _days(first, last)
    _refuse_other_addresses(dagster_url)
    if out is not None:
        check_output(out)
    settings, lake = opened()
    is_open = admitted("checks report", restricted=restricted, purpose=purpose)
    found = told_of(settings, lake, days, restricted=is_open)
    if shape is Format.html:
        made = write_page(settings, lake, found, out, dagster_url=dagster_url, private=is_open)
        typer.echo(f"written: {made}", err=True)
        return
    text = _for_programs(shape, found)
    if out is None:
        typer.echo(text, nl=False)
        return
    with replacing(out, private=is_open) as beside:
        beside.write_text(text, encoding="utf-8")
    typer.echo(f"written: {out}", err=True)


def told_of(
    settings: Settings, lake: Lake, days: Days | None = None, *, restricted: bool = False
) -> Told:
    """What a report may tell of these days. Raises BadInput where nothing was judged."""
    from lakehouse.quality.registry import checks
    from lakehouse.serve.reports.checks.told import told

    declared = checks(settings, now()).values()
    return told(lake, declared, days=days, restricted=restricted)


def write_page(
    settings: Settings,
    lake: Lake,
    found: Told,
    out: Path | None = None,
    *,
    dagster_url: str = DAGSTER_URL,
    private: bool = False,
) -> Path:
    """Writes the page, and says where."""
    from lakehouse.serve.reports.checks.kept_out import kept_out
    from lakehouse.serve.reports.checks.page import page

    place = out or _place(settings, private=private)
    text = page(
        found,
        kept_out(lake, (found.days[0], found.days[-1])),
        written=now(),
        dagster_url=dagster_url,
        data_docs=_data_docs(settings, place),
    )
    with replacing(place, private=private) as beside:
        beside.write_text(text, encoding="utf-8")
    return place


def in_a_line(found: Told) -> str:
    """How many checks passed on every day, and which did not, on how many days."""
    import polars as pl

    from lakehouse.serve.reports.checks.words import STATE_WORDS
    from lakehouse.texts import formatted

    name = formatted("{}/{}:{}", "layer", "table_name", "check_name")
    worst = (
        found.open_rows.group_by(check=name, maintain_order=True)
        .agg(pl.col("state").first(), days=pl.col("gaming_day").n_unique())
        .select("state", what=formatted("{} ({} days)", "check", "days"))
        .group_by("state", maintain_order=True)
        .agg(pl.col("what").sort().str.join(", "), count=pl.len())
    )
    judged = found.rows.select(name).n_unique()
    passed = judged - int(worst["count"].sum())
    parts = [f"Checks: {passed} of {judged} passed on every day"]
    parts += [f"{STATE_WORDS[state]}: {what}" for state, what, _ in worst.iter_rows()]
    if found.held_back:
        parts.append(f"of {found.held_back} more, on restricted tables, nothing is told")
    return "; ".join(parts)


def _for_programs(shape: Format, found: Told) -> str:
    from lakehouse.serve.reports.checks.files import as_json, junit

    if shape is Format.json:
        return as_json(found, written=now())
    return junit(found, written=now()).decode()


def _place(settings: Settings, *, private: bool) -> Path:
    name = "checks-restricted.html" if private else "checks.html"
    return settings.beside("reports").absolute() / name


def _data_docs(settings: Settings, page: Path) -> str | None:
    """A link from the page to Data Docs, where there are any."""
    from lakehouse.quality.expectations.pages import INDEX, docs_folder

    index = docs_folder(settings) / INDEX
    if not index.is_file():
        return None
    return quote(Path(os.path.relpath(index, page.parent)).as_posix())


def _days(first: str | None, last: str | None) -> Days | None:
    days = days_asked(first, last)
    if days is not None and days[1].year - days[0].year > LONGEST_YEARS:
        raise BadInput(f"{days[0]} to {days[1]} is longer than the {LONGEST_YEARS} years of a page")
    return days


def _refuse_other_addresses(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise BadInput(f"--dagster-url {url!r}: give an address such as {DAGSTER_URL}")
