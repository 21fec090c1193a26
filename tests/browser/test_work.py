"""What people do on the pages: look somebody up, decide on alerts, ask, take in again, watch."""

import json
import time

from conftest import LAST, Reader
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from benchmarks.pages import browser as chromium


def csv(reader: Reader, sql: str) -> list[list[str]]:
    lines = reader.house.run("sql", sql, "--format", "csv").splitlines()
    return [line.split(",") for line in lines[1:]]


def test_a_player_is_found_and_has_a_page(reader: Reader) -> None:
    best, theo = csv(
        reader,
        "SELECT player_id, theo_365 FROM gold.player_value WHERE gaming_day = "
        f"DATE '{LAST}' AND loyalty_tier = 'Gold' ORDER BY worth_365 DESC LIMIT 1",
    )[0]
    reader.opens("/players")
    reader.all('input[name="find"]')[0].send_keys(best, Keys.ENTER)
    reader.until(lambda: f"find={best}" in reader.browser.current_url)
    reader.is_there()
    reader.until(
        lambda: (
            [
                "Gold" in row.text
                for row in reader.card("Players").find_elements("css selector", "tbody tr")
            ]
            == [True]
        )
    )
    reader.clicks(lambda: reader.card("Players").find_element("link text", best))
    reader.until(lambda: f"Player {best}" in [h.text for h in reader.all("h2")])
    tiles = reader.card("What the player is worth").text
    assert f"${float(theo):,.0f}" in tiles or f"${float(theo):,.2f}" in tiles
    assert reader.card("Visits").find_elements("css selector", "tbody tr")
    assert best in reader.card("On the floor").text
    reader.presses("All players")
    reader.until(lambda: "player=" not in reader.browser.current_url)


def test_names_are_not_told_to_whom_they_are_not_granted(reader: Reader) -> None:
    reader.opens("/players?player=P00000001")
    assert "Names and contacts are not shown to you." in reader.text()
    assert reader.all(".names") == []


def test_an_alert_opens_to_its_rows_and_is_closed_with_a_reason(reader: Reader) -> None:
    reader.opens("/fraud")
    listed = 'tbody a[href*="alert="]'

    def link() -> WebElement:
        return reader.card("Alerts of the floor: ").find_element("css selector", listed)

    alert = str(reader.until(lambda: link().text))
    reader.clicks(link)
    reader.until(lambda: f"Alert {alert}" in [h.text for h in reader.all("h2")])
    reader.is_there()
    facts = reader.card("What was seen").text
    rests_on = int(facts.splitlines()[facts.splitlines().index("Evidence rows") + 1])
    cards = [c for c in reader.all("section.card") if "that it rests on" in c.text]
    rows = sum(len(c.find_elements("css selector", "tbody tr")) for c in cards)
    assert rows == min(rests_on, 12)

    reader.presses("Acknowledge")
    reader.until(lambda: "acknowledged" in reader.card("What was seen").text)
    reader.is_there()
    reader.presses("Close")
    reader.sees("needs a reason")
    reader.field("Reason").send_keys("The attendant was there; seen on camera.")
    reader.presses("Close")
    reader.sees("needs an outcome")
    reader.chooses("Outcome", "explained")
    reader.presses("Close")
    reader.until(lambda: "closed" in reader.card("What was seen").text)
    done = reader.card("What was done with it").text
    assert "The attendant was there" in done
    assert "this machine" in done
    kept = csv(
        reader,
        "SELECT action, acted_by FROM ops.alert_actions "
        f"WHERE alert_id = '{alert}' ORDER BY acted_at",
    )
    assert kept == [["ack", "this machine"], ["close", "this machine"]]

    reader.opens("/fraud?state=closed")
    assert alert in reader.card("Alerts of the floor: ").text
    reader.opens("/fraud")
    assert alert not in reader.card("Alerts of the floor: ").text


def test_a_question_has_its_answer_its_chart_and_its_file(reader: Reader) -> None:
    reader.opens("/sql")
    reader.presses("Run")
    reader.sees("7 rows")
    assert len(reader.card("Answer").find_elements("css selector", "tbody tr")) == 7
    reader.until(lambda: reader.card("Chart").find_elements("css selector", "svg path"))
    reader.chooses("Up", "theo")
    reader.until(lambda: "theo" in reader.card("Chart").text.lower())
    reader.card("Answer").find_element("css selector", "button.csv").click()
    reader.until(lambda: list(reader.downloads.glob("answer*.csv")))
    (file,) = reader.downloads.glob("answer*.csv")
    assert file.read_text().startswith("gaming_day,win,theo\n2025-01-01,")


def write(reader: Reader, sql: str) -> None:
    reader.asks("document.querySelector('.cm-content').focus()")
    area = reader.browser.switch_to.active_element
    area.send_keys(Keys.CONTROL, "a")
    area.send_keys(Keys.DELETE)
    area.send_keys(sql)
    time.sleep(0.6)  # the editor tells the server when typing rests


def test_a_wrong_question_is_told_in_one_line_and_a_long_one_is_stopped(reader: Reader) -> None:
    reader.opens("/sql")
    for sql, said in (
        ("SELECT * FROM gold.nothing", "unknown table"),
        ("DELETE FROM gold.property_day", "SQL:"),
        ("SELECT * FROM restricted.sar_cases", "unknown table"),
    ):
        write(reader, sql)
        reader.presses("Run")
        reader.until(lambda said=said: any(said in e.text for e in reader.all("[role=alert]")))
        (told,) = reader.all("[role=alert]")
        assert "\n" not in told.text
    write(reader, "SELECT count(*) FROM range(1000000000000)")
    reader.presses("Run")
    reader.sees("Running")
    reader.presses("Stop")
    reader.until(lambda: [e.text for e in reader.all("[role=alert]")] == ["Stopped."])


def test_a_saved_question_has_its_parameters(reader: Reader) -> None:
    reader.opens("/sql")
    reader.chooses("Saved questions", "One player, day by day")
    reader.until(lambda: reader.field("player:"))
    player = csv(reader, "SELECT player_id FROM gold.player_day ORDER BY theo DESC LIMIT 1")[0][0]
    field = reader.field("player:")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(player)
    time.sleep(0.4)
    reader.presses("Run")
    days = csv(reader, f"SELECT count(*) FROM gold.player_day WHERE player_id = '{player}'")[0][0]
    reader.sees(f"{days} rows")


def test_a_table_has_its_columns_lineage_and_rows_kept_out(reader: Reader) -> None:
    reader.opens("/data")

    def first() -> WebElement:
        return reader.card("Rows kept out of silver").find_element("css selector", "tbody tr")

    cells = reader.until(lambda: [c.text for c in first().find_elements("css selector", "td")[:2]])
    table, rule = cells  # type: ignore[misc]
    reader.clicks(lambda: first().find_element("link text", "Open"))
    reader.until(lambda: table in [h.text for h in reader.all("h2")])
    reader.is_there()
    assert rule in reader.card("Rows kept out").find_element("css selector", "h2").text
    assert reader.card("Columns").find_elements("css selector", "tbody tr")
    reader.card("Lineage of the table").find_element("link text", table.replace("silver", "bronze"))
    reader.presses("Read them again")
    reader.sees("rejected rows went to bronze")


def test_what_is_live_comes_to_the_page_by_itself(reader: Reader) -> None:
    reader.opens("/shop")
    assert "No events have come by topics yet" in reader.card("Now").text
    sources = {"LAKEHOUSE_SOURCES": json.dumps({"shop_orders": "stream", "shop_actions": "stream"})}
    reader.house.env |= sources
    topics = "sales_stream,shop_actions"
    reader.house.run(
        "stream",
        "produce",
        "--topics",
        topics,
        "--from",
        "2025-01-08",
        "--until",
        "400",
        "--as-fast",
    )
    reader.house.run("stream", "run", "--topics", topics, "--until-empty")
    reader.until(lambda: "Live, as of" in reader.card("Now").text)
    assert reader.card("Sales by window").find_elements("css selector", "svg path")
    assert reader.card("From view to payment").find_elements("css selector", "tbody tr")
    assert reader.browser.current_url.endswith("/shop")


def test_a_page_is_not_told_who_is_named_by_another_address(reader: Reader) -> None:
    """What stands in the address is text, and nothing that runs."""
    reader.opens("/players?player=%3Cimg%20src=x%20onerror=%22document.title='bad'%22%3E")
    assert reader.browser.title.startswith("Players")
    assert reader.all("main img") == []
    chromium.sized(reader.browser, chromium.DESKTOP)
