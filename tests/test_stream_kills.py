"""kill -9 of workers at their commits; `make faults` does hundreds, with producers and brokers."""

from pathlib import Path

import pytest

from benchmarks.faults import stream as campaign
from lakehouse.storage import Commit, Lake
from tests.processes import Warm
from tests.streamed import TABLE, TOPIC, event, log_at, sources, stored, take_in
from tests.streamed import send as sent
from tests.tended import cut, entries

KEYS = "abcdefgh"
RUN = ("stream", "run", "--rows", "40", "--seconds", "0")


@pytest.mark.slow
@pytest.mark.parametrize("is_cut", [False, True])
def test_workers_that_die_at_their_commits_lose_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_cut: bool
) -> None:
    """Neither where each that comes after finds of the log no more than a checkpoint."""
    log = log_at(tmp_path, 2)
    for n in range(12):
        for key in KEYS:
            sent(log, event(f"{key}{n}", user_id=key), b"bad" * n, event(f"{key}{n}b"), key=key)
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["floor", "online"]')
    monkeypatch.setenv("LAKEHOUSE_SOURCES", f'{{"{TABLE}": "stream"}}')
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    kills = 0
    for seed in range(40):
        process = Warm("benchmarks.faults.hurt", "dying", str(seed), *RUN, "--until-empty")
        said = process.communicate(300)
        if process.returncode == 0:
            break
        assert process.returncode == -9, said
        kills += 1
        if is_cut:
            lake = Lake(str(tmp_path / "lake"))
            for home in lake.stored():
                cut(lake, *home)
                assert len(entries(lake, *home)) <= 4, home
    assert process.returncode == 0
    assert kills >= 3
    every = campaign.messages(log, TOPIC)
    assert len(every) == 12 * 8 * 3
    assert sorted([*sources(tmp_path), *sources(tmp_path, "quarantine")]) == sorted(every["source"])
    rows = stored(tmp_path)
    assert campaign._as_sent(every, rows)


def test_the_campaign_sees_what_is_lost_doubled_or_strange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "TOPICS", {TOPIC: TABLE})
    folder, twin = tmp_path / "mine", tmp_path / "twin"
    for place in (folder, twin):
        sent(log_at(place), *map(event, range(4)))
    assert campaign.differences(folder, twin) == ["clickstream: 4 lost, 0 doubled, 0 from nowhere"]
    lake = take_in(folder).lake
    assert campaign.differences(folder, twin) == []
    rows = lake.scan("bronze", TABLE).collect()
    lake.append("bronze", TABLE, rows.head(1), commit=Commit("test", "bronze/clickstream", "1"))
    assert campaign.differences(folder, twin) == ["clickstream: 0 lost, 1 doubled, 0 from nowhere"]
    sent(log_at(twin), event(9))
    assert "in another order of a key" in campaign.differences(folder, twin)[1]
