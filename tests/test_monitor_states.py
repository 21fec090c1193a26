"""How signals stand: what flutters moves nothing, what holds is told once, by every way."""

import datetime as dt
import logging
import threading
from pathlib import Path

import pytest
from monitored import NOON

from lakehouse.contracts import contract
from lakehouse.contracts.operations.signals import LEVELS
from lakehouse.errors import LakehouseError
from lakehouse.serve.alerts.telling import Message, Way
from lakehouse.serve.monitor.registry import Reading
from lakehouse.serve.monitor.states import State, note_look, read, shares, standing, untold
from lakehouse.serve.monitor.watch import Teller, message, tell
from lakehouse.storage import Lake

INFO, WARNING, CRITICAL = LEVELS
LETTERS = {level[0]: level for level in LEVELS}
CPU = ("cpu", "machine")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def reading(level: str, signal: str = "cpu", value: float | None = 50.0) -> Reading:
    return Reading(signal, "machine", level, value, "percent", f"it is {level}", "Look at it.")


def see(lake: Lake, letters: str, *, looks: int = 3, start: int = 0) -> list[State]:
    """How the processors stand after each of the looks, a minute apart."""
    return [
        note_look(lake, [reading(LETTERS[x])], NOON + dt.timedelta(minutes=n), looks)[CPU]
        for n, x in enumerate(letters, start)
    ]


def held(found: list[State]) -> str:
    return "".join(s.level[0] for s in found)


@pytest.mark.parametrize(
    ("read", "holds"),
    [
        ("IIII", "IIII"),
        ("CCC", "IIC"),
        ("CICICICI", "IIIIIIII"),
        ("CCIC", "IIII"),
        ("CCCII", "IICCC"),
        ("CCCIII", "IICCCI"),
        ("CCCICCC", "IICCCCC"),
        # All of the last three were a warning at least, and after that at most.
        ("WCWCW", "IIWWW"),
        ("CCCWCWW", "IICCCCC"),
        ("CCCWWW", "IICCCW"),
        ("CCCIWI", "IICCCW"),
    ],
)
def test_a_level_changes_when_three_looks_agree(lake: Lake, read: str, holds: str) -> None:
    assert held(see(lake, read)) == holds


def test_one_look_is_enough_where_that_is_set(lake: Lake) -> None:
    assert held(see(lake, "CIWI", looks=1)) == "CIWI"


def test_since_is_the_first_of_the_looks_that_agree(lake: Lake) -> None:
    found = see(lake, "ICCCC")
    assert found[-1].since == NOON + dt.timedelta(minutes=1)
    # Not yet held, but read since then; and no longer held, but read so again.
    assert found[2].read_since == NOON + dt.timedelta(minutes=1)
    back = see(lake, "I", start=5)[0]
    assert (back.level, back.read_since) == (CRITICAL, NOON + dt.timedelta(minutes=5))


def test_a_restart_goes_on_where_it_was(lake: Lake) -> None:
    see(lake, "CC")
    assert see(Lake(lake.root), "C", start=2)[0].level == CRITICAL


def test_looks_that_change_nothing_write_nothing(lake: Lake) -> None:
    see(lake, "IIII")
    version = lake.version("ops", "signal_states")
    see(lake, "IIIII", start=4)
    assert lake.version("ops", "signal_states") == version


def test_how_full_the_lake_is_is_noted_every_hour(lake: Lake) -> None:
    for minutes, value in ((0, 10.0), (20, 11.0), (59, 12.0), (60, 13.0), (90, 14.0), (125, 15.0)):
        one = reading(INFO, "storage", value)
        note_look(lake, [one], NOON + dt.timedelta(minutes=minutes), 1)
    assert shares(read(lake)) == [
        (NOON, 10.0),
        (NOON + dt.timedelta(minutes=60), 13.0),
        (NOON + dt.timedelta(minutes=125), 15.0),
    ]


def test_what_is_no_longer_there_is_well_again(lake: Lake) -> None:
    see(lake, "CCC")
    for n in range(3, 6):
        found = note_look(lake, [], NOON + dt.timedelta(minutes=n), 3)
    assert found[CPU].level == INFO
    assert found[CPU].said == "is no longer there to be looked at"


def test_the_log_keeps_to_its_contract(lake: Lake) -> None:
    see(lake, "ICCCII")
    rows = read(lake)
    assert contract("signal_states").schema.is_valid(rows, cast=True)
    assert rows["number"].to_list() == list(range(1, rows.height + 1))


class Ways:
    """Ways to tell, of which some take nothing for a while."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.deaf: set[str] = set()
        self.taken: list[tuple[str, str]] = []

    def __call__(self) -> dict[str, Way]:
        return {name: self._way(name) for name in self.names}

    def _way(self, name: str) -> Way:
        def take(given: Message) -> None:
            if name in self.deaf:
                raise LakehouseError(f"{name} took nothing")
            self.taken += [(name, f"{s['signal']} {s['level']}") for s in given.about["signals"]]

        return take


def tell_now(lake: Lake, ways: Ways) -> list[str]:
    return tell(lake, ways())


def test_a_change_is_told_once_by_every_way(lake: Lake) -> None:
    ways = Ways("log", "webhook")
    see(lake, "IIC")
    assert tell_now(lake, ways) == []
    assert ways.taken == []
    see(lake, "CC", start=3)
    tell_now(lake, ways)
    assert ways.taken == [("log", "cpu CRITICAL"), ("webhook", "cpu CRITICAL")]
    tell_now(Lake(lake.root), ways)  # by a monitor that was started again
    see(lake, "CCC", start=5)
    tell_now(lake, ways)
    assert len(ways.taken) == 2
    see(lake, "III", start=8)
    tell_now(lake, ways)
    assert ways.taken[2:] == [("log", "cpu INFO"), ("webhook", "cpu INFO")]


def test_who_does_not_listen_is_told_later_and_the_others_not_again(lake: Lake) -> None:
    ways = Ways("log", "webhook", "mail")
    ways.deaf = {"webhook"}
    see(lake, "CCC")
    assert tell_now(lake, ways) == ["webhook took nothing"]
    assert tell_now(Lake(lake.root), ways) == ["webhook took nothing"]
    assert ways.taken == [("log", "cpu CRITICAL"), ("mail", "cpu CRITICAL")]
    ways.deaf = set()
    assert tell_now(lake, ways) == []
    assert ways.taken[2:] == [("webhook", "cpu CRITICAL")]
    assert untold(standing(read(lake)).values()) == []


def test_what_is_well_before_it_was_told_is_told_as_it_is_now(lake: Lake) -> None:
    ways = Ways("webhook")
    see(lake, "CCCIII")
    tell_now(lake, ways)
    assert ways.taken == [("webhook", "cpu INFO")]


def test_a_line_says_since_when_and_what_to_do(lake: Lake) -> None:
    bad, well = see(lake, "CCC")[-1], see(lake, "III", start=3)[-1]
    told = message([bad])
    assert told.subject == "CRITICAL cpu machine"
    said = "CRITICAL cpu machine since 2025-01-08 20:00: it is CRITICAL. Look at it."
    assert list(told.lines) == [(logging.ERROR, said)]
    assert list(message([well]).lines) == [
        (logging.INFO, "INFO cpu machine since 2025-01-08 20:03: it is INFO.")
    ]


def test_telling_holds_up_no_look(lake: Lake) -> None:
    """Whoever listens takes until it is let go; looks go on, and nothing is told twice."""
    let_go, began, taken = threading.Event(), threading.Event(), list[str]()

    def slow(given: Message) -> None:
        began.set()
        assert let_go.wait(300)
        taken.append(given.subject)

    with Teller(lake, {"webhook": slow}, taken.append) as teller:
        see(lake, "CCC")
        teller.take(standing(read(lake)))
        assert began.wait(300)
        for n in range(3, 6):
            see(lake, "C", start=n)
            teller.take(standing(read(lake)))
        let_go.set()
    assert taken == ["CRITICAL cpu machine"]
    assert untold(standing(read(lake)).values()) == []


def test_what_was_told_after_a_look_began_is_not_told_again(lake: Lake) -> None:
    """The look has seen the log as it was before the telling ended."""
    see(lake, "CCC")
    before, taken = standing(read(lake)), list[str]()
    ways = {"webhook": lambda given: taken.append(given.subject)}
    tell(lake, ways)
    with Teller(lake, ways, taken.append) as teller:
        teller.take(before)
    assert taken == ["CRITICAL cpu machine"]
