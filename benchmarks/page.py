"""The page of the checks, and what is written into it between markers."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "checks.md"


def written(page: Path, name: str, text: str) -> None:
    """Puts a text between the markers of that name. Raises ValueError where the page has none."""
    before, found, after = parted(page, name)
    if not found:
        raise ValueError(f"{page} has no markers named {name}")
    page.write_text(f"{before}{found[0]}\n{text}\n{found[1]}{after}", encoding="utf-8")


def told(page: Path, name: str) -> str:
    """The text between the markers of that name."""
    _, found, _ = parted(page, name)
    whole = page.read_text(encoding="utf-8")
    return whole.partition(found[0])[2].partition(found[1])[0].strip() if found else ""


def parted(page: Path, name: str) -> tuple[str, tuple[str, str] | None, str]:
    """What comes before the markers and after them, and the markers themselves."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = page.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        return text, None, ""
    return text.partition(begin)[0], (begin, end), text.partition(end)[2]
