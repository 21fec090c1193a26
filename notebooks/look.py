"""How pictures of the notebooks look, and how a notebook says what it found.

One palette: what a picture is about in blue, what is against it in orange, all else in grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
from IPython.display import Markdown, display

BLUE, ORANGE, GREY, PALE, INK = "#1f5fa8", "#d9730d", "#8a929c", "#d5dae1", "#22272e"
LINES = (BLUE, ORANGE, "#4f8f6b", "#8b5aa8", GREY)
"""For pictures of up to five things."""


def begin() -> None:
    """Sets the style of every picture after it."""
    plt.rcParams.update(
        {
            "figure.figsize": (9, 4),
            "figure.dpi": 96,
            "figure.constrained_layout.use": True,
            "savefig.facecolor": "white",
            "font.size": 10.5,
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.titlelocation": "left",
            "axes.titlesize": 13,
            "axes.titleweight": "bold",
            "axes.titlepad": 12,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": PALE,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#eceff3",
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.major.size": 0,
            "ytick.major.size": 0,
            "date.converter": "concise",
        }
    )


def say(text: str) -> None:
    """Text with figures of this run in it."""
    display(Markdown(text))


def named(axes: Any, x: Any, ends: Sequence[tuple[str, float, str]], gap: float) -> None:
    """The name of each line at its end, `gap` apart at least: name, height, colour."""
    below = float("-inf")
    for name, height, colour in sorted(ends, key=lambda end: end[1]):
        below = max(height, below + gap)
        axes.annotate(
            name, (x, below), xytext=(10, 0), textcoords="offset points", va="center",
            color=colour, weight="bold", annotation_clip=False,
        )  # fmt: skip


def bars(axes: Any, names: Sequence[str], values: Sequence[float], written: Any, lit: int) -> None:
    """Bars from the top down, each with its figure beside it; the first `lit` in blue."""
    colours = [BLUE if at < lit else PALE for at in range(len(values))]
    axes.barh(range(len(values)), values, color=colours, height=0.68)
    axes.set_yticks(range(len(values)), names)
    axes.invert_yaxis()
    axes.xaxis.set_visible(False)
    axes.spines[["bottom", "left"]].set_visible(False)
    axes.grid(visible=False)
    for at, value in enumerate(values):
        side, aligned = (5, "left") if value >= 0 else (-5, "right")
        axes.annotate(
            written(value), (value, at), xytext=(side, 0), textcoords="offset points",
            va="center", ha=aligned,
        )  # fmt: skip
    axes.margins(x=0.16 if min(values, default=0) >= 0 else 0.3)


def counted(number: int, what: str) -> str:
    """1 player, 1,200 players."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def dollars(value: float) -> str:
    """$950, $12,300, $1.4 m: as many digits as one reads."""
    size, sign = abs(value), "-" if value < 0 else ""
    if size >= 1e6:
        return f"{sign}${size / 1e6:,.1f} m"
    if size >= 1e4:
        return f"{sign}${size / 1e3:,.0f} k"
    return f"{sign}${size:,.0f}"
