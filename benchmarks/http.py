"""Events over HTTP: how many a second are on the disk, in batches and one by one, and the encoding
of messages.

The server is a process of its own, and so is the load; both share the machine's cores.
"""

from __future__ import annotations

import datetime as dt
import functools
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.servers import free_port

BATCH = 500
SECONDS = 8.0
_JSON = {"Content-Type": "application/json"}


def encoding(scale: float = 30.0) -> float:
    """Messages of the clickstream that are made in a second of processor time."""
    from lakehouse.ingest.streams.messages import messages_of
    from lakehouse.simulate.kernel.config import WorldConfig
    from lakehouse.simulate.world import World

    day = dt.date(2025, 1, 1)
    rows = World(WorldConfig(scale=scale, start=day)).frame("clickstream", day)
    messages_of("clickstream", rows.head(10_000))
    began = time.process_time()
    messages_of("clickstream", rows)
    return len(rows) / (time.process_time() - began)


def events(count: int) -> list[str]:
    """Events of the simulated clickstream, as they are sent."""
    from lakehouse.ingest.streams.messages import messages_of
    from lakehouse.simulate.kernel.config import WorldConfig
    from lakehouse.simulate.world import World

    day = dt.date(2025, 1, 1)
    rows = World(WorldConfig(scale=2.0, start=day)).frame("clickstream", day).head(count)
    return [v.decode() for v in messages_of("clickstream", rows)["value"]]


@contextmanager
def server(folder: Path) -> Iterator[int]:
    """Its port."""
    port = free_port()
    env = os.environ | {"LAKEHOUSE_ROOT": str(folder / "lake")}
    command = [sys.executable, "-m", "lakehouse", "serve", "--port", str(port)]
    process = subprocess.Popen([*command, "--events-per-second", "1e9"], env=env, cwd=folder)
    try:
        while not _answers(port):
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def rate(port: int, body: str, a_body: int, clients: int, *, keys: bool = False) -> float:
    """Events a second that were answered with 202, sent by so many clients at once."""
    until, done = time.monotonic() + SECONDS, [0] * clients
    began = time.monotonic()

    def send(k: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.monotonic() < until:
            named = {"Idempotency-Key": f"{k}-{done[k]}"} if keys else {}
            connection.request("POST", "/events/clickstream", body, _JSON | named)
            answer = connection.getresponse()
            answer.read()
            if answer.status != http.client.ACCEPTED:
                raise RuntimeError(f"status {answer.status}")
            done[k] += 1
        connection.close()

    threads = [threading.Thread(target=send, args=(k,)) for k in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) * a_body / (time.monotonic() - began)


def main(show: Callable[[str], None] = print) -> None:
    show(f"messages encoded, a second of processor: {encoding():,.0f}")
    batch = events(BATCH)
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as port:
        whole = f"[{','.join(batch)}]"
        for clients in (1, 4):
            found = rate(port, whole, BATCH, clients)
            show(f"batches of {BATCH}, {clients} clients: {found:,.0f} events a second")
        found = rate(port, whole, BATCH, 4, keys=True)
        show(f"the same with an Idempotency-Key each: {found:,.0f}")
        for clients in (1, 16, 64):
            found = rate(port, batch[0], 1, clients)
            show(f"one event a request, {clients} clients: {found:,.0f}")


def _answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/healthz")
        return bool(json.loads(connection.getresponse().read())["topics"])
    except OSError:
        return False


if __name__ == "__main__":
    main(functools.partial(print, flush=True))
