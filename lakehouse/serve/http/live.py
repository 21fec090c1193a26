"""`GET /live/{view}`: what is so now, once or as it changes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated

import polars as pl
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from lakehouse.errors import LakehouseError
from lakehouse.serve.http.access import Door
from lakehouse.serve.http.refusals import Refusal, refused
from lakehouse.serve.http.tokens import LIVE

View = Callable[[Mapping[str, str]], pl.DataFrame]
"""What the address asks for beside the view → rows."""
_EVERY = Query(ge=0.2, le=60, description="Seconds between looks, of a stream.")
EVENT_STREAM = "text/event-stream"
QUIET_SECONDS = 15.0
"""After so long without a change a stream says that it lives."""


class Answer(BaseModel):
    """A view's rows, each by the names of its columns; money is text with its decimals."""

    view: str
    rows: list[dict[str, object]]


def live_router(views: Mapping[str, View], door: Door) -> APIRouter:
    router = APIRouter(tags=["live"])
    known = Path(json_schema_extra={"enum": sorted(views)} if views else {})

    @router.get(
        "/live",
        responses=refused(401, 403),
        dependencies=[Depends(door.needs(LIVE))],
    )
    def list_views() -> list[str]:
        """The views that there are."""
        return sorted(views)

    @router.get(
        "/live/{view}",
        response_model=Answer,
        responses={**refused(401, 403, 404, 422, 503), 200: {"content": {EVENT_STREAM: {}}}},
        dependencies=[Depends(door.needs(LIVE))],
    )
    async def get_live(
        request: Request,
        view: Annotated[str, known],
        every: Annotated[float, _EVERY] = 1.0,
    ) -> Response:
        """A view as it is now, or, where `Accept: text/event-stream` asks for it, now and
        whenever it has changed. Other parameters are the view's own."""
        if view not in views:
            known = ", ".join(sorted(views)) or "none"
            raise Refusal(404, f"no view {view[:80]!r}; there are: {known}")
        asked = {n: v for n, v in request.query_params.items() if n != "every"}
        first = await run_in_threadpool(_text, view, views[view], asked)
        if EVENT_STREAM not in request.headers.get("accept", ""):
            return Response(first, media_type="application/json")

        def look() -> str:
            return _text(view, views[view], asked)

        return StreamingResponse(
            _stream(first, look, every),
            media_type=EVENT_STREAM,
            headers={"Cache-Control": "no-store"},
        )

    return router


def _text(name: str, view: View, asked: Mapping[str, str]) -> str:
    rows = view(asked)
    told = rows.select(pl.struct(pl.all()).struct.json_encode()) if rows.width else rows
    lines = told.to_series().to_list() if rows.width else []
    return f'{{"view":{json.dumps(name)},"rows":[{",".join(lines)}]}}'


async def _stream(first: str, look: Callable[[], str], every: float) -> AsyncIterator[str]:
    """Ends where the reader goes, or the view can no longer be told."""
    told, quiet = first, 0.0
    yield f"data: {first}\n\n"
    while True:
        await asyncio.sleep(every)
        quiet += every
        try:
            now = await run_in_threadpool(look)
        except LakehouseError as error:
            yield f"event: failed\ndata: {json.dumps(str(error))}\n\n"
            return
        if now != told:
            told, quiet = now, 0.0
            yield f"data: {now}\n\n"
        elif quiet >= QUIET_SECONDS:
            quiet = 0.0
            yield ": still here\n\n"
