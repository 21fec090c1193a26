"""Settings: environment (LAKEHOUSE_…), then lakehouse.toml, then these defaults."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from lakehouse.errors import BadInput
from lakehouse.filing.filer import FilerSettings

WAIT_SECONDS = 600
Source = Literal["simulator", "landing", "both"]


class Settings(BaseSettings):
    """One lake and the property it describes."""

    model_config = SettingsConfigDict(
        env_prefix="LAKEHOUSE_",
        env_nested_delimiter="__",
        toml_file="lakehouse.toml",
        extra="forbid",
        frozen=True,
    )

    root: str = "data/lake"
    """Folder or object-store URL of the lake."""
    storage_options: dict[str, str] = Field(default_factory=dict)
    seed: int = Field(default=42, ge=0, lt=2**63)
    scale: float = Field(default=1.0, gt=0)
    """1.0 is about 23,000 rows a day."""
    start: dt.date = dt.date(2025, 1, 1)
    """First gaming day of the lake."""
    profile: str = "us-federal"
    timezone: str = "America/Los_Angeles"
    pii_key_file: Path | None = None
    """256-bit token key; by default beside the lake's folder, never inside it."""
    restricted_key_file: Path | None = None
    """Key that opens review cases to SQL; by default beside the lake's folder."""
    faults: bool = True
    """Whether simulated bronze receives defects, misconduct and filing faults."""
    source: Source = "simulator"
    sources: dict[str, Source] = Field(default_factory=dict)
    """Source by table, where it differs from `source`."""
    wait_seconds: float = Field(default=WAIT_SECONDS, ge=0)
    """How long a command waits for another process that is at work in the same place."""
    carded_bill_in_knowledge: bool = False
    """Whether carded bill-in counts as the casino's knowledge (FinCEN Ruling 2005-1)."""
    multiple_transaction_log_over: str | None = None
    """House policy: dollars over which a transaction is logged; no log without it."""
    filer: FilerSettings = Field(default_factory=FilerSettings)
    """Who files with FinCEN, as LAKEHOUSE_FILER__NAME or in [filer] of lakehouse.toml."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(
                f"{value!r} is no time zone; use a name such as America/Los_Angeles"
            ) from error
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - given by the library
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def source_of(self, table: str) -> Source:
        return self.sources.get(table, self.source)


def load_settings(**overrides: object) -> Settings:
    """Settings with `overrides` on top. Raises BadInput naming the setting that is wrong."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(p) for p in first["loc"])
        raise BadInput(f"setting {name!r}: {first['msg']} (got {first['input']!r})") from error
