"""Each page in a browser: it opens, holds on a phone, and can be read and worked by all."""

import json
import time

import pytest
from conftest import LAST, Reader
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from benchmarks.pages import browser as chromium
from lakehouse.serve.pages.menu import PAGES

TITLES = {page.name: page.title for page in PAGES}
DEEPER = {
    "one player": "/players?player=P00000001",
    "one table": "/data?table=silver.slot_telemetry",
    "one question": "/sql?saved=slot-zones",
    "one alert": "/fraud?alert={alert}",
    "one filing": "/compliance?filing={filing}",
}
PLACES = {name: f"/{name}" for name in TITLES} | DEEPER
GRAVE = ("serious", "critical")


ASKED = {
    "{alert}": "SELECT max(alert_id) FROM gold.anomalies WHERE family = 'machine'",
    "{filing}": "SELECT max(filing_id) FROM gold.ctr_filings",
}


def place_of(reader: Reader, name: str) -> str:
    place = PLACES[name]
    for word, sql in ASKED.items():
        if word in place:
            found = reader.house.run("sql", sql, "--format", "csv").split()[-1]
            place = place.replace(word, found)
    return place


@pytest.mark.parametrize("name", TITLES)
def test_the_menu_leads_to_every_page(reader: Reader, name: str) -> None:
    reader.opens("/today" if name != "today" else "/floor")
    reader.presses(TITLES[name])
    reader.until(lambda: [h.text for h in reader.all("h1")] == [TITLES[name]])
    assert [e.text for e in reader.all(".nav .here")] == [TITLES[name]]
    assert [e.text for e in reader.all("[role=alert]")] == []
    assert len(reader.all("section.card")) >= 1
    for card in reader.all("section.card"):
        assert card.text.strip()


@pytest.mark.parametrize("name", PLACES)
def test_a_page_has_no_grave_finding_of_axe(reader: Reader, name: str) -> None:
    reader.opens(place_of(reader, name))
    reader.asks(chromium.axe())
    found = reader.browser.execute_async_script(
        "axe.run(document, {resultTypes: ['violations']}).then(arguments[arguments.length - 1])"
    )
    told = {
        f"{v['impact']} {v['id']}": [(n["target"], n.get("failureSummary", "")) for n in v["nodes"]]
        for v in found["violations"]
        if v["impact"] in GRAVE
    }
    assert told == {}, json.dumps(told, indent=1)[:4000]


@pytest.mark.parametrize("name", PLACES)
def test_a_page_holds_on_a_phone(reader: Reader, name: str) -> None:
    chromium.sized(reader.browser, chromium.PHONE)
    reader.opens(place_of(reader, name))
    wide, page = reader.asks(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )  # type: ignore[misc]
    assert (wide, page) == (chromium.PHONE[0],) * 2


@pytest.mark.parametrize("name", TITLES)
def test_the_keyboard_gets_everywhere_and_shows_where_it_is(reader: Reader, name: str) -> None:
    reader.opens(f"/{name}")
    body = reader.all("body")[0]
    met = []
    for _ in range(45):
        body.parent.switch_to.active_element.send_keys(Keys.TAB)
        met.append(where(reader))
    words = [m["text"] for m in met]  # type: ignore[index]
    assert words[0] == "To the page"
    menu = [t for t in words if t in TITLES.values()]
    assert menu[: len(TITLES)] == list(TITLES.values())
    assert [w for w in ("Show", "Earlier", "Later") if w in words] == ["Show", "Earlier", "Later"]
    unseen = [m["html"] for m in met if not m["is_seen"] and m["tag"] != "BODY"]  # type: ignore[index]
    assert unseen == [], unseen


def where(reader: Reader) -> object:
    """Where the keyboard is; an editor shows it a moment later."""
    for _ in range(10):
        at = reader.asks(WHERE)
        if at["is_seen"] or at["tag"] == "BODY":  # type: ignore[index]
            break
        time.sleep(0.1)
    return at


WHERE = """
const at = document.activeElement, style = getComputedStyle(at);
const field = at.closest('.q-field, .cm-editor, label') || at;
const around = getComputedStyle(field);
const marked = s => (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0)
                    || s.boxShadow !== 'none';
return {text: (at.innerText || '').trim(), tag: at.tagName, html: at.outerHTML.slice(0, 120),
        is_seen: marked(style) || marked(around)
                 || !!at.closest('.q-field--focused, .cm-focused')};
"""


def test_days_stand_in_the_address(reader: Reader) -> None:
    reader.opens(f"/floor?from=2025-01-03&to={LAST}")
    first = reader.all('input[name="from"]')[0]
    assert first.get_attribute("value") == "2025-01-03"
    reader.asks("arguments[0].value = '2025-01-05'", first)
    reader.presses("Show")
    reader.until(lambda: "from=2025-01-05" in reader.browser.current_url)
    reader.presses("Earlier")
    reader.until(lambda: "from=2025-01-02&to=2025-01-04" in reader.browser.current_url)
    reader.opens("/floor?from=yesterday")
    assert "is no day" in reader.all("[role=alert]")[0].text


def test_a_figure_shows_its_query_which_says_the_same_in_the_terminal(reader: Reader) -> None:
    reader.opens("/today")
    card = reader.card("Win and theoretical win by day")
    card.find_element("css selector", "summary").click()
    query = str(reader.asks("return arguments[0].querySelector('code').innerText", card))
    link = card.find_element("link text", "CSV").get_attribute("href")
    file = reader.browser.execute_async_script(
        "fetch(arguments[0]).then(r => r.text()).then(arguments[1])", link
    )
    assert file.count("\n") == 8
    assert reader.house.run("sql", query, "--format", "csv") == file


CELLS = (
    """return [...arguments[0].querySelectorAll('tbody td:nth-child(5)')].map(c => c.innerText)"""
)


def test_numbers_sort_as_numbers_by_mouse_and_by_key(reader: Reader) -> None:
    reader.opens("/floor")

    def card() -> WebElement:
        return reader.card("Machines by what they won")

    def coin_in() -> list[float]:
        texts = reader.asks(CELLS, card())
        return [float(text.replace("$", "").replace(",", "")) for text in texts]  # type: ignore[attr-defined]

    before = reader.until(coin_in)
    reader.clicks(lambda: card().find_element("xpath", './/th//button[.="Coin in"]'))
    reader.until(lambda: coin_in() not in (before, []))
    rising = reader.until(coin_in)
    assert rising == sorted(rising)  # type: ignore[call-overload]
    # The table's head is drawn anew: whoever holds the button itself holds one that is gone.
    reader.until(lambda: reader.asks("return document.activeElement.textContent") == "Coin in")
    ActionChains(reader.browser).send_keys(Keys.ENTER).perform()
    reader.until(lambda: coin_in() not in (rising, []))
    falling = reader.until(coin_in)
    assert falling == sorted(falling, reverse=True)  # type: ignore[call-overload]


def test_an_exception_opens_to_its_rows(reader: Reader) -> None:
    reader.opens("/today")
    path = './/tr[contains(., "meters disagree")]//a[normalize-space(.)="Open"]'
    reader.clicks(lambda: reader.card("To act on").find_element("xpath", path))
    reader.until(lambda: [h.text for h in reader.all("h1")] == ["Floor"])
    assert f"to={LAST}" in reader.browser.current_url
    assert reader.card("Meters that disagree").find_elements("css selector", "tbody tr")
