"""Dagster instances for runs whose history nobody reads afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from dagster._core.instance.types import InstanceType
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.run_coordinator import DefaultRunCoordinator
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.runs import InMemoryRunStorage

from igaming_assets.event_log import PooledSqliteEventLog
from igaming_assets.migrations import read_once


@contextmanager
def short_lived() -> Iterator[dg.DagsterInstance]:
    """`DagsterInstance.ephemeral` with the event log that runs have elsewhere, in a folder that
    goes with the block. Dagster's own in memory connects anew for each event: half of the time of
    a run over weeks of all checks."""
    read_once()
    with tempfile.TemporaryDirectory() as folder:
        instance = dg.DagsterInstance(
            instance_type=InstanceType.EPHEMERAL,
            local_artifact_storage=LocalArtifactStorage(folder),
            run_storage=InMemoryRunStorage(),
            event_storage=PooledSqliteEventLog(base_dir=folder),
            compute_log_manager=NoOpComputeLogManager(),
            run_coordinator=DefaultRunCoordinator(),
            run_launcher=SyncInMemoryRunLauncher(),
        )
        with instance:
            yield instance
