"""A Currency Transaction Report (FinCEN Form 112) from a filing, its people and the filer."""

from __future__ import annotations

import datetime as dt

from lakehouse.compliance.filing import parties as p
from lakehouse.compliance.filing.ctr_schema import (
    CtrActivity,
    CtrAssociation,
    CtrBatch,
    CtrDetail,
    CtrParty,
    CurrencyTransaction,
)
from lakehouse.compliance.filing.elements import YES
from lakehouse.compliance.filing.filer import FilerSettings
from lakehouse.compliance.filing.identity import Identity, Vault
from lakehouse.compliance.filing.records import CtrFiling, CtrLine, CtrPerson

OTHER_CODES = {"997": "Other cash in", "998": "Other cash out"}


def activity(
    filing: CtrFiling, vault: Vault, filer: FilerSettings, filed_on: dt.date
) -> CtrActivity:
    """The form. The identities must be complete (`batch` refuses others)."""
    people = [
        _person(person, vault.on(person.player_id, filing.gaming_day), filing)
        for person in filing.persons
    ]
    return CtrActivity(
        prior_document=int(filing.corrects_bsa_id) if filing.corrects_bsa_id else None,
        filing_date=f"{filed_on:%Y%m%d}",
        association=CtrAssociation(
            corrects=YES if filing.corrects_bsa_id else "",
            back_file="",
            initial="" if filing.corrects_bsa_id else YES,
        ),
        party=[*_filer_parties(filer, filing), *people],
        transaction=_transaction(filing),
    )


def batch(activities: list[CtrActivity]) -> CtrBatch:
    """The batch; its total is every cash-in and cash-out total of its forms."""
    totals = [
        t for a in activities for t in (a.transaction.total_cash_in, a.transaction.total_cash_out)
    ]
    return CtrBatch(
        total_amount=sum(int(t) for t in totals if t),
        party_count=sum(len(a.party) for a in activities),
        activity_count=len(activities),
        form_type="CTRX",
        activity=activities,
    )


def _filer_parties(filer: FilerSettings, filing: CtrFiling) -> list[CtrParty]:
    return [
        CtrParty(
            type_code=p.TRANSMITTER,
            name=[p.legal_name(filer.name)],
            address=p.filer_address(filer),
            phone=p.phone(filer.phone),
            identification=p.transmitter_ids(filer),
        ),
        CtrParty(type_code=p.TRANSMITTER_CONTACT, name=[p.legal_name(filer.transmitter_contact)]),
        _institution(p.FILER, filer),
        CtrParty(
            type_code=p.CONTACT,
            name=[p.legal_name(filer.contact_office)],
            phone=p.phone(filer.phone),
        ),
        _institution(p.LOCATION, filer, filing.cash_in, filing.cash_out),
    ]


def _institution(
    role: str, filer: FilerSettings, cash_in: int | None = None, cash_out: int | None = None
) -> CtrParty:
    return CtrParty(
        type_code=role,
        cash_in=_dollars(cash_in),
        cash_out=_dollars(cash_out),
        regulator=p.IRS,
        name=[p.legal_name(filer.name)],
        address=p.filer_address(filer),
        identification=p.filer_ids(filer),
        organization=p.organization(filer),
    )


def _person(person: CtrPerson, who: Identity, filing: CtrFiling) -> CtrParty:
    return CtrParty(
        type_code=person.role,
        birth_date=f"{who.date_of_birth:%Y%m%d}",
        cash_in=_dollars(person.cash_in),
        cash_out=_dollars(person.cash_out),
        multiple=YES if filing.multiple_transactions else None,
        unknown_gender=YES,
        name=[p.person_name(who)],
        address=p.person_address(who),
        phone=p.phone(who.phone) if who.phone else None,
        identification=p.person_ids(who),
        occupation=p.person_occupation(who),
    )


def _transaction(filing: CtrFiling) -> CurrencyTransaction:
    return CurrencyTransaction(
        aggregate=YES if filing.aggregate else "",
        armored_car="",
        atm="",
        mail_deposit="",
        night_deposit="",
        shared_branching="",
        total_cash_in=_dollars(filing.cash_in) or "",
        total_cash_out=_dollars(filing.cash_out) or "",
        transaction_date=f"{filing.gaming_day:%Y%m%d}",
        detail=[_detail(line) for line in filing.lines],
    )


def _detail(line: CtrLine) -> CtrDetail:
    return CtrDetail(
        type_code=line.code,
        amount=str(line.amount),
        other=OTHER_CODES.get(line.code, ""),
        foreign_country=line.country,
    )


def _dollars(amount: int | None) -> str | None:
    return None if amount is None else str(amount)
