"""Parties of a form: the filer's own and people, from settings and identities."""

from __future__ import annotations

import unicodedata

from lakehouse.filing.elements import (
    YES,
    Address,
    Occupation,
    OrganizationClassification,
    PartyIdentification,
    PartyName,
    PhoneNumber,
)
from lakehouse.filing.filer import ORGANIZATION_SUBTYPES, FilerSettings
from lakehouse.filing.identity import Identity

TRANSMITTER, TRANSMITTER_CONTACT, FILER, CONTACT, LOCATION = "35", "37", "30", "8", "34"
IRS = "7"
CASINO = 1
SSN_ITIN, EIN, TIN, CONTROL_CODE = "1", "2", "4", "28"
DOCUMENTS = {"DRIVERS_LICENSE": "5", "PASSPORT": "6", "ALIEN_REGISTRATION": "7", "OTHER": "999"}


def clean(text: str) -> str:
    """FinCEN rejects a whole batch for a value with outer blanks, tabs or line ends."""
    printable = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text)
    return " ".join(printable.split())


def digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def legal_name(name: str) -> PartyName:
    return PartyName(type_code="L", full_name=clean(name))


def filer_address(filer: FilerSettings) -> Address:
    return Address(
        city=clean(filer.city),
        country="US",
        state=filer.state,
        street=clean(filer.street),
        zip_code=filer.zip_code,
    )


def transmitter_ids(filer: FilerSettings) -> list[PartyIdentification]:
    return [
        PartyIdentification(number=filer.tin, type_code=TIN),
        PartyIdentification(number=filer.transmitter_control_code, type_code=CONTROL_CODE),
    ]


def filer_ids(filer: FilerSettings) -> list[PartyIdentification]:
    return [PartyIdentification(number=filer.tin, type_code=EIN)]


def organization(filer: FilerSettings) -> OrganizationClassification:
    return OrganizationClassification(
        subtype_id=ORGANIZATION_SUBTYPES[filer.organization], type_id=CASINO
    )


def phone(number: str) -> PhoneNumber:
    return PhoneNumber(number=digits(number))


def person_name(who: Identity) -> PartyName:
    return PartyName(
        type_code="L",
        last_name=clean(who.last_name or ""),
        first_name=clean(who.first_name or ""),
    )


def person_address(who: Identity) -> Address:
    return Address(
        city=clean(who.city or ""),
        country=who.country,
        state=who.state,
        street=clean(who.address_line1 or ""),
        zip_code=_postal_code(who),
    )


def _postal_code(who: Identity) -> str | None:
    if who.zip_code is None:
        return None
    return digits(who.zip_code) if who.country == "US" else clean(who.zip_code)


def person_ids(who: Identity) -> list[PartyIdentification]:
    document = PartyIdentification(
        issuer_country=who.id_issuer_country,
        issuer_state=who.id_issuer_state,
        other_type=clean(who.id_other_type) if who.id_other_type else None,
        number=clean(who.id_number or ""),
        type_code=DOCUMENTS[who.id_type or "OTHER"],
    )
    return [_taxpayer(who), document]


def _taxpayer(who: Identity) -> PartyIdentification:
    if who.tin_type == "NONE":
        return PartyIdentification(tin_unknown=YES)
    code = EIN if who.tin_type == "EIN" else SSN_ITIN
    return PartyIdentification(number=digits(who.tin or ""), type_code=code)


def person_occupation(who: Identity) -> Occupation | None:
    return Occupation(occupation=clean(who.occupation)) if who.occupation else None
