"""The types that FinCEN's CTR and SAR batches share, in the order of the XML schemas v1.2.

Each class is one complex type of namespace www.fincen.gov/base; each field one element, with
the longest text that its type allows. Only elements that a casino fills are declared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

NAMESPACE = "www.fincen.gov/base"
YES = "Y"


def element(name: str, longest: int | None = None) -> Any:
    """An element that may be left out; an empty text is written as an empty element."""
    return field(default=None, metadata=_element(name, longest))


def required(name: str, longest: int | None = None) -> Any:
    return field(metadata=_element(name, longest))


def several(name: str) -> Any:
    return field(default_factory=list, metadata=_element(name))


def attribute(name: str) -> Any:
    return field(metadata={"type": "Attribute", "name": name})


def seq_num() -> Any:
    """The file-wide sequence number; given when the batch is complete."""
    return field(default=0, metadata={"type": "Attribute", "name": "SeqNum"})


def _element(name: str, longest: int | None = None) -> dict[str, Any]:
    limit = {} if longest is None else {"max_length": longest}
    return {"type": "Element", "name": name, "namespace": NAMESPACE, **limit}


@dataclass(kw_only=True)
class PartyName:
    last_name_unknown: str | None = element("EntityLastNameUnknownIndicator")
    first_name_unknown: str | None = element("FirstNameUnknownIndicator")
    type_code: str = required("PartyNameTypeCode")
    last_name: str | None = element("RawEntityIndividualLastName", 150)
    first_name: str | None = element("RawIndividualFirstName", 35)
    full_name: str | None = element("RawPartyFullName", 150)
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class Address:
    city_unknown: str | None = element("CityUnknownIndicator")
    country_unknown: str | None = element("CountryCodeUnknownIndicator")
    city: str | None = element("RawCityText", 50)
    country: str | None = element("RawCountryCodeText", 2)
    state: str | None = element("RawStateCodeText", 3)
    street: str | None = element("RawStreetAddress1Text", 100)
    zip_code: str | None = element("RawZIPCode", 9)
    state_unknown: str | None = element("StateCodeUnknownIndicator")
    street_unknown: str | None = element("StreetAddressUnknownIndicator")
    zip_code_unknown: str | None = element("ZIPCodeUnknownIndicator")
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class PhoneNumber:
    number: str = required("PhoneNumberText", 16)
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class PartyIdentification:
    document_unknown: str | None = element("IdentificationPresentUnknownIndicator")
    issuer_country: str | None = element("OtherIssuerCountryText", 2)
    issuer_state: str | None = element("OtherIssuerStateText", 3)
    other_type: str | None = element("OtherPartyIdentificationTypeText", 50)
    number: str | None = element("PartyIdentificationNumberText", 25)
    type_code: str | None = element("PartyIdentificationTypeCode")
    tin_unknown: str | None = element("TINUnknownIndicator")
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class OrganizationClassification:
    subtype_id: int = required("OrganizationSubtypeID")
    type_id: int = required("OrganizationTypeID")
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class Occupation:
    occupation: str = required("OccupationBusinessText", 50)
    seq_num: int = seq_num()


def number(batch: object) -> None:
    """Gives every element that has a SeqNum the next one, in the order of the document."""
    for count, node in enumerate((n for n in walk(batch) if hasattr(n, "seq_num")), start=1):
        node.seq_num = count


def faults(node: object) -> list[str]:
    """Elements whose text is longer than FinCEN's type allows, or has blanks at its ends,
    tabs or line ends: libxml2 passes those, FinCEN refuses the whole batch for one."""
    found = []
    for part in walk(node):
        for f in fields(part):
            value, longest = getattr(part, f.name), f.metadata.get("max_length")
            if not isinstance(value, str):
                continue
            if longest is not None and len(value) > longest:
                found.append(
                    f"{f.metadata['name']} has {len(value)} characters, {longest} are allowed"
                )
            if value != " ".join(value.split()):
                found.append(f"{f.metadata['name']} has stray blanks")
    return found


def walk(node: Any) -> Iterator[Any]:
    """A dataclass and those within it, in the order of their fields."""
    yield node
    for f in fields(node):
        value = getattr(node, f.name)
        for child in value if isinstance(value, list) else [value]:
            if is_dataclass(child):
                yield from walk(child)
