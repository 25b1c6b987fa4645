"""While SolusIO is down the landing page still shows what servers cost."""

from pathlib import Path

import httpx

from tests.server.pages.site import Cloud, a_cloud
from tests.server.pages.test_account import words
from tollbridge.loopback import running
from tollbridge.sandbox import Fault
from tollbridge.server.app import create_app


def test_a_cold_process_shows_the_plans_and_their_prices_as_any_process_saw_them_last(cloud: Cloud) -> None:
    shown = words(cloud.browser().get("/cloud").text)
    cloud.panel.faults.add(Fault("503", times=None))
    with running(create_app(cloud.parts)) as cold:
        browser = cloud.browser(at=cold)
        answer = browser.get("/cloud")
        assert (answer.status_code, words(answer.text)) == (200, shown)
        assert "$0.007" in words(answer.text)
        assert "0.0063" in words(browser.get("/cloud?currency=EUR").text)
        ready = httpx.get(f"{cold}/readyz")
    assert ready.status_code == 200, "prices are told without SolusIO"
    assert ready.json()["warnings"] == [
        "SolusIO does not answer: the pages show its plans as they were, and nobody can sign up"
    ]


def test_plans_that_nobody_ever_saw_cannot_be_shown(tmp_path: Path) -> None:
    with a_cloud(tmp_path) as cloud:
        cloud.panel.faults.add(Fault("503", times=None))
        assert cloud.browser().get("/cloud").status_code == 503


def test_a_copy_that_cannot_be_read_any_more_is_none(cloud: Cloud) -> None:
    cloud.parts.ledger.copies.keep("plans", '[{"name": "of another version"}]')
    cloud.panel.faults.add(Fault("503", times=None))
    with running(create_app(cloud.parts)) as cold:
        assert cloud.browser(at=cold).get("/cloud").status_code == 503
