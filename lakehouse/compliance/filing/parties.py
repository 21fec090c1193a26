"""Parties of a form: the filer's own and people, from settings and identities.

What is not known of a person is said so, in the box that the form has for it. Only a SAR comes
to that: a currency report with an unknown identity is held back (31 CFR 1010.312).
"""

from __future__ import annotations

import unicodedata

from lakehouse.compliance.filing.elements import (
    YES,
    Address,
    Occupation,
    OrganizationClassification,
    PartyIdentification,
    PartyName,
    PhoneNumber,
)
from lakehouse.compliance.filing.filer import ORGANIZATION_SUBTYPES, FilerSettings
from lakehouse.compliance.filing.identity import Identity

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


def unknown(value: object) -> str | None:
    """The mark in a form's box "unknown"."""
    return None if str(value or "").strip() else YES


def _known(text: str | None) -> str | None:
    return clean(text or "") or None


def person_name(who: Identity) -> PartyName:
    return PartyName(
        last_name_unknown=unknown(who.last_name),
        first_name_unknown=unknown(who.first_name),
        type_code="L",
        last_name=_known(who.last_name),
        first_name=_known(who.first_name),
    )


def person_address(who: Identity) -> Address:
    abroad = who.country not in (None, "US")
    return Address(
        city_unknown=unknown(who.city),
        country_unknown=unknown(who.country),
        city=_known(who.city),
        country=who.country,
        state=who.state,
        street=_known(who.address_line1),
        zip_code=_postal_code(who),
        state_unknown=None if abroad else unknown(who.state),
        street_unknown=unknown(who.address_line1),
        zip_code_unknown=None if abroad else unknown(who.zip_code),
    )


def _postal_code(who: Identity) -> str | None:
    code = _known(who.zip_code)
    return digits(code) if code and who.country in (None, "US") else code


def person_ids(who: Identity) -> list[PartyIdentification]:
    return [_taxpayer(who), _document(who)]


def _taxpayer(who: Identity) -> PartyIdentification:
    if who.tin_type in (None, "NONE") or unknown(who.tin):
        return PartyIdentification(tin_unknown=YES)
    code = EIN if who.tin_type == "EIN" else SSN_ITIN
    return PartyIdentification(number=digits(who.tin or ""), type_code=code)


def _document(who: Identity) -> PartyIdentification:
    number, other = _known(who.id_number), _known(who.id_other_type)
    if who.id_type is None or number is None or (who.id_type == "OTHER" and other is None):
        return PartyIdentification(document_unknown=YES)
    return PartyIdentification(
        issuer_country=who.id_issuer_country,
        issuer_state=who.id_issuer_state,
        other_type=other,
        number=number,
        type_code=DOCUMENTS[who.id_type],
    )


def person_occupation(who: Identity) -> Occupation | None:
    return Occupation(occupation=clean(who.occupation)) if who.occupation else None
