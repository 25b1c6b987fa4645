"""The pages in a real browser: from the landing page to SolusIO's log-in, by keyboard, on any width."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.server.pages.site import PASSWORD, Cloud, a_cloud
from tollbridge.jobs.enrolment import enrol

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "no chromium here: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with a_cloud(tmp_path, area="") as made:
        yield made


@pytest.fixture(params=[(360, 740, "light"), (1280, 800, "dark")], ids=["phone", "desktop"])
def page(request: pytest.FixtureRequest, chromium: Browser, cloud: Cloud) -> Iterator[Page]:
    width, height, scheme = request.param
    context = chromium.new_context(
        base_url=cloud.url,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        locale="en-GB",
    )
    made = context.new_page()
    refused: list[str] = []
    made.on("console", lambda said: refused.append(said.text) if "Security Policy" in said.text else None)
    yield made
    context.close()
    assert refused == [], "nothing on the pages may need what their own policy forbids"


def looks_right(page: Page) -> None:
    """No axe finding that is serious, and nothing to scroll sideways for."""
    found = Axe().run(page).response["violations"]
    serious = [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in {"serious", "critical"}]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


# What is pressed with a finger. Links within a sentence may be as high as its line (WCAG 2.5.8), boxes have a label.
_SMALL = """
const pressed = 'a, button, summary, select, input:not([type=hidden]):not([type=checkbox])';
[...document.querySelectorAll(pressed)].filter(e => {
  const box = e.getBoundingClientRect(), style = getComputedStyle(e);
  if (!box.width || e.closest('.unseen') || e.matches('.skip') || style.display === 'inline') return false;
  return Math.round(box.height) < 44 || Math.round(box.width) < 44;
}).map(e => e.outerHTML.slice(0, 120))
"""


def can_be_tapped(page: Page) -> None:
    """Nothing that stands by itself is smaller than 44 pixels either way."""
    assert page.evaluate(_SMALL) == []


def test_from_the_landing_page_to_solusio(cloud: Cloud, page: Page) -> None:
    page.goto("/cloud")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    looks_right(page)
    can_be_tapped(page)
    page.get_by_role("link", name="Sign up").first.click()
    looks_right(page)
    page.get_by_label("First name").fill("Nora")
    page.get_by_label("Last name").fill("Neu")
    page.get_by_label("E-mail address").fill("nora@example.com")
    page.get_by_label("Country").select_option("United Kingdom")
    expect(page.get_by_label("Currency")).to_have_value("USD")  # as it was shown on the landing page
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Please check your e-mail")
    looks_right(page)
    page.goto(cloud.link())
    looks_right(page)
    page.get_by_label("Choose a password").fill(PASSWORD)
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Create my account").click()
    expect(page).to_have_url(f"{cloud.url}/cloud/welcome")
    looks_right(page)
    page.get_by_role("link", name="Go to your account").click()
    looks_right(page)
    page.get_by_role("button", name="Log in to SolusIO").first.click()
    expect(page.get_by_text("Logged in as nora@example.com")).to_be_visible()


def test_a_form_that_was_filled_in_wrongly_says_so_where_it_is_read(page: Page) -> None:
    page.goto("/cloud/login")
    page.get_by_label("E-mail address").fill("nobody@example.com")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    looks_right(page)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the keyboard is called so: a field by its label, a button or a link by its text."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(_FOCUSED).startswith(name):
            return
    raise AssertionError(f"the keyboard does not get to {name!r}")


_FOCUSED = "(e => e.labels?.[0]?.innerText ?? e.innerText ?? '')(document.activeElement)"


def test_the_whole_way_needs_nothing_but_the_keyboard(cloud: Cloud, page: Page) -> None:
    page.goto("/cloud")
    tab_to(page, "Sign up")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{cloud.url}/cloud/signup?currency=USD")
    for name, text in (
        ("First name", "Nora"),
        ("Last name", "Neu"),
        ("E-mail address", "nora@example.com"),
        ("Country", "United Kingdom"),
        ("Currency", "Euro"),
    ):
        tab_to(page, name)
        page.keyboard.type(text)
    tab_to(page, "Send me the link")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Please check your e-mail")
    page.goto(cloud.link())
    tab_to(page, "Choose a password")
    page.keyboard.type(PASSWORD)
    for document in ("I accept the terms of service", "I accept the post-pay terms"):
        tab_to(page, document)
        page.keyboard.press("Space")
    tab_to(page, "Create my account")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{cloud.url}/cloud/welcome")
    tab_to(page, "Log in to SolusIO")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Logged in as nora@example.com")).to_be_visible()
    [client] = cloud.install.clients
    assert (client.country, client.currency) == ("GB", "EUR")


def test_logging_in_and_out_needs_nothing_but_the_keyboard(cloud: Cloud, page: Page) -> None:
    cloud.install.add_client("ada@example.com", password=PASSWORD, first_name="Ada")
    page.goto("/cloud/login")
    tab_to(page, "E-mail address")
    page.keyboard.type("ada@example.com")
    tab_to(page, "Password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{cloud.url}/cloud/account")
    expect(page.get_by_text("Ada")).to_be_visible()
    looks_right(page)
    tab_to(page, "Log out")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Log in").first).to_be_visible()


def test_the_header_stays_in_one_line_and_the_language_is_changed_by_the_keyboard(cloud: Cloud, page: Page) -> None:
    cloud.install.add_client("ada@example.com", password=PASSWORD, first_name="Ada")
    page.goto("/cloud/login")
    tab_to(page, "DE")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Anmelden")
    expect(page).to_have_url(f"{cloud.url}/cloud/login")
    looks_right(page)
    page.get_by_label("E-Mail-Adresse").fill("ada@example.com")
    page.get_by_label("Passwort").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ihr Konto")
    middles = "[...document.querySelectorAll('header :is(a, button)')].filter(e => e.offsetWidth)"
    middles += ".map(e => e.getBoundingClientRect()).map(r => Math.round((r.top + r.bottom) / 2))"
    found = page.evaluate(middles)
    assert max(found) - min(found) <= 2
    looks_right(page)


def test_an_unpaid_invoice_is_opened_and_leads_to_the_client_area(cloud: Cloud, page: Page) -> None:
    number = cloud.install.add_client("ada@example.com", password=PASSWORD, first_name="Ada")
    enrol(cloud.parts, cloud.parts.billing.client(number), proved_address=None)
    [user] = [user for user in cloud.panel.users if user.email == "ada@example.com"]
    cloud.panel.create_server(user.id, 1, "web-1")
    cloud.panel.set_time(datetime(2026, 8, 1, 4, tzinfo=UTC))
    assert cloud.run("2026-08-01").failures == []
    page.goto("/cloud/login")
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    looks_right(page)
    can_be_tapped(page)
    page.get_by_text("Invoice for July 2026").click()
    expect(page.get_by_role("table", name=f"Lines of invoice TB-2026-07-{number}")).to_be_visible()
    looks_right(page)
    page.get_by_role("button", name="Pay in the customer area").first.click()
    page.wait_for_url("**/oauth/singlesignon.php?*")
    expect(page.get_by_text("ada@example.com")).to_be_visible()
