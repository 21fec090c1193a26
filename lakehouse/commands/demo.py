"""`lakehouse demo`: seven gaming days through Dagster, then what was made."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lakehouse.commands import opened
from lakehouse.commands.first_day import settle_start
from lakehouse.commands.run import SETTINGS_FILE, run_days

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.storage import Days, Lake

DAYS = 7
TOP = 10
NEXT = (
    ("make page", "the page, on port 8000; who signs in to it stands below"),
    ("make ui", "the assets, their history and metadata, on port 3000"),
    ('{program} sql "SELECT * FROM gold.slot_performance LIMIT 5"', "ask anything of the lake"),
    (
        "{program} report {day}",
        "one gaming day on a page; {program} sql --list has the saved questions",
    ),
)


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo() -> None:
    """Make seven gaming days, bronze to gold, and show them; a second time, only show them."""
    begun = time.monotonic()
    settings, lake = opened()
    settings = settle_start(settings, lake, SETTINGS_FILE)
    days = settings.start, settings.start + dt.timedelta(days=DAYS - 1)
    if made(settings, lake, days):
        typer.echo(f"{days[0]} to {days[1]} are there already; nothing is made again", err=True)
    else:
        typer.echo(f"making {days[0]} to {days[1]}", err=True)
        run_days(settings, days)
    _day_report(lake, days)
    _top_players(lake, days)
    _online(settings, lake, days)
    _rejects(lake, days)
    _title(f"{days[0]} to {days[1]}, done in {time.monotonic() - begun:.1f} s. Go on with")
    for command, what in NEXT:
        named = {"program": _program(), "day": days[1]}
        typer.echo(f"  {command.format(**named):<72} {what.format(**named)}")
    _alerts(lake, days)
    _users(settings)
    _title(_checks(settings, lake))


def _users(settings: Settings) -> None:
    """Who can sign in to the page now, and by which password: said here and nowhere else."""
    from lakehouse.commands.caller import now
    from lakehouse.commands.serve import place_of
    from lakehouse.serve.signin.demo import demo_users
    from lakehouse.serve.signin.doorman import roles_of
    from lakehouse.serve.signin.users import Users

    roles = roles_of(settings.page)
    made = f"{now():%Y-%m-%dT%H:%M:%SZ}"
    password = demo_users(Users(place_of(settings)), dict(roles), made)
    if password is None:
        _title("Sign in to the page (`make page`) as one of your users; the demo adds none")
        return
    names = ", ".join(roles)
    _title(f"Sign in to the page (`make page`) as {names}; the password of each is")
    typer.echo(f"  {password}")


def _program() -> str:
    """How this program is called from here: by name, or by its path in the virtual environment."""
    called = Path(sys.argv[0])
    if shutil.which("lakehouse") or called.name != "lakehouse":
        return "lakehouse"
    here = Path.cwd()
    return str(called.relative_to(here) if called.is_relative_to(here) else called)


def made(settings: Settings, lake: Lake, days: Days) -> bool:
    """Whether all the days are there, and derived to the end."""
    import polars as pl

    from igaming_assets.running import underived_days

    wanted = set(pl.date_range(*days, eager=True))
    there = set(lake.partitions("gold", "property_day")["gaming_day"])
    return wanted <= there and wanted.isdisjoint(underived_days(settings, lake))


def _title(text: str) -> None:
    typer.echo(f"\n{text}")


def _day_report(lake: Lake, days: Days) -> None:
    import polars as pl

    from lakehouse.serve.reports.render import show

    _title("The property by gaming day (US dollars)")
    report = lake.scan("gold", "property_day", days=days).sort("gaming_day")
    names = ("headcount", "slot_coin_in", "slot_win", "slot_hold", "table_drop", "table_win")
    more = ("win", "theo", "cash_position", "is_reconciled")
    show(
        report.select("gaming_day", *names, *more)
        .with_columns(pl.col("slot_hold").round(4))
        .collect()
    )


def _top_players(lake: Lake, days: Days) -> None:
    from lakehouse.serve.reports.render import show

    _title(f"Most valuable patrons at the close of {days[1]}")
    names = ("player_id", "loyalty_tier", "visits", "theo_30", "worth_30", "adt")
    more = ("expected_value_12m", "reinvestment_budget")
    value = lake.scan("gold", "player_value", days=(days[1], days[1]))
    top = value.sort(["theo_30", "player_id"], descending=[True, False]).head(TOP)
    show(top.select(*names, *more).collect())


def _online(settings: Settings, lake: Lake, days: Days) -> None:
    from lakehouse.commands.demo_online import online_days, patrons_online
    from lakehouse.serve.reports.render import show

    told = online_days(settings, lake, days)
    if told is not None:
        _title("The house online by gaming day (US dollars)")
        show(told)
    both = patrons_online(settings, lake, days)
    if both is not None:
        _title("The same patrons on the floor and online")
        show(both)


def _rejects(lake: Lake, days: Days) -> None:
    import polars as pl

    from lakehouse.contracts import contract
    from lakehouse.serve.reports.render import show

    _title("Rows kept out of silver, by the rule that they broke")
    broken = [
        lake.scan(layer, table, days=days)
        .select(table=pl.lit(table), rule=pl.col("_rules"))
        .explode("rule", keep_nulls=True)
        for layer, table in lake.stored("quarantine")
        if contract(table).is_countable
    ]
    counted = pl.concat(broken).group_by("table", "rule").agg(rows=pl.len())
    show(
        counted.sort(["rows", "table", "rule"], descending=[True, False, False]).head(15).collect()
    )


def _alerts(lake: Lake, days: Days) -> None:
    """The newest day's alerts, but for the line that points to the restricted zone."""
    import polars as pl

    from lakehouse.serve.alerts import desk
    from lakehouse.serve.reports.render import show

    alerts = desk.every(lake).filter(
        pl.col("gaming_day").is_between(*days), pl.col("family") != "cash"
    )
    found = desk.worked(alerts, desk.read(lake))
    newest = found.filter(pl.col("gaming_day") == days[1])
    _title(
        f"Alerts of {days[1]}: {newest.height}, of all days {found.height}; "
        f"`{_program()} alerts show ALERT` opens one to its rows"
    )
    shown = newest if newest.height else found
    show(desk.folded(shown).head(TOP).select("alert_id", "severity", "alerts", "score", "said"))


def _checks(settings: Settings, lake: Lake) -> str:
    """How many checks passed, which did not, and where the report of them is."""
    from lakehouse.commands.check_report import in_a_line, told_of, write_page

    found = told_of(settings, lake)
    return f"{in_a_line(found)}; report: {write_page(settings, lake, found)}"
