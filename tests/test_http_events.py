"""`POST /events/{topic}`: what is answered with 202 is in the log, once by its key."""

import gzip
import itertools
import json
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
import requests

from lakehouse.errors import StorageError
from lakehouse.ingest.streams.log import Log
from lakehouse.ingest.streams.transport import transport
from lakehouse.serve.http.app import Bounds, place
from lakehouse.serve.http.journal import Claim, Journal, Known
from lakehouse.serve.http.tokens import Tokens
from lakehouse.settings import Settings
from tests.served import AT, served, settings_of

JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "application/x-ndjson"}
GZIP = JSON | {"Content-Encoding": "gzip"}
EVENT = '{"user_id":"A1"}'


def typed(kind: str) -> dict[str, str]:
    return {"Content-Type": kind}


def beside(name: str, value: str) -> dict[str, str]:
    return JSON | {name: value}


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, str]]:
    settings = settings_of(tmp_path_factory.mktemp("served"))
    with served(settings, bounds=Bounds(most_bytes=100_000)) as address:
        yield settings, address


def values(settings: Settings, topic: str) -> list[bytes]:
    log = transport(settings)
    parts = [log.read(topic, p, 0, 10**6) for p in range(log.topics()[topic])]
    return pl.concat(parts)["value"].to_list()


def send(
    address: str, body: str | bytes, topic: str = "clickstream", **headers: str
) -> requests.Response:
    given = JSON | {n.replace("_", "-"): v for n, v in headers.items()}
    return requests.post(f"{address}/events/{topic}", body, headers=given, timeout=30)


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        ('{"user_id":"A1","bet_amount":12345678901234567.10}', JSON, None),
        (
            ' [{"user_id":"A2"} ,\n{"user_id": 3, "x":"]},["}] ',
            JSON,
            ['{"user_id":"A2"}', '{"user_id": 3, "x":"]},["}'],
        ),
        (
            '{"user_id":"A4"}\n\n {"user_id":"A5"}\r\n',
            LINES,
            ['{"user_id":"A4"}', '{"user_id":"A5"}'],
        ),
        ('{\n"user_id":\r\n"Žukauskas"}', JSON, ['{ "user_id":  "Žukauskas"}']),
        ('{"user_id":"A \u2028 \\ud83d\\ude00"}', typed("application/json; charset=UTF-8"), None),
    ],
)
def test_events_are_in_the_log_as_they_were_written(
    there: tuple[Settings, str], body: str, headers: dict[str, str], expected: list[str] | None
) -> None:
    settings, address = there
    before = len(values(settings, "clickstream"))
    found = requests.post(
        f"{address}/events/clickstream", body.encode(), headers=headers, timeout=60
    )
    wanted = [w.encode() for w in expected or [body]]
    assert found.status_code == 202
    assert found.json() == {"topic": "clickstream", "accepted": len(wanted), "replayed": False}
    now = values(settings, "clickstream")
    assert len(now) == before + len(wanted)
    assert set(wanted) <= set(now)


def test_a_packed_body_and_an_envelope_are_taken(there: tuple[Settings, str]) -> None:
    settings, address = there
    body = b'{"event_name": "player_action", "user_data": {"user_id": "77"}}'
    found = send(address, gzip.compress(body), "player_events", Content_Encoding="gzip")
    assert found.status_code == 202
    log = transport(settings)
    parts = [log.read("player_events", p, 0, 9) for p in range(4)]
    assert pl.concat(parts).select("key", "value").rows() == [(b"77", body)]


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        ("{", JSON, 422, "event 0 is no JSON"),
        ('[{"user_id":"A1"}, 7]', JSON, 422, "event 1 is no JSON object"),
        ('[{"user_id":"A1"} {"user_id":"A1"}]', JSON, 422, "a comma"),
        ('[{"user_id":"A1"}', JSON, 422, "a comma or the array's end"),
        ('{"user_id":"A1"} {"user_id":"A1"}', JSON, 422, "more follows"),
        ("[]", JSON, 422, "no event"),
        ("", LINES, 422, "no event"),
        ('{"user_id":"A1"}\nx', LINES, 422, "event 1 is no JSON"),
        ('{"user_id":null}', JSON, 422, "event 0 has no user_id"),
        ('{"user_id":" "}', JSON, 422, "event 0 has no user_id"),
        ('{"user_id":true}', JSON, 422, "event 0 has no user_id"),
        ('{"user_id":["A"]}', JSON, 422, "event 0 has no user_id"),
        ('{"user_id":"\\ud800"}', JSON, 422, "is no text"),
        ('{"user_id":"A1","x":Infinity}', JSON, 422, "Infinity is no JSON value"),
        (b'{"user_id":"\xff"}', JSON, 422, "no UTF-8 at byte 12"),
        ("[" * 99_000, JSON, 422, "nested too deeply"),
        (EVENT, {}, 415, "application/x-ndjson"),
        (EVENT, typed("application/json; charset=utf-16"), 415, "UTF-8"),
        ("x", beside("Content-Encoding", "br"), 415, "gzip is taken"),
        ("x", GZIP, 422, "no whole gzip"),
        (gzip.compress(b"{}")[:-1], GZIP, 422, "no whole gzip"),
        (gzip.compress(b" " * 200_000), GZIP, 413, "larger than 100000"),
        (" " * 100_001, JSON, 413, "larger than 100000"),
        (iter([b" " * 60_000] * 2), JSON, 413, "larger than 100000"),
        (EVENT, beside("Idempotency-Key", "a b"), 422, "idempotency-key"),
        (EVENT, beside("Idempotency-Key", "k" * 256), 422, "idempotency-key"),
        (EVENT, beside("Host", "evil.example"), 403, "only this machine"),
        (EVENT, beside("Sec-Fetch-Site", "cross-site"), 403, "other sites"),
    ],
    ids=itertools.count(),
)
def test_what_is_not_taken_is_told_in_one_shape_and_leaves_nothing(
    there: tuple[Settings, str],
    body: str | bytes | Iterator[bytes],
    headers: dict[str, str],
    status: int,
    reason: str,
) -> None:
    settings, address = there
    before = {t: len(values(settings, t)) for t in transport(settings).topics()}
    found = requests.post(f"{address}/events/clickstream", body, headers=headers, timeout=30)
    told = found.json()
    assert (found.status_code, told["status"]) == (status, status)
    assert told.keys() == {"status", "error", "reason"}
    assert reason in told["reason"]
    assert len(told["reason"]) < 400
    assert {t: len(values(settings, t)) for t in before} == before


@pytest.mark.parametrize("topic", ["nowhere", "fraud_alerts", "..", "%00"])
def test_a_topic_that_takes_no_events_is_told(there: tuple[Settings, str], topic: str) -> None:
    found = send(there[1], EVENT, topic)
    assert found.status_code == 404
    assert found.json().keys() == {"status", "error", "reason"}


def test_a_key_takes_a_body_once_and_no_other(there: tuple[Settings, str]) -> None:
    settings, address = there
    body = '[{"user_id":"K1"},{"user_id":"K2"},{"user_id":"K1"}]'
    first, again = (send(address, body, Idempotency_Key="a/1") for _ in range(2))
    assert first.json() == {"topic": "clickstream", "accepted": 3, "replayed": False}
    assert (again.status_code, again.json()["replayed"]) == (202, True)
    assert values(settings, "clickstream").count(b'{"user_id":"K1"}') == 2
    other = send(address, '{"user_id":"K3"}', Idempotency_Key="a/1")
    assert other.status_code == 422
    assert "was used for another body" in other.json()["reason"]
    elsewhere = send(address, body, "shop_actions", Idempotency_Key="a/1")
    assert elsewhere.json()["replayed"] is False


def test_requests_of_one_key_at_once_are_taken_once(there: tuple[Settings, str]) -> None:
    settings, address = there
    for k in range(5):
        body = f'[{{"user_id":"T{k}"}}, {{"user_id":"U{k}"}}]'
        with ThreadPoolExecutor(8) as pool:
            done = list(
                pool.map(lambda _: send(address, body, Idempotency_Key=f"t/{k}"), range(8))  # noqa: B023
            )
        assert [d.status_code for d in done] == [202] * 8
        assert sum(not d.json()["replayed"] for d in done) == 1
        assert values(settings, "clickstream").count(b'{"user_id":"T%d"}' % k) == 1


def test_a_key_is_remembered_over_a_restart_and_for_a_day(tmp_path: Path) -> None:
    settings, body = settings_of(tmp_path), '{"user_id":"A1"}'
    for at, is_again in ((AT, False), (AT + 23 * 3_600, True), (AT + 26 * 3_600, False)):
        with served(settings, now=lambda: at) as address:  # noqa: B023
            if at > AT + 24 * 3_600:
                send(address, body, Idempotency_Key="other")
            assert send(address, body, Idempotency_Key="k").json()["replayed"] is is_again
    assert len(values(settings, "clickstream")) == 3


class Failing(Log):
    """Takes so many partitions' events, then fails; None: works."""

    left: int | None = None

    def send(self, topic: str, messages: pl.DataFrame) -> dict[int, int]:
        after: dict[int, int] = {}
        for user in messages["key"].unique(maintain_order=True):
            if self.left == 0:
                raise StorageError("no room")
            if self.left is not None:
                self.left -= 1
            after |= super().send(topic, messages.filter(pl.col("key") == user))
        return after


BODY = json.dumps([{"user_id": f"A{k}"} for k in range(6)])


@pytest.mark.parametrize("taken", [0, 1, 3, 6])
@pytest.mark.parametrize("restarts", [False, True])
def test_what_failed_half_way_is_completed_by_a_retry(
    tmp_path: Path, taken: int, restarts: bool
) -> None:
    """Meanwhile somebody sends the same events without a key: both count."""
    settings = settings_of(tmp_path)
    folder = tmp_path / "lake.topics"
    log = Failing(folder, fsync=False)
    with served(settings, log=log) as address:
        log.left = taken
        first = send(address, BODY, Idempotency_Key="k")
        assert first.status_code == (503 if taken < 6 else 202)
        if taken < 6:
            assert first.json()["reason"] == "no room"
            assert int(first.headers["Retry-After"]) >= 1
        log.left = None
        if not restarts:
            assert send(address, BODY, Idempotency_Key="k").status_code == 202
    if restarts:
        with served(settings) as address:
            assert send(address, BODY, Idempotency_Key="k").json()["replayed"] is True
            assert send(address, BODY, Idempotency_Key="k").json()["replayed"] is True
    found = values(settings, "clickstream")
    assert sorted(found) == sorted(b'{"user_id": "A%d"}' % k for k in range(6))


def test_equal_events_of_two_keys_are_both_taken_though_neither_was_answered(
    tmp_path: Path,
) -> None:
    """Both were claimed, and the log had the first one's alone."""
    settings = settings_of(tmp_path)
    log = Failing(tmp_path / "lake.topics", fsync=False)
    with served(settings, log=log) as address:
        log.left = 0
        for key in ("a", "b"):
            assert send(address, '{"user_id":"A1"}', Idempotency_Key=key).status_code == 503
    Log(tmp_path / "lake.topics").send(
        "clickstream", pl.DataFrame({"key": [b"A1"], "value": [b'{"user_id":"A1"}']})
    )
    with served(settings) as address:
        for key in ("a", "b", "a", "b"):
            assert send(address, '{"user_id":"A1"}', Idempotency_Key=key).status_code == 202
    assert len(values(settings, "clickstream")) == 2


def test_a_claim_that_found_no_room_is_not_there(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "requests" / "j.sqlite")
    claims = [Claim("me", "clickstream", f"{k:0200}", b"d" * 32) for k in range(100)]
    journal.claim(claims[:1], {0: 7}, AT)
    journal.took(claims[0], {0: (7, 9)})
    journal._file.execute("pragma max_page_count = 3")
    with pytest.raises(sqlite3.OperationalError, match="disk is full"):
        journal.claim(claims[1:], {0: 9}, AT)
    journal._file.execute("pragma max_page_count = 1000")
    assert [journal.known(c) for c in claims[1:]] == [None] * 99
    journal.claim(claims[1:], {0: 9}, AT)
    journal.close()
    again = Journal(tmp_path / "requests" / "j.sqlite")
    assert again.known(claims[99]) == Known(b"d" * 32, {0: 9}, None)
    again.close()
    assert (tmp_path / "requests" / "j.sqlite").stat().st_mode & 0o777 == 0o600


def test_many_requests_at_once_share_a_write(tmp_path: Path) -> None:
    calls: list[int] = []
    go = threading.Event()

    class Slow(Log):
        def send(self, topic: str, messages: pl.DataFrame) -> dict[int, int]:
            go.wait(300)
            calls.append(len(messages))
            return super().send(topic, messages)

    settings = settings_of(tmp_path)
    slow = Slow(tmp_path / "lake.topics")
    with served(settings, log=slow) as address, ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(send, address, f'{{"user_id":"A{k}"}}') for k in range(20)]
        health = requests.get(f"{address}/healthz", timeout=60)
        go.set()
        assert {w.result().status_code for w in waiting} == {202}
    assert health.json() == {"status": "ok", "topics": 6}
    assert sum(calls) == 20
    assert len(calls) <= 10


def test_tokens_open_what_they_name(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    tokens = Tokens(place(settings) / "tokens.json")
    with served(settings, bounds=Bounds(events_per_second=10)) as address:
        assert send(address, '{"user_id":"A1"}').status_code == 202
        clicks = tokens.add("clicks", ["clickstream"], "s1", "now")
        reader = tokens.add("reader", ["live"], "s2", "now")
        none = send(address, '{"user_id":"A1"}')
        assert (none.status_code, none.headers["WWW-Authenticate"]) == (401, "Bearer")
        wrong = send(address, '{"user_id":"A1"}', Authorization="Bearer lh_s3")
        assert wrong.status_code == 401
        mine = {"Authorization": f"Bearer {clicks}"}
        assert send(address, '{"user_id":"A1"}', **mine).status_code == 202
        other = send(address, '{"user_id":"A1"}', "shop_actions", **mine)
        assert other.status_code == 403
        assert other.json()["reason"] == "token clicks opens clickstream, not shop_actions"
        for path, status in (("/live", 403), ("/generate", 403), ("/metrics", 200)):
            assert requests.get(address + path, headers=mine, timeout=60).status_code == status
        live = requests.get(
            f"{address}/live", headers={"Authorization": f"Bearer {reader}"}, timeout=60
        )
        assert live.json() == []
        assert requests.get(f"{address}/metrics", timeout=60).status_code == 401
        assert requests.get(f"{address}/healthz", timeout=60).status_code == 200
        tokens.revoke("clicks")
        assert send(address, '{"user_id":"A1"}', **mine).status_code == 401
    kept = tokens.path.read_text()
    assert "lh_" not in kept
    assert "s2" not in kept
    assert tokens.path.stat().st_mode & 0o777 == 0o600
    assert tokens.path.parent.stat().st_mode & 0o777 == 0o700


def test_who_sends_too_much_waits(tmp_path: Path) -> None:
    """Ten a second: a batch of thirty is taken, and after it nothing for two seconds."""
    now = [100.0]
    settings = settings_of(tmp_path)
    batch = json.dumps([{"user_id": "A1"}] * 30)
    with served(settings, bounds=Bounds(events_per_second=10), clock=lambda: now[0]) as address:
        assert send(address, batch).status_code == 202
        second = send(address, batch)
        assert (second.status_code, second.headers["Retry-After"]) == (429, "2")
        now[0] += 1.9
        assert send(address, batch).status_code == 429
        now[0] += 0.2
        assert send(address, batch).status_code == 202
    assert len(values(settings, "clickstream")) == 60
