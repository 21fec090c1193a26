"""FinCEN SAR batch (Form 111), EFL_SARXBatchSchema v1.2: its types in their order."""

# ruff: noqa: RUF009 - the functions return dataclasses.field, with the element in its metadata

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.compliance.filing.elements import (
    NAMESPACE,
    Address,
    Occupation,
    OrganizationClassification,
    PartyIdentification,
    PartyName,
    PhoneNumber,
    attribute,
    element,
    required,
    seq_num,
    several,
)


@dataclass(kw_only=True)
class SarAssociation:
    continuing: str | None = element("ContinuingActivityReportIndicator")
    corrects: str | None = element("CorrectsAmendsPriorReportIndicator")
    initial: str | None = element("InitialReportIndicator")
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class SarParty:
    type_code: str = required("ActivityPartyTypeCode")
    subject_unknown: str | None = element("AllCriticalSubjectInformationUnavailableIndicator")
    birth_date_unknown: str | None = element("BirthDateUnknownIndicator")
    birth_date: str | None = element("IndividualBirthDateText")
    no_branch: str | None = element("NoBranchActivityInvolvedIndicator")
    no_account: str | None = element("NoKnownAccountInvolvedIndicator")
    regulator: str | None = element("PrimaryRegulatorTypeCode")
    unknown_gender: str | None = element("UnknownGenderIndicator")
    name: list[PartyName] = several("PartyName")
    address: list[Address] = several("Address")
    phone: list[PhoneNumber] = several("PhoneNumber")
    identification: list[PartyIdentification] = several("PartyIdentification")
    organization: list[OrganizationClassification] = several(
        "OrganizationClassificationTypeSubtype"
    )
    occupation: Occupation | None = element("PartyOccupationBusiness")
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class SuspiciousActivityClassification:
    other: str | None = element("OtherSuspiciousActivityTypeText", 50)
    subtype_id: int = required("SuspiciousActivitySubtypeID")
    type_id: int = required("SuspiciousActivityTypeID")
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class SuspiciousActivity:
    amount_unknown: str | None = element("AmountUnknownIndicator")
    no_amount: str | None = element("NoAmountInvolvedIndicator")
    from_date: str = required("SuspiciousActivityFromDateText")
    to_date: str | None = element("SuspiciousActivityToDateText")
    total_amount: str | None = element("TotalSuspiciousAmountText", 15)
    classification: list[SuspiciousActivityClassification] = several(
        "SuspiciousActivityClassification"
    )
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class Asset:
    subtype_id: int = required("AssetSubtypeID")
    type_id: int = required("AssetTypeID")
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class Narrative:
    block: int = required("ActivityNarrativeSequenceNumber")
    text: str = required("ActivityNarrativeText", 4000)
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class SarActivity:
    prior_document: int | None = element("EFilingPriorDocumentNumber")
    filing_date: str = required("FilingDateText")
    association: SarAssociation = required("ActivityAssociation")
    party: list[SarParty] = several("Party")
    suspicious: SuspiciousActivity = required("SuspiciousActivity")
    asset: list[Asset] = several("Assets")
    narrative: list[Narrative] = several("ActivityNarrativeInformation")
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class SarBatch:
    class Meta:
        name = "EFilingBatchXML"
        namespace = NAMESPACE

    total_amount: int = attribute("TotalAmount")
    party_count: int = attribute("PartyCount")
    activity_count: int = attribute("ActivityCount")
    activity_attachment_count: int = attribute("ActivityAttachmentCount")
    attachment_count: int = attribute("AttachmentCount")
    form_type: str = required("FormTypeCode")
    activity: list[SarActivity] = several("Activity")
