"""A lake of seven days behind a server of its own, and a browser that looks at it.

PAGES_LAKE in the environment is such a lake, to be looked at and written to in place of a new one.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from selenium.common.exceptions import TimeoutException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from benchmarks.pages import browser as chromium
from lakehouse.settings import DOMAINS

PATIENCE = 30
LAST = "2025-01-07"


@dataclass
class House:
    """A lake, its server, and how its commands are run."""

    folder: Path
    address: str
    env: dict[str, str]

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "lakehouse", *arguments],
            env=self.env, cwd=self.folder, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    given = os.environ.get("PAGES_LAKE")
    env = os.environ | {
        "LAKEHOUSE_ROOT": given or str(folder / "lake"),
        "DAGSTER_HOME": str(folder / "dagster"),
        "LAKEHOUSE_START": "2025-01-01",
        "LAKEHOUSE_DOMAINS": json.dumps(DOMAINS),
        "LAKEHOUSE_SQL_SECONDS": "30",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    made = House(folder, f"http://127.0.0.1:{port}", env)
    if not given:
        made.run("run", "--from", "2025-01-01", "--to", LAST)
    command = [sys.executable, "-m", "lakehouse", "serve", "--port", str(port)]
    with (folder / "serve.log").open("wb") as log:
        server = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
    try:
        _until_up(made.address, server)
        yield made
        said = (folder / "serve.log").read_text()
        assert "Traceback" not in said, said
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def _until_up(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(10 * PATIENCE):
        assert server.poll() is None
        try:
            requests.get(f"{address}/healthz", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not come up")


class Reader:
    """Somebody at a browser."""

    def __init__(self, browser: Chrome, house: House, downloads: Path) -> None:
        self.browser, self.house, self.downloads = browser, house, downloads

    def opens(self, place: str) -> None:
        """Goes to a page, until it has its live connection."""
        self.browser.get(self.house.address + place)
        self.is_there()

    def is_there(self) -> None:
        self.until(lambda: self.asks("return !!(window.socket && window.socket.connected)"))

    def until(self, so: Callable[[], object]) -> object:
        try:
            return WebDriverWait(self.browser, PATIENCE).until(lambda _: so())
        except TimeoutException:
            raise AssertionError(f"did not come about on this page:\n{self.text()}") from None

    def asks(self, script: str, *given: object) -> object:
        return self.browser.execute_script(script, *given)

    def all(self, css: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, css)

    def sees(self, text: str) -> None:
        self.until(lambda: text in self.text())

    def text(self) -> str:
        return str(self.asks("return document.body.innerText"))

    def card(self, title: str) -> WebElement:
        path = f'//section[.//h2[starts-with(normalize-space(.), "{title}")]]'
        self.until(lambda: self.browser.find_elements(By.XPATH, path))
        return self.browser.find_element(By.XPATH, path)

    def presses(self, words: str) -> None:
        path = f'//button[normalize-space(.)="{words}"]|//a[normalize-space(.)="{words}"]'
        self.until(lambda: self.browser.find_elements(By.XPATH, path))
        self.browser.find_element(By.XPATH, path).click()

    def field(self, label: str) -> WebElement:
        path = f'//label[contains(normalize-space(.), "{label}")]//input'
        return self.browser.find_element(By.XPATH, path)

    def chooses(self, label: str, option: str) -> None:
        self.field(label).click()
        path = f'//div[@role="option"][contains(normalize-space(.), "{option}")]'
        self.until(lambda: self.browser.find_elements(By.XPATH, path))
        time.sleep(0.4)  # the menu moves while it opens
        self.browser.find_element(By.XPATH, path).click()

    def complaints(self) -> list[str]:
        """What the browser has to say of scripts and missing files since it was asked last."""
        told = self.browser.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in told if entry["level"] == "SEVERE"]


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Chrome, Path]]:
    downloads = tmp_path_factory.mktemp("downloads")
    browser = chromium.opened(downloads)
    yield browser, downloads
    browser.quit()


@pytest.fixture
def reader(chrome: tuple[Chrome, Path], house: House) -> Iterator[Reader]:
    browser, downloads = chrome
    found = Reader(browser, house, downloads)
    chromium.sized(browser, chromium.DESKTOP)
    found.complaints()
    yield found
    assert found.complaints() == []
