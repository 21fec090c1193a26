"""Players: found by what is no personal data, and one player's page over floor and online."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING

from nicegui import ui

from lakehouse.serve.pages import frame
from lakehouse.serve.pages.draw import table
from lakehouse.serve.pages.guarded import look
from lakehouse.serve.pages.here import Here
from lakehouse.serve.sql.restricted import enter

if TYPE_CHECKING:
    import polars as pl

TIERS = ("Bronze", "Silver", "Gold", "Platinum", "Diamond")
PLACES = {"floor": "On the floor", "online": "Online", "both": "Both"}
CONTACTS = (
    "player_id", "first_name", "last_name", "phone", "email", "city", "communication_preference",
    "marketing_opt_in", "self_excluded",
)  # fmt: skip
MOST_NAMES = 50
"""People that a search by name shows."""


async def body(here: Here) -> None:
    if not here.more.get("player"):
        _search(here)
        _names(here, "Search by name", "The name, or the beginning of it")
        await frame.figures(here)
        return
    ui.link("All players", here.to())
    ui.html(f"<h2>Player {escape(here.more['player'])}</h2>", sanitize=False).classes("subject")
    _names(here, "Who it is, and how to reach them", "")
    await frame.figures(here)


def _search(here: Here) -> None:
    """A plain form: what was searched stands in the address."""
    days = "".join(
        f'<input type="hidden" name="{n}" value="{v}">' for n, v in here.span.address().items()
    )
    found = escape(here.more.get("find", ""))
    ui.html(
        f'<form class="days" action="/players" method="get" role="search">{days}'
        f'<label>Number, card or account <input name="find" value="{found}" size="16"></label> '
        f"<label>Tier {_choice('tier', dict(zip(TIERS, TIERS, strict=True)), here)}</label> "
        f"<label>Where {_choice('place', PLACES, here)}</label> "
        f'<button type="submit">Search</button> <a href="{escape(here.to())}">All</a></form>',
        sanitize=False,
    )


def _choice(name: str, choices: dict[str, str], here: Here) -> str:
    chosen = here.more.get(name, "")
    options = "".join(
        f'<option value="{value}"{" selected" if value == chosen else ""}>{said}</option>'
        for value, said in {"": "any", **choices}.items()
    )
    return f'<select name="{name}">{options}</select>'


def _names(here: Here, title: str, asked: str) -> None:
    """The way to names and contacts, for those who may: with a purpose, which the audit keeps."""
    if not here.viewer().may("names"):
        frame.note("Names and contacts are not shown to you.")
        return
    look(title, asked, partial(_people, here), partial(_told, here))


def _told(here: Here, rows: pl.DataFrame | None) -> None:
    if rows is None or rows.is_empty():
        ui.label("Nobody of that name has a card.").classes("empty")
    else:
        table(rows, here, name="Names and contacts")


def _people(here: Here, purpose: str, name: str) -> pl.DataFrame:
    """Names and contacts of the player in the address, or of those so named, newest known, after
    the audit log has the look. Raises BadInput for a viewer without the grant, no purpose, or a
    name of less than three letters."""
    import polars as pl

    from lakehouse.errors import BadInput

    viewer = here.permit("names")
    player = here.more.get("player", "")
    if not player and len(name.strip()) < 3:
        raise BadInput("give at least three letters of the name")
    asking = here.house.asking
    what = f"page players: {f'contacts of {player}' if player else f'players named {name!r}'}"
    enter(
        asking.settings, asking.lake, who=viewer.name, purpose=purpose, what=what,
        at=here.house.now(),
    )  # fmt: skip
    rows = asking.lake.scan("bronze", "player_profile")
    whole = pl.concat_str("first_name", "last_name", separator=" ").str.to_lowercase()
    begins = [whole, pl.col("last_name").str.to_lowercase()]
    wanted = (
        pl.col("player_id").is_in(_cards_of(here, player))
        if player
        else pl.any_horizontal(b.str.starts_with(name.strip().lower()) for b in begins)
    )
    known = rows.filter(wanted).sort("gaming_day").unique("player_id", keep="last")
    return known.select(CONTACTS).sort("last_name", "first_name").head(MOST_NAMES).collect()


def _cards_of(here: Here, player: str) -> list[str]:
    sql = "SELECT player_id FROM silver.online_accounts WHERE is_current AND account_id = $player"
    linked = here.house.asking.ask(sql, {"player": player})["player_id"].drop_nulls()
    return [player, *linked.to_list()]
