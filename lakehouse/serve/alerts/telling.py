"""Who is told of what is grave: a line in the log, a message to a webhook, a mail."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakehouseError
from lakehouse.serve.alerts.mail import send

if TYPE_CHECKING:
    from lakehouse.settings import Settings

SECONDS = 10
ATTEMPTS = 4
COLUMNS = (
    "alert_id", "severity", "rule", "entity_type", "entity_id", "gaming_day", "said",
    "suggested_action",
)  # fmt: skip
"""What is told of an alert; evidence stays in the lake."""


@dataclass(frozen=True)
class Message:
    """What is told: a subject, a line for each thing with how grave it is to a log, and the same
    for programs."""

    subject: str
    lines: Sequence[tuple[int, str]]
    about: Mapping[str, Any]


Way = Callable[[Message], None]
"""Takes a message, or raises LakehouseError."""


def ways(settings: Settings, log: logging.Logger) -> dict[str, Way]:
    """The ways that settings name, and the log."""
    found: dict[str, Way] = {"log": lambda message: _log(log, message)}
    webhook, mail = settings.alert_webhook, settings.mail
    if webhook:
        found["webhook"] = lambda message: post(webhook, message.about)
    if mail:
        found["mail"] = lambda message: _trying(
            "the mail server", lambda: send(mail, message.subject, [t for _, t in message.lines])
        )
    return found


def tell(alerts: Sequence[Mapping[str, Any]], settings: Settings, log: logging.Logger) -> None:
    """Tells alerts by all ways. Raises LakehouseError where one did not take them after some
    attempts; the others have."""
    if not alerts:
        return
    lines = [(logging.WARNING, f"{a['severity']} {a['alert_id']}: {a['said']}") for a in alerts]
    about = {"alerts": [{c: str(alert[c]) for c in COLUMNS} for alert in alerts]}
    failed = []
    for way in ways(settings, log).values():
        try:
            way(Message(f"{len(alerts)} grave alerts", lines, about))
        except LakehouseError as error:
            failed.append(str(error))
    if failed:
        raise LakehouseError("; ".join(failed))


def post(webhook: str, about: Mapping[str, Any]) -> None:
    """Posts JSON. Raises LakehouseError where it was not taken after some attempts."""
    import requests

    def once() -> None:
        requests.post(webhook, json=about, timeout=SECONDS).raise_for_status()

    _trying("the webhook", once)


def _log(log: logging.Logger, message: Message) -> None:
    for level, line in message.lines:
        log.log(level, "%s", line)


def _trying(who: str, once: Callable[[], None]) -> None:
    from tenacity import Retrying, stop_after_attempt, wait_random_exponential

    wait = wait_random_exponential(multiplier=0.2, max=2)
    try:
        Retrying(stop=stop_after_attempt(ATTEMPTS), wait=wait, reraise=True)(once)
    except (OSError, smtplib.SMTPException) as error:  # requests raises kinds of OSError
        # The address may hold a secret, and so may what the library says of it.
        raise LakehouseError(f"{who} took no alerts: {type(error).__name__}") from None
