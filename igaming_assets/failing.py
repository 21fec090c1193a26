"""What a step does about errors: tries again what may pass, and says of the rest one line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg

from lakehouse.errors import Damaged, LakehouseError, StorageError


@contextmanager
def retried_if_transient() -> Iterator[None]:
    """Storage errors are tried again by the retry policy; damaged files, bad input and broken
    contracts fail at once, in one line."""
    try:
        yield
    except LakehouseError as error:
        if isinstance(error, StorageError) and not isinstance(error, Damaged):
            raise
        raise dg.Failure(str(error), allow_retries=False) from error


def tell_stale(context: dg.AssetExecutionContext, stale: Mapping[dt.date, Damaged]) -> None:
    """Says of days that could not be made that their old rows stand, and why."""
    for day, damage in stale.items():
        context.add_asset_metadata({"stale": str(damage)}, partition_key=day.isoformat())
        context.log.error(f"{day} keeps its old rows: {damage}")
