"""Pictures of the Dagster UI for docs/pictures: `python -m benchmarks.pages.ui_pictures`.

`dagster dev` on a lake of its own, with all parts of the house; a real Chromium asks it for a day
of one table and for a month of all, as a person would.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.backfill import DAYS, ended, newest, ui
from benchmarks.lake import START
from benchmarks.pages import browser as chromium
from lakehouse.settings import DOMAINS

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

FOLDER = Path("docs/pictures")
SIZE = (1400, 857)
LAST = START + dt.timedelta(days=DAYS - 1)
SECONDS = 30


def seen(browser: Chrome, path: str) -> WebElement:
    """What is shown there, once the page has come to rest. Raises SystemExit if nothing is."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        time.sleep(2)
        for found in browser.find_elements("xpath", path):
            if found.is_displayed():
                return found
    raise SystemExit(f"{browser.current_url}: nothing at {path}")


def press(browser: Chrome, words: str) -> None:
    seen(browser, f"//button[contains(., '{words}')]").click()


def days(browser: Chrome, said: str) -> None:
    """Types the gaming days into the dialog that is open."""
    from selenium.webdriver.common.keys import Keys

    seen(browser, "//*[text()='Show all partitions']").click()
    field = seen(browser, "//div[contains(@class, 'dialog')]//input[@type='text']")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(said, Keys.TAB)
    time.sleep(2)


def kept(browser: Chrome, name: str) -> None:
    time.sleep(2)
    file = FOLDER / f"{name}.png"
    browser.save_screenshot(str(file))
    print(file, flush=True)


def taken(browser: Chrome, home: str) -> None:
    """All pictures, in the order of docs/ui.md. `home` is the address of the UI."""
    browser.get(f"{home}/assets/bronze/slot_telemetry")
    press(browser, "Materialize")
    days(browser, str(LAST + dt.timedelta(days=1)))
    press(browser, "Launch 1 run")
    time.sleep(5)
    browser.get(f"{home}/runs")
    seen(browser, "//*[text()='Success']")
    kept(browser, "one-asset")

    browser.get(f"{home}/asset-groups")
    press(browser, "Materialize all")
    days(browser, f"[{START}...{LAST}]")
    kept(browser, "backfill-request")
    press(browser, "Launch backfill")
    time.sleep(5)
    backfill = newest(f"{home}/graphql")
    ended(f"{home}/graphql", backfill)
    browser.get(f"{home}/runs/b/{backfill}")
    seen(browser, "//*[text()='Succeeded']")
    kept(browser, "backfill-done")

    browser.get(f"{home}/assets/gold/slot_performance")
    plot = seen(browser, "//*[contains(text(), 'Show Markdown')]")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
    plot.click()
    kept(browser, "metadata-plot")

    browser.get(f"{home}/assets/silver/financial_txn?view=checks")
    seen(browser, "//*[contains(text(), 'cash_outs_hav')]").click()
    kept(browser, "checks")


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ui(Path(name), DOMAINS) as address:
        browser = chromium.opened(Path(name))
        try:
            chromium.sized(browser, SIZE)
            taken(browser, address.removesuffix("/graphql"))
        finally:
            browser.quit()


if __name__ == "__main__":
    main()
