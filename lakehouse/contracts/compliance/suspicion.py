"""Suspicious activity: review cases and alerts, in the restricted zone (31 USC 5318(g)(2))."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.alert_shape import AlertShape
from lakehouse.contracts.registry import table

TYPOLOGIES = (
    "threshold_avoidance",
    "pooling",
    "marker_cycle",
    "bill_stuffing",
    "minimal_play",
    "chip_walking",
    "structuring",
)
ALERT_RULES = (
    "pooling",
    "marker_cycle",
    "bill_stuffing",
    "minimal_play",
    "chip_walking",
    "structuring",
    "shared_address",
)


@table(
    "sar_cases",
    layer="restricted",
    grain="one row per review case, on the gaming day of its detection",
    confidential=True,
)
class SarCases(dy.Schema):
    """Patterns for an officer to judge; a case is never filed by itself (31 CFR 1021.320)."""

    case_id = c.text("Case: typology, day of detection and person or transaction.", key=True)
    gaming_day = c.gaming_day()
    player_id = c.player("Suspect; null where unknown.")
    player_ids = c.ids("All persons concerned, the suspect first.")
    typology = c.code(TYPOLOGIES, "Pattern.")
    subtypes = c.ids("FinCEN's codes of suspicious activity.")
    mandatory = c.flag("The amount reaches the law's threshold; below it filing is voluntary.")
    filed = c.flag("Always false here: deciding is an officer's work.")
    amount = c.money("Conducted or attempted; the larger of in and out, each dollar once.")
    score = c.number("Strength of the pattern, 0 to 1.", unit="fraction")
    detected_on = c.day("Local day of the observation or of the transaction that completed it.")
    due = c.day("Last day to file: 30 days, 60 where nobody is known.")
    first_activity_on = c.day("First gaming day of the activity.")
    last_activity_on = c.day("Last gaming day of the activity.")
    transaction_ids = c.ids("Cage and machine rows that make the pattern.")
    observation_ids = c.ids("Staff observations of it.")
    evidence = c.structs(
        {
            "source": dy.String(),
            "record_id": dy.String(),
            "at": dy.Datetime(time_zone="UTC", time_unit="us"),
            "what": dy.String(),
            "amount": dy.Decimal(18, 2, nullable=True),
        },
        "Rows behind the case, in order of time.",
    )
    narrative = c.text("Draft: who, what, when, where and how, from the facts.")


@table(
    "alerts",
    layer="restricted",
    grain="one row per alert: a rule, a person or persons of one address, and a gaming day",
    confidential=True,
)
class Alerts(AlertShape):
    """Signals for an analyst, in the shape of `gold.anomalies`; an alert alone is not a case."""

    rule = c.code(ALERT_RULES, "Pattern of `sar_cases`, or a link.", key=True)
    entity_id = c.text("Person; persons of one address with + between them.", key=True)
    family = c.code(("cash",), "What the rule is about.")
    entity_type = c.code(("player", "pair"), "What `entity_id` is; a pair may be several.")
    player_ids = c.ids("Persons concerned, the suspect first.")
    amount = c.money("Conducted; the larger of in and out, each dollar once.")


@table("sar_retention", layer="restricted", grain="one row per filed SAR", confidential=True)
class SarRetention(dy.Schema):
    """How long each filed report of suspicious activity must be kept (31 CFR 1021.320(d))."""

    record_id = c.text("Filed record.", key=True)
    record_type = c.text("SAR.")
    player_id = c.player("Patron named on the form.")
    gaming_day = c.gaming_day()
    filed_on = c.day("Local day of filing.")
    retain_until = c.day("Earliest day on which the law lets it go.")
