"""How hurried visitors of the shop act."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table


@table("user_risk", layer="gold", grain="one row per account and gaming day in the shop")
class UserRisk(dy.Schema):
    """Signs of impulsive or automated behaviour in the shop, and a score of them: no verdict.

    A run is a series of actions each of which follows the one before within less than the setting
    `high_frequency_seconds`, its first action included."""

    user_id = c.text("Online account.", key=True, refs="online_accounts.account_id")
    gaming_day = c.gaming_day(key=True)
    actions = c.count("Actions with a time.", minimum=1)
    sessions = c.count("Sessions: as told, or until 30 minutes of silence.", minimum=1)
    high_frequency_actions = c.count("Actions in runs.")
    high_frequency_share = c.number("high_frequency_actions / actions.", unit="fraction")
    bursts = c.count("Runs.")
    longest_burst = c.count("Actions of the longest run.")
    gap_regularity = c.number(
        "1 / (1 + variation of the times between actions of a session); variation is standard "
        "deviation by mean: 1 is a clock. Empty with fewer than ten such times.",
        nullable=True,
        unit="fraction",
    )
    night_share = c.number(
        "Share of actions from midnight to 06:00 by the clock of the account's home, or of the "
        "property where it is not known.",
        unit="fraction",
    )
    risk_score = c.number(
        "Sum of each sign's weight x strength: share of high-frequency actions, runs, regularity "
        "and night share, by the thresholds risk_… in force on the day.",
        unit="fraction",
    )
    reasons = c.ids("What the score rests on, in words.")
