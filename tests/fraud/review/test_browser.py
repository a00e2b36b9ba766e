"""A reviewer's morning in real Chromium: by mouse, by keyboard alone, without JavaScript."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium_or_skip, served
from playwright.sync_api import Browser, Page, expect, sync_playwright
from review_site import MORNING, site_settings

from cdr.lake import open_lake
from cdr.privacy.requests import Person, Right, receive

pytestmark = pytest.mark.browser

PASSWORD = "only-for-these-tests-7"
WAIT_MS = 60_000
"""Patience for a busy machine; a page that never comes still fails."""

expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="module")
def chromium(filled_home: Path) -> Iterator[Browser]:
    """Start Chromium, after the home is made: Django refuses beside the loop that drives it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_or_skip(), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def address(tmp_path: Path, filled_home: Path) -> Iterator[str]:
    home = tmp_path / "home"
    shutil.copytree(filled_home, home)
    lake = open_lake(site_settings(home))
    for right in (Right.OBJECT, Right.ERASE):
        receive(lake, right, Person("account", "acc-1"), reason=None, now=MORNING)
    with served(home) as found:
        yield found


class Visitor:
    """A person with a browser window of their own; whatever the console complains of is kept."""

    def __init__(self, browser: Browser, address: str, width: int = 1280, **more: Any) -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, **more)
        context.set_default_timeout(WAIT_MS)
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda m: self._keep(m.type, m.text))
        self.page.on("pageerror", lambda e: self._keep("error", str(e)))
        self.address = address

    def _keep(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def sign_in(self, name: str) -> Page:
        self.page.goto(f"{self.address}/sign-in")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "sign-in" not in url)
        return self.page


def drawn(page: Page) -> None:
    """Wait until all four pictures are there."""
    for key in ("heat", "world", "timeline", "graph"):
        expect(page.locator(f'[data-picture="{key}"][data-drawn] svg')).to_be_visible()


def test_a_morning_by_mouse(chromium: Browser, address: str) -> None:
    visitor = Visitor(chromium, address)
    page = visitor.sign_in("ada")
    expect(page.locator(".queue tbody tr")).to_have_count(3)
    page.get_by_role("button", name="Next case").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("acc-1")
    drawn(page)
    expect(page.get_by_text("A••• L•••").first).to_be_visible()
    page.locator(".reveal summary").click()
    page.get_by_label("Why do you need it?").fill("to compare with the document")
    page.get_by_role("button", name="Reveal for 15 minutes").click()
    expect(page.get_by_text("Ada Lovelace").first).to_be_visible()
    page.get_by_role("link", name="answered calls made of 6 s at most").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "2 answered calls made of 6 s at most in the last 7 days"
    )
    page.go_back()
    page.locator('[data-action="clear"] summary').click()
    form = page.locator('[data-action="clear"] form')
    form.get_by_label("Reason").select_option("known_customer")
    form.get_by_role("textbox", name="Text").fill("met them")
    form.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("status")).to_contain_text("Cleared")
    expect(page.locator(".queue tbody tr")).to_have_count(2)
    page.goto(f"{address}/cases/1")
    page.get_by_role("button", name="Take the last decision back").click()
    expect(page.get_by_role("status")).to_contain_text("Taken back")
    assert visitor.complaints == []


def test_a_morning_by_keyboard_alone(chromium: Browser, address: str) -> None:
    visitor = Visitor(chromium, address)
    page, press = visitor.page, visitor.page.keyboard.press
    page.goto(f"{address}/sign-in")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("ada")
    press("Tab")
    page.keyboard.type(PASSWORD)
    press("Enter")
    page.wait_for_url(f"{address}/")
    press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    press("/")
    expect(page.get_by_label("Account")).to_be_focused()
    page.keyboard.type("acc-9")
    press("Enter")
    page.wait_for_url("**account=acc-9**")
    press("j")
    expect(page.locator("tr:focus-within")).to_contain_text("acc-9")
    press("q")
    page.wait_for_url(f"{address}/")
    press("n")
    page.wait_for_url("**/cases/1")
    press("m")
    expect(page.locator('[data-action="note"] textarea')).to_be_focused()
    page.keyboard.type("called the customer")
    press("Tab")
    press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Noted")
    press("b")
    expect(page.locator('[data-action="propose_block"] select')).to_be_focused()
    page.keyboard.type("Like")
    press("Tab")
    page.keyboard.type("same device")
    press("Tab")
    press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Proposed")
    press("n")
    page.wait_for_url("**/cases/2")
    press("z")
    expect(page.locator('[data-action="snooze"] select')).to_be_focused()
    page.keyboard.type("Wait for more")
    press("Tab")
    page.evaluate("d => document.activeElement.value = d", tomorrow())  # its parts vary by locale
    for _ in range(4):
        if page.evaluate("document.activeElement.tagName") == "TEXTAREA":
            break
        press("Tab")
    press("Tab")
    press("Enter")
    expect(page.get_by_role("status")).to_contain_text("sleeps")
    assert visitor.complaints == []


@pytest.mark.parametrize("script_is_there", [True, False])
def test_no_key_is_lost_on_a_page_that_is_still_coming(
    chromium: Browser, address: str, script_is_there: bool
) -> None:
    page = Visitor(chromium, address).sign_in("ada")
    page.goto(f"{address}/cases/1")
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.setCacheDisabled", {"cacheDisabled": not script_is_there})
    line.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 500, "downloadThroughput": 5_000, "uploadThroughput": -1},
    )
    page.goto(f"{address}/cases/1", wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if script_is_there:  # then it is the page whose end is missing
        assert page.locator('[data-action="note"]').count() == 0
    page.keyboard.press("m")
    expect(page.locator('[data-action="note"] textarea')).to_be_focused()


def tomorrow() -> str:
    from datetime import UTC, datetime, timedelta

    return (datetime.now(tz=UTC) + timedelta(days=1)).date().isoformat()


def test_two_browsers_racing_never_get_the_same_case(chromium: Browser, address: str) -> None:
    pages = [Visitor(chromium, address).sign_in(name) for name in ("ada", "bob")]
    for page in pages:
        page.wait_for_load_state()
    instant = pages[0].evaluate("Date.now()") + 1500
    for page in pages:  # both at the same instant, when both have been told
        page.evaluate(
            "at => setTimeout(() => document.querySelector('[data-key-submit=\"n\"]').submit(),"
            " at - Date.now())",
            instant,
        )
    for page in pages:
        page.wait_for_url("**/cases/*")
    assert sorted(page.url.rsplit("/", 1)[1] for page in pages) == ["1", "2"]


def test_without_javascript_all_but_the_pictures_works(chromium: Browser, address: str) -> None:
    page = Visitor(chromium, address, java_script_enabled=False).sign_in("ada")
    page.get_by_role("button", name="Next case").click()
    table = page.get_by_role("region", name="Table: Where it calls")
    expect(table).to_contain_text("Germany")
    page.locator('[data-action="clear"] summary').click()
    form = page.locator('[data-action="clear"] form')
    form.get_by_label("Reason").select_option("coincidence")
    form.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("status")).to_contain_text("Cleared")


PAGES = {
    "lea": ("/", "/cases/1", "/cases/1/calls/short_call_share_7d",
            "/cases/1/ties/blocked_by_calls_count_30d", "/team", "/outbox", "/me",
            "/keys", "/password", "/second-factor/set-up", "/nowhere"),
    "dora": ("/audit", "/requests"),
    "root": ("/people", "/people/add"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (390, "light"), (1280, "dark"), (390, "dark")]
)
def test_axe_finds_nothing_serious_and_nothing_hangs_over(
    chromium: Browser, address: str, width: int, scheme: str
) -> None:
    found = []
    for name, addresses in PAGES.items():
        page = Visitor(chromium, address, width, color_scheme=scheme).sign_in(name)
        if name == "lea":
            page.get_by_role("button", name="Next case").click()
            page.wait_for_url("**/cases/1")
        for one in addresses:
            page.goto(address + one)
            if one == "/cases/1":
                drawn(page)
            if one == "/requests":
                expect(page.locator("main form")).not_to_have_count(0)
            result = Axe().run(page)
            found += [
                f"{one}: {v['id']} {[n['html'][:120] for n in v['nodes'][:3]]}"
                for v in result.response["violations"]
                if v["impact"] in {"serious", "critical"}
            ]
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                found.append(f"{one}: {over} px wider than the window: {wide(page)}")
    assert found == []


def wide(page: Page) -> list[str]:
    """Name what hangs over the right side of the window."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right >"
        " innerWidth && !e.closest('.scroll')).map(e => e.outerHTML.slice(0, 60)).slice(0, 6)"
    )
    return found


def test_what_fraudsters_wrote_runs_nowhere(chromium: Browser, address: str) -> None:
    visitor = Visitor(chromium, address)
    visitor.page.on("dialog", lambda d: visitor.complaints.append("a script of theirs ran"))
    page = visitor.sign_in("ada")
    page.goto(f"{address}/cases/2")
    drawn(page)
    expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()
    assert visitor.complaints == []
