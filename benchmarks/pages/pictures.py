"""Pictures of the pages for docs/pictures: `python -m benchmarks.pages.pictures ADDRESS`.

ADDRESS is of a `lakehouse serve` over a filled lake to which nobody signs in, such as
http://127.0.0.1:8000.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.pages import browser as chromium

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

FOLDER = Path("docs/pictures")
PLACES = {
    "today": "/today",
    "floor": "/floor",
    "players": "/players",
    "alert": "/fraud",
    "data": "/data",
    "table": "/data?table=silver.slot_telemetry",
    "sql": "/sql?saved=slot-zones",
    "shop": "/shop",
}
TALLEST = 1500
"""Pixels of a picture at the most."""
_PRESSED = {
    "alert": "section a[href*='alert=']",
    "sql": ".q-btn",
}
"""What is pressed before the picture is taken."""


def take(browser: Chrome, address: str, name: str, size: tuple[int, int]) -> Path:
    chromium.sized(browser, size)
    browser.get(address + PLACES[name])
    time.sleep(3)
    if name in _PRESSED:
        browser.find_element("css selector", _PRESSED[name]).click()
        time.sleep(4)
    height = browser.execute_script("return document.querySelector('main').scrollHeight + 120")
    chromium.sized(browser, (size[0], min(int(height), TALLEST)))
    time.sleep(1.5)
    kind = "-phone" if size == chromium.PHONE else ""
    file = FOLDER / f"page-{name}{kind}.png"
    browser.save_screenshot(str(file))
    return file


def taken(address: str) -> None:
    with tempfile.TemporaryDirectory() as downloads:
        browser = chromium.opened(Path(downloads))
        try:
            for name in PLACES:
                print(take(browser, address, name, chromium.DESKTOP))
            for name in ("today", "players"):
                print(take(browser, address, name, chromium.PHONE))
        finally:
            browser.quit()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    taken(sys.argv[1].rstrip("/"))
