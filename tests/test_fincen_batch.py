"""FinCEN batches against FinCEN's own schemas and two samples that validate."""

import dataclasses
import itertools
from pathlib import Path

import pytest
from fincen_people import FILED, ctr, identity, sar, vault
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from lakehouse.compliance.filing import batch as b
from lakehouse.compliance.filing.filer import FilerSettings
from lakehouse.compliance.filing.identity import Identity
from lakehouse.compliance.filing.records import CtrLine, CtrPerson
from lakehouse.compliance.filing.sar import activity_type, narrative_blocks
from lakehouse.errors import BadInput, LakehouseError

REFERENCE = Path(__file__).parents[2] / "shared/reference/fincen"
FILER = FilerSettings()
NS = {"f": "www.fincen.gov/base"}

needs_reference = pytest.mark.skipif(
    not REFERENCE.is_dir(), reason="FinCEN's schemas are not beside the repository"
)

SAMPLE_FILER = FilerSettings(
    name="Demo Casino LLC",
    tin="900000001",
    transmitter_control_code="PTCC0000",
    street="1 Casino Way",
    city="Reno",
    zip_code="89501",
    phone="7755550123",
)


def texts(content: bytes, path: str) -> list[str]:
    return [e.text or "" for e in etree.fromstring(content).iterfind(path, NS)]


def outline(content: bytes) -> list[tuple[str, str, str | None]]:
    """Each element's name, text and sequence number, in document order."""
    root = etree.fromstring(content)
    return [
        (etree.QName(e).localname, (e.text or "").strip(), e.get("SeqNum")) for e in root.iter()
    ]


@needs_reference
def test_a_ctr_equals_the_sample_that_validates() -> None:
    ours = b.ctr_batch([ctr()], vault(identity(phone="7755550123")), SAMPLE_FILER, filed_on=FILED)
    sample = (REFERENCE / "ctr_casino.xml").read_bytes()
    assert outline(ours.content) == outline(sample)
    assert dict(etree.fromstring(ours.content).attrib) == dict(etree.fromstring(sample).attrib)


@needs_reference
def test_a_sar_has_the_elements_of_the_sample_that_validates() -> None:
    ours = b.sar_batch([sar()], vault(identity()), SAMPLE_FILER, filed_on=FILED)
    sample = (REFERENCE / "sar_casino.xml").read_bytes()
    # The sample's subject has the kind of telephone and no document; ours the other way round.
    subject_only = {
        "PhoneNumberTypeCode", "OtherIssuerCountryText", "OtherIssuerStateText",
        "PartyIdentification", "PartyIdentificationNumberText", "PartyIdentificationTypeCode",
    }  # fmt: skip

    def comparable(content: bytes) -> list[tuple[str, str]]:
        rows = [(n, t) for n, t, _ in outline(content) if n not in subject_only]
        return [(n, "" if n == "ActivityNarrativeText" else t) for n, t in rows]

    assert comparable(ours.content) == comparable(sample)
    assert dict(etree.fromstring(ours.content).attrib) == dict(etree.fromstring(sample).attrib)


AGENT = ctr(
    "agent",
    "PA",
    cash_in=11_000,
    persons=(
        CtrPerson("PB", "17", 6_000, None),
        CtrPerson("PA", "23", 6_000, None),
        CtrPerson("PA", "50", 5_000, None),
    ),
    lines=(CtrLine("18", 11_000),),
)
BOTH_SIDES = ctr(
    "exchange",
    cash_in=10_300,
    cash_out=10_300,
    persons=(CtrPerson("P1", "50", 10_300, 10_300),),
    lines=(CtrLine("14", 10_300), CtrLine("15", 10_300), CtrLine("53", 10_300, "DE")),
    multiple_transactions=False,
)
OTHER_IN = ctr("other", lines=(CtrLine("997", 12_400),))
AMENDED = ctr("amended", corrects_bsa_id="31000000000001")


@needs_reference
@pytest.mark.parametrize(
    "who",
    [
        identity(),
        identity(tin=None, tin_type="NONE", country="MX", state=None, zip_code=None,
                 id_type="PASSPORT", id_issuer_state=None, id_issuer_country="MX"),
        identity(id_type="OTHER", id_other_type="Tribal  card", id_issuer_state=None),
        identity(zip_code="89501-1234", phone=None, occupation="Dealer\tin antiques "),
    ],
    ids=["us", "alien", "other document", "blanks and hyphens"],
)  # fmt: skip
@pytest.mark.parametrize(
    "filing", [ctr(), BOTH_SIDES, OTHER_IN, AMENDED], ids=lambda f: f.filing_id
)
def test_every_kind_of_ctr_validates(filing, who) -> None:
    made = b.ctr_batch([filing], vault(who), FILER, filed_on=FILED)
    assert b.breaches(made.content, REFERENCE / b.SCHEMA_FILES["CTR"]) == []


@needs_reference
@pytest.mark.parametrize(
    "filing",
    [
        sar(),
        sar(player_ids=(), subtypes=("112", "106")),
        sar(player_ids=("P1", "P2"), subtypes=("911", "12999"), assets=("currency", "check")),
        sar(last_activity=sar().first_activity, narrative="word " * 3_000),
        sar(corrects_bsa_id="31000000000001", amount=0),
    ],
    ids=["sample", "nobody known", "two subjects", "one day, long", "amended, no amount"],
)
def test_every_kind_of_sar_validates(filing) -> None:
    made = b.sar_batch([filing], vault(identity(), identity("P2")), FILER, filed_on=FILED)
    assert b.breaches(made.content, REFERENCE / b.SCHEMA_FILES["SAR"]) == []


@needs_reference
def test_a_breach_names_the_place_and_no_identifier() -> None:
    made = b.ctr_batch([ctr()], vault(identity()), FILER, filed_on=FILED)
    broken = made.content.replace(b">900000002<", b">" + b"900000002" * 3 + b"<")
    with pytest.raises(LakehouseError) as error:
        b.validate(broken, REFERENCE / b.SCHEMA_FILES["CTR"])
    assert "PartyIdentificationNumberText" in str(error.value)
    assert "900000002" not in str(error.value)


def test_a_schema_that_is_none_is_bad_input(tmp_path) -> None:
    made = b.ctr_batch([ctr()], vault(identity()), FILER, filed_on=FILED)
    with pytest.raises(BadInput, match="cannot read"):
        b.validate(made.content, tmp_path / "absent.xsd")


def test_header_totals_are_those_of_all_forms() -> None:
    people = vault(identity(), identity("PA"), identity("PB"))
    made = b.ctr_batch([ctr(), AGENT, BOTH_SIDES], people, FILER, filed_on=FILED)
    root = etree.fromstring(made.content)
    # 12,400 + 11,000 + (10,300 in and 10,300 out); five own parties a form and 1, 3, 1 people.
    assert root.get("TotalAmount") == "44000"
    assert root.get("PartyCount") == "20"
    assert root.get("ActivityCount") == "3"
    assert made.amounts == (12_400, 11_000, 20_600)


def test_agent_and_principal_have_their_codes_and_amounts() -> None:
    people = vault(identity("PA", first_name="Ana"), identity("PB", first_name="Ben"))
    made = b.ctr_batch([AGENT], people, FILER, filed_on=FILED)
    assert texts(made.content, ".//f:Party/f:ActivityPartyTypeCode") == [
        "35", "37", "30", "8", "34", "17", "23", "50",
    ]  # fmt: skip
    assert texts(made.content, ".//f:RawIndividualFirstName") == ["Ben", "Ana", "Ana"]
    amounts = texts(made.content, ".//f:Party/f:IndividualEntityCashInAmountText")
    assert amounts == ["11000", "6000", "6000", "5000"]


def test_a_side_that_is_not_reportable_is_an_empty_total() -> None:
    made = b.ctr_batch([ctr()], vault(identity()), FILER, filed_on=FILED)
    assert texts(made.content, ".//f:TotalCashOutAmountText") == [""]
    assert texts(made.content, ".//f:Party/f:IndividualEntityCashOutAmountText") == []


@given(st.lists(st.sampled_from([ctr(), BOTH_SIDES, OTHER_IN]), min_size=1, max_size=6))
@settings(max_examples=15, deadline=None)
def test_sequence_numbers_are_unique_and_rise_by_one_in_document_order(filings) -> None:
    made = b.ctr_batch(filings, vault(identity()), FILER, filed_on=FILED)
    numbers = [int(n) for _, _, n in outline(made.content) if n is not None]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(later > earlier for earlier, later in itertools.pairwise(numbers))


@pytest.mark.parametrize(
    ("who", "lacks"),
    [
        (identity(last_name=None), "P1 lacks last_name"),
        (identity(last_name="  "), "P1 lacks last_name"),
        (identity(tin=None), "P1 lacks tin"),
        (identity(tin=None, tin_type=None), "P1 lacks tin_type, tin"),
        (identity(state=None, zip_code=""), "P1 lacks state, zip_code"),
        (identity(id_issuer_state=None), "P1 lacks id_issuer_state"),
        (identity(id_type="OTHER"), "P1 lacks id_other_type"),
        (identity("P2"), "P1 lacks first_name, last_name, date_of_birth, tin_type"),
    ],
)
def test_an_incomplete_identity_blocks_with_what_is_missing(who, lacks) -> None:
    with pytest.raises(LakehouseError, match=f"1 of 1 CTRs are blocked: C1: {lacks}"):
        b.ctr_batch([ctr()], vault(who), FILER, filed_on=FILED)
    assert str(b.unknown([sar()], vault(who))[0]).startswith(f"S1: {lacks}")


def test_a_whole_identity_has_nothing_unknown() -> None:
    assert b.unknown([sar(), sar(player_ids=())], vault(identity())) == []
    made = b.sar_batch([sar()], vault(identity()), FILER, filed_on=FILED)
    assert _marked(made.content) == []


UNKNOWN = [
    ({"last_name": None}, ["EntityLastNameUnknownIndicator"]),
    ({"first_name": "  "}, ["FirstNameUnknownIndicator"]),
    ({"date_of_birth": None}, ["BirthDateUnknownIndicator"]),
    ({"tin": None}, ["TINUnknownIndicator"]),
    ({"tin_type": None}, ["TINUnknownIndicator"]),
    ({"tin": None, "tin_type": "NONE"}, ["TINUnknownIndicator"]),
    ({"address_line1": ""}, ["StreetAddressUnknownIndicator"]),
    ({"city": None, "state": None}, ["CityUnknownIndicator", "StateCodeUnknownIndicator"]),
    ({"zip_code": None}, ["ZIPCodeUnknownIndicator"]),
    ({"country": None}, ["CountryCodeUnknownIndicator"]),
    ({"country": "MX", "state": None, "zip_code": None}, []),  # no state, no ZIP abroad
    ({"id_number": None}, ["IdentificationPresentUnknownIndicator"]),
    ({"id_type": None}, ["IdentificationPresentUnknownIndicator"]),
    ({"id_type": "OTHER"}, ["IdentificationPresentUnknownIndicator"]),
    ({"id_issuer_state": None}, []),  # the form has no box for it
]


@pytest.mark.parametrize(("changes", "boxes"), UNKNOWN)
def test_a_sar_marks_what_is_unknown_of_its_subject(changes, boxes) -> None:
    made = b.sar_batch([sar()], vault(identity(**changes)), FILER, filed_on=FILED)
    assert _marked(made.content) == boxes


def test_a_sar_of_somebody_never_captured_says_so_in_one_box() -> None:
    made = b.sar_batch([sar()], vault(identity("P2")), FILER, filed_on=FILED)
    assert _marked(made.content) == ["AllCriticalSubjectInformationUnavailableIndicator"]
    assert texts(made.content, ".//f:RawIndividualFirstName") == []


def _marked(content: bytes) -> list[str]:
    """Boxes of the subject that say unknown, in their order; gender is never recorded."""
    subject = etree.fromstring(content).xpath(
        "//f:Party[f:ActivityPartyTypeCode='33']", namespaces={"f": b.NAMESPACE}
    )[0]
    names = [e.tag.split("}")[1] for e in subject.iter() if e.text == "Y"]
    apart = {"UnknownGenderIndicator", "NoKnownAccountInvolvedIndicator"}
    return [n for n in names if n not in apart]


@needs_reference
@pytest.mark.parametrize("changes", [c for c, _ in UNKNOWN], ids=str)
def test_every_box_is_where_the_schema_has_it(changes) -> None:
    made = b.sar_batch([sar()], vault(identity(**changes)), FILER, filed_on=FILED)
    assert b.breaches(made.content, REFERENCE / b.SCHEMA_FILES["SAR"]) == []


@needs_reference
def test_a_subject_with_every_box_marked_validates() -> None:
    nothing = dict.fromkeys((f.name for f in dataclasses.fields(Identity)), None)
    who = Identity(**(nothing | {"player_id": "P1", "occupation": "Dealer"}))
    made = b.sar_batch([sar()], vault(who), FILER, filed_on=FILED)
    assert b.breaches(made.content, REFERENCE / b.SCHEMA_FILES["SAR"]) == []
    assert len(_marked(made.content)) == 10


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lines": (CtrLine("18", 12_398), CtrLine("55", 1))}, "cash in do not add up to 12400"),
        ({"lines": (CtrLine("18", 12_401),)}, "cash in do not add up to 12400"),
        ({"lines": (CtrLine("18", 12_400), CtrLine("28", 9))}, "cash out do not add up to 0"),
        (
            {"lines": (CtrLine("18", 12_400), CtrLine("53", 9))},
            "foreign currency without its country",
        ),
        ({"lines": ()}, "0 detail lines; allowed are 1 to 219"),
        ({"cash_in": None, "lines": (CtrLine("18", 1),)}, "no reportable amount"),
        ({"persons": (), "player_id": None}, "nobody was identified"),
    ],
)
def test_an_unsound_ctr_blocks(changes, reason) -> None:
    filing = ctr(**({"persons": ()} | changes))
    with pytest.raises(LakehouseError, match=reason):
        b.ctr_batch([filing], vault(identity()), FILER, filed_on=FILED)


def test_lines_rounded_up_one_by_one_may_pass_the_total_by_a_dollar_less_than_their_number() -> (
    None
):
    # 6,000.40 + 6,000.40 = 12,000.80: lines 6,001 and 6,001, total 12,001.
    lines = (CtrLine("18", 6_001), CtrLine("55", 6_001))
    filing = ctr(cash_in=12_001, lines=lines)
    assert b.blocked([filing], vault(identity())) == []


def test_text_too_long_for_its_element_is_refused_not_cut() -> None:
    people = vault(identity(first_name="A" * 36))
    with pytest.raises(LakehouseError, match="RawIndividualFirstName has 36 characters, 35 are"):
        b.ctr_batch([ctr()], people, FILER, filed_on=FILED)


def test_stray_blanks_are_refused_where_text_is_not_prose() -> None:
    with pytest.raises(LakehouseError, match="RawStateCodeText has stray blanks"):
        b.ctr_batch([ctr()], vault(identity(state=" NV")), FILER, filed_on=FILED)


def test_markup_and_control_characters_in_a_name_stay_text() -> None:
    people = vault(identity(last_name="O'Neil <&> \x00\u2028Sons"))
    made = b.ctr_batch([ctr()], people, FILER, filed_on=FILED)
    assert texts(made.content, ".//f:RawEntityIndividualLastName") == ["O'Neil <&> Sons"]


@pytest.mark.parametrize(
    ("subtype", "expected"),
    [("114", 1), ("112", 1), ("801", 8), ("911", 9), ("1201", 12), ("1204", 12), ("1999", 1),
     ("9999", 9), ("12999", 12)],
)  # fmt: skip
def test_the_type_follows_from_the_subtype(subtype, expected) -> None:
    assert activity_type(subtype) == expected


def test_a_narrative_is_cut_at_blanks_into_blocks_of_4000() -> None:
    words = " ".join(f"word{n:04}" for n in range(1_500))  # 8 letters and a blank: 13,499
    blocks = narrative_blocks(words)
    assert [n.block for n in blocks] == [1, 2, 3, 4]
    assert " ".join(n.text for n in blocks) == words
    assert max(len(n.text) for n in blocks) <= 4_000


@pytest.mark.parametrize("narrative", ["", " \n", "word " * 3_500])
def test_a_narrative_is_neither_empty_nor_over_17000(narrative) -> None:
    with pytest.raises(LakehouseError, match="a SAR narrative of"):
        narrative_blocks(narrative)


def test_no_filing_is_no_batch() -> None:
    with pytest.raises(BadInput, match="no CTR to export"):
        b.ctr_batch([], vault(), FILER, filed_on=FILED)


def test_the_same_filings_make_the_same_bytes() -> None:
    made = [b.ctr_batch([ctr()], vault(identity()), FILER, filed_on=FILED) for _ in range(2)]
    assert made[0] == made[1]
    assert made[0].batch_id == made[1].batch_id
