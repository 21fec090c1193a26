"""`GET /generate`: a new file of simulated events, as the system before this one made them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from lakehouse.serve.http.access import Door
from lakehouse.serve.http.refusals import refused
from lakehouse.serve.http.tokens import GENERATE

MOST_RECORDS = 1_000_000


class Generated(BaseModel):
    message: str
    file_path: str


def generate_router(generate: Callable[[int], Path], door: Door) -> APIRouter:
    """`generate`: a number of records → the file that was written."""
    router = APIRouter(tags=["generate"])

    @router.get(
        "/generate",
        responses=refused(401, 403, 422, 503),
        dependencies=[Depends(door.needs(GENERATE))],
    )
    def get_generate(
        records: Annotated[int, Query(ge=1, le=MOST_RECORDS, description="Events.")] = 500,
    ) -> Generated:
        """Write a new clickstream_<time>.csv of simulated events, and tell where it is."""
        return Generated(message="Data generated", file_path=str(generate(records)))

    return router
