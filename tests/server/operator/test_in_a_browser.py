"""The operator's pages in a real browser: on a phone and a desktop, in the light and the dark."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.server.operator.office import TOKEN, Office

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SHOTS = os.environ.get("TOLLBRIDGE_SCREENSHOTS", "")
PAGES = ("", "/books", "/revenue", "/owed", "/clients", "/invoices", "/prices", "/clients/2", "/invoices/TB-2026-06-2")


@pytest.fixture(scope="module")
def chromium(office: Office) -> Iterator[Browser]:
    """Started after the office is furnished, whose panel in memory wants this thread's event loop for itself."""
    if CHROMIUM is None:
        reason = "no chromium here: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(
    params=[(360, 740, "light", "de"), (360, 740, "dark", "en"), (1280, 800, "dark", "de"), (1280, 800, "light", "en")],
    ids=["phone-light", "phone-dark", "desktop-dark", "desktop-light"],
)
def page(request: pytest.FixtureRequest, chromium: Browser, office: Office) -> Iterator[Page]:
    width, height, scheme, language = request.param
    context = chromium.new_context(
        base_url=office.url, viewport={"width": width, "height": height}, color_scheme=scheme, locale=language
    )
    made = context.new_page()
    refused: list[str] = []
    made.on("console", lambda said: refused.append(said.text) if "Security Policy" in said.text else None)
    yield made
    context.close()
    assert refused == [], "nothing on the pages may need what their own policy forbids"


def let_in(page: Page) -> None:
    """Log in at the page that asks for the token."""
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("nav a[aria-current=page]")).to_be_visible()


def looks_right(page: Page, name: str) -> None:
    """No axe finding that is serious, and nothing to scroll sideways for."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
    found = Axe().run(page).response["violations"]
    serious = [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in {"serious", "critical"}]
    assert serious == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url


def test_each_page_can_be_read_by_everybody(page: Page, request: pytest.FixtureRequest) -> None:
    shape = request.node.callspec.id
    page.goto("/operator")
    looks_right(page, f"{shape}-login")
    let_in(page)
    for path in PAGES:
        page.goto(f"/operator{path}")
        looks_right(page, f"{shape}-{path.strip('/').replace('/', '-') or 'today'}")


def test_a_chart_is_drawn_in_the_colours_of_the_page(page: Page) -> None:
    page.goto("/operator")
    let_in(page)
    page.goto("/operator/revenue")
    style = "getComputedStyle(document.querySelector('{}')).{}"
    bar = page.evaluate(style.format(".chart rect.s0", "fill"))
    ground = page.evaluate(style.format("body", "backgroundColor"))
    assert bar not in {ground, "rgb(0, 0, 0)"}
    assert page.locator(".chart rect").first.bounding_box()["height"] > 1  # type: ignore[index]
