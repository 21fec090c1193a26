"""The last lines of `run`, `ingest` and `demo`: checks over all days, and days that are stale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import typer

from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from igaming_assets.verdicts import CheckVerdict


def verdicts() -> list[CheckVerdict]:
    """Every check that was ever run here, over all days that it has judged."""
    from igaming_assets.instance import instance_of_home
    from igaming_assets.running import latest_checks

    with instance_of_home() as instance:
        return latest_checks(instance)


def lines(found: list[CheckVerdict]) -> list[str]:
    """A line for each check with open days. A day is open until it passes itself."""
    return [f"{v.severity}: {v.name} on {v.days}" for v in found if not v.passed]


def tell_open_days() -> None:
    """Says on standard error which days are open."""
    for line in lines(verdicts()):
        typer.echo(f"open: {line}", err=True)


def refuse_untrue(failed: Iterable[str]) -> None:
    """Raises LakehouseError where a check failed that holds by construction: numbers are wrong.
    `failed` are asset and check, as "gold/property_day:property_day_reconciles"."""
    from lakehouse.quality.truths import TRUTHS

    blocking = {name for name, truth in TRUTHS.items() if truth.blocking}
    untrue = sorted({f.rpartition(":")[2] for f in failed} & blocking)
    if untrue:
        said = "; ".join(f"{name}: {TRUTHS[name].description}" for name in untrue)
        raise LakehouseError(f"the numbers of these days are wrong. It should be so, {said}")


def refuse_stale(stale: Mapping[str, str]) -> None:
    """Raises LakehouseError where tables keep old rows of days whose inputs are damaged."""
    for what, damage in stale.items():
        typer.echo(f"stale: {what} keeps its old rows: {damage}", err=True)
    if stale:
        raise LakehouseError(f"not made, old rows stand: {', '.join(stale)}")
