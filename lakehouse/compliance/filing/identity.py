"""Identities from the vault, as a form needs them: complete, or what is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import polars as pl

ALWAYS = (
    "first_name", "last_name", "date_of_birth", "tin_type", "address_line1", "city", "country",
    "id_type", "id_number", "id_issuer_country",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a patron is, as captured once in the identity vault."""

    player_id: str
    first_name: str | None = None
    last_name: str | None = None
    date_of_birth: dt.date | None = None
    tin: str | None = None
    tin_type: str | None = None
    address_line1: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None
    country: str | None = None
    id_type: str | None = None
    id_other_type: str | None = None
    id_number: str | None = None
    id_issuer_state: str | None = None
    id_issuer_country: str | None = None
    phone: str | None = None
    occupation: str | None = None

    def missing(self) -> list[str]:
        """Columns that the forms need and the vault lacks (31 CFR 1010.312)."""
        needed = [*ALWAYS]
        if self.tin_type != "NONE":
            needed.append("tin")
        if self.country == "US":
            needed += ["state", "zip_code"]
        if self.id_type == "DRIVERS_LICENSE" and self.id_issuer_country == "US":
            needed.append("id_issuer_state")
        if self.id_type == "OTHER":
            needed.append("id_other_type")
        return [f for f in needed if not str(getattr(self, f) or "").strip()]

    def is_stranger(self) -> bool:
        """Whether nothing at all is known of the person."""
        return self == Identity(player_id=self.player_id)


class Vault:
    """The captures of a set of players, by day."""

    def __init__(self, captures: Mapping[str, list[tuple[dt.date, Identity]]]) -> None:
        self._captures = captures

    def on(self, player_id: str, day: dt.date) -> Identity:
        """The identity known on a gaming day: the last capture up to it, otherwise the first
        one after it (a document that came late). Everything is missing for a stranger."""
        captures = self._captures.get(player_id, [])
        known = [identity for captured, identity in captures if captured <= day]
        if known:
            return known[-1]
        return captures[0][1] if captures else Identity(player_id=player_id)


def open_vault(vault: pl.LazyFrame, player_ids: Iterable[str]) -> Vault:
    """The captures of the named players alone; nobody else's identifiers are read."""
    wanted = pl.col("player_id").is_in(sorted(set(player_ids)))
    rows = vault.filter(wanted).sort("player_id", "gaming_day").collect()
    names = [f.name for f in fields(Identity)]
    captures: dict[str, list[tuple[dt.date, Identity]]] = {}
    for row in rows.iter_rows(named=True):
        identity = Identity(**{n: row[n] for n in names})
        captures.setdefault(identity.player_id, []).append((row["gaming_day"], identity))
    return Vault(captures)
