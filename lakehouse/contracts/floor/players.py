"""Player profiles, as the loyalty system extracts them at the end of a gaming day."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

CONTACT = ("Email", "SMS", "Mail", "Phone", "None")
STATUSES = ("Active", "Inactive", "Suspended", "Closed")
RESIDENCIES = ("US", "NRA")
LEAST_AGE = 18
"""Years. Nobody younger may gamble in any state, and most ask for 21."""


@table(
    "player_profile",
    layer="source",
    grain="one row per player and gaming day on which the profile was extracted",
    confidential=True,
    monthly_rows=10_000,
    has_minimal=True,
)
class PlayerProfile(dy.Schema):
    """Identity, loyalty and standing of a patron, with totals up to the day's close.

    The extract of a day holds everybody who visited, was named in a filing or whose
    profile changed that day, and a rotating refresh of the rest. A patron whom landed rows name
    and no extract tells of may have a minimal profile, of what they say: all else of it is empty,
    and its source begins with made.
    """

    player_id = c.text("Patron number.", key=True)
    loyalty_number = c.text("Card number.")
    first_name = c.text("First name.", pii="direct", protect="token")
    last_name = c.text("Last name.", pii="direct", protect="token")
    email = c.text("E-mail.", nullable=True, pii="direct", protect="token")
    phone = c.text("Telephone.", nullable=True, pii="direct", protect="token")
    date_of_birth = c.day("Date of birth.", pii="quasi", protect="year_band", youngest=LEAST_AGE)
    ssn_hash = c.text(
        "Hash of the SSN.", nullable=True, pii="direct", protect="token", token_field="ssn"
    )
    ssn_masked = c.text("XXX-XX-1234.", nullable=True, pii="direct", protect="mask")
    address_line1 = c.text("Street.", pii="direct", protect="token", token_field="address")
    city = c.text("City.", pii="quasi")
    state = c.text("State or region.", pii="quasi")
    zip_code = c.text("ZIP or postal code.", pii="quasi", protect="zip3")
    country = c.text("ISO 3166 country.", upper=True)
    loyalty_tier = c.code(c.TIERS, "Tier.")
    points_balance = c.count("Points to spend.")
    lifetime_points = c.count("Points ever earned.")
    tier_credits = c.count("Credits towards the next tier.")
    enrollment_date = c.day("When the patron enrolled.")
    last_visit_date = c.day("Gaming day of the last visit.", nullable=True)
    total_visits = c.count("Visits since the books opened, to this day.")
    total_theo = c.money("Theoretical win since the books opened, to this day.")
    total_actual_win_loss = c.money(
        "The house's win since the books opened, to this day.", minimum=None
    )
    average_daily_theo = c.money("total_theo / total_visits; 0 before the first visit.")
    preferred_game = c.text("Favourite game.")
    communication_preference = c.code(
        CONTACT,
        "Preferred way to be reached.",
        also={"Text": "SMS", "Post": "Mail", "Telephone": "Phone"},
    )
    marketing_opt_in = c.flag("May be marketed to.")
    marketing_channel = c.text("Channel in use.")
    host_assigned = c.text("Casino host.", nullable=True)
    vip_flag = c.flag("Hosted guest.")
    self_excluded = c.flag("On the self-exclusion list.")
    account_status = c.code(STATUSES, "Standing of the account.")
    tin_on_file = c.flag("A taxpayer number is on file (IRC 3406).")
    tax_residency = c.code(
        RESIDENCIES,
        "US person or non-resident alien.",
        also={"US person": "US", "Non-resident alien": "NRA"},
    )
    identity_verified = c.flag("Identity verified by document (31 CFR 1010.312).")
    gaming_day = c.gaming_day(key=True)
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()

    @dy.rule()
    def excluded_are_not_marketed_to(cls) -> pl.Expr:
        """Who is on the self-exclusion list has not opted in to marketing."""
        return ~(pl.col("self_excluded") & pl.col("marketing_opt_in"))

    @dy.rule()
    def patron_is_of_age(cls) -> pl.Expr:
        """A patron was born 18 years or more before the gaming day of the extract."""
        return pl.col("date_of_birth").dt.offset_by(f"{LEAST_AGE}y") <= pl.col("gaming_day")

    @dy.rule()
    def visit_is_not_after_the_extract(cls) -> pl.Expr:
        """The last visit is not after the gaming day of the extract."""
        return pl.col("last_visit_date") <= pl.col("gaming_day")
