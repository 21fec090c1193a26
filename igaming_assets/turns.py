"""The checks of a step, one after the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

import dagster as dg
import polars as pl

from igaming_assets.partitions import is_asked
from igaming_assets.targets import Targets
from igaming_assets.verdicts import Context, log_days
from lakehouse.errors import Damaged, LakehouseError
from lakehouse.quality.results import Check, Judgement
from lakehouse.storage import Days, Lake, Looked, Read, sound

Judged = dict[dt.date, Judgement]


class Turns:
    """One that cannot run leaves the others their turn: of its days nothing is known, and its
    error ends the step when all have had theirs."""

    def __init__(self, context: Context, lake: Lake, checks: Sequence[Check]) -> None:
        self.context, self.lake = context, lake
        self.targets = Targets(dg.AssetKey(check.table) for check in checks)
        self._looked: Looked = {}
        self._failed: list[BaseException] = []

    def judged(
        self, check: Check, days: Iterable[dt.date], judge: Callable[[], Judged]
    ) -> Judged | None:
        """What `judge` finds; None where it fails, of whatever: then these days say so."""
        try:
            return judge()
        except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001  # see `end`
            self._failed.append(error)
            unknown = Judgement(passed=False, said=_could_not_run(error), could_run=False)
            asked = [day for day in days if is_asked(self.context.run.tags, day)]
            self.log(check, dict.fromkeys(asked, unknown))
            return None

    def soundly(self, check: Check, days: Days) -> Judged:
        """Raises Damaged for a file that the check reads. Files of a step are looked at once."""
        reads = [Read(layer, table, days) for layer, table in check.tables]
        with sound(self.lake, reads, self._looked):
            return dict(check.judge(self.lake, days))

    def log(
        self,
        check: Check,
        found: Judged | None,
        stale: Mapping[dt.date, Damaged] = MappingProxyType({}),
    ) -> None:
        if found or stale:
            log_days(self.context, check, found or {}, stale=stale, targets=self.targets)

    def end(self) -> None:
        """Raises the first error."""
        if self._failed:
            raise self._failed[0]


def _could_not_run(error: BaseException) -> str:
    """An error that nobody foresaw may quote rows, which not everybody may see."""
    if isinstance(error, LakehouseError):
        return f"It could not run: {error}"
    return f"It could not run: {type(error).__name__}; the log of the run says more."
