"""FinCEN CTR batch (Form 112), EFL_CTRXBatchSchema v1.2: its types in their order."""

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
class CtrAssociation:
    corrects: str = required("CorrectsAmendsPriorReportIndicator")
    back_file: str = required("FinCENDirectBackFileIndicator")
    initial: str = required("InitialReportIndicator")
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class CtrParty:
    type_code: str = required("ActivityPartyTypeCode")
    birth_date: str | None = element("IndividualBirthDateText")
    cash_in: str | None = element("IndividualEntityCashInAmountText", 15)
    cash_out: str | None = element("IndividualEntityCashOutAmountText", 15)
    multiple: str | None = element("MultipleTransactionsPersonsIndividualsIndicator")
    regulator: str | None = element("PrimaryRegulatorTypeCode")
    unknown_gender: str | None = element("UnknownGenderIndicator")
    name: list[PartyName] = several("PartyName")
    address: Address | None = element("Address")
    phone: PhoneNumber | None = element("PhoneNumber")
    identification: list[PartyIdentification] = several("PartyIdentification")
    organization: OrganizationClassification | None = element(
        "OrganizationClassificationTypeSubtype"
    )
    occupation: Occupation | None = element("PartyOccupationBusiness")
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class CtrDetail:
    type_code: str = required("CurrencyTransactionActivityDetailTypeCode")
    amount: str = required("DetailTransactionAmountText", 15)
    other: str = required("OtherCurrencyTransactionActivityDetailText", 50)
    foreign_country: str = required("OtherForeignCurrencyCountryText", 2)
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class CurrencyTransaction:
    aggregate: str = required("AggregateTransactionIndicator")
    armored_car: str = required("ArmoredCarServiceIndicator")
    atm: str = required("ATMIndicator")
    mail_deposit: str = required("MailDepositShipmentIndicator")
    night_deposit: str = required("NightDepositIndicator")
    shared_branching: str = required("SharedBranchingIndicator")
    total_cash_in: str = required("TotalCashInReceiveAmountText", 15)
    total_cash_out: str = required("TotalCashOutAmountText", 15)
    transaction_date: str = required("TransactionDateText")
    detail: list[CtrDetail] = several("CurrencyTransactionActivityDetail")
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class CtrActivity:
    prior_document: int | None = element("EFilingPriorDocumentNumber")
    filing_date: str = required("FilingDateText")
    association: CtrAssociation = required("ActivityAssociation")
    party: list[CtrParty] = several("Party")
    transaction: CurrencyTransaction = required("CurrencyTransactionActivity")
    seq_num: int = seq_num()


@dataclass(kw_only=True)
class CtrBatch:
    class Meta:
        name = "EFilingBatchXML"
        namespace = NAMESPACE

    total_amount: int = attribute("TotalAmount")
    party_count: int = attribute("PartyCount")
    activity_count: int = attribute("ActivityCount")
    form_type: str = required("FormTypeCode")
    activity: list[CtrActivity] = several("Activity")
