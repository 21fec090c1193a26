"""A Suspicious Activity Report (FinCEN Form 111) from a decided case, its people and the filer."""

from __future__ import annotations

import datetime as dt

from lakehouse.compliance.filing import parties as p
from lakehouse.compliance.filing.elements import YES
from lakehouse.compliance.filing.filer import FilerSettings
from lakehouse.compliance.filing.identity import Identity, Vault
from lakehouse.compliance.filing.records import SarFiling
from lakehouse.compliance.filing.sar_schema import (
    Asset,
    Narrative,
    SarActivity,
    SarAssociation,
    SarBatch,
    SarParty,
    SuspiciousActivity,
    SuspiciousActivityClassification,
)
from lakehouse.errors import LakehouseError

SUBJECT = "33"
BLOCK, BLOCKS, LONGEST_NARRATIVE = 4000, 5, 17_000
PAYMENT_MECHANISM = 6
ASSETS = {"currency": 39, "gaming": 34, "foreign_currency": 32, "check": 37, "transfer": 33}


def activity(
    filing: SarFiling, vault: Vault, filer: FilerSettings, filed_on: dt.date
) -> SarActivity:
    """The form. What the vault lacks of a subject is marked as unknown."""
    return SarActivity(
        prior_document=int(filing.corrects_bsa_id) if filing.corrects_bsa_id else None,
        filing_date=f"{filed_on:%Y%m%d}",
        association=SarAssociation(
            corrects=YES if filing.corrects_bsa_id else None,
            initial=None if filing.corrects_bsa_id else YES,
        ),
        party=[*_filer_parties(filer), *_subjects(filing, vault)],
        suspicious=_suspicious(filing),
        asset=[Asset(subtype_id=ASSETS[a], type_id=PAYMENT_MECHANISM) for a in filing.assets],
        narrative=narrative_blocks(filing.narrative),
    )


def batch(activities: list[SarActivity]) -> SarBatch:
    """The batch; its total is every amount involved. Nothing is attached."""
    return SarBatch(
        total_amount=sum(int(a.suspicious.total_amount or 0) for a in activities),
        party_count=sum(len(a.party) for a in activities),
        activity_count=len(activities),
        activity_attachment_count=0,
        attachment_count=0,
        form_type="SARX",
        activity=activities,
    )


def narrative_blocks(narrative: str) -> list[Narrative]:
    """The narrative in at most five blocks of 4,000 characters, 17,000 in all, cut at blanks."""
    words, blocks = p.clean(narrative).split(" "), [""]
    for word in words:
        if len(blocks[-1]) + 1 + len(word) > BLOCK:
            blocks.append(word)
        else:
            blocks[-1] = f"{blocks[-1]} {word}".lstrip()
    total = sum(len(b) for b in blocks)
    if total == 0 or total > LONGEST_NARRATIVE or len(blocks) > BLOCKS:
        raise LakehouseError(
            f"a SAR narrative of {total} characters in {len(blocks)} blocks; allowed are "
            f"1 to {LONGEST_NARRATIVE} in at most {BLOCKS}"
        )
    return [Narrative(block=n, text=text) for n, text in enumerate(blocks, start=1)]


def activity_type(subtype: str) -> int:
    """FinCEN's type of a subtype: 114 → 1, 1202 → 12; 999 ends the "other" of a type."""
    return int(subtype) // (1000 if subtype.endswith("999") else 100)


def _suspicious(filing: SarFiling) -> SuspiciousActivity:
    one_day = filing.first_activity == filing.last_activity
    return SuspiciousActivity(
        amount_unknown=None if filing.amount else YES,
        from_date=f"{filing.first_activity:%Y%m%d}",
        to_date=None if one_day else f"{filing.last_activity:%Y%m%d}",
        total_amount=str(filing.amount) if filing.amount else None,
        classification=[
            SuspiciousActivityClassification(
                other="See narrative" if subtype.endswith("999") else None,
                subtype_id=int(subtype),
                type_id=activity_type(subtype),
            )
            for subtype in filing.subtypes
        ],
    )


def _filer_parties(filer: FilerSettings) -> list[SarParty]:
    return [
        SarParty(
            type_code=p.TRANSMITTER,
            name=[p.legal_name(filer.name)],
            address=[p.filer_address(filer)],
            phone=[p.phone(filer.phone)],
            identification=p.transmitter_ids(filer),
        ),
        SarParty(type_code=p.TRANSMITTER_CONTACT, name=[p.legal_name(filer.transmitter_contact)]),
        _institution(p.FILER, filer),
        SarParty(
            type_code=p.CONTACT,
            name=[p.legal_name(filer.contact_office)],
            phone=[p.phone(filer.phone)],
        ),
        _institution(p.LOCATION, filer),
    ]


def _institution(role: str, filer: FilerSettings) -> SarParty:
    return SarParty(
        type_code=role,
        no_branch=YES if role == p.LOCATION else None,
        regulator=p.IRS,
        name=[p.legal_name(filer.name)],
        address=[p.filer_address(filer)],
        identification=p.filer_ids(filer),
        organization=[p.organization(filer)],
    )


def _subjects(filing: SarFiling, vault: Vault) -> list[SarParty]:
    known = (vault.on(player, filing.gaming_day) for player in filing.player_ids)
    return [_subject(who) for who in known] or [_stranger()]


def _stranger() -> SarParty:
    return SarParty(type_code=SUBJECT, subject_unknown=YES)


def _subject(who: Identity) -> SarParty:
    if who.is_stranger():
        return _stranger()
    return SarParty(
        type_code=SUBJECT,
        birth_date_unknown=p.unknown(who.date_of_birth),
        birth_date=f"{who.date_of_birth:%Y%m%d}" if who.date_of_birth else None,
        no_account=YES,
        unknown_gender=YES,
        name=[p.person_name(who)],
        address=[p.person_address(who)],
        phone=[p.phone(who.phone)] if who.phone else [],
        identification=p.person_ids(who),
        occupation=p.person_occupation(who),
    )
