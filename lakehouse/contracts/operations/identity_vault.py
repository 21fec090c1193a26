"""The identity vault: full identifiers, joined to obligations only where a form is exported."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

TIN_TYPES = ("SSN_ITIN", "EIN", "NONE")
ID_TYPES = ("DRIVERS_LICENSE", "PASSPORT", "ALIEN_REGISTRATION", "OTHER")


@table(
    "identity_vault",
    layer="restricted",
    grain="one row per player and gaming day on which the identity was captured",
    confidential=True,
)
class IdentityVault(dy.Schema):
    """Identity as verified by document before a reportable transaction ends (31 CFR 1010.312).

    What was not captured is null; a form that needs it waits.
    """

    player_id = c.text("Patron.", key=True, refs="player_profile.player_id")
    first_name = c.text("First name.", nullable=True, pii="direct")
    last_name = c.text("Last name.", nullable=True, pii="direct")
    date_of_birth = c.day("Date of birth.", nullable=True, pii="quasi")
    tin = c.text(
        "Taxpayer number, digits alone; null with type NONE.",
        nullable=True,
        regex=r"^\d{9}$",
        pii="direct",
    )
    tin_type = c.code(
        TIN_TYPES, "Kind of number; NONE: an alien who holds no US number.", nullable=True
    )
    address_line1 = c.text("Street.", nullable=True, pii="direct")
    city = c.text("City.", nullable=True, pii="quasi")
    state = c.text("State of the US, or region.", nullable=True, pii="quasi")
    zip_code = c.text("ZIP or postal code.", nullable=True, pii="quasi")
    country = c.text("ISO 3166 country, two letters.", nullable=True, regex=r"^[A-Z]{2}$")
    id_type = c.code(ID_TYPES, "Document shown.", nullable=True)
    id_other_type = c.text("Document shown, where its type is OTHER.", nullable=True)
    id_number = c.text("Number of the document.", nullable=True, pii="direct")
    id_issuer_state = c.text("State that issued it.", nullable=True)
    id_issuer_country = c.text(
        "ISO 3166 country that issued it.", nullable=True, regex=r"^[A-Z]{2}$"
    )
    phone = c.text("Telephone.", nullable=True, pii="direct")
    occupation = c.text("Occupation or business.", nullable=True, pii="quasi")
    gaming_day = c.gaming_day(key=True)
