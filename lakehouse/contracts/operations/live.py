"""What the live path says of events as they come: windows, sessions, alerts.

Each row is one version of what is said under its key, by one partition of a topic: the greatest
version holds. Partitions add up, as all events of a person are in one.
"""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.alert_shape import EVIDENCE
from lakehouse.contracts.registry import table

KINDS = ("sales", "visits", "play", "items", "progress")
"""Windows of the shop's payments, of its visitors' actions, of the game, of its purchases; and how
far each partition has come."""
FAMILIES = ("fraud", "protection")
LEVELS = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "RAISED")
"""RAISED: of player protection, that knows no grades as events come."""
_VERSION = "The offset up to which events are counted; the greatest of a key holds."


def _whole(what: str, *, nullable: bool = True) -> dy.Int64:
    return c.count(what, nullable=nullable)


@table(
    "live_windows",
    layer="gold",
    grain="one row per kind of window, its beginning, partition, dimension, value and version",
)
class LiveWindows(dy.Schema):
    """Windows over events as they come, in parts that add up over partitions. A window is amended
    by further versions while it is open, and final once its partition's watermark is past it."""

    kind = c.code(KINDS, "What is looked at.", key=True)
    window_start = c.utc("Beginning of the window.", key=True)
    window_end = c.utc("Its end, not included.")
    topic = c.text("Topic of the events.", key=True)
    partition = c.count("Partition of the topic.", key=True)
    dimension = c.text("What the part is broken down by; all: not at all.", key=True)
    value = c.text("The category, product, device, level/map … of the part.", key=True)
    name = c.text("The value in words: of a product; else the value itself.", key=True)
    version = c.count(_VERSION, key=True)
    events = _whole("Events.", nullable=False)
    transactions = _whole("Completed payments, or purchases.", nullable=False)
    amount = c.money("Their sum; of all else, of a status of payments, what it is of.")
    users = _whole("Accounts of the transactions; of visits and play, of the events.")
    orders = _whole("Orders of the transactions.")
    people = dy.List(
        dy.Int64(),
        nullable=True,
        description="Keyed numbers of the accounts that did anything, of a window that is final.",
        metadata={},
    )
    is_final = c.flag("The partition's watermark is past the window: nothing will be added.")
    watermark = c.utc("Of the partition: events before it are late.", nullable=True)
    late = _whole("Of progress: events that came too late for a window of theirs.")
    copies = _whole("Of progress: events that came again.")
    rejected = _whole("Of progress: events that broke a rule, or whose number had another content.")
    written_at = c.utc("When it was written.")
    gaming_day = c.gaming_day(key=True)
    _source = c.text("Where it is from: topic, partition and offset of the last event in it.")


@table(
    "live_sessions",
    layer="gold",
    grain="one row per session of an account and version",
)
class LiveSessions(dy.Schema):
    """Sessions as they go on: as the client told, or until silence (the setting
    `session_silence_minutes`). One without events was joined with another by a late event."""

    topic = c.text("Topic of the events.", key=True)
    partition = c.count("Partition of the topic.", key=True)
    user_id = c.text("Online account.", key=True, refs="online_accounts.account_id")
    session_id = c.text("As the client told, or made:<first event>.", key=True)
    version = c.count(_VERSION, key=True)
    started = c.utc("First event.")
    last_seen = c.utc("Last event.")
    events = c.count("Events.")
    rounds = c.count("Stakes placed.")
    stakes = c.money("Their sum.")
    wins = c.money("What rounds paid.")
    is_final = c.flag("No event that is in time can go on with it.")
    written_at = c.utc("When it was written.")
    gaming_day = c.gaming_day(key=True)
    _source = c.text("Where it is from: topic, partition and offset of the last event in it.")


@table(
    "live_alerts",
    layer="gold",
    grain="one row per alert and version",
)
class LiveAlerts(dy.Schema):
    """Alerts of fraud and player protection, raised as events come, each told once by its topic.

    An event that comes out of order may change what was said, or take it back: a further version
    says so; one that takes it back tells no measures and no evidence. The alerts that hold are
    those of the day's batch, under the same ids."""

    alert_id = c.text("The same however often, and by whichever way, it is made.", key=True)
    version = c.count(_VERSION, key=True)
    family = c.code(FAMILIES, "What it is about.")
    rule = c.text("Profile of fraud, or rule of player protection.")
    level = c.code(LEVELS, "How grave.")
    score = c.number("Strength, 0 to 1.", unit="fraction")
    account = c.text("Online account that it is of.", refs="online_accounts.account_id")
    said = c.text("Reasons in words, the strongest first.")
    context = c.text("Measures as a JSON object, by name.")
    evidence = c.structs(EVIDENCE, "Keys of the rows that it rests on.")
    event_time = c.utc("Moment of the event that it is of.")
    detected_at = c.utc("When it was raised, or said anew.")
    topic = c.text("Topic of the event.")
    partition = c.count("Partition of the topic.")
    offset = c.count("Offset of the event.")
    is_withdrawn = c.flag("What came since has taken it back.")
    gaming_day = c.gaming_day()
    _source = c.text("Where it is from: topic, partition and offset of the last event judged.")

    @dy.rule()
    def score_is_a_share(cls) -> pl.Expr:
        """The score is from 0 to 1."""
        return (pl.col("score") >= 0) & (pl.col("score") <= 1)
