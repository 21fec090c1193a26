"""The addresses of the door: signing in and out, and one's account."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, TypeVar, TypeVarTuple

import anyio
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from lakehouse.errors import BadInput
from lakehouse.serve.signin.doorman import Doorman, Wait
from lakehouse.serve.signin.forms import account_page, sign_in_form
from lakehouse.serve.signin.gate import page_of
from lakehouse.serve.signin.sessions import Session
from lakehouse.serve.signin.viewing import visit_of

_AT_ONCE = anyio.CapacityLimiter(2)
"""Passwords that are judged at the same time: each takes 64 MiB."""
_WRONG = "This name and this password do not go together."
_Given = TypeVarTuple("_Given")
_Found = TypeVar("_Found")
_Text = Annotated[str, Form()]
_Next = Annotated[str, Form(alias="next")]


def door_router(doorman: Doorman) -> APIRouter:
    """To sign in and out."""
    router = APIRouter(include_in_schema=False)

    @router.get("/sign-in")
    def form(after: Annotated[str, Query(alias="next")] = "") -> Response:
        return sign_in_form(_own(after))

    @router.post("/sign-in")
    async def sign_in(
        request: Request,
        name: _Text = "",
        password: _Text = "",
        after: _Next = "",
    ) -> Response:
        address = doorman.site.sender(request.scope)
        try:
            user = await _in_turn(doorman.sign_in, name, password, address)
        except Wait as wait:
            return _waiting(wait, after)
        if user is None:
            return sign_in_form(_own(after), _WRONG, 403)
        before = doorman.visit(request.scope)
        if before is not None and before.session is not None:
            doorman.sessions.end(before.session)
        return _welcome(doorman, doorman.sessions.begin(user, address), _own(after))

    @router.post("/sign-out")
    def sign_out(request: Request) -> Response:
        session = _session(request)
        doorman.sessions.end(session)
        address = doorman.site.sender(request.scope)
        doorman.log.write(session.user.name, address, "signed out")
        gone = RedirectResponse("/sign-in", 303)
        gone.delete_cookie(
            doorman.cookie, secure=doorman.site.is_secure, httponly=True, samesite="lax"
        )
        gone.headers["Clear-Site-Data"] = '"cache", "storage"'
        return gone

    return router


def account_router(doorman: Doorman) -> APIRouter:
    """Where one is signed in, and one's password."""
    router = APIRouter(include_in_schema=False)

    @router.get("/account")
    def account(request: Request) -> Response:
        return _account(doorman, _session(request))

    @router.post("/account/password")
    async def change(request: Request, password: _Text = "", new: _Text = "") -> Response:
        session, address = _session(request), doorman.site.sender(request.scope)
        try:
            user = await _in_turn(doorman.change_password, session.user, password, new, address)
        except (BadInput, Wait) as error:
            return _account(doorman, session, error)
        return _welcome(doorman, doorman.sessions.begin(user, address), "/account")

    @router.post("/account/others")
    async def end_others(request: Request, password: _Text = "") -> Response:
        session, address = _session(request), doorman.site.sender(request.scope)
        try:
            await _in_turn(doorman.end_others, session, password, address)
        except (BadInput, Wait) as error:
            return _account(doorman, session, error)
        return RedirectResponse("/account", 303)

    return router


async def _in_turn(work: Callable[[*_Given], _Found], *given: *_Given) -> _Found:
    return await anyio.to_thread.run_sync(work, *given, limiter=_AT_ONCE)


def _session(request: Request) -> Session:
    found = visit_of(request.scope).session
    if found is None:
        raise BadInput("nobody signs in here")
    return found


def _account(doorman: Doorman, session: Session, error: BadInput | Wait | None = None) -> Response:
    sessions = doorman.sessions.of(session.user.name)
    held = [r for r in session.user.roles if r in doorman.roles]
    if isinstance(error, Wait):
        said, status = _soon(error), 429
    else:
        said, status = _sentence(str(error)) if error else "", 422 if error else 200
    return account_page(session, sessions, held, said, status)


def _welcome(doorman: Doorman, secret: str, after: str) -> Response:
    """A new session, at each sign-in and with each new password; the old cookie opens nothing."""
    welcome = RedirectResponse(after or "/", 303)
    welcome.set_cookie(
        doorman.cookie,
        secret,
        path="/",
        secure=doorman.site.is_secure,
        httponly=True,
        samesite="lax",
    )
    return welcome


def _waiting(wait: Wait, after: str) -> Response:
    answer = sign_in_form(_own(after), _soon(wait), 429)
    answer.headers["Retry-After"] = str(math.ceil(wait.seconds))
    return answer


def _soon(wait: Wait) -> str:
    minutes = math.ceil(wait.seconds / 60)
    return f"Too many tries. Try again in {minutes} minute{'s' * (minutes != 1)}."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _own(after: str) -> str:
    """An address of a page of ours, to go on to; of any other nothing is left."""
    path = after.partition("?")[0]
    is_ours = after.startswith("/") and page_of(path) is not None and "\\" not in after
    return after if is_ours and not after.startswith("//") and after.isprintable() else ""
