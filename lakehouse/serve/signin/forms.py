"""The pages of the door, in plain HTML: to sign in, one's account, and what is not one's own."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Collection, Sequence
from html import escape
from importlib.resources import files

from starlette.responses import HTMLResponse

from lakehouse.serve.signin.headers import PLAIN
from lakehouse.serve.signin.passwords import SHORTEST
from lakehouse.serve.signin.sessions import Session

_STYLE = files(__package__).joinpath("door.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"{PLAIN}; style-src 'sha256-{_HASH}'"
_FIELDS = 'type="password" required'


def sign_in_form(after: str, said: str = "", status: int = 200) -> HTMLResponse:
    """`after`: the address that was asked for."""
    return _page(
        "Sign in",
        f"""{_alert(said)}<form method="post" action="/sign-in">
<input type="hidden" name="next" value="{escape(after)}">
<label>Name <input name="name" autocomplete="username" autocapitalize="none" required
 maxlength="254" autofocus></label>
<label>Password <input name="password" autocomplete="current-password" {_FIELDS}></label>
<button type="submit">Sign in</button></form>
<p class="note">No password, or none that works? Ask whoever runs this lake:
<code>lakehouse users</code> makes users and gives new passwords.</p>""",
        status,
    )


def account_page(
    session: Session,
    sessions: Sequence[Session],
    held: Collection[str],
    said: str = "",
    status: int = 200,
) -> HTMLResponse:
    """Who one is, where one is signed in, and how to change it."""
    rows = "".join(_row(s, is_own=s is session) for s in sessions)
    told = f"""{_alert(said)}<p>You are <b>{escape(session.user.name)}</b>, with the roles
{escape(", ".join(held) or "none")}.</p>
<h2>Where you are signed in</h2><table><tr><th>From</th><th>Since (UTC)</th><th>Last used</th>
<th></th></tr>{rows}</table>"""
    return _page(
        "Your account", told + ("" if session.is_vouched else _own(session)) + _OUT, status
    )


def refused_page(page: str, opened_by: Collection[str], own: Collection[str]) -> HTMLResponse:
    """A page that is there, and whom it is for."""
    roles = ", ".join(opened_by) or "none"
    links = " ".join(f'<a href="/{escape(p)}">{escape(p)}</a>' for p in own)
    yours = f"<p>Your pages: {links}</p>" if own else "<p>No role of yours opens any page.</p>"
    return _page(
        "Not your page",
        f"""<p role="alert">The page <b>{escape(page)}</b> is for the roles: {escape(roles)}.
Whoever runs this lake gives roles, with <code>lakehouse users roles</code>.</p>{yours}{_OUT}""",
        403,
    )


def _row(session: Session, *, is_own: bool) -> str:
    here = "this one" if is_own else ""
    return (
        f"<tr><td>{escape(session.address)}</td><td>{_moment(session.began)}</td>"
        f"<td>{_moment(session.seen)}</td><td>{here}</td></tr>"
    )


def _moment(at: float) -> str:
    return f"{dt.datetime.fromtimestamp(at, dt.UTC):%Y-%m-%d %H:%M}"


def _alert(said: str) -> str:
    return f'<p class="error" role="alert">{escape(said)}</p>' if said else ""


_OUT = """<form method="post" action="/sign-out"><button type="submit">Sign out</button></form>"""


def _own(session: Session) -> str:
    """What one changes of oneself. The name is there for managers of passwords."""
    name = (
        f'<input name="name" value="{escape(session.user.name)}" autocomplete="username" readonly '
        "hidden>"
    )
    return f"""
<h2>Sign out elsewhere</h2><form method="post" action="/account/others">{name}
<label>Password <input name="password" autocomplete="current-password" {_FIELDS}></label>
<button type="submit">End all other sessions</button></form>
<h2>Change your password</h2><form method="post" action="/account/password">{name}
<p class="note">{SHORTEST} characters and more, of any kind. A sentence of yours is good. It ends
your other sessions.</p>
<label>The one you have <input name="password" autocomplete="current-password" {_FIELDS}></label>
<label>The new one <input name="new" autocomplete="new-password" {_FIELDS}></label>
<button type="submit">Change it</button></form>
<h2>Leave</h2>"""


def _page(title: str, content: str, status: int) -> HTMLResponse:
    return HTMLResponse(
        f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – casino lakehouse</title><style>{_STYLE}</style></head>
<body><main><p class="brand"><a href="/">Casino lakehouse</a></p><h1>{title}</h1>
{content}</main></body></html>""",
        status,
        {"Content-Security-Policy": _POLICY},
    )
