"""Each role signs in, sees its own pages and no others, and is gone once signed out."""

import json
from collections.abc import Mapping

import pytest
import requests
from conftest import ROLES, SECRETS, Reader
from selenium.webdriver.common.keys import Keys

from lakehouse.serve.pages.menu import PAGES

TITLES: Mapping[str, str] = {page.name: page.title for page in PAGES}


def signs_in(visitor: Reader, role: str, place: str = "/") -> None:
    visitor.browser.get(visitor.house.address + place)
    visitor.until(lambda: visitor.all("input[name=name]"))
    visitor.all("input[name=name]")[0].send_keys(role)
    visitor.all("input[name=password]")[0].send_keys(SECRETS[role], Keys.ENTER)
    visitor.until(lambda: "/sign-in" not in visitor.browser.current_url)
    visitor.is_there()


def fetched(visitor: Reader, place: str) -> tuple[int, str]:
    cookies = {c["name"]: c["value"] for c in visitor.browser.get_cookies()}
    headers = {"Accept": "text/html"}
    answer = requests.get(
        visitor.house.address + place, cookies=cookies, headers=headers, timeout=60
    )
    return answer.status_code, answer.text


def test_every_role_is_tried() -> None:
    assert SECRETS.keys() == ROLES.keys()


@pytest.mark.parametrize("role", SECRETS)
def test_a_role_sees_its_own_pages_and_no_others(visitor: Reader, role: str) -> None:
    signs_in(visitor, role)
    own = [title for name, title in TITLES.items() if name in ROLES[role].pages]
    assert [link.text for link in visitor.all(".nav a")] == own
    for name in TITLES:
        if name in ROLES[role].pages:
            status, text = fetched(visitor, f"/{name}")
            assert (status, "could not be answered" in text) == (200, False), name
        else:
            visitor.browser.get(f"{visitor.house.address}/{name}")
            (told,) = visitor.all("[role=alert]")
            opened = [r.name for r in ROLES.values() if name in r.pages]
            assert f"is for the roles: {', '.join(opened)}." in told.text
            assert fetched(visitor, f"/figures/{name}/x.csv")[0] == 403


@pytest.mark.parametrize("role", SECRETS)
def test_signing_out_ends_it(visitor: Reader, role: str) -> None:
    signs_in(visitor, role)
    assert role in visitor.all(".who")[0].text
    cookies = visitor.browser.get_cookies()
    visitor.presses("Sign out")
    visitor.until(lambda: visitor.all("input[name=password]"))
    for cookie in cookies:
        visitor.browser.add_cookie(cookie)
    visitor.browser.get(f"{visitor.house.address}/today")
    assert "/sign-in" in visitor.browser.current_url


def test_nobody_sees_anything_before_signing_in(visitor: Reader) -> None:
    visitor.browser.get(f"{visitor.house.address}/floor?from=2025-01-03")
    visitor.until(lambda: visitor.all("input[name=password]"))
    signs_in(visitor, "analyst", "/floor?from=2025-01-03")
    assert "/floor?from=2025-01-03" in visitor.browser.current_url


def looks(visitor: Reader, box: str, purpose: str) -> None:
    path = f'//details[summary[normalize-space(.)="{box}"]]'
    visitor.clicks(lambda: visitor.browser.find_element("xpath", f"{path}/summary"))
    field = f'{path}//label[contains(., "Purpose")]//input'
    visitor.until(lambda: visitor.browser.find_element("xpath", field).is_displayed())
    visitor.browser.find_element("xpath", field).send_keys(purpose)
    visitor.clicks(lambda: visitor.browser.find_element("xpath", f"{path}//button"))


NAMED = [name for name, role in ROLES.items() if {"players"} <= role.pages]


@pytest.mark.parametrize("role", NAMED)
def test_names_are_shown_to_whom_they_are_granted(visitor: Reader, role: str) -> None:
    sql = "SELECT player_id FROM gold.player_day ORDER BY theo DESC LIMIT 1"
    player = visitor.house.run("sql", sql, "--format", "csv").split()[-1]
    signs_in(visitor, role, f"/players?player={player}")
    assert "First name" not in visitor.text()
    if "names" not in ROLES[role].grants:
        assert "Names and contacts are not shown to you." in visitor.text()
        assert visitor.all(".names") == []
        return
    looks(visitor, "Who it is, and how to reach them", "why")
    visitor.sees("says too little")
    visitor.all(".names input")[-1].send_keys(" I call about a visit")
    visitor.presses("Look")
    visitor.sees("First name")


def test_cases_are_shown_with_the_grant_to_look(visitor: Reader) -> None:
    signs_in(visitor, "compliance", "/compliance")
    assert "Case ID" not in visitor.text()
    looks(visitor, "Review cases", "the morning's review")
    visitor.until(lambda: "Case ID" in visitor.text() or "There is no case." in visitor.text())
    assert [e.text for e in visitor.all("[role=alert]")] == []


def test_a_case_is_decided_with_a_reason(visitor: Reader) -> None:
    case = visitor.house.run("cases", "list", "--format", "csv").splitlines()[1].split(",")[0]
    signs_in(visitor, "compliance", "/compliance")
    summary = '//details/summary[normalize-space(.)="Review cases"]'
    visitor.clicks(lambda: visitor.browser.find_element("xpath", summary))
    visitor.until(lambda: visitor.field("Case, or empty").is_displayed())
    visitor.field("Case, or empty").send_keys(case)
    visitor.field("Purpose").send_keys("the morning's review")
    visitor.presses("Look")
    visitor.sees("the last decision holds")
    visitor.chooses("Decision", "escalate")
    visitor.until(lambda: visitor.field("To, who has the case").is_displayed())
    visitor.field("To, who has the case").send_keys("dee")
    visitor.presses("Note the decision")
    visitor.sees("needs 'reason'")
    visitor.field("Reason").send_keys("larger than the others")
    visitor.presses("Note the decision")
    visitor.sees(f"{case}: escalate noted as")
    (told,) = json.loads(visitor.house.run("cases", "show", case, "--format", "json"))
    assert (told["state"], told["assignee"], told["decided_by"]) == (
        "escalated",
        "dee",
        "compliance",
    )
    assert told["decisions"][-1]["reason"] == "larger than the others"
