"""What all tests have in common: a folder of their own."""

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported stays: the collector need not look through it for every test."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings are read in the folder where a command is given; a demo leaves some here. Other
    processes find the project, and these tests, by PYTHONPATH. Lakes have the floor alone, unless
    a test asks for more of the house: the other domains have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
        patch.setenv("LAKEHOUSE_DOMAINS", '["floor"]')
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        yield
