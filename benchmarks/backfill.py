"""A month asked for in the Dagster UI: from the request to the end of its backfill.

`python -m benchmarks backfill`: `dagster dev` as `make ui` starts it, on a lake of its own, asked
as the UI asks its server. BENCH_DOMAINS has the parts of the house, with commas between them; the
floor otherwise.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from benchmarks.lake import HERE, START, compiled
from benchmarks.servers import free_port

DAYS = 30
START_SECONDS, RUN_SECONDS = 180, 900
ASSETS = "{ assetNodes { assetKey { path } isMaterializable isPartitioned } }"
LAUNCH = """
mutation($asked: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $asked) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
STATUS = """
query($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status runs(limit: 10) { status startTime endTime } }
    ... on PythonError { message }
  }
}
"""
RUNS = "{ runsOrError(limit: 1) { ... on Runs { results { runId status } } } }"
TERMINATE = """
mutation($id: String!) { terminateRun(runId: $id) { __typename } }
"""
NEWEST = """
{ partitionBackfillsOrError(limit: 1) {
    ... on PartitionBackfills { results { id } }
    ... on PythonError { message }
} }
"""


@contextmanager
def ui(root: Path, domains: Sequence[str]) -> Iterator[str]:
    """The address of its GraphQL, which knows the code by then."""
    port = free_port()
    env = os.environ | {
        "LAKEHOUSE_DOMAINS": json.dumps(domains),
        "LAKEHOUSE_ROOT": str(root / "lake"),
        "LAKEHOUSE_START": str(START),
        "PYTHONPATH": compiled(HERE),
        "DAGSTER_HOME": str(root / "home"),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    # In the folder of the lake: the settings of this one are of another.
    make = [sys.executable, "-m", "igaming_assets.instance"]
    subprocess.run(make, env=env, cwd=root, check=True)
    command = [str(Path(sys.executable).with_name("dagster")), "dev", "-p", str(port)]
    with (root / "ui.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "-w", str(HERE / "workspace.yaml")],
            cwd=root,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _ready(f"http://127.0.0.1:{port}/graphql")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _ready(address: str) -> str:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            if said(address, ASSETS)["assetNodes"]:
                return address
        except requests.RequestException:
            pass
        time.sleep(0.5)
    raise SystemExit(f"{address} did not answer within {START_SECONDS} s")


def said(address: str, query: str, **variables: Any) -> dict[str, Any]:
    """What the server answers."""
    asked: dict[str, Any] = {"query": query, "variables": variables}
    answer = requests.post(address, json=asked, timeout=60)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    if "errors" in found:
        raise SystemExit(json.dumps(found["errors"])[:2000])
    return dict(found["data"])


def assets(address: str) -> list[list[str]]:
    """The keys of all that *Materialize all* makes."""
    nodes = said(address, ASSETS)["assetNodes"]
    made = [n for n in nodes if n["isMaterializable"] and n["isPartitioned"]]
    return [node["assetKey"]["path"] for node in made]


def asked(address: str, keys: Sequence[list[str]], days: Sequence[dt.date]) -> str:
    """The backfill of these assets over these days; its id."""
    wanted: dict[str, list[Any]] = {
        "assetSelection": [{"path": key} for key in keys],
        "partitionNames": [str(day) for day in days],
    }
    answer = said(address, LAUNCH, asked=wanted)["launchPartitionBackfill"]
    if "backfillId" not in answer:
        raise SystemExit(str(answer))
    return str(answer["backfillId"])


def newest(address: str) -> str:
    """The id of the backfill that was asked for last."""
    return str(said(address, NEWEST)["partitionBackfillsOrError"]["results"][0]["id"])


def started_run(address: str) -> str:
    """The id of the run that was asked for last, as soon as it has started."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        run, status = _newest_run(address)
        if status == "STARTED":
            return run
        time.sleep(0.1)
    raise SystemExit(f"no run began within {START_SECONDS} s")


def terminated(address: str, run: str, seconds: float) -> str:
    """Ends the run that was asked for last, as *Terminate* does: its status once it has ended, or
    after so long."""
    answer = said(address, TERMINATE, id=run)["terminateRun"]["__typename"]
    if answer != "TerminateRunSuccess":
        raise SystemExit(f"run {run}: {answer}")
    until, status = time.monotonic() + seconds, "STARTED"
    while status in ("STARTED", "CANCELING") and time.monotonic() < until:
        time.sleep(0.1)
        status = _newest_run(address)[1]
    return status


def _newest_run(address: str) -> tuple[str, str]:
    """The id and the status of the run that was asked for last; empty where none was."""
    found = said(address, RUNS)["runsOrError"]["results"]
    return (found[0]["runId"], found[0]["status"]) if found else ("", "")


def ended(address: str, backfill: str) -> dict[str, Any]:
    """The backfill, when it has ended."""
    until = time.monotonic() + RUN_SECONDS
    while time.monotonic() < until:
        found: dict[str, Any] = said(address, STATUS, id=backfill)["partitionBackfillOrError"]
        if found["status"] not in ("REQUESTED", "CANCELING", "FAILING"):
            return found
        time.sleep(0.25)
    raise SystemExit(f"the backfill did not end within {RUN_SECONDS} s")


def main() -> None:
    domains = os.environ.get("BENCH_DOMAINS", "floor").split(",")
    with tempfile.TemporaryDirectory() as name, ui(Path(name), domains) as address:
        keys, days = assets(address), [START + dt.timedelta(days=k) for k in range(DAYS)]
        begun, clock = time.time(), time.perf_counter()
        found = ended(address, asked(address, keys, days))
        whole = time.perf_counter() - clock
    if found["status"] != "COMPLETED_SUCCESS":
        raise SystemExit(f"the backfill ended as {found['status']}")
    runs = found["runs"]
    first, last = min(r["startTime"] for r in runs), max(r["endTime"] for r in runs)
    print(f"| {DAYS} days of {len(keys)} assets, asked for in the UI | s |")
    print("|---|---|")
    print(f"| request to the start of its run | {first - begun:.1f} |")
    print(f"| {len(runs)} run{'s' if len(runs) > 1 else ''} | {last - first:.1f} |")
    print(f"| its end to that of the backfill | {begun + whole - last:.1f} |")
    print(f"| request to the end | {whole:.1f} |")


if __name__ == "__main__":
    main()
