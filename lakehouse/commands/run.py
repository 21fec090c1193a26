"""`lakehouse init` and `lakehouse run`: a lake made ready, and filled day by day."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import days_in_words, opened, parse_day
from lakehouse.commands.caller import now
from lakehouse.commands.first_day import settle_start
from lakehouse.commands.open_days import refuse_stale, refuse_untrue, tell_open_days
from lakehouse.commands.progress import bar
from lakehouse.commands.rejection import (
    nothing_to_read,
    open_tables,
    over_the_share,
    tell_tables,
)
from lakehouse.errors import BadInput, LakehouseError

if TYPE_CHECKING:
    from igaming_assets.running import Outcome
    from lakehouse.settings import Settings
    from lakehouse.storage import Days, Lake

SETTINGS_FILE = Path("lakehouse.toml")


def register(app: typer.Typer) -> None:
    app.command("init")(init)
    app.command("run")(run)


def init(
    source: Annotated[
        str | None,
        typer.Option(metavar="simulator|landing|both", help="Where rows come from."),
    ] = None,
) -> None:
    """Make a lake ready: its folder, its key, its Dagster instance; nothing is overwritten."""
    from lakehouse.privacy.keys import key_path, place_told

    if source is not None:
        _settle_source(source)
    settings, lake = opened()
    settings = settle_start(settings, lake, SETTINGS_FILE)
    prepare(settings)
    if landed := settings.doors_of_files():
        _landing_folders(lake, landed)
    said = f"ready: lake {lake.root} from {settings.start}, source {settings.source}"
    typer.echo(said, err=True)
    typer.echo(f"key of personal data: {place_told(key_path(settings))}", err=True)
    typer.echo("keep a copy of it where no lake is; it is never added to git", err=True)


def run(
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="First gaming day.")],
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Last gaming day; default: the first.")
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(help="Only these assets, such as 'key:gold/player_day' or 'group:silver'."),
    ] = None,
) -> None:
    """Materialise assets for gaming days: the Dagster job, in this process."""
    days = parse_day(first, "--from"), parse_day(last or first, "--to")
    settings, lake = opened()
    begun = time.monotonic()
    outcome = run_days(settings, days, select)
    if not (said := nothing_to_read(lake, settings, days)):
        said = (
            f"{outcome.materialized} partitions made, {outcome.checks_passed} checks passed, "
            f"{outcome.checks_failed} not, {time.monotonic() - begun:.1f} s"
        )
    typer.echo(said, err=True)
    for name in sorted(outcome.failed):
        typer.echo(f"check not passed: {name}", err=True)
    tell_open_days()
    if outcome.failed:
        typer.echo(f"why: lakehouse checks report --from {days[0]} --to {days[1]}", err=True)
    refuse_stale(outcome.stale)
    tell_underived(settings, lake)
    tell_made_early(settings, lake, days)
    rejected = _rejected(lake, settings, days, outcome, whole=select is None)
    refuse_untrue(outcome.failed)
    if rejected:
        raise LakehouseError(rejected)


def _rejected(lake: Lake, settings: Settings, days: Days, outcome: Outcome, *, whole: bool) -> str:
    """Tells each table's rows where all were made; of which too many were rejected."""
    from lakehouse.quality.rejection import CHECK
    from lakehouse.regulation.gaming_day import each_day

    days_of = dict.fromkeys(open_tables(settings.tables("source")), each_day(days))
    if whole:
        tell_tables(lake, days_of)
    judged = {t: d for t, d in days_of.items() if f"silver/{t}:{CHECK}" in outcome.failed}
    return over_the_share(lake, settings, judged)


def tell_underived(settings: Settings, lake: Lake) -> None:
    """Says which days hold rows that are not derived, and what derives them."""
    from igaming_assets.running import underived_days

    days = [d for d in underived_days(settings, lake) if d >= settings.start]
    _tell_days("stored and not derived", days, "derives them")


def tell_made_early(settings: Settings, lake: Lake, made: Days) -> None:
    """Says which closed days of the month before now, but those that were `made`, lack what came
    late, and what takes it in."""
    from igaming_assets.late_data import LOOKBACK
    from lakehouse.quality.freshness_checks import left_open
    from lakehouse.regulation.gaming_day import gaming_day_of
    from lakehouse.simulate.kernel.clock import settles_after

    newest = gaming_day_of(now(), settings.timezone) - dt.timedelta(days=1)
    month = newest - LOOKBACK, newest
    early = left_open(lake, settings, month, settles_after(faults=settings.faults))
    days = [day for day in sorted(early) if not made[0] <= day <= made[1]]
    _tell_days("made before the last of their rows came", days, "takes them in")


def _tell_days(what: str, days: list[dt.date], does: str) -> None:
    if days:
        run_again = f"lakehouse run --from {days[0]} --to {days[-1]}"
        typer.echo(f"{what}: {days_in_words(days)}; {run_again} {does}", err=True)


def run_days(settings: Settings, days: Days, select: str | None = None) -> Outcome:
    """Runs the job with a progress bar, on a lake that is made ready first."""
    prepare(settings)
    from igaming_assets.running import run_days as execute

    with bar(f"{days[0]} to {days[1]}") as advance:
        return execute(settings, days, now=now(), select=select, progress=advance)


def prepare(settings: Settings) -> None:
    """Makes the lake's folder, its key and the Dagster instance where they are not there."""
    from igaming_assets.home import home
    from lakehouse.paths import is_url
    from lakehouse.pipeline.silver import token_key
    from lakehouse.privacy.keys import keep_from_git, key_path
    from lakehouse.storage import Lake

    if not is_url(settings.root):
        _folder(Path(Lake.open(settings).root))
    token_key(Lake.open(settings), settings)
    keep_from_git(key_path(settings))
    home()


def _landing_folders(lake: Lake, tables: list[str]) -> None:
    from lakehouse.ingest.files.zone import landing_zone
    from lakehouse.private_files import close_folder

    zone = landing_zone(lake)
    try:
        close_folder(zone)
        for table in tables:
            close_folder(zone / table)
    except OSError as error:
        raise LakehouseError(f"cannot make folder {zone}: {error.strerror}") from error


def _settle_source(source: str) -> None:
    """Writes the choice to lakehouse.toml, unless that file says otherwise."""
    from lakehouse.settings import load_settings

    if source == load_settings().source:
        return
    load_settings(source=source)
    if SETTINGS_FILE.exists():
        raise BadInput(f"{SETTINGS_FILE} is there already: set source = {source!r} in it")
    SETTINGS_FILE.write_text(f'source = "{source}"\n')
    typer.echo(f'wrote {SETTINGS_FILE}: source = "{source}"', err=True)


def _folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LakehouseError(f"cannot make folder {path}: {error.strerror}") from error
    if not os.access(path, os.W_OK):
        raise LakehouseError(f"cannot write in folder {path}")
