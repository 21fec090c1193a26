"""Whose request it is, as the gate has found out."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import Scope

from lakehouse.serve.pages.viewer import Viewer

_KEY = "lakehouse.viewer"


def viewer_of(request: HTTPConnection) -> Viewer:
    """Who asks for a page, a figure or a socket. There is always one: who is nobody stops at the
    gate."""
    found: Viewer = request.scope[_KEY]
    return found


def seen_by(scope: Scope, viewer: Viewer) -> None:
    """Notes whose request it is."""
    scope[_KEY] = viewer
