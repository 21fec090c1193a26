"""What goes on a form, apart from identities: one value per filing."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, replace
from typing import Literal

Form = Literal["CTR", "SAR"]

OWN_BEHALF, FOR_ANOTHER, BENEFICIARY = "50", "17", "23"
FOREIGN_IN, FOREIGN_OUT = "53", "54"


@dataclass(frozen=True)
class CtrPerson:
    """A person of a CTR; dollars, null where the person has none on that side."""

    player_id: str
    role: str
    cash_in: int | None
    cash_out: int | None


@dataclass(frozen=True)
class CtrLine:
    """An amount by FinCEN's detail code; `country` for foreign currency (53, 54)."""

    code: str
    amount: int
    country: str = ""


@dataclass(frozen=True)
class CtrFiling:
    """One CTR; whole dollars, null on a side that is not reportable."""

    filing_id: str
    player_id: str | None
    gaming_day: dt.date
    cash_in: int | None
    cash_out: int | None
    persons: tuple[CtrPerson, ...]
    lines: tuple[CtrLine, ...]
    multiple_transactions: bool
    aggregate: bool
    corrects_bsa_id: str | None = None

    @property
    def amount(self) -> int:
        return (self.cash_in or 0) + (self.cash_out or 0)

    @property
    def player_ids(self) -> tuple[str | None, ...]:
        return tuple(p.player_id for p in self.persons) or (self.player_id,)


@dataclass(frozen=True)
class SarFiling:
    """One SAR; `player_ids` is empty where nobody could be named."""

    filing_id: str
    player_ids: tuple[str, ...]
    gaming_day: dt.date
    first_activity: dt.date
    last_activity: dt.date
    amount: int
    subtypes: tuple[str, ...]
    narrative: str
    is_reviewed: bool = False
    """Whether an officer wrote the narrative; otherwise it is the draft from the facts."""
    assets: tuple[str, ...] = ("currency", "gaming")
    corrects_bsa_id: str | None = None


def facts(filing: CtrFiling | SarFiling) -> str:
    """SHA-256 of what the form says, identities and the report it corrects apart."""
    return hashlib.sha256(repr(replace(filing, corrects_bsa_id=None)).encode()).hexdigest()
