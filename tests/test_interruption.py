"""Runs that somebody ends: a step that is interrupted is not tried again, and what may not be left
half done is done whole."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.api import execute_run_iterator

from igaming_assets.assets import RETRIES
from igaming_assets.interruption import INTERRUPTIONS, Retries, uninterrupted

QUICK = Retries(max_retries=2)


def ran(error: type[BaseException], retries: Retries) -> tuple[int, str]:
    """How often a step that raises was begun, and how its run ended."""
    begun: list[int] = []

    @dg.asset(retry_policy=retries)
    def broken(context: dg.AssetExecutionContext) -> None:
        begun.append(1)
        if error in INTERRUPTIONS:
            context.instance.report_run_canceling(context.run)  # as *Terminate* does first
        raise error("so")

    defs = dg.Definitions([broken], executor=dg.in_process_executor)
    job = defs.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance, pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", lambda _: None)
        run = instance.create_run_for_job(job)
        with suppress(*INTERRUPTIONS):
            for _ in execute_run_iterator(InMemoryJob(job), run, instance):
                continue
        ended = instance.get_run_by_id(run.run_id)
        assert ended is not None
        return len(begun), ended.status.value


@pytest.mark.parametrize("retries", [QUICK, RETRIES], ids=["quick", "of tables"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, DagsterExecutionInterruptedError])
def test_an_interrupted_step_ends_its_run(error: type[BaseException], retries: Retries) -> None:
    assert ran(error, retries) == (1, "CANCELED")


def test_a_step_that_failed_is_tried_again() -> None:
    assert ran(OSError, QUICK) == (3, "FAILURE")


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def heard(request: pytest.FixtureRequest) -> Iterator[tuple[int, list[int]]]:
    """A signal, and what its handler has heard."""
    said: list[int] = []
    before = signal.signal(request.param, lambda number, _: said.append(number))
    yield request.param, said
    signal.signal(request.param, before)


def test_what_is_uninterrupted_is_done_whole_and_tells_of_it_then(
    heard: tuple[int, list[int]],
) -> None:
    number, said = heard
    with uninterrupted():
        os.kill(os.getpid(), number)
        with uninterrupted():
            os.kill(os.getpid(), number)
            assert said == []
        assert said == []
    assert said == [number]
    os.kill(os.getpid(), number)
    assert said == [number, number]


def test_an_interruption_passes_where_it_was_held_back() -> None:
    done: list[str] = []

    def work() -> None:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("whole")
        done.append("and on")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_within_is_as_it_was() -> None:
    with pytest.raises(ZeroDivisionError), uninterrupted():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_have_nothing_to_hold_back() -> None:
    found: list[Any] = []

    def work() -> None:
        with uninterrupted():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]
