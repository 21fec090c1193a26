"""A real Chromium without a window, and `make test-pages`, which drives every page in one.

axe-core, which judges how pages are for those who see or hear them otherwise, comes by npm at a
version whose content is known.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

AXE = "axe-core@4.10.3"
CONTENT = "Xm7bpRXnDSX2YE2YFfBk2FnF0ep6tmG7xPh8iHee8MIcrgq762Nkce856dYtJYLkuIoYZvGfTs/PbZhideTcEg=="
"""SHA-512 of the package, as npm tells it."""
SCRIPT = Path("build/axe/axe.min.js")
DESKTOP, PHONE = (1280, 900), (390, 844)
_SMALL = ("--disable-gpu", "--disable-dev-shm-usage")
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> tuple[str, str] | None:
    """The browser and its driver, where the machine has both."""
    browser = next((found for name in _CHROMIUMS if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


def opened(downloads: Path) -> Chrome:
    """A browser that keeps what it is given in that folder. Raises SystemExit without one."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    found = chromium()
    if found is None:
        raise SystemExit("no chromium and chromedriver here (Debian: chromium chromium-driver)")
    options = ChromeOptions()
    options.binary_location = found[0]
    own = ["--no-sandbox"] if os.geteuid() == 0 else []
    for argument in ("--headless=new", "--hide-scrollbars", *_SMALL, *own):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options=options, service=Service(found[1]))
    sized(browser, DESKTOP)
    return browser


def sized(browser: Chrome, size: tuple[int, int]) -> None:
    """Gives the page this width and height, and a phone's ways where it is narrow."""
    width, height = size
    shape = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)


def axe() -> str:
    """The script, out of build/ or from npm. Raises SystemExit where it cannot be had, or is not
    the one that is known."""
    if not SCRIPT.is_file():
        with tempfile.TemporaryDirectory() as folder:
            brought = subprocess.run(["npm", "pack", "--silent", AXE], cwd=folder)
            files = list(Path(folder).glob("*.tgz"))
            if brought.returncode or not files:
                raise SystemExit(f"npm did not bring {AXE}")
            told = base64.b64encode(hashlib.sha512(files[0].read_bytes()).digest()).decode()
            if told != CONTENT:
                raise SystemExit(f"{AXE} is not the package that was looked at: sha512 {told}")
            with tarfile.open(files[0]) as package:
                text = package.extractfile("package/axe.min.js")
                SCRIPT.parent.mkdir(parents=True, exist_ok=True)
                SCRIPT.write_bytes(text.read() if text else b"")
    return SCRIPT.read_text(encoding="utf-8")


QUICK = "menu_leads or axe or opens_to_its_rows or a_role_sees or names_are_shown or cases_are"
"""What `--quick` drives: each page with axe, and each role."""


def drive(arguments: list[str]) -> int:
    """Runs tests/browser, or with --quick what each page and role needs at the least. Where there
    is no browser it says so: nothing was tried, and nothing failed."""
    lacking = [] if chromium() else ["chromium with chromedriver"]
    lacking += [] if SCRIPT.is_file() or shutil.which("npm") else ["npm, which brings axe-core"]
    if lacking:
        print(f"The pages were not driven: this machine has no {' and no '.join(lacking)}.")
        return 0
    axe()
    more = [a for a in arguments if a != "--quick"]
    chosen = ["-k", QUICK] if "--quick" in arguments else []
    command = [sys.executable, "-m", "pytest", "tests/browser", *chosen, *more]
    return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(drive(sys.argv[1:]))
