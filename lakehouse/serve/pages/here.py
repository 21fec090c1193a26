"""Where a reader is: a page, its days, what else stands in its address, and who is reading."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from lakehouse.errors import BadInput
from lakehouse.serve.pages.asking import Asking
from lakehouse.serve.pages.viewer import Viewer
from lakehouse.serve.pages.watched import Watched

RANGE = dt.timedelta(days=29)


@dataclass(frozen=True)
class House:
    """What all pages are made of."""

    asking: Asking
    now: Callable[[], dt.datetime]
    live: Watched = field(default_factory=lambda: Watched({}))


@dataclass(frozen=True)
class Span:
    """The gaming days of a page's address."""

    first: dt.date
    last: dt.date

    def given(self) -> dict[str, str]:
        return {"day": str(self.last), "first": str(self.first), "last": str(self.last)}

    def address(self) -> dict[str, str]:
        return {"from": str(self.first), "to": str(self.last)}


@dataclass(frozen=True)
class Here:
    """A page as it is being read."""

    house: House
    page: Page
    span: Span
    more: Mapping[str, str]
    """What else stands in the address, by name."""
    viewer: Callable[[], Viewer]
    """Who reads, as it stands when it is asked: rights may be gone since the page was drawn."""
    pages: tuple[Page, ...]

    def given(self) -> dict[str, str]:
        """Values for the parameters of figures."""
        return {**self.more, **self.span.given()}

    def to(self, page: str | None = None, **more: str) -> str:
        """The address of a page over the same days."""
        return f"/{page or self.page.name}?{urlencode({**self.span.address(), **more})}"

    def permit(self, grant: str) -> Viewer:
        """Who does what `grant` allows, now. Raises BadInput for one who may not."""
        viewer = self.viewer()
        if not (viewer.sees(self.page.name) and viewer.may(grant)):
            raise BadInput(f"{viewer.name} may not do this: it needs the grant {grant!r}")
        return viewer


@dataclass(frozen=True)
class Page:
    """A page, at its name, in the order of the menu. Without a body it shows its figures."""

    name: str
    title: str
    question: str
    """What it answers, in words of its reader."""
    body: Callable[[Here], Awaitable[None]] | None = None


def span_of(first: str | None, last: str | None, newest: dt.date) -> Span:
    """Days out of an address: those asked for, or the thirty up to the newest. Raises BadInput."""
    end = _day(last, "to") if last else newest
    begin = _day(first, "from") if first else end - RANGE
    if begin > end:
        raise BadInput(f"from {begin} is after to {end}")
    return Span(begin, end)


def _day(text: str, name: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{name}={text[:40]!r} is no day; write it as 2025-01-31") from error
