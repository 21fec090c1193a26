"""OWASP ASVS 5.0, level 2, of the page and its door: a test a rule, against the application that
`lakehouse serve` builds, behind a real server. docs/page.md says which rules are not kept."""

import re
import secrets
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher, extract_parameters

from lakehouse.serve.signin.forms import sign_in_form
from lakehouse.serve.signin.passwords import LONGEST, hashed
from lakehouse.serve.signin.roles import roles
from tests.signing import (
    ROLES,
    SECRETS,
    Browser,
    House,
    answers,
    every_kind,
    house,
    set_cookie,
)

pytestmark = pytest.mark.slow
PAGES = ("/today", "/floor", "/online", "/shop", "/data")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> House:
    made = house(tmp_path_factory.mktemp("house"), *ROLES)
    made.users.set_password("cora", SECRETS["cora"])  # the work that it takes is measured
    return made


@pytest.fixture(scope="module")
def at(home: House) -> Iterator[str]:
    with home.served() as address:
        yield address


@pytest.fixture
def browser(at: str) -> Browser:
    return Browser(at)


@pytest.fixture(scope="module")
def signed_in() -> dict[str, str]:
    """Cookies of a session of ana's, for tests that do not end it."""
    return {}


@pytest.fixture
def ana(browser: Browser, signed_in: dict[str, str]) -> Browser:
    browser.cookies.update(signed_in)
    if browser.get("/account").status_code != 200:  # the oldest of ten made room for another
        assert browser.sign_in("ana").status_code == 303
        signed_in.update(browser.cookies)
    return browser


def test_3_3_2_the_cookie_goes_with_no_form_of_another_site(browser: Browser) -> None:
    assert set_cookie(browser.sign_in("ana"))[1]["samesite"] == "lax"


def test_3_3_4_no_script_reads_the_cookie_and_no_page_holds_it(browser: Browser) -> None:
    welcome = browser.sign_in("ana")
    assert set_cookie(welcome)[1]["httponly"] is True
    secret = browser.cookies["lakehouse"]
    seen = answers(browser, "/today", "/account", "/fraud")
    assert secret not in "".join(a.text + str(a.headers) for a in seen)


def test_3_4_2_no_other_origin_reads_an_answer(browser: Browser) -> None:
    for answer in every_kind(browser):
        assert "Access-Control-Allow-Origin" not in answer.headers, answer.url


def test_3_4_3_every_answer_has_a_policy_and_a_page_lets_in_its_own_scripts(
    browser: Browser,
) -> None:
    for answer in every_kind(browser):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'"), answer.url
        assert "object-src 'none'" in policy, answer.url
        assert "base-uri 'none'" in policy, answer.url
        script = re.search(r"script-src ([^;]*)", policy)
        assert script is None or "'unsafe-inline'" not in script.group(1), answer.url
        assert "http" not in policy


def test_3_4_3_each_page_has_a_nonce_of_its_own_on_each_of_its_scripts(ana: Browser) -> None:
    nonces = set()
    for page in PAGES:
        answer = ana.get(page)
        (nonce,) = re.findall(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
        scripts = re.findall(r"<script[^>]*>", answer.text)
        assert len(scripts) > 5
        assert all(f'nonce="{nonce}"' in s for s in scripts)
        nonces.add(nonce)
    assert len(nonces) == len(PAGES)


def test_3_4_3_the_style_of_the_door_is_let_in_by_its_hash() -> None:
    answer = sign_in_form("")
    assert "style-src 'sha256-" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert b"<script" not in answer.body


def test_3_4_4_no_browser_guesses_what_an_answer_is(browser: Browser) -> None:
    assert {a.headers["X-Content-Type-Options"] for a in every_kind(browser)} == {"nosniff"}


def test_3_4_5_no_address_of_ours_goes_to_another_site(browser: Browser) -> None:
    assert {a.headers["Referrer-Policy"] for a in every_kind(browser)} == {"same-origin"}


def test_3_4_6_nobody_frames_us(browser: Browser) -> None:
    for answer in every_kind(browser):
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], answer.url


def test_3_4_8_no_window_of_another_site_reaches_ours(browser: Browser) -> None:
    assert {a.headers["Cross-Origin-Opener-Policy"] for a in every_kind(browser)} == {"same-origin"}


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/account/password", "/account/others"])
@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_3_5_1_a_form_of_another_site_does_nothing(
    ana: Browser, path: str, sent: dict[str, str]
) -> None:
    data = {"name": "ana", "password": SECRETS["ana"], "new": "brick-lotus-pewter-yam"}
    refused = ana.post(path, data, **sent)
    assert refused.status_code == 403
    assert "Set-Cookie" not in refused.headers
    assert ana.get("/today").status_code == 200


def test_3_5_1_a_refused_form_is_in_the_log(ana: Browser, home: House) -> None:
    home.clock.wait(60)
    ana.post("/sign-out", Origin="https://other.example")
    entry = home.log()[-1]
    assert (entry.what, entry.about, entry.where) == ("origin refused", "/sign-out", "127.0.0.1")


def test_3_5_3_nothing_is_done_by_looking(ana: Browser) -> None:
    for path in ("/sign-out", "/account/password", "/account/others"):
        assert ana.get(path).status_code in (404, 405)
    assert ana.get("/sign-in?name=cora&password=" + SECRETS["cora"]).status_code == 200
    assert "ana" in ana.get("/account").text


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/today", "//evil.example/today", "/\\evil.example", "/nowhere", "today"],
)
def test_3_7_2_one_goes_on_to_pages_of_ours_alone(browser: Browser, wanted: str) -> None:
    assert browser.sign_in("ana", next=wanted).headers["Location"] == "/"


def test_3_7_2_one_goes_on_to_where_one_wanted(browser: Browser) -> None:
    asked = browser.get("/floor?from=2025-01-01&to=2025-01-02").headers["Location"]
    form = browser.get(asked).text
    (wanted,) = re.findall(r'name="next" value="([^"]*)"', form)
    assert wanted == "/floor?from=2025-01-01&amp;to=2025-01-02"
    went = browser.sign_in("ana", next=wanted.replace("&amp;", "&"))
    assert went.headers["Location"] == "/floor?from=2025-01-01&to=2025-01-02"


def test_6_2_6_and_6_2_7_password_fields_hide_and_take_what_is_pasted(ana: Browser) -> None:
    fields = re.findall(r"<input [^>]*password[^>]*>", ana.get("/sign-in").text)
    fields += re.findall(r"<input [^>]*password[^>]*>", ana.get("/account").text)
    assert len(fields) == 4
    for field in fields:
        assert 'type="password"' in field
        assert re.search(r'autocomplete="(current|new)-password"', field)
        assert "maxlength" not in field
        assert "onpaste" not in field


def test_6_3_8_one_does_not_learn_which_names_there_are(
    at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what is said, and by the work it takes: one hash of the same parameters, whoever asks."""
    work = []

    def noted(self: PasswordHasher, kept: str | bytes, password: str | bytes) -> bool:
        work.append(extract_parameters(kept if isinstance(kept, str) else kept.decode()))
        return verify(self, kept, password)

    verify = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", noted)
    wrong = secrets.token_hex()
    for name, password in (
        ("cora", wrong),
        ("nobody", wrong),
        ("", wrong),
        ("cora", "x" * (LONGEST + 1)),
        ("nobody", "x" * (LONGEST + 1)),
    ):
        work.clear()
        answer = Browser(at).sign_in(name, password)
        assert answer.status_code == 403
        assert "This name and this password do not go together." in answer.text
        assert work == [extract_parameters(hashed(wrong))]


def test_7_2_1_what_the_server_does_not_know_opens_nothing(browser: Browser) -> None:
    for made_up in ("x", secrets.token_urlsafe(32), "", "ana", "a" * 5_000):
        browser.cookies["lakehouse"] = made_up
        assert browser.get("/today").status_code == 303
        browser.cookies.clear()


def test_7_2_4_signing_in_makes_a_new_session_and_ends_the_one_before(browser: Browser) -> None:
    browser.cookies["lakehouse"] = "planted"
    browser.sign_in("ana")
    first = browser.cookies["lakehouse"]
    assert first != "planted"
    browser.sign_in("ana")
    second = browser.cookies["lakehouse"]
    assert second != first
    browser.cookies.clear()
    browser.cookies["lakehouse"] = first
    assert browser.get("/today").status_code == 303


def test_7_4_1_signing_out_ends_the_session_on_the_server(browser: Browser) -> None:
    ana = browser
    ana.sign_in("ana")
    kept = ana.cookies["lakehouse"]
    gone = ana.post("/sign-out")
    assert gone.headers["Location"] == "/sign-in"
    assert "lakehouse" not in ana.cookies
    ana.cookies["lakehouse"] = kept
    assert ana.get("/today").status_code == 303
    assert ana.get("/account").status_code == 303


def test_7_4_4_each_page_has_the_way_out(ana: Browser) -> None:
    for page in (*PAGES, "/account", "/fraud"):
        assert "/sign-out" in ana.get(page).text, page


@pytest.mark.parametrize("name", ROLES)
def test_8_2_1_a_role_sees_its_own_pages_and_nothing_else(at: str, name: str) -> None:
    own, every = roles()[ROLES[name]].pages, set[str]().union(*(r.pages for r in roles().values()))
    browser = Browser(at)
    browser.sign_in(name)
    days = "day=2025-01-01&first=2025-01-01&last=2025-01-01"
    for page in every:
        opened, figure = browser.get(f"/{page}"), browser.get(f"/figures/{page}/x.csv?{days}")
        if page in own:
            assert 403 not in (opened.status_code, figure.status_code), page
        else:
            assert (opened.status_code, figure.status_code) == (403, 403), page
    menu = set(re.findall(r'"href":"/([a-z]+)\?', browser.get("/today").text))
    assert menu <= own
    assert len(menu) > 1


def test_8_2_1_a_refusal_says_for_whom_the_page_is(ana: Browser, home: House) -> None:
    home.clock.wait(60)
    said = ana.get("/compliance")
    assert "is for the roles: compliance." in said.text
    assert "sar" not in said.text.casefold()
    entry = home.log()[-1]
    assert (entry.who, entry.what, entry.about) == ("ana", "page refused", "compliance")


def test_8_3_1_no_address_but_the_door_and_the_programs_is_open(browser: Browser) -> None:
    for path in ("/", "/account", "/favicon.ico", "/_nicegui/x", "/figures/a/b.csv", "//today"):
        assert browser.get(path).status_code == 303, path
    assert browser.get("/today", Accept="*/*").status_code == 401
    assert browser.get("/today", Sec_Fetch_Mode="cors").status_code == 401


def test_14_2_1_no_password_and_no_session_is_in_an_address(ana: Browser) -> None:
    form = ana.get("/sign-in").text
    assert re.findall(r'<form method="(\w+)"', form) == ["post"]
    assert "lakehouse=" not in ana.get("/today").text


def test_14_3_1_a_browser_forgets_when_one_signs_out(browser: Browser) -> None:
    browser.sign_in("ana")
    assert browser.post("/sign-out").headers["Clear-Site-Data"] == '"cache", "storage"'


def test_14_3_2_no_browser_keeps_a_page(browser: Browser) -> None:
    assert {a.headers["Cache-Control"] for a in every_kind(browser)} == {"no-store"}


def test_16_2_5_the_log_has_no_password_no_session_and_no_name_that_nobody_has(
    home: House, at: str
) -> None:
    browser = Browser(at)
    browser.sign_in("plum-gravel-otter-lamp", "ana")  # into the wrong fields
    browser.sign_in("ana")
    kept = "".join(map(repr, home.log()))
    assert not any(secret in kept for secret in SECRETS.values())
    assert browser.cookies["lakehouse"] not in kept
    assert home.log()[-2].who == "-"
