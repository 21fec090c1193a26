"""The application as a whole: live views, generated files, what it tells of itself, and how it is
started; nothing it was made to answer is an error of its own."""

import datetime as dt
import json
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl
import pytest
import requests

from lakehouse.cli import run
from lakehouse.ingest.streams.log import Log
from lakehouse.serve.http.app import app
from lakehouse.settings import load_settings
from lakehouse.simulate.output import new_clickstream
from tests.http_fuzz import VIEWS, fuzz
from tests.processes import Warm
from tests.served import served, settings_of

NOW = dt.datetime(2025, 6, 3, 20, 47, 49, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(settings_of(tmp_path_factory.mktemp("served")), views=VIEWS) as found:
        yield found


def test_a_view_is_told_as_json(address: str) -> None:
    found = requests.get(f"{address}/live/sales", {"since": "1"}, timeout=60)
    assert found.json() == {
        "view": "sales",
        "rows": [{"start": "2025-01-01T00:00:00+00:00", "sales": "12.50", "of": "a"}],
    }
    assert requests.get(f"{address}/live", timeout=60).json() == ["nobody", "sales"]
    assert requests.get(f"{address}/live/nobody", timeout=60).json()["rows"] == []


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/live/other", 404, "no view 'other'; there are: nobody, sales"),
        ("/live/sales?until=1", 422, "no parameter 'until'; there is: since"),
        ("/live/sales?every=0", 422, "every: Input should be greater than or equal to 0.2"),
        ("/generate?records=0", 422, "records: Input should be greater than or equal to 1"),
        ("/generate?records=x", 422, "records: Input should be a valid integer"),
        ("/generate?records=1000001", 422, "records: Input should be less than"),
        ("/nowhere", 404, "GET /nowhere: Not Found"),
        ("/events/clickstream", 405, "GET /events/clickstream: Method Not Allowed"),
    ],
)
def test_what_is_asked_wrongly_is_told_in_one_shape(
    address: str, path: str, status: int, reason: str
) -> None:
    found = requests.get(address + path, timeout=60)
    assert found.status_code == status
    assert found.json().keys() == {"status", "error", "reason"}
    assert found.json()["reason"].startswith(reason)


def test_a_view_is_told_again_when_it_has_changed(tmp_path: Path) -> None:
    looks = iter([1, 1, 2, 2, 3])

    def view(_: Mapping[str, str]) -> pl.DataFrame:
        return pl.DataFrame({"n": [next(looks, 3)]})

    with served(settings_of(tmp_path), views={"n": view}) as address:
        given = {"Accept": "text/event-stream"}
        with requests.get(
            f"{address}/live/n", {"every": "0.2"}, headers=given, stream=True, timeout=60
        ) as found:
            assert found.headers["Content-Type"].startswith("text/event-stream")
            told: list[int] = []
            for line in found.iter_lines(chunk_size=1):
                if line:
                    assert line.startswith(b"data: ")
                    told.append(json.loads(line[6:])["rows"][0]["n"])
                if len(told) == 3:
                    break
    assert told == [1, 2, 3]


def test_generate_answers_as_the_system_before_did(tmp_path: Path) -> None:
    def generate(records: int) -> Path:
        return new_clickstream(tmp_path / "out", records, NOW, "America/Los_Angeles")

    with served(settings_of(tmp_path), generate=generate) as address:
        first, second = (
            requests.get(f"{address}/generate?records=500", timeout=60) for _ in range(2)
        )
    assert first.json() == {
        "message": "Data generated",
        "file_path": str(tmp_path / "out" / "clickstream_20250603_134749.csv"),
    }
    assert second.json()["file_path"].endswith("clickstream_20250603_134750.csv")
    rows = pl.read_csv(first.json()["file_path"])
    assert rows.height == 500
    assert rows.columns == [
        *("timestamp", "user_id", "event_type", "game_name"),
        *("bet_amount", "win_amount", "device", "country"),
    ]
    assert not list((tmp_path / "out").glob(".*"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")

    def generate(records: int) -> Path:
        return new_clickstream(tmp_path / "out", records, NOW, "UTC")

    with served(settings_of(tmp_path), generate=generate) as address:
        found = requests.get(f"{address}/generate", timeout=60)
    assert found.status_code == 503
    assert "cannot write to" in found.json()["reason"]


def test_numbers_are_told_and_belong_to_one_application(tmp_path: Path) -> None:
    with served(settings_of(tmp_path / "a")) as one, served(settings_of(tmp_path / "b")) as two:
        body = '[{"user_id":"A1"},{"user_id":"A2"}]'
        given = {"Content-Type": "application/json"}
        requests.post(f"{one}/events/clickstream", body, headers=given, timeout=60)
        requests.get(f"{one}/{'x' * 50}", timeout=60)
        told = requests.get(f"{one}/metrics", timeout=60).text
        assert 'lakehouse_events_taken_total{topic="clickstream"} 2.0' in told
        assert 'requests_total{method="POST",route="/events/{topic}",status="202"} 1.0' in told
        assert 'route="other",status="404"} 1.0' in told
        assert "xxx" not in told
        assert "clickstream" not in requests.get(f"{two}/metrics", timeout=60).text


def test_the_page_of_what_there_is_needs_nothing_from_elsewhere(address: str) -> None:
    found = requests.get(f"{address}/docs", timeout=60)
    assert found.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for path in requests.get(f"{address}/openapi.json", timeout=60).json()["paths"]:
        assert path in found.text
    for sign in ("<script", "<link", "<img", "@import", "url(", 'src="', "https://"):
        assert sign not in found.text
    assert requests.get(f"{address}/redoc", timeout=60).status_code == 404


@pytest.mark.slow
def test_no_made_up_request_is_answered_with_an_error_of_ours(address: str) -> None:
    tally, faults = fuzz(address, 20)
    assert faults == []
    assert tally["/events/{topic}", 202] > 5
    assert tally["/events/{topic}", 422] > 5
    assert tally["/live/{view}", 200] > 5


def test_a_lake_without_topics_is_served_too(tmp_path: Path) -> None:
    with served(settings_of(tmp_path, domains=("floor",))) as address:
        health = requests.get(f"{address}/healthz", timeout=60)
        assert health.json() == {"status": "ok", "topics": 0}
        assert requests.get(f"{address}/docs", timeout=60).status_code == 200
        assert requests.post(f"{address}/events/clickstream", "{}", timeout=60).status_code == 404


def test_the_application_holds_no_state_until_it_is_started(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    app(
        settings,
        Log(tmp_path / "lake.topics"),
        now=lambda: 0,
        generate=lambda _: tmp_path,
        views={},
    )
    assert not list(tmp_path.iterdir())


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["online", "shop"]')
    return tmp_path / "lake"


def test_a_token_is_shown_once_and_can_be_revoked(
    lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["serve", "token", "list"]) == 0
    assert "no tokens: only this machine gets in" in capsys.readouterr().err
    assert run(["serve", "token", "add", "desk", "--topics", "clickstream", "--live"]) == 0
    secret = capsys.readouterr().out.strip()
    assert secret.startswith("lh_")
    assert len(secret) > 40
    assert run(["serve", "token", "add", "all", "--topics", "all"]) == 0
    assert capsys.readouterr().out.strip() != secret
    assert run(["serve", "token", "list"]) == 0
    said = capsys.readouterr().out
    assert "clickstream, live" in said
    assert "clickstream, sales_stream," in said
    assert secret[3:] not in said + (lake.with_name("lake.serve") / "tokens.json").read_text()
    assert run(["serve", "token", "revoke", "desk"]) == 0
    assert run(["serve", "token", "revoke", "desk"]) == 2
    assert "no token 'desk'; there are: all" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["token", "add", "desk"], "token 'desk' would open nothing"),
        (["token", "add", "a b", "--live"], "token 'a b': letters"),
        (["token", "add", "desk", "--topics", "clicks"], "--topics 'clicks': events come in by"),
        (["token", "add", "desk", "--topics", "purchases"], "--topics 'purchases'"),
        (
            ["--host", "0.0.0.0"],
            "--host 0.0.0.0: others could reach it, and there are neither",
        ),
        (["--host", "example.com"], "--host example.com: others could reach it"),
        (["--port", "70000"], "--port 70000: 0 to 65535 are allowed"),
        (["--events-per-second", "0"], "--events-per-second 0: more than 0"),
        (["--most-bytes", "0"], "--most-bytes 0: 1 to 16777216 are allowed"),
    ],
)
def test_wrong_input_is_told_in_a_line(
    lake: Path, capsys: pytest.CaptureFixture[str], asked: list[str], said: str
) -> None:
    assert run(["serve", *asked]) == 2
    assert said in capsys.readouterr().err
    assert not lake.with_name("lake.serve").exists()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def waited(port: int) -> str:
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            requests.get(f"{address}/healthz", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return address
    raise AssertionError("the server did not start")


@pytest.mark.slow
@pytest.mark.parametrize("point", [0, 3, 6])
def test_a_request_whose_server_is_killed_is_taken_once_when_it_is_sent_again(
    tmp_path: Path, point: int
) -> None:
    """kill -9 before any of it is in the log, amidst, and after all is, before it is answered."""
    port = free_port()
    process = Warm("tests.killed_serve", str(tmp_path), str(port), str(point))
    address = waited(port)
    body = json.dumps([{"user_id": f"A{k}"} for k in range(6)])
    given = {"Content-Type": "application/json", "Idempotency-Key": "first"}
    to = "/events/clickstream"
    assert requests.post(address + to, body, headers=given, timeout=60).status_code == 202
    with pytest.raises(requests.ConnectionError):
        requests.post(address + to, body, headers=given | {"Idempotency-Key": "2"}, timeout=60)
    process.communicate(300)
    assert process.returncode == -signal.SIGKILL
    with served(settings_of(tmp_path)) as address:
        for key in ("2", "first", "2", "2"):
            done = requests.post(
                address + to, body, headers=given | {"Idempotency-Key": key}, timeout=60
            )
            assert done.json() == {"topic": "clickstream", "accepted": 6, "replayed": True}
    log = Log(tmp_path / "lake.topics")
    parts = [log.read("clickstream", p, 0, 10**6) for p in range(4)]
    found = pl.concat(parts)["value"].to_list()
    assert sorted(found) == sorted([b'{"user_id": "A%d"}' % k for k in range(6)] * 2)


@pytest.mark.slow
def test_a_second_server_is_refused_in_a_line(
    lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(load_settings()):
        assert run(["serve", "--port", "0"]) == 1
    said = capsys.readouterr().err
    assert "events are taken in by process" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_term_ends_the_server_well(lake: Path) -> None:
    port = free_port()
    process = Warm("lakehouse", "serve", "--port", str(port))
    waited(port)
    process._process.terminate()
    out, said = process.communicate(300)
    assert (process.returncode, out, said) == (0, "", "")
    assert load_settings().root == str(lake)
