"""Payments whose number comes again: what is said of them live is what the batch says."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from live_streams import BORDER, Event, Run, batch_alerts, order, stream


def paid(number: str, second: int, usd: str = "5000.00", user: str = "U1") -> Event:
    """Seconds count from the end of a gaming day."""
    event = order(0, BORDER + dt.timedelta(seconds=second), user, lambda drawn: drawn.elements[0])
    return event | {"transaction_id": number, "order_id": number, "amount": Decimal(usd)}


def in_pieces(events: list[Event], *pieces: int) -> Run:
    """An engine that takes so many events at a time."""
    rows, made, at = stream("shop_orders", events).bronze, Run("shop_orders"), 0
    assert sum(pieces) == len(rows)
    for piece in pieces:
        made.take(rows.slice(at, piece), tell=True)
        at += piece
    return made


def said_last(made: Run) -> dict[str, str]:
    """Alert of the seed's profile that stands → its words."""
    alerts = made.of(made.alerts, ("alert_id",)).filter(~pl.col("is_withdrawn"))
    mine = alerts.filter(pl.col("alert_id").str.starts_with("streamify")).sort("alert_id")
    return dict(mine.select("alert_id", "said").iter_rows())


def test_a_number_that_is_known_stays_with_the_account_that_came_with_it() -> None:
    """Its windows have closed when another account comes with it on the same gaming day: that is
    no further payment, and the alert is not told of somebody else."""
    later = [paid(f"T{n}", 300 + n, "9.50", f"U{n}") for n in (4, 6, 8)]
    events = [paid("T0", 0, user="U0"), *later, paid("T0", 310, "9000.00", "U2")]
    told = pl.concat(in_pieces(events, 4, 1).alerts)
    assert told.select("account", "alert_id", "is_withdrawn").rows() == [
        ("U0", "streamify-2026-06-15-T0", False)
    ]


def test_a_clash_of_a_day_takes_no_payment_of_the_day_before_with_it() -> None:
    """T1 is paid two seconds before a gaming day ends; on the next it is two contents, and no
    payment. T2 is the second of its minute then."""
    events = [paid("T1", -2), paid("T1", 1), paid("T1", 2), paid("T2", 10)]
    good = stream("shop_orders", events).good.select("transaction_id").collect().to_series()
    assert good.to_list() == ["T1", "T2"]
    said = said_last(in_pieces(events, 2, 2))
    assert "$10000.00 within a minute, in 2 payments" in said["streamify-2026-06-15-T2"]


@pytest.mark.parametrize("pieces", [(2,), (1, 1)])
def test_a_number_of_two_days_has_an_alert_of_each(pieces: tuple[int, ...]) -> None:
    """A second before a gaming day ends, and two seconds after."""
    made = in_pieces([paid("T1", -1), paid("T1", 2)], *pieces)
    said = said_last(made)
    assert list(said) == ["streamify-2026-06-14-T1", "streamify-2026-06-15-T1"]
    assert "within a minute" not in said["streamify-2026-06-14-T1"]
    assert "$10000.00 within a minute, in 2 payments" in said["streamify-2026-06-15-T1"]
    first = pl.concat(made.alerts).filter("is_first")["alert_id"].to_list()
    assert sorted(a for a in first if a.startswith("streamify")) == list(said)


@pytest.mark.parametrize("pieces", [(6,), (4, 2), (1,) * 6])
def test_a_payment_that_comes_again_when_its_windows_are_closed_is_one(
    pieces: tuple[int, ...],
) -> None:
    """T1 comes again after three of ten minutes later, that closed its windows; it is known, and T2
    the second payment of its minute, however the stream is cut."""
    seconds = [("T1", 0), ("T3", 600), ("T4", 601), ("T5", 602), ("T1", 0), ("T2", 30)]
    made = in_pieces([paid(*of) for of in seconds], *pieces)
    assert "$10000.00 within a minute, in 2 payments" in said_last(made)["streamify-2026-06-15-T2"]
    assert made.state is not None
    assert len(made.state.fraud.known) == 5


@pytest.mark.parametrize("pieces", [(7,), (6, 1), (1,) * 7])
def test_a_clash_takes_all_of_its_number_however_the_stream_is_cut(
    pieces: tuple[int, ...],
) -> None:
    """T1 is three payments, of which the first has its windows closed as the others come: T2, of
    its minute, stands alone then."""
    seconds = [("T1", 0), ("T2", 30), ("T3", 600), ("T4", 700), ("T5", 800), ("T1", 900),
               ("T1", 901)]  # fmt: skip
    events = [paid(*of) for of in seconds]
    said = said_last(in_pieces(events, *pieces))
    assert list(said) == [
        "streamify-2026-06-15-T2",
        "streamify-2026-06-15-T3",
        "streamify-2026-06-15-T4",
        "streamify-2026-06-15-T5",
    ]
    assert "within a minute" not in said["streamify-2026-06-15-T2"]
    batch = batch_alerts(stream("shop_orders", events).good.collect(), "streamify")
    assert said == dict(batch.select("alert_id", "fraud_reason").iter_rows())
