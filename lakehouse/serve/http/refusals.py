"""What is answered to a request that is not taken: one shape for all."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from lakehouse.errors import BadInput, LakehouseError

BUSY_SECONDS = 5
"""After so long a log that failed may be tried again."""


class Refused(BaseModel):
    """Why a request was not taken."""

    status: int
    error: str
    reason: str


class Refusal(Exception):  # noqa: N818 - an answer, not an error of ours
    """A request that is not taken. `retry_after`: seconds after which it may be."""

    def __init__(self, status: int, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.retry_after = retry_after


def refused(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These answers as OpenAPI tells of them."""
    return {s: {"model": Refused, "description": HTTPStatus(s).phrase} for s in statuses}


def answer(status: int, reason: str, retry_after: float | None = None) -> JSONResponse:
    headers = {}
    if retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(retry_after)))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    told = {"status": status, "error": HTTPStatus(status).phrase.lower(), "reason": reason}
    return JSONResponse(told, status, headers)


def handle_refusals(app: FastAPI) -> None:
    """Answers what the application raises."""

    @app.exception_handler(Refusal)
    def refuse(_: Request, error: Refusal) -> JSONResponse:
        return answer(error.status, str(error), error.retry_after)

    @app.exception_handler(BadInput)
    def refuse_input(_: Request, error: BadInput) -> JSONResponse:
        return answer(422, str(error))

    @app.exception_handler(LakehouseError)
    def tell_failure(_: Request, error: LakehouseError) -> JSONResponse:
        return answer(503, str(error), BUSY_SECONDS)

    @app.exception_handler(ClientDisconnect)
    def note_gone(_: Request, error: ClientDisconnect) -> JSONResponse:  # noqa: ARG001
        return answer(400, "the body ended before its end")

    @app.exception_handler(Exception)
    def tell_error(_: Request, error: Exception) -> JSONResponse:
        return answer(500, f"unexpected {type(error).__name__}; the server's log has more")

    @app.exception_handler(RequestValidationError)
    def refuse_parameters(_: Request, error: RequestValidationError) -> JSONResponse:
        found = error.errors()[0]
        name = ".".join(str(part) for part in found["loc"][1:])
        return answer(422, f"{name}: {found['msg']} (got {str(found.get('input'))[:80]!r})")

    @app.exception_handler(HTTPException)
    def refuse_place(request: Request, error: HTTPException) -> JSONResponse:
        reason = f"{request.method} {request.url.path[:200]}: {error.detail}"
        made = answer(error.status_code, reason)
        made.headers.update(error.headers or {})
        return made
