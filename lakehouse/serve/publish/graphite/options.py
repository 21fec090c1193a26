"""Where Graphite is, and how it is spoken to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from lakehouse.paths import local_folder

Protocol = Literal["plaintext", "pickle"]
PORTS: dict[Protocol, int] = {"plaintext": 2003, "pickle": 2004}
"""Where carbon listens, unless it is told otherwise."""


class GraphiteSettings(BaseModel):
    """One carbon server, or a relay before several."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: str | None = None
    """host or host:port; the port follows from the protocol where it is left out."""
    protocol: Protocol = "plaintext"
    prefix: str = Field(default="casino", pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")
    """Before every name, so that others may use the server too."""
    spool: Path | None = None
    """Folder where points wait for the server; by default <root>.graphite beside the lake."""

    @field_validator("server")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is None:
            return value
        found = re.fullmatch(r"[A-Za-z0-9_.-]+(?::(\d{1,5}))?", value)
        if not found or int(found[1] or 1) not in range(1, 65_536):
            raise ValueError("write it as graphite.example.com or graphite.example.com:2003")
        return value

    @field_validator("spool", mode="before")
    @classmethod
    def _a_local_folder(cls, value: object) -> object:
        return value if value is None else local_folder(value)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of a server that is named."""
        host, _, port = str(self.server).partition(":")
        return host, int(port) if port else PORTS[self.protocol]
