"""Online accounts, as the account system extracts them at the end of a gaming day."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

SEGMENTS = ("new", "casual", "regular", "vip")
"""By how often an account is seen."""
STATUSES = ("active", "excluded")


@table(
    "online_accounts",
    layer="source",
    grain="one row per account and gaming day on which the account was extracted",
    confidential=True,
    monthly_rows=36_000,
)
class OnlineAccounts(dy.Schema):
    """Whose account it is, where it is at home, its limits and standing.

    The extract of a day holds everybody who was online that day or registered on it, and a
    rotating refresh of the rest. One account serves the online casino, the game platform and
    the shop.
    """

    account_id = c.text(
        "Account number.", key=True, pii="direct", protect="token", token_field="account"
    )
    player_id = c.text("Patron number, where the person holds a card.", nullable=True)
    registered_on = c.day("Day on which the account was opened.")
    first_name = c.text("First name.", pii="direct", protect="token")
    last_name = c.text("Last name.", pii="direct", protect="token")
    email = c.text("E-mail.", pii="direct", protect="token")
    city = c.text("City.", pii="quasi")
    state = c.text("State or region.", pii="quasi")
    zip_code = c.text("ZIP or postal code.", pii="quasi", protect="zip3")
    country = c.text("ISO 3166 country.", regex="^[A-Z]{2}$", upper=True)
    time_zone = c.text("Time zone of the home, by its IANA name.")
    segment = c.code(SEGMENTS, "How often the account is seen.")
    tags = c.ids("What account managers have noted.")
    daily_deposit_limit = c.money("Most that may be paid in on a day.", nullable=True)
    daily_loss_limit = c.money("Most that may be lost on a day.", nullable=True)
    session_limit_minutes = c.count("Longest session.", nullable=True, unit="minutes")
    self_excluded = c.flag("On the self-exclusion list.")
    account_status = c.code(STATUSES, "Standing of the account.")
    marketing_opt_in = c.flag("May be marketed to.")
    gaming_day = c.gaming_day(key=True)
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()

    @dy.rule()
    def excluded_accounts_are_closed_and_not_marketed_to(cls) -> pl.Expr:
        """Of an account on the self-exclusion list the status says so, and nothing is sent."""
        excluded = pl.col("account_status") == "excluded"
        return (excluded == pl.col("self_excluded")) & ~(excluded & pl.col("marketing_opt_in"))

    @dy.rule()
    def account_was_opened_by_then(cls) -> pl.Expr:
        """The account was opened no later than the gaming day of the extract."""
        return pl.col("registered_on") <= pl.col("gaming_day")
