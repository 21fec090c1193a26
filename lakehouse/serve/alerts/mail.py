"""Messages by mail, as an alternative to a webhook."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

SECONDS = 10


class MailSettings(BaseModel):
    """The server that takes mail, and who gets it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: str = Field(min_length=1, pattern=r"^[\w.:\[\]-]+$")
    port: int = Field(default=587, ge=1, le=65_535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_file: Path | None = None
    """File that holds the password, in one line."""
    sender: str
    to: tuple[str, ...] = Field(min_length=1)

    @field_validator("sender")
    @classmethod
    def _one_address(cls, value: str) -> str:
        if not value.isprintable() or parseaddr(value)[1] != value or "@" not in value:
            raise ValueError("write an address as lake@example.com")
        return value

    @field_validator("to")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(cls._one_address(v) for v in value)

    @model_validator(mode="after")
    def _no_password_in_clear(self) -> MailSettings:
        if self.user is not None and (self.password_file is None or self.security == "none"):
            raise ValueError("a user needs password_file, and security starttls or tls")
        return self


def send(mail: MailSettings, subject: str, lines: Sequence[str]) -> None:
    """Sends one message. Raises OSError and smtplib.SMTPException."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, mail.sender, ", ".join(mail.to)
    message.set_content("\n".join(lines))
    kind = smtplib.SMTP_SSL if mail.security == "tls" else smtplib.SMTP
    with kind(mail.server, mail.port, timeout=SECONDS) as server:
        if mail.security == "starttls":
            server.starttls()
        if mail.user is not None and mail.password_file is not None:
            server.login(mail.user, mail.password_file.read_text(encoding="utf-8").strip())
        server.send_message(message)
