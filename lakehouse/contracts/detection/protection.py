"""The protection of players: markers of harm, what they add up to, and the learned score."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

BASELINES = ("none", "weekday", "all days")
MAIN_GAMES = ("machines", "tables", "both")
LEVELS = ("none", "watch", "raised", "high")


def _share(what: str, *, nullable: bool = True) -> dy.Float64:
    return c.number(what, nullable=nullable, unit="fraction")


def _deviation(what: str) -> dy.Float64:
    return c.number(
        f"{what} of the day against the patron's own: (value - median) / (1.4826 x median absolute "
        "deviation), a tenth of the median at the least; null without a baseline.",
        nullable=True,
        unit="deviations",
    )


@table("player_markers", layer="gold", grain="one row per player and gaming day on the floor")
class PlayerMarkers(dy.Schema):
    """The markers of the literature, of the 30 gaming days up to and with a day of play, and that
    day against the patron's own 90 days before it.

    Frequency, intensity, variability and trajectory are those of Braverman and Shaffer; chasing
    within and across sessions and days, and deposits in sessions, those of Auer and Griffiths."""

    player_id = c.text("Patron.", key=True, refs="player_profile.player_id")
    gaming_day = c.gaming_day(key=True)
    main_game = c.code(MAIN_GAMES, "Where four fifths of the sessions of 30 days were.")
    active_days = c.count("Frequency: days of play.", unit="days")
    active_days_before = c.count("Days of play of the 30 days before those.", unit="days")
    sessions = c.count("Sessions.")
    sessions_lately = c.count("Sessions of the 14 days up to and with this one.")
    more_sessions = c.number(
        "Those against the patron's own rate of the 90 days before, with two weeks of a usual "
        "patron's beside it: (sessions - expected) / sqrt(sessions + 3).",
        unit="deviations",
    )
    most_sessions = c.count("Most sessions on one day.")
    minutes = c.count("Time in sessions.", unit="minutes")
    minutes_per_day = c.number("Minutes a day of play.", unit="minutes")
    longest_stretch_minutes = c.count("Longest play without a break of 30 minutes.", unit="minutes")
    long_stretches = c.count("Stretches of more than three hours.")
    night_share = _share("Share of the time between midnight and 06:00.")
    staked_per_day = c.money("Intensity: staked a day of play, half up.")
    rounds_per_day = c.number("Games and decisions a day of play.")
    stake_mean = c.money("Mean stake of a round, half up; null without a round.", nullable=True)
    stake_variation = _share("Variability: standard deviation of stakes over their mean.")
    stake_slope = c.number(
        "Trajectory: slope a week of the logarithm of the day's mean stake, least squares over "
        "the days of play of 90 days by their sessions, machines and tables each about their own "
        "mean; null under three of them or a week.",
        nullable=True,
        unit="1/week",
    )
    stake_slope_t = c.number(
        "That slope over its standard error, with the spread of four usual days beside its own.",
        nullable=True,
    )
    minutes_slope = c.number(
        "Slope a week of the logarithm of the day's minutes, likewise.",
        nullable=True,
        unit="1/week",
    )
    minutes_slope_t = c.number("That slope over its standard error, likewise.", nullable=True)
    staked_growth = c.number(
        "Staked in 30 days over the 30 before; null without play then.", nullable=True
    )
    loss = c.money("The house's win of the play.", minimum=None)
    net_deposits = c.money(
        "Bills, chips bought and markers, less tickets, hand-pays and chips carried off. A ticket "
        "put in, which machines do not report, is not among them.",
        minimum=None,
    )
    rows_behind = c.count("Rows of machine play while the session has lost.")
    chasing_rows = _share("Chasing within sessions: share of them with stakes up by a quarter.")
    sessions_behind = c.count("Sessions that follow a lost one on the day.")
    chasing_sessions = _share(
        "Chasing across sessions: share of them with a stake up by a quarter."
    )
    chasing_runs = c.number(
        "Chasing across sessions: how much stakes rise with the sessions lost in a row before, "
        "within days, over its standard error; null where nothing follows a lost session.",
        nullable=True,
    )
    days_behind = c.count("Days of play within two days of a lost one.", unit="days")
    chasing_days = _share("Chasing across days: share of them that staked more by a quarter.")
    deposits_per_session = c.number("Session depositing: deposits a session.", nullable=True)
    most_deposits = c.count("Most deposits in one session.")
    cash_outs = c.count("Payments of currency by the cage.")
    reversals = c.count("Of them those after which money came in play within 30 minutes.")
    games = c.count("Most different games on one day.")
    history_days = c.count("Days of play in the 90 days before this day.", unit="days")
    known_days = c.count("Days since the first of them; 0 without one.", unit="days")
    baseline = c.code(
        BASELINES,
        "Days of play of those that this day is compared with: four of its weekday at the least, "
        "else six of all at the least, else none.",
    )
    minutes_deviation = _deviation("Minutes")
    staked_deviation = _deviation("Staked")
    deposited_deviation = _deviation("Deposited")

    @dy.rule()
    def without_a_baseline_there_is_no_deviation(cls) -> pl.Expr:
        """A day is compared with the patron's own where there is history enough, and only there."""
        found = [pl.col(f"{m}_deviation") for m in ("minutes", "staked", "deposited")]
        return pl.all_horizontal((pl.col("baseline") == "none") == f.is_null() for f in found)


@table(
    "protection_model",
    layer="gold",
    grain="one row per model: one for each Monday with history enough before it",
)
class ProtectionModel(dy.Schema):
    """Isolation forests (Liu, Ting, Zhou 2008) of the markers of days of play, each trained on
    days before its gaming day. They know nothing but markers: no names, no labels."""

    gaming_day = c.gaming_day(key=True)
    version = c.text("Model: its Monday, and a digest of its trees.", key=True)
    features = c.ids("Features, in order of their numbers in the trees.")
    trained_from = c.day("First gaming day of play that it was trained on.")
    trained_until = c.day("The day after the last one: this gaming day at the latest.")
    trained_rows = c.count("Days of play that it was trained on.")
    quantiles = c.structs(
        {"path": dy.Float64(nullable=True)},
        "Mean path lengths at even steps of the training's share, shortest first.",
    )
    nodes = c.structs(
        {
            "tree": dy.Int64(nullable=True),
            "feature": dy.Int64(nullable=True),
            "threshold": dy.Float64(nullable=True),
            "left": dy.Int64(nullable=True),
            "right": dy.Int64(nullable=True),
            "path": dy.Float64(nullable=True),
        },
        "Nodes of the trees, in order: a row goes left where its feature is at or under the "
        "threshold; a leaf has feature -1 and the length of its path.",
    )

    @dy.rule()
    def training_is_past(cls) -> pl.Expr:
        """A model is trained on days before its own."""
        first, until = pl.col("trained_from"), pl.col("trained_until")
        return (first <= until) & (until <= pl.col("gaming_day"))


def _category(what: str, *, nullable: bool = False) -> dy.Float64:
    return c.number(f"{what}, 0 to 1.", nullable=nullable, unit="fraction")


def _percentile(what: str) -> dy.Float64:
    return _share(
        f"{what}: share of peers (tier and main game, with play in 30 days) with less; of "
        "everybody where there are fewer than 30 of them.",
        nullable=False,
    )


@table(
    "player_protection",
    layer="gold",
    grain="one row per player with play in the trailing 30 gaming days, and gaming day",
)
class PlayerProtection(dy.Schema):
    """What speaks for a conversation with a patron about their play, and why: markers as of the
    last day of play, the seven categories of UKGC SR 3.4.3, and a score with its reasons.

    It is no diagnosis and no finding about a person. A level suppresses marketing and asks a
    trained host to talk; it ends nothing and is no ground to refuse anything."""

    player_id = c.text("Patron.", key=True, refs="player_profile.player_id")
    gaming_day = c.gaming_day(key=True)
    last_play = c.day("Last day of play: the markers are of the 30 gaming days up to it.")
    loyalty_tier = c.code(c.TIERS, "Tier of the newest profile so far.", nullable=True)
    main_game = c.code(MAIN_GAMES, "Where four fifths of the sessions were.")
    is_excluded = c.flag("On the self-exclusion list on this day.")
    is_cold_start = c.flag("Under six days of play in the 90 before: compared with peers alone.")
    peers = c.count("Patrons compared with.")
    intensity_percentile = _percentile("Staked a day of play")
    time_percentile = _percentile("Minutes in 30 days")
    net_deposits = c.money(
        "Net deposits of the 30 gaming days, as in player_markers.", minimum=None
    )
    financial_check = c.money(
        "Net deposits of 30 days from which UKGC asks for a financial check, in pounds, as of the "
        "day (detection/thresholds.toml); null before there was one.",
        nullable=True,
        unit="GBP",
    )
    is_over_financial_check = c.flag("Net deposits are over it, taking a dollar for a pound.")
    spend = _category("Spend: net deposits and stakes against peers")
    patterns_of_spend = _category("Patterns of spend: variability, trajectory, growth, chasing")
    time = _category("Time: frequency, long stretches, minutes, night")
    behaviour = _category("Behaviour: deposits in sessions, cash-outs reversed, sessions a day")
    customer_contact = _category("Customer-led contact; null: see not_recorded", nullable=True)
    tool_use = _category("Use of tools: 1 on the self-exclusion list")
    account_indicators = _category("Account indicators; null: see not_recorded", nullable=True)
    not_recorded = c.text("What the floor keeps no record of, and why.")
    named_rule = c.text("Rule of the house that fired by its name; null for none.", nullable=True)
    score = c.number(
        "0 to 1: 1 less the product over markers of (1 - weight x strength).", unit="fraction"
    )
    level = c.code(LEVELS, "Score at the thresholds of the day; `high` where a named rule fired.")
    reasons = c.ids("Strongest markers in words, three at the most, strongest first.")
    is_marketing_suppressed = c.flag("The level is raised or high.")
    learned_score = c.number(
        "Share of the model's training that was less unusual than the last day of play; null "
        "without a model. It takes no part in score, level and effect.",
        nullable=True,
        unit="fraction",
    )
    learned_by = c.text("Version of the model, or why there is none.")

    @dy.rule()
    def score_is_a_share(cls) -> pl.Expr:
        """Score and learned score are from 0 to 1."""
        scores = pl.col("score"), pl.col("learned_score")
        return pl.all_horizontal((s >= 0) & (s <= 1) for s in scores)

    @dy.rule()
    def a_level_has_its_reasons(cls) -> pl.Expr:
        """Every level but none has a reason in words."""
        return (pl.col("level") == "none") | (pl.col("reasons").list.len() > 0)

    @dy.rule()
    def raised_is_not_marketed_to(cls) -> pl.Expr:
        """Marketing is suppressed where the level is raised or high."""
        return pl.col("is_marketing_suppressed") == pl.col("level").is_in(["raised", "high"])
