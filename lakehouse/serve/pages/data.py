"""Data: whether the days may be trusted; one table with its columns, lineage and kept-out rows."""

from __future__ import annotations

from html import escape
from typing import Any

import polars as pl
from nicegui import run, ui

from lakehouse.contracts import contract, contracts
from lakehouse.errors import BadInput, LakehouseError
from lakehouse.quality.retrying import retry
from lakehouse.serve.dictionary import describe
from lakehouse.serve.pages import frame
from lakehouse.serve.pages.draw import chart, table
from lakehouse.serve.pages.figures import Figure
from lakehouse.serve.pages.here import Here
from lakehouse.serve.sql.visible import views

GRANT = "quarantine"
SAMPLES = 100
"""Rows kept out that a page shows."""


async def body(here: Here) -> None:
    _choose(here)
    if not here.more.get("table"):
        _dagster(here)
        await frame.figures(here)
        return
    try:
        layer, about = describe.find(here.more["table"])
    except BadInput as error:
        frame.wrong(str(error))
        return
    name = f"{layer}.{about.name}"
    if about.is_restricted or name not in {*_shown(), f"bronze.{about.name}"}:
        frame.wrong(f"{name} is restricted, and not shown on a page.")
        return
    ui.link("All tables", here.to())
    ui.html(f"<h2>{escape(name)}</h2>", sanitize=False).classes("subject")
    ui.label(f"{about.description} Grain: {about.grain}.").classes("question")
    with ui.element("div").classes("grid"):
        _lineage(here, layer, about.name)
        _columns(here, layer, about.name)
    await frame.figures(here)
    if about.layer == "source" and layer == "silver":
        await _kept_out(here, about.name)


def _shown() -> list[str]:
    return [name for name, view in views().items() if not view.parts]


def _choose(here: Here) -> None:
    options = "".join(
        f'<option value="{n}"{" selected" if n == here.more.get("table") else ""}>{n}</option>'
        for n in _shown()
    )
    days = "".join(
        f'<input type="hidden" name="{n}" value="{v}">' for n, v in here.span.address().items()
    )
    ui.html(
        f'<form class="days" action="/data" method="get">{days}<label>Table '
        f'<select name="table"><option value="">all</option>{options}</select></label> '
        '<button type="submit">Open</button></form>',
        sanitize=False,
    )


def _dagster(here: Here) -> None:
    address = here.house.asking.settings.dagster_url
    if address:
        ui.link("Runs, assets and schedules in Dagster", address)
    else:
        frame.note(
            "Runs are started and followed in Dagster: `make ui`. The setting dagster_url puts a "
            "link here."
        )


def _columns(here: Here, layer: str, name: str) -> None:
    with frame.card("Columns", is_wide=True):
        table(describe.columns(layer, name), here, name="Columns")


def _lineage(here: Here, layer: str, name: str) -> None:
    """The tables that it is made of and that are made of it, and where its columns come from."""
    above = [n for n in describe.inputs(layer, name) if _is_open(n)]
    below = [n for n in describe.readers(layer, name) if _is_open(n)]
    me = f"{layer}.{name}"
    with frame.card("Lineage of the table"):
        if above or below:
            chart("Lineage", _graph(me, above, below), lines=max(len(above), len(below)))
        links = [{"input": n, "reader": None} for n in above]
        links += [{"input": None, "reader": n} for n in below]
        shape = {"input": pl.String, "reader": pl.String}
        table(pl.DataFrame(links, schema=shape), here, name="Inputs and readers")
    with frame.card("Lineage of its columns"):
        found = describe.column_inputs(layer, name)
        found = found.filter(pl.col("input").is_null() | pl.col("input").is_in(above))
        table(found, here, name="Columns and their inputs")
        frame.note("A column without an input is figured anew.")


def _is_open(name: str) -> bool:
    layer, _, stem = name.partition(".")
    return layer != "restricted" and not contracts()[stem].is_restricted


def _graph(me: str, above: list[str], below: list[str]) -> dict[str, Any]:
    links = [{"source": n, "target": me} for n in above]
    links += [{"source": me, "target": f"{n} "} for n in below]  # a circle is no Sankey
    names = [*above, me, *(f"{n} " for n in below)]
    return {
        "tooltip": {},
        "series": [
            {
                "type": "sankey",
                "left": 8,
                "right": 160,
                "nodeGap": 10,
                "draggable": False,
                "label": {"fontSize": 11},
                "data": [{"name": n} for n in dict.fromkeys(names)],
                "links": [{**link, "value": 1} for link in links],
                "lineStyle": {"color": "#9dbbd8"},
                "itemStyle": {"color": "#2563a8"},
            }
        ],
    }


async def _kept_out(here: Here, name: str) -> None:
    """Rows of the table that were kept out, without what silver protects, and another try."""
    rule = here.more.get("rule", "")
    ui.html('<div id="kept-out"></div>', sanitize=False)
    whether = "  AND list_contains(_rules, $rule)\n" if rule else ""
    sql = (
        f"SELECT *\nFROM quarantine.{name}\n"
        f"WHERE gaming_day BETWEEN $first::DATE AND $last::DATE\n{whether}"
        f"ORDER BY gaming_day DESC\nLIMIT {SAMPLES}"
    )
    title = f"Rows kept out{f' by {rule}' if rule else ''}, the newest {SAMPLES}"
    note = "Personal data and the landed text are not shown; `lakehouse quarantine show` has them."
    await frame.figures(here, [Figure("", name, title, "table", sql, note, is_wide=True)])
    _retry_form(here, name, rule)


def _retry_form(here: Here, name: str, rule: str) -> None:
    if not here.viewer().may(GRANT):
        frame.note("To have rows read again you need the grant 'quarantine'.")
        return
    with frame.card("Another try", is_wide=True):
        ui.label(
            "Once the mapping or the contract is mended, the rows are read again"
            + (f": those that broke {rule}." if rule else ".")
        )
        said = ui.element("div").props("aria-live=polite")

        async def tried() -> None:
            button.set_enabled(False)
            said.clear()
            try:
                told = await run.io_bound(read_again, here, name, rule)
            except LakehouseError as error:
                with said:
                    frame.wrong(str(error))
            else:
                with said:
                    for line in told or ():
                        ui.label(line)
            finally:
                button.set_enabled(True)

        button = ui.button("Read them again", on_click=tried).props("no-caps unelevated")


def read_again(here: Here, name: str, rule: str) -> list[str]:
    """What became of the rows, in lines. Raises BadInput for a viewer without the grant or a
    restricted table, and as the retry does."""
    here.permit(GRANT)
    if contract(name).is_restricted:
        raise BadInput(f"quarantine of {name} is restricted: see `lakehouse quarantine retry`")
    asking = here.house.asking
    done = retry(asking.lake, asking.settings, name, as_of=here.house.now(), rule=rule or None)
    days = [f"Gold follows with: lakehouse run --from {a} --to {b}" for a, b in done.ranges]
    return [done.said(), *days]
