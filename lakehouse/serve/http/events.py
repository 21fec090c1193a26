"""`POST /events/{topic}`: events into a topic's log."""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from lakehouse.contracts import contract
from lakehouse.serve.http.access import Door, Sent
from lakehouse.serve.http.bodies import JSON, LINES, events_in, is_lines, read_body
from lakehouse.serve.http.journal import Claim
from lakehouse.serve.http.refusals import Refusal, refused
from lakehouse.serve.http.tokens import Limits
from lakehouse.serve.http.writing import Entry, Writer

_ABOUT = (
    "Take one event, an array of events, or one event a line. All are on the disk when this is "
    "answered, or none is taken. Each needs the column that the topic is ordered by; whether it "
    "keeps the table's rules is judged when it is read."
)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEYED = Header(
    description="Sent again with the same body, it is taken once, for a day.",
    json_schema_extra={"pattern": r"^[!-~]{1,255}$"},
)


class Taken(BaseModel):
    """Events that are in the log."""

    topic: str
    accepted: int
    replayed: bool
    """Whether a request with this key had brought them before."""


def events_router(
    tables: Mapping[str, str], door: Door, writer: Writer, limits: Limits, most_bytes: int
) -> APIRouter:
    """`tables`: topic → table."""
    router = APIRouter(tags=["events"])
    known = Path(description="Where they come in.", json_schema_extra={"enum": list(tables)})

    @router.post(
        "/events/{topic}",
        status_code=202,
        description=_ABOUT,
        responses=refused(401, 403, 404, 413, 415, 422, 429, 503),
        openapi_extra={"requestBody": _body(tables)},
    )
    async def post_events(
        request: Request,
        topic: Annotated[str, known],
        sent: Sent,
        idempotency_key: Annotated[str | None, _KEYED] = None,
    ) -> Taken:
        sender = door.sender(request, sent, topic if topic in tables else "")
        if topic not in tables:
            raise Refusal(404, f"no topic {topic[:80]!r} takes events; {', '.join(tables)} do")
        if wait := limits.wait(sender):
            raise Refusal(429, f"{sender} sends more than it may", retry_after=wait)
        if idempotency_key is not None and not _KEY.fullmatch(idempotency_key):
            raise Refusal(422, "idempotency-key: 1 to 255 letters, digits and signs, no blanks")
        given = request.headers
        lines = is_lines(given.get("content-type", ""))
        encoding = given.get("content-encoding", "").strip().lower()
        body = await read_body(request.stream(), most_bytes, encoding, given.get("content-length"))
        messages = await run_in_threadpool(events_in, body, tables[topic], lines=lines)
        claim = idempotency_key and Claim(
            sender, topic, idempotency_key, hashlib.sha256(body).digest()
        )
        entry = Entry(topic, messages, len(body), claim or None)
        limits.take(sender, len(messages))
        replayed = await asyncio.wrap_future(writer.submit(entry))
        return Taken(topic=topic, accepted=len(messages), replayed=replayed)

    return router


def _body(tables: Mapping[str, str]) -> dict[str, Any]:
    """What may be sent, for OpenAPI."""
    keys = sorted({contract(table).topic_key for table in tables.values()})
    event = {
        "type": "object",
        "description": f"Columns of the topic's table; {' or '.join(keys)} is needed.",
        "properties": {key: {"type": "string", "pattern": "[^ ]"} for key in keys},
        "anyOf": [{"required": [key]} for key in keys],
        "example": {keys[-1]: "A00000001"},
    }
    whole = {"oneOf": [event, {"type": "array", "items": event, "minItems": 1}]}
    line = {"type": "string", "description": "An object a line.", "example": '{"user_id": "A1"}'}
    return {
        "required": True,
        "content": {JSON: {"schema": whole}, LINES[0]: {"schema": line}},
    }
