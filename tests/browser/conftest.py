"""A lake of seven days behind a server of its own, and a browser that looks at it.

PAGES_LAKE in the environment is such a lake, to be looked at and written to in place of a new one.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import pytest
import requests
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from benchmarks.pages import browser as chromium
from lakehouse.commands.serve import place_of
from lakehouse.serve import signin
from lakehouse.serve.signin.roles import Role, roles
from lakehouse.serve.signin.users import Users
from lakehouse.settings import DOMAINS, Settings

PATIENCE = 30
LAST = "2025-01-07"
SECRETS = {
    "analyst": "kettle-anvil-moss-trout",
    "host": "plum-gravel-otter-lamp",
    "compliance": "tundra-velvet-spoon-fig",
    "protection": "walnut-harbor-quilt-zinc",
    "engineer": "magnet-fjord-clover-tap",
    "clerk": "ginger-piano-raft-elbow",
}
"""Users of the name of their role, and their passwords."""
CLERK = Role("clerk", "Sees players, and not who they are.", frozenset({"players"}), frozenset())
ROLES = {**roles(), CLERK.name: CLERK}


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


def env_of(folder: Path, lake: str) -> dict[str, str]:
    return os.environ | {
        "LAKEHOUSE_ROOT": lake,
        "DAGSTER_HOME": str(folder / "dagster"),
        "LAKEHOUSE_START": "2025-01-01",
        "LAKEHOUSE_DOMAINS": json.dumps(DOMAINS),
        "LAKEHOUSE_SQL_SECONDS": "30",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A lake of seven days, and nobody who serves it."""
    folder = tmp_path_factory.mktemp("house")
    given = os.environ.get("PAGES_LAKE")
    made = House(folder, "", env_of(folder, given or str(folder / "lake")))
    if not given:
        made.run("run", "--from", "2025-01-01", "--to", LAST)
    return made


@pytest.fixture(scope="session")
def house(stored: House) -> Iterator[House]:
    """Where nobody signs in."""
    with served(stored) as made:
        yield made


@pytest.fixture(scope="session")
def signed(stored: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The same lake with a user of each role, each with the password of its name in SECRETS."""
    folder = tmp_path_factory.mktemp("signed")
    shutil.copytree(stored.env["LAKEHOUSE_ROOT"], folder / "lake")
    told = files(signin).joinpath("roles.toml").read_text(encoding="utf-8")
    own = f'\n[clerk]\nabout = "{CLERK.about}"\npages = ["players"]\ngrants = []\n'
    (folder / "roles.toml").write_text(told + own, encoding="utf-8")
    env = env_of(folder, str(folder / "lake")) | {
        "LAKEHOUSE_PAGE__ROLES": str(folder / "roles.toml")
    }
    made = House(folder, "", env)
    users = Users(place_of(Settings(root=str(folder / "lake"))))
    for role, secret in SECRETS.items():
        users.add(role, [role], secret, "2025-01-08T00:00:00Z")
    made.run("access", "init")
    with served(made) as up:
        yield up


@contextmanager
def served(house: House) -> Iterator[House]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    made = replace(house, address=f"http://127.0.0.1:{port}")
    log = made.folder / "serve.log"
    command = [sys.executable, "-m", "lakehouse", "serve", "--port", str(port)]
    with log.open("wb") as told:
        server = subprocess.Popen(command, env=made.env, cwd=made.folder, stdout=told, stderr=told)
    try:
        _until_up(made.address, server)
        yield made
        assert "Traceback" not in log.read_text(), log.read_text()
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
        """Tries until it is so; what was drawn anew since it was found is looked for again."""
        wait = WebDriverWait(
            self.browser, PATIENCE, ignored_exceptions=[StaleElementReferenceException]
        )
        try:
            return wait.until(lambda _: so())
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
        self.clicks(lambda: self.browser.find_element(By.XPATH, path))

    def clicks(self, found: Callable[[], WebElement]) -> None:
        def done() -> bool:
            found().click()
            return True

        self.until(done)

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
    """Somebody at this machine, where nobody signs in."""
    with at_browser(chrome, house) as found:
        yield found
        assert found.complaints() == []


@pytest.fixture
def visitor(chrome: tuple[Chrome, Path], signed: House) -> Iterator[Reader]:
    """Somebody who has to sign in, and has not."""
    with at_browser(chrome, signed) as found:
        found.browser.get(signed.address + "/sign-in")
        found.browser.delete_all_cookies()  # type: ignore[no-untyped-call]
        yield found


@contextmanager
def at_browser(chrome: tuple[Chrome, Path], house: House) -> Iterator[Reader]:
    browser, downloads = chrome
    found = Reader(browser, house, downloads)
    chromium.sized(browser, chromium.DESKTOP)
    found.complaints()
    yield found
