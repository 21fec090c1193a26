"""Fraud in the shop: alerts, what they come to a day, and how good they are."""

import functools
import operator

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.alert_shape import EVIDENCE
from lakehouse.contracts.registry import table

PROFILES = ("streamify", "tuned")
IN_FORCE = "tuned"
"""The profile that people are told by, and that rates of fraud are of."""
LEVELS = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
PARTS = ("amount", "velocity", "geography", "device", "pattern")
RULES = (
    "high_amount",
    "own_amount",
    "rapid",
    "velocity",
    "spree",
    "impossible_travel",
    "new_device",
    "pattern",
    "card_testing",
    "gift_card_drain",
    "account_takeover",
    "refund_abuse",
)
KINDS = (
    "card_testing",
    "velocity_burst",
    "impossible_travel",
    "account_takeover",
    "refund_abuse",
    "gift_card_drain",
)
"""Of fraud that is planted."""
ALL = "all"
MOST_EVIDENCE = 50
"""Rows that an alert names, at the most."""
WINDOW = 28
"""Gaming days, up to and with the day itself, that the quality of a day is of."""


def _share(what: str, *, nullable: bool = True) -> dy.Float64:
    return c.number(what, nullable=nullable, unit="fraction")


@table("fraud_alerts", layer="gold", grain="one row per transaction and profile that alerts of it")
class FraudAlerts(dy.Schema):
    """Transactions of the shop that look like fraud, for a person to judge.

    A profile is a set of dated thresholds and weights (lakehouse/detection/fraud/<profile>.toml).
    What it says of a transaction follows from its user's 30 gaming days up to it."""

    alert_id = c.text(
        "Alert: profile, gaming day and transaction; the same however often it is made."
    )
    transaction_id = c.text(
        "Transaction that it is of.", key=True, refs="shop_orders.transaction_id"
    )
    user_id = c.account("Whose account paid.")
    amount = c.money("Of the transaction.")
    fraud_reason = c.text("Rules that fired, in words, the strongest first.")
    fraud_score = _share("Strength, 0 to 1, by the profile's weights.", nullable=False)
    alert_level = c.code(LEVELS, "By the score, at the profile's levels.")
    alert_timestamp = c.utc("Moment of the transaction.")
    additional_context = c.text("Measures of it as a JSON object, by name.")
    profile = c.code(PROFILES, "Thresholds and weights that it is by.", key=True)
    rules = c.structs(
        {"rule": dy.String(), "score": dy.Float64()}, "Rules that fired, 0 to 1 each."
    )
    evidence = c.structs(
        EVIDENCE,
        f"Keys of the rows that it rests on, {MOST_EVIDENCE} at the most, by time.",
    )
    learned_score = _share("Learned probability of fraud; it takes no part in score and level.")
    learned_by = c.text("Version of the model, or why there is none.")
    gaming_day = c.gaming_day()

    @dy.rule()
    def fraud_score_is_a_share(cls) -> pl.Expr:
        """Scores are from 0 to 1."""
        scores = pl.col("fraud_score"), pl.col("learned_score")
        return pl.all_horizontal((s >= 0) & (s <= 1) for s in scores)

    @dy.rule()
    def an_alert_names_its_rules(cls) -> pl.Expr:
        """Every alert has a rule that fired."""
        return pl.col("rules").list.len() > 0


@table("fraud_analysis", layer="gold", grain="one row per gaming day and profile with an alert")
class FraudAnalysis(dy.Schema):
    """What the alerts of a day come to."""

    alert_date = c.day("Gaming day of the alerts.", key=True)
    total_alerts = c.count("Alerts.")
    affected_users = c.count("Accounts that they are of.")
    avg_fraud_score = _share("Mean score.", nullable=False)
    critical_alerts = c.count("Of level CRITICAL.")
    high_alerts = c.count("Of level HIGH.")
    medium_alerts = c.count("Of level MEDIUM.")
    low_alerts = c.count("Of level LOW.")
    profile = c.code(PROFILES, "Thresholds and weights that they are by.", key=True)
    gaming_day = c.gaming_day()

    @dy.rule()
    def levels_add_up(cls) -> pl.Expr:
        """Every alert has one level."""
        counted = (pl.col(f"{level.lower()}_alerts") for level in LEVELS)
        return pl.col("total_alerts") == functools.reduce(operator.add, counted)


@table(
    "fraud_quality",
    layer="gold",
    grain="one row per detector, kind of fraud and gaming day, where any of it was planted",
)
class FraudQuality(dy.Schema):
    """Rules, profiles and the learned score held against truth/plants, of simulated days: a real
    lake has no truth, and no rows.

    A transaction is fraud where a case of fraud rests on it. A case is found where one of its
    transactions is alerted of."""

    gaming_day = c.gaming_day(key=True)
    detector = c.text("rule:<name> as in profile tuned, profile:<name>, or learned.", key=True)
    kind = c.text("Kind of fraud, or all; transactions of other kinds are left out.", key=True)
    days = c.count(f"Gaming days with orders, of {WINDOW}.", unit="days")
    transactions = c.count("Transactions judged.")
    cases = c.count("Cases that rest on any of them.")
    cases_found = c.count("Of them, those with an alert.")
    alerts = c.count("Transactions alerted of.")
    alerts_true = c.count("Of them, those that are fraud.")
    alerts_on_look_alikes = c.count("Of them, those of honest look-alikes.")
    recall = _share("cases_found / cases.")
    transaction_recall = _share("alerts_true / fraudulent transactions.")
    precision = _share("alerts_true / alerts; null without an alert.")
    alerts_per_day = c.number("alerts / days.", nullable=True)
    base_rate = _share("Share of transactions that are fraud: precision by chance.")
    auprc = _share("Average precision of transactions ranked by the detector's score.")
    amount_auprc = _share("The same, ranked by the amount alone.")

    @dy.rule()
    def what_is_found_is_part_of_all(cls) -> pl.Expr:
        """Found cases are cases, and true alerts are alerts."""
        found = pl.col("cases_found") <= pl.col("cases")
        return found & (pl.col("alerts_true") <= pl.col("alerts"))
