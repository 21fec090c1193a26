"""How each kind of figure is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import polars as pl
from nicegui import ui

from lakehouse.serve.pages.asking import MOST_ROWS
from lakehouse.serve.pages.figures import Figure
from lakehouse.serve.pages.here import Here
from lakehouse.serve.pages.ways import OPENS, Way, ways_of
from lakehouse.serve.pages.words import USUAL, is_number, is_share, label, plain, shown

COLOURS = ["#2563a8", "#b4532a", "#3d7d4f", "#7a5195", "#8a6d00", "#4b5563"]
"""Told apart by those who see no red or green too, and dark enough on white."""
CODED = ("severity", "status")
"""Columns whose values have a colour."""
GRAVE = {"critical": "#9b1c1c", "high": "#b4532a", "warning": "#b4532a", "medium": "#8a6d00",
         "info": "#4b5563"}  # fmt: skip
GROUNDS = ["#f3f6fa", "#9dbbd8", "#2563a8"]
"""From little to much."""
SENTENCE = 40
"""Letters from which a text is told in lines."""
WORD = 12
"""Letters up to which a text stays whole."""
PAGE = 12
"""Rows of a table that are seen at once."""
MOST_FACTS = 5
"""Rows that are told line by line."""
MOST_LINES = 10
"""Lines of a map that its usual height has room for."""
_AXIS = {"axisLabel": {"color": "#333"}}


def draw(figure: Figure, rows: pl.DataFrame, here: Here) -> None:
    """Draws the answer of a figure; says so where it has no rows."""
    if rows.is_empty():
        ui.label(figure.empty or "No rows for these days.").classes("empty")
    elif figure.draw == "table":
        table(rows, here)
    else:
        _KINDS[figure.draw](figure, rows)


def _tiles(_: Figure, rows: pl.DataFrame) -> None:
    row = rows.row(0, named=True)
    with ui.element("div").classes("tiles"):
        for name in (n for n in row if not n.endswith(USUAL)):
            with ui.element("div").classes("tile"):
                ui.label(label(name)).classes("tile-name")
                ui.label(shown(row[name], name)).classes("tile-value")
                if name + USUAL in row:
                    ui.label(_beside(row[name], row[name + USUAL], name)).classes("tile-usual")


def _beside(value: Any, usual: Any, name: str) -> str:
    if usual is None:
        return "no earlier days to compare"
    said = f"usually {shown(usual, name)}"
    if value is None or not usual:
        return said
    if is_share(name):
        return f"{said} ({100 * (value - usual):+.1f} points)"
    return f"{said} ({float(value) / float(usual) - 1:+.0%})"


def _lines(figure: Figure, rows: pl.DataFrame) -> None:
    _axes(figure, rows, {"type": "line", "showSymbol": rows.height < 40, "connectNulls": False})


def _bars(figure: Figure, rows: pl.DataFrame) -> None:
    _axes(figure, rows, {"type": "bar"})


def _axes(figure: Figure, rows: pl.DataFrame, each: dict[str, Any]) -> None:
    x, ys = figure.x, figure.y or tuple(n for n in rows.columns if n != figure.x)
    series = [
        {**each, "name": label(y), "data": [plain(v) for v in rows[y].to_list()], **_of(y)}
        for y in ys
    ]
    whole = {"minInterval": 1} if all(rows[y].dtype.is_integer() for y in ys) else {}
    options = {
        "color": COLOURS,
        "aria": {"enabled": True},
        "tooltip": {"trigger": "axis"},
        "legend": {"show": len(ys) > 1, "top": 0},
        "grid": {"left": 8, "right": 16, "bottom": 8, "top": 32, "containLabel": True},
        "xAxis": {"type": "category", "data": [shown(v, x) for v in rows[x].to_list()], **_AXIS},
        "yAxis": {"type": "value", "scale": each["type"] == "line", **whole, **_AXIS},
        "series": series,
    }
    chart(figure.title, options)


def _of(name: str) -> dict[str, Any]:
    """Grave things have a colour of their own everywhere."""
    found = [colour for word, colour in GRAVE.items() if name.split("_")[0] == word]
    return {"itemStyle": {"color": found[0]}} if found else {}


def _heat(figure: Figure, rows: pl.DataFrame) -> None:
    x, (y, value) = figure.x, figure.y
    columns, lines = rows[x].unique(maintain_order=True), rows[y].unique(maintain_order=True)
    at = {str(v): n for n, v in enumerate(columns)}, {str(v): n for n, v in enumerate(lines)}
    # As tuples: NiceGUI watches every list for changes.
    cells = [
        (at[0][str(a)], at[1][str(b)], plain(v)) for a, b, v in rows[[x, y, value]].iter_rows()
    ]
    known = [c[2] for c in cells if c[2] is not None]
    options = {
        "aria": {"enabled": True},
        "tooltip": {},
        "grid": {"left": 8, "right": 16, "bottom": 72, "top": 8, "containLabel": True},
        "xAxis": {"type": "category", "data": list(at[0]), **_AXIS},
        "yAxis": {"type": "category", "data": list(at[1]), **_AXIS},
        "visualMap": {
            "min": min(known, default=0), "max": max(known, default=1), "calculable": True,
            "orient": "horizontal", "left": "center", "bottom": 0,
            "inRange": {"color": GROUNDS},
        },
        "series": [{"type": "heatmap", "data": cells, "name": label(value)}],
    }  # fmt: skip
    chart(figure.title, options, lines=len(at[1]))


def chart(title: str, options: dict[str, Any], *, lines: int = 0) -> ui.echart:
    """A chart; of many lines as high as they need."""
    drawn = ui.echart(options, renderer="svg").classes("chart")
    drawn.props(f'role=img aria-label="{escape(title)}"')
    if lines > MOST_LINES:
        drawn.style(f"height: {1.6 * lines + 6}rem")
    return drawn


def facts(rows: pl.DataFrame) -> None:
    """Each row as a list: a line for each column that it knows of."""
    for row in rows.head(MOST_FACTS).iter_rows(named=True):
        with ui.element("dl").classes("facts"):
            for name in (n for n in row if row[n] is not None):
                with ui.element("dt"):
                    ui.label(label(name))
                with ui.element("dd"):
                    ui.label(shown(row[name], name))


def _floor(figure: Figure, rows: pl.DataFrame) -> None:
    """Zones where they stand, each as deep as its place among them."""
    value = figure.y[0]
    depths = (4 * (rows[value].rank() - 1) / max(rows.height - 1, 1)).fill_null(0).to_list()
    with ui.element("ul").classes("floor"):
        for row, depth in zip(rows.iter_rows(named=True), depths, strict=True):
            place = str(row[figure.x]).lower().replace(" ", "-")
            with ui.element("li").classes(f"zone depth-{round(depth)} zone-{place}"):
                ui.label(str(row[figure.x])).classes("zone-name")
                ui.label(shown(row[value], value)).classes("zone-value")
                for name in (n for n in rows.columns if n not in (figure.x, value)):
                    ui.label(f"{label(name)} {shown(row[name], name)}").classes("zone-more")


def table(rows: pl.DataFrame, here: Here, *, name: str = "") -> None:
    """A table whose columns sort, and whose names of players and alerts open."""
    cut = rows.head(MOST_ROWS)
    columns = [
        {
            "name": n,
            "label": label(n),
            "field": n,
            "sortable": True,
            "align": "right" if t.is_numeric() else "left",
            "kind": _kind(n, cut[n]),
            "codes": n in CODED,
        }
        for n, t in rows.schema.items()
    ]
    ways = ways_of(here)
    opened = {n: ways[n] for n in rows.columns if n in ways}
    told = [_row(at, row, opened) for at, row in enumerate(cut.iter_rows(named=True))]
    with ui.element("div").props(f'role=group aria-label="{escape(name or "Table")}"'):
        drawn = ui.table(rows=told, columns=columns, row_key="_", pagination=PAGE)
        drawn.classes("rows").props("dense flat wrap-cells")
        if cut.height <= PAGE:
            drawn.props("hide-bottom")
        drawn.add_slot("body-cell", _CELL)
        drawn.add_slot("header-cell", _HEADER)
    if cut.height < rows.height:
        ui.label(f"The first {MOST_ROWS:,} of {rows.height:,} rows; CSV has all.").classes("note")


_CELL = """
<q-td :props="props" :class="[props.col.kind, props.col.codes ? 'is-' + props.value : '']">
  <a v-if="props.row.$to && props.row.$to[props.col.name]" :href="props.row.$to[props.col.name]">
    {{ (props.row.$as && props.row.$as[props.col.name]) ?? props.value }}</a>
  <template v-else>{{ (props.row.$as && props.row.$as[props.col.name]) ?? props.value }}</template>
</q-td>
"""


_HEADER = """
<q-th :props="props"><button type="button" class="sort">{{ props.col.label }}</button></q-th>
"""


def _kind(name: str, values: pl.Series) -> str:
    """How a column wraps: names, numbers and times never, sentences where they must."""
    if isinstance(values.dtype, pl.List):
        return "sentence"
    if values.dtype != pl.String or name.endswith("_id"):
        return "one-line"
    letters = values.str.len_chars()
    if letters.gt(SENTENCE).any():
        return "sentence"
    return "one-line" if letters.le(WORD).all() else ""


def _row(at: int, row: dict[str, Any], opened: Mapping[str, Way]) -> dict[str, Any]:
    """A row as the table has it: numbers to sort by, with how they are written beside."""
    as_said = {n: "Open" if n == OPENS and v else shown(v, n) for n, v in row.items()}
    to_sort = {n: plain(v) if is_number(v) else as_said[n] for n, v in row.items()}
    led = {n: way(row[n]) for n, way in opened.items() if row[n]}
    beside = {n: text for n, text in as_said.items() if to_sort[n] != text}
    return {"_": at, **to_sort, "$as": beside, "$to": {n: to for n, to in led.items() if to}}


_KINDS: dict[str, Callable[[Figure, pl.DataFrame], None]] = {
    "tiles": _tiles,
    "lines": _lines,
    "bars": _bars,
    "heat": _heat,
    "facts": lambda _, rows: facts(rows),
    "floor": _floor,
}
