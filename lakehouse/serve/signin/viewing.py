"""Whose request it is, as the gate has found out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.types import Scope

from lakehouse.serve.pages.viewer import Viewer
from lakehouse.serve.signin.sessions import Session

_KEY = "lakehouse.visit"


@dataclass(frozen=True)
class Visit:
    """A viewer, in a session; in none where nobody signs in."""

    viewer: Viewer
    session: Session | None = None
    is_live: Callable[[], bool] = lambda: True
    """Whether the session still opens what it opened."""

    @property
    def owner(self) -> str:
        """Whose a page is that is drawn in this visit."""
        return self.session.key if self.session else ""


def visit_of(scope: Scope) -> Visit:
    """There is always one: who is nobody stops at the gate."""
    found: Visit = scope[_KEY]
    return found


def viewer_of(request: HTTPConnection) -> Viewer:
    """Who asks for a page, a figure or a socket, as it stands now: whoever's session has ended
    since sees nothing, and may do nothing."""
    visit = visit_of(request.scope)
    if visit.is_live():
        return visit.viewer
    return Viewer(visit.viewer.name, frozenset(), frozenset())


def visited(scope: Scope, visit: Visit) -> None:
    """Notes whose request it is."""
    scope[_KEY] = visit
