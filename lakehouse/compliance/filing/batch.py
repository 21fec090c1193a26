"""A batch file: which filings can go, the numbered document, its validation and its bytes."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.compliance.filing import ctr, sar
from lakehouse.compliance.filing.elements import NAMESPACE, faults, number
from lakehouse.compliance.filing.filer import FilerSettings
from lakehouse.compliance.filing.identity import Vault
from lakehouse.compliance.filing.records import (
    FOREIGN_IN,
    FOREIGN_OUT,
    CtrFiling,
    Form,
    SarFiling,
    facts,
)
from lakehouse.errors import BadInput, LakehouseError

if TYPE_CHECKING:
    from lxml.etree import XMLParser, _Element

    from lakehouse.compliance.filing.ctr_schema import CtrActivity
    from lakehouse.compliance.filing.sar_schema import SarActivity

SCHEMA_FILES = {"CTR": "EFL_CTRXBatchSchema.xsd", "SAR": "EFL_SARXBatchSchema.xsd"}
MOST_LINES = 219
FOREIGN = (FOREIGN_IN, FOREIGN_OUT)
OUT_CODES = {"28", "31", "30", "56", "13", "15", "32", "33", "34", "48", "998", FOREIGN_OUT}


@dataclass(frozen=True)
class Blocked:
    """A filing that cannot go (or not whole), and why, in words that name no identifier."""

    filing_id: str
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.filing_id}: {'; '.join(self.reasons)}"


@dataclass(frozen=True)
class BatchFile:
    """One batch: its bytes, and its filings in their order, with their dollars and the hash
    of their facts."""

    form: Form
    content: bytes
    filing_ids: tuple[str, ...]
    amounts: tuple[int, ...]
    facts: tuple[str, ...]

    @property
    def batch_id(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:16]


def blocked(
    filings: Sequence[CtrFiling] | Sequence[SarFiling], vault: Vault, *, reviewed: bool = False
) -> list[Blocked]:
    """The filings that an unsound content holds back, or of a CTR an incomplete identity; with
    `reviewed` also those whose narrative is still the draft. A SAR may say unknown."""
    found = [(f, _reasons(f, vault) + (_draft(f) if reviewed else [])) for f in filings]
    return [Blocked(f.filing_id, tuple(reasons)) for f, reasons in found if reasons]


def unknown(filings: Sequence[SarFiling], vault: Vault) -> list[Blocked]:
    """The SARs that go with something of a subject marked as unknown, and what."""
    found = [(f, _lacking(f, vault)) for f in filings]
    return [Blocked(f.filing_id, tuple(lacking)) for f, lacking in found if lacking]


def complaint(held: Sequence[Blocked], of: int, form: Form, most: int = 5) -> str:
    """The blocked filings in one line."""
    more = f" | and {len(held) - most} more" if len(held) > most else ""
    reasons = " | ".join(str(b) for b in held[:most])
    return f"{len(held)} of {of} {form}s are blocked: {reasons}{more}"


def ctr_batch(
    filings: Sequence[CtrFiling], vault: Vault, filer: FilerSettings, *, filed_on: dt.date
) -> BatchFile:
    """One file of CTRs. Raises LakehouseError naming filings that are blocked."""
    _refuse_blocked(filings, vault, "CTR")
    activities = [ctr.activity(f, vault, filer, filed_on) for f in filings]
    _refuse_faults(activities)
    content = _serialise(ctr.batch(activities), SCHEMA_FILES["CTR"])
    return BatchFile("CTR", content, *_contents(filings))


def sar_batch(
    filings: Sequence[SarFiling], vault: Vault, filer: FilerSettings, *, filed_on: dt.date
) -> BatchFile:
    """One file of SARs. Raises LakehouseError naming filings that are blocked."""
    _refuse_blocked(filings, vault, "SAR")
    activities = [sar.activity(f, vault, filer, filed_on) for f in filings]
    _refuse_faults(activities)
    content = _serialise(sar.batch(activities), SCHEMA_FILES["SAR"])
    return BatchFile("SAR", content, *_contents(filings))


def _contents(
    filings: Sequence[CtrFiling] | Sequence[SarFiling],
) -> tuple[tuple[str, ...], tuple[int, ...], tuple[str, ...]]:
    return (
        tuple(f.filing_id for f in filings),
        tuple(f.amount for f in filings),
        tuple(facts(f) for f in filings),
    )


def validate(content: bytes, xsd: Path) -> None:
    """Raises LakehouseError with the first breaches of the XML schema."""
    if found := breaches(content, xsd):
        raise LakehouseError(f"the batch breaks {xsd.name}: {'; '.join(found[:3])}")


def breaches(content: bytes, xsd: Path) -> list[str]:
    """Where a batch breaks the XML schema, and how; values, which may identify, are not shown.

    Raises BadInput for a file that is no schema.
    """
    from lxml import etree

    try:
        schema = etree.XMLSchema(etree.parse(str(xsd), _parser()))
    except (OSError, etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        raise BadInput(f"cannot read {xsd} as an XML schema: {error}") from error
    if schema.validate(read_xml(content)):
        return []
    found: list[Any] = list(schema.error_log)  # type: ignore[call-overload]  # stubs
    return [f"{b.path} ({b.type_name})".replace("fc2:", "") for b in found]


def read_xml(content: bytes) -> _Element:
    """XML without entities or network access. Raises etree.XMLSyntaxError."""
    from lxml import etree

    return etree.fromstring(content, _parser())


def _parser() -> XMLParser:
    from lxml import etree

    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _serialise(batch: object, schema_file: str) -> bytes:
    from xsdata.formats.dataclass.serializers import XmlSerializer
    from xsdata.formats.dataclass.serializers.config import SerializerConfig

    number(batch)
    location = f"{NAMESPACE} https://www.fincen.gov/base/{schema_file}"
    config = SerializerConfig(indent="  ", schema_location=location)
    return XmlSerializer(config=config).render(batch, ns_map={"fc2": NAMESPACE}).encode()


def _refuse_blocked(
    filings: Sequence[CtrFiling] | Sequence[SarFiling], vault: Vault, form: Form
) -> None:
    if not filings:
        raise BadInput(f"no {form} to export")
    if held := blocked(filings, vault):
        raise LakehouseError(complaint(held, len(filings), form))


def _refuse_faults(activities: Sequence[CtrActivity] | Sequence[SarActivity]) -> None:
    for position, activity in enumerate(activities, start=1):
        if found := faults(activity):
            raise LakehouseError(f"filing {position} of the batch: {'; '.join(found)}")


def _reasons(filing: CtrFiling | SarFiling, vault: Vault) -> list[str]:
    return _unsound(filing) + (_lacking(filing, vault) if isinstance(filing, CtrFiling) else [])


def _lacking(filing: CtrFiling | SarFiling, vault: Vault) -> list[str]:
    found = []
    for player in filing.player_ids:
        if player is None:
            found.append("nobody was identified")
        elif missing := vault.on(player, filing.gaming_day).missing():
            found.append(f"{player} lacks {', '.join(missing)}")
    return found


def _draft(filing: CtrFiling | SarFiling) -> list[str]:
    if isinstance(filing, CtrFiling) or filing.is_reviewed:
        return []
    return ["its narrative is a draft: `cases decide CASE file --narrative FILE`"]


def _unsound(filing: CtrFiling | SarFiling) -> list[str]:
    if isinstance(filing, SarFiling):
        return [] if filing.subtypes else ["no activity subtype"]
    found = [] if filing.amount else ["no reportable amount"]
    if not 1 <= len(filing.lines) <= MOST_LINES:
        found.append(f"{len(filing.lines)} detail lines; allowed are 1 to {MOST_LINES}")
    if any(line.code in FOREIGN and not line.country for line in filing.lines):
        found.append("foreign currency without its country")
    for side, total in (("in", filing.cash_in), ("out", filing.cash_out)):
        if not _adds_up(filing, side, total or 0):
            found.append(f"the detail lines of cash {side} do not add up to {total or 0}")
    return found


def _adds_up(filing: CtrFiling, side: str, total: int) -> bool:
    """Each line and the total are rounded up on their own (FinCEN CTR FAQ 28)."""
    amounts = [
        line.amount
        for line in filing.lines
        if line.code not in FOREIGN and (line.code in OUT_CODES) == (side == "out")
    ]
    return 0 <= sum(amounts) - total < max(len(amounts), 1)
