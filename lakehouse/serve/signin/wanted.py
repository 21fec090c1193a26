"""How the page is reached and by whom: [page] of lakehouse.toml."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_ORIGIN = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?")
_TAKEN = {"cookie", "host", "origin", "authorization"}


class PageSettings(BaseModel):
    """Without any of these the page is for this machine."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    origin: str | None = None
    """Where people find the page, as https://lake.example; forms and sockets of any other place
    are refused."""
    tls_certificate: Path | None = None
    """Certificate chain in PEM, for a server that people reach without a proxy."""
    tls_key: Path | None = None
    proxies: tuple[str, ...] = ()
    """Addresses or networks of the proxies that people come by. They see to TLS; whoever comes
    another way is refused, unless there is a certificate here."""
    idle_minutes: float = Field(default=30, ge=1, le=24 * 60, allow_inf_nan=False)
    """After so long without a page or a click a session ends."""
    hours: float = Field(default=12, ge=0.1, le=7 * 24, allow_inf_nan=False)
    """After so long it ends in any case."""
    roles: Path | None = None
    """A file of roles of your own, in place of those that come with the program."""
    user_header: str | None = None
    """Header in which a proxy says who signed in with it, such as X-Forwarded-Email."""
    groups_header: str | None = None
    """Header in which it says that user's groups, with commas between them."""
    groups: dict[str, str] = Field(default_factory=dict)
    """Group → role."""

    @field_validator("origin")
    @classmethod
    def _of_a_site(cls, value: str | None) -> str | None:
        if value is not None and not _ORIGIN.fullmatch(value):
            raise ValueError("write it as https://lake.example or https://lake.example:8443")
        return value

    @field_validator("tls_certificate", "tls_key", "roles", mode="before")
    @classmethod
    def _is_there(cls, value: object) -> object:
        if value is not None and not _is_file(str(value)):
            raise ValueError("is no file that can be read")
        return value

    @field_validator("tls_key")
    @classmethod
    def _goes_with_a_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if (value is None) != (info.data.get("tls_certificate") is None):
            raise ValueError("tls_certificate and tls_key go together")
        return value

    @field_validator("proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for each in value:
            try:
                ipaddress.ip_network(each)
            except ValueError as error:
                raise ValueError(
                    f"{each[:80]!r} is neither an address nor a network such as 10.1.0.0/16"
                ) from error
        if value and not info.data.get("origin"):
            raise ValueError("with proxies say where people find the page: page.origin")
        return value

    @field_validator("user_header", "groups_header")
    @classmethod
    def _name_of_a_header(cls, value: str | None) -> str | None:
        if value is not None and (not _HEADER.fullmatch(value) or value.lower() in _TAKEN):
            raise ValueError("name a header of the proxy's own, such as X-Forwarded-Email")
        return value

    @field_validator("user_header")
    @classmethod
    def _of_a_proxy(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and not info.data.get("proxies"):
            raise ValueError("it is believed of proxies alone: name them as page.proxies")
        return value

    @field_validator("groups_header")
    @classmethod
    def _of_a_user(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and not info.data.get("user_header"):
            raise ValueError("it goes with page.user_header")
        return value

    @field_validator("groups")
    @classmethod
    def _told_by_a_header(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if bool(value) != bool(info.data.get("groups_header")):
            raise ValueError("page.groups_header and page.groups go together")
        return value


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False
