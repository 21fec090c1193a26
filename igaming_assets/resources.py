"""What assets need beside their inputs: the lake, its settings, the clock, the world."""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING, Any

import dagster as dg

from igaming_assets.interruption import hear_every_interruption
from lakehouse.errors import BadInput
from lakehouse.settings import Settings, load_settings
from lakehouse.storage import Lake

if TYPE_CHECKING:
    from lakehouse.simulate.world import World


class LakeResource(dg.ConfigurableResource[Any]):
    """The lake of the process's settings, or of `exactly` these (as JSON)."""

    exactly: str = ""

    @classmethod
    def of(cls, settings: Settings) -> LakeResource:
        return cls(exactly=settings.model_dump_json())

    @functools.cached_property
    def settings(self) -> Settings:
        return Settings.model_validate_json(self.exactly) if self.exactly else load_settings()

    @property
    def lake(self) -> Lake:
        return Lake.open(self.settings)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002 - Dagster's
        hear_every_interruption()


class Clock(dg.ConfigurableResource[Any]):
    """What time it is. `at` stops the clock, for a lake as it was known then."""

    at: str = ""

    def now(self) -> dt.datetime:
        if not self.at:
            return dt.datetime.now(dt.UTC)
        try:
            moment = dt.datetime.fromisoformat(self.at)
        except ValueError as error:
            raise BadInput(f"clock {self.at!r}: write it as 2025-01-31T15:00:00Z") from error
        if moment.tzinfo is None:
            raise BadInput(f"clock {self.at!r} needs its offset, such as {self.at}Z")
        return moment.astimezone(dt.UTC)


class Simulator(dg.ConfigurableResource[Any]):
    """The simulated world of a lake's settings; built once in a process."""

    def world(self, settings: Settings) -> World:
        from lakehouse.simulate.world import world_of

        return world_of(settings)
