"""From which value a signal is a warning or critical, and what else may be set."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Threshold(BaseModel):
    """Values beyond which (below which, of a signal that is worse the less there is) a level
    begins; a level without one is never reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    warning: float | None = Field(default=None, allow_inf_nan=False)
    critical: float | None = Field(default=None, allow_inf_nan=False)

    def under(self, given: Threshold | None) -> Threshold:
        """These, with what was given in their place; what was not mentioned stays."""
        if given is None:
            return self
        return self.model_copy(update={n: getattr(given, n) for n in given.model_fields_set})


class MonitorSettings(BaseModel):
    """The monitor's settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    thresholds: dict[str, Threshold] = Field(default_factory=dict)
    """By signal, what differs from its defaults."""
    looks: int = Field(default=3, ge=1, le=100)
    """Looks in a row that must agree before a level changes, so that nobody is told of what
    flutters."""
    seconds: float = Field(default=30, ge=0.1, le=86_400, allow_inf_nan=False)
    """Between two looks of `--watch`; from which age of a look /metrics begins another."""
    storage_gigabytes: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """What the lake may take; without it, as much as its volume has room for."""
    question: str = "day-report"
    """Saved question whose time is taken."""

    @field_validator("thresholds")
    @classmethod
    def _known_signals(cls, value: dict[str, Threshold]) -> dict[str, Threshold]:
        from lakehouse.serve.monitor.registry import signals

        unknown = [name for name in value if name not in signals()]
        if unknown:
            raise ValueError(f"no signal {unknown[0]!r}; signals: {', '.join(signals())}")
        return value

    @field_validator("question")
    @classmethod
    def _known_question(cls, value: str) -> str:
        from lakehouse.serve.sql.saved_queries import saved_queries

        if value not in saved_queries():
            raise ValueError(f"no such saved query; known: {', '.join(saved_queries())}")
        return value
