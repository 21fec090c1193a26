"""People and filings that the FinCEN tests share."""

import datetime as dt

from lakehouse.compliance.filing.identity import Identity, Vault
from lakehouse.compliance.filing.records import CtrFiling, CtrLine, CtrPerson, SarFiling

DAY = dt.date(2026, 11, 18)
FILED = dt.date(2026, 11, 20)


def identity(player_id: str = "P1", **changes: object) -> Identity:
    given = {
        "first_name": "Pat",
        "last_name": "Testpatron",
        "date_of_birth": dt.date(1980, 1, 1),
        "tin": "900000002",
        "tin_type": "SSN_ITIN",
        "address_line1": "100 Example St",
        "city": "Reno",
        "state": "NV",
        "zip_code": "89501",
        "country": "US",
        "id_type": "DRIVERS_LICENSE",
        "id_number": "X0000000",
        "id_issuer_state": "NV",
        "id_issuer_country": "US",
        "phone": "(775) 555-0123",
    }
    return Identity(player_id=player_id, **(given | changes))


def vault(*people: Identity) -> Vault:
    return Vault({p.player_id: [(DAY, p)] for p in people})


def ctr(filing_id: str = "C1", player_id: str = "P1", **changes: object) -> CtrFiling:
    given = {
        "cash_in": 12_400,
        "cash_out": None,
        "persons": (CtrPerson(player_id, "50", 12_400, None),),
        "lines": (CtrLine("18", 6_400), CtrLine("55", 6_000)),
        "multiple_transactions": True,
        "aggregate": False,
    }
    given |= {"player_id": player_id, "gaming_day": DAY}
    return CtrFiling(filing_id=filing_id, **(given | changes))


def sar(filing_id: str = "S1", **changes: object) -> SarFiling:
    given = {
        "player_ids": ("P1",),
        "gaming_day": DAY,
        "first_activity": dt.date(2026, 11, 2),
        "last_activity": dt.date(2026, 11, 3),
        "amount": 28_500,
        "subtypes": ("114", "1202"),
        "narrative": "Subject bought chips with currency of 9,500 USD three times.",
        "assets": ("currency", "gaming"),
    }
    return SarFiling(filing_id, **(given | changes))
