"""While a worker takes events in, small files are put together and what is old goes."""

from functools import partial
from pathlib import Path

import pytest

from lakehouse.ingest.streams import compaction
from lakehouse.ingest.streams.worker import Limits
from lakehouse.storage.maintenance import compact_days
from tests import streamed
from tests.streamed import (
    TABLE,
    after,
    event,
    log_at,
    places,
    send,
    settings_at,
    sources,
    take_in,
    worker_at,
)


def test_small_files_are_put_together_and_no_day_is_derived_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "COMMITS", 40)
    log = log_at(tmp_path)
    for n in range(41):
        send(log, event(n))
    worker = worker_at(tmp_path, log, limits=Limits(rows=1, seconds=0))
    worker.run(after(82))
    assert worker.done.commits == 41
    held = worker.lake.partitions("bronze", TABLE)
    assert held["files"].to_list()[0] < 5
    assert sources(tmp_path) == places(0, 41)
    tokens = worker.lake.tokens("bronze", TABLE)
    compact_days(worker.lake, "bronze", TABLE, most=0)
    assert worker.lake.tokens("bronze", TABLE) == tokens


@pytest.mark.parametrize(("due", "after_all"), [("COMMITS", 1), ("SECONDS", -1)])
def test_a_worker_keeps_versions_and_files_for_as_long_as_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, due: str, after_all: int
) -> None:
    monkeypatch.setattr(compaction, due, after_all)
    monkeypatch.setattr(streamed, "settings_at", partial(settings_at, version_minutes=7))
    log = log_at(tmp_path)
    send(log, event(0), b"bad")
    worker = take_in(tmp_path, log)
    for layer in ("bronze", "quarantine"):
        delta = worker.lake.table(layer, TABLE)
        assert delta is not None
        told = delta.metadata().configuration
        assert told["delta.logRetentionDuration"] == "interval 420 seconds"
        assert told["delta.deletedFileRetentionDuration"] == "interval 7200 seconds"
