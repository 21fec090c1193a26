"""What the checks of a run said, written to gold.check_results in one commit as the run ends,
whether its steps failed or not: Dagster closes a run's resources in either case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from igaming_assets.describe import CODE_VERSION
from igaming_assets.resources import Clock, LakeResource
from lakehouse.quality.recorded import HOME, Judged, marked, record
from lakehouse.quality.registry import checks
from lakehouse.quality.results import Check, Judgement, Severity
from lakehouse.storage import Commit

LEDGER = "check_ledger"
"""Name of the resource."""


class CheckLedger(dg.ConfigurableResource[Any]):
    """One for each run, or for each step where steps are processes."""

    lake: LakeResource
    clock: Clock
    _held: list[Judged] = PrivateAttr(default_factory=list)

    def note(
        self, check: Check, judgements: Mapping[dt.date, Judgement], severity: Severity
    ) -> None:
        self._held += marked(self.lake.lake, check, judgements, severity)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002
        self._held = []

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        held, self._held = self._held, []
        if held:
            now = self.clock.now()
            commit = Commit(
                context.run.run_id if context.run else "none", "/".join(HOME), CODE_VERSION
            )
            every = checks(self.lake.settings, now).values()
            record(self.lake.lake, held, at=now, commit=commit, checks=every)
