"""Who is told of grave alerts: a line in the log, or a message to a webhook."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from lakehouse.errors import LakehouseError

SECONDS = 10
ATTEMPTS = 4
COLUMNS = (
    "alert_id", "severity", "rule", "entity_type", "entity_id", "gaming_day", "said",
    "suggested_action",
)  # fmt: skip
"""What is told of an alert; evidence stays in the lake."""


def tell(alerts: Sequence[Mapping[str, Any]], webhook: str | None, log: logging.Logger) -> None:
    """Says each alert in the log, and posts them all as JSON to `webhook`, if there is one.
    Raises LakehouseError where the webhook did not take them after some attempts."""
    for alert in alerts:
        log.warning("%s %s: %s", alert["severity"], alert["alert_id"], alert["said"])
    if webhook and alerts:
        _post(webhook, {"alerts": [{c: str(alert[c]) for c in COLUMNS} for alert in alerts]})


def _post(webhook: str, message: Mapping[str, Any]) -> None:
    import requests
    from tenacity import Retrying, stop_after_attempt, wait_random_exponential

    tries = Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.2, max=2),
        reraise=True,
    )
    try:
        for attempt in tries:
            with attempt:
                requests.post(webhook, json=message, timeout=SECONDS).raise_for_status()
    except requests.RequestException as error:
        # The address may hold a secret, and so may what the library says of it.
        raise LakehouseError(f"the webhook took no alerts: {type(error).__name__}") from None
