"""The snippets for client areas, run by PHP inside of as much of WHMCS and Blesta as they see."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.pages.site import Cloud, a_cloud
from tests.server.process import free_port
from tollbridge.jobs.enrolment import enrol

HERE, SNIPPETS = Path(__file__).parent, Path("docs/snippets")
PHP = shutil.which("php")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with a_cloud(tmp_path) as made:
        yield made


@pytest.fixture
def client(cloud: Cloud) -> int:
    return cloud.install.add_client("ada@example.com", first_name="Ada")


@contextmanager
def client_area(product: str, cloud: Cloud, *, bridge: str = "", client: int | None = None) -> Iterator[httpx.Client]:
    """A client area with our snippets in it, as the client who is logged in to it sees it."""
    if PHP is None:
        reason = "no php here: apt-get install php-cli php-curl"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = cloud.config.parent / "snippets"
    shutil.copytree(SNIPPETS, folder)
    for file in folder.rglob("*.php"):
        file.write_text(file.read_text().replace("https://bridge.example.com", bridge or cloud.url))
    port = free_port()
    server = subprocess.Popen(
        [PHP, "-d", "display_errors=1", "-S", f"127.0.0.1:{port}", HERE / "php" / f"{product}.php"],
        env={**os.environ, "SNIPPETS": str(folder)}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    cookies = {} if client is None else {"client": str(client)}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", cookies=cookies, timeout=30) as browser:
            for _ in range(100):
                try:
                    browser.get("/")
                except httpx.ConnectError:
                    time.sleep(0.05)
                else:
                    break
            yield browser
    finally:
        server.kill()
        server.wait()


def followed(cloud: Cloud, answer: httpx.Response) -> tuple[str, str]:
    """Where a link out of the client area leads, and whose account the browser then has."""
    assert answer.status_code in {302, 303}, answer.text
    browser = cloud.browser()
    to = browser.get("/cloud/" + answer.headers["location"].partition("/cloud/")[2]).headers["location"]
    return to, browser.get("/cloud/account").text


class TestWhmcs:
    """docs/snippets/whmcs.php."""

    @staticmethod
    def panel(browser: httpx.Client) -> Any:
        """Our panel on the home page."""
        return browser.get("/clientarea.php").json()["panels"]["children"]["tollbridge"]

    def test_who_is_enrolled_gets_a_button_into_solusio_and_a_link_to_the_account(
        self, cloud: Cloud, client: int
    ) -> None:
        enrol(cloud.parts, cloud.parts.billing.client(client), proved_address=None)
        with client_area("whmcs", cloud, client=client) as browser:
            panel = self.panel(browser)
            assert panel["options"]["extras"]["btn-text"] == "Log in to SolusIO"
            to, account = followed(cloud, browser.get(f"/{panel['options']['extras']['btn-link']}"))
            assert to.startswith("https://my.example.com/auth/by_token/")
            assert "Ada" in account
            [link] = re.findall(r'href="([^"]+)"', panel["body"])
            to, account = followed(cloud, browser.get(f"/{link}"))
            assert to == "/cloud/account"
            assert "Ada" in account

    def test_who_is_not_is_led_to_the_invitation_and_the_prices(self, cloud: Cloud, client: int) -> None:
        with client_area("whmcs", cloud, client=client) as browser:
            panel = self.panel(browser)
            assert panel["options"]["extras"]["btn-text"] == "Start"
            to, account = followed(cloud, browser.get(f"/{panel['options']['extras']['btn-link']}"))
            assert to == "/cloud/account"
            assert "Start with cloud servers" in account
            [link] = re.findall(r'href="([^"]+)"', panel["body"])
            assert "Plans and prices" in httpx.get(link).text

    def test_nobody_is_sent_anywhere_who_is_not_logged_in_or_by_another_word(self, cloud: Cloud, client: int) -> None:
        with client_area("whmcs", cloud) as browser:
            assert browser.get("/clientarea.php?tollbridge=account").json()["panels"]["children"] == []
        shutil.rmtree(cloud.config.parent / "snippets")
        with client_area("whmcs", cloud, client=client) as browser:
            for query in ("", "?tollbridge=elsewhere", "?tollbridge[]=account"):
                assert browser.get(f"/clientarea.php{query}").status_code == 200

    def test_without_the_bridge_the_client_area_goes_on_and_its_log_says_why(self, cloud: Cloud, client: int) -> None:
        with client_area("whmcs", cloud, client=client, bridge=f"http://127.0.0.1:{free_port()}") as browser:
            assert self.panel(browser)["options"]["extras"]["btn-text"] == "Open"
            page = browser.get("/clientarea.php?tollbridge=solusio").json()
            assert page["activity"] == ["Tollbridge: the bridge does not answer"]


class TestBlesta:
    """docs/snippets/blesta/tollbridge."""

    @staticmethod
    def links(browser: httpx.Client) -> dict[str, str]:
        """The addresses on our card, by their texts."""
        [card] = browser.get("/").json()["cards"]
        assert (card["level"], card["label"]) == ("client", "Cloud servers")
        return {text: address for address, text in re.findall(r'<a href="([^"]+)">([^<]+)</a>', card["html"])}

    def test_who_is_enrolled_gets_a_link_into_solusio_and_one_to_the_account(self, cloud: Cloud, client: int) -> None:
        enrol(cloud.parts, cloud.parts.billing.client(client), proved_address=None)
        with client_area("blesta", cloud, client=client) as browser:
            links = self.links(browser)
            assert links.keys() == {"Log in to SolusIO", "Usage and invoices"}
            to, account = followed(cloud, browser.get(links["Log in to SolusIO"]))
            assert to.startswith("https://my.example.com/auth/by_token/")
            assert "Ada" in account
            assert followed(cloud, browser.get(links["Usage and invoices"]))[0] == "/cloud/account"

    def test_who_is_not_is_led_to_the_invitation(self, cloud: Cloud, client: int) -> None:
        with client_area("blesta", cloud, client=client) as browser:
            [(text, address)] = self.links(browser).items()
            assert text == "Start with cloud servers"
            assert "Start with cloud servers" in followed(cloud, browser.get(address))[1]

    def test_who_is_not_logged_in_must_log_in_first(self, cloud: Cloud) -> None:
        with client_area("blesta", cloud) as browser:
            answer = browser.get("/plugin/tollbridge/client_main/index/solusio/")
            assert answer.headers["location"] == "/client/login/"

    def test_without_the_bridge_the_client_stays_in_the_client_area(self, cloud: Cloud, client: int) -> None:
        with client_area("blesta", cloud, client=client, bridge=f"http://127.0.0.1:{free_port()}") as browser:
            [(text, address)] = self.links(browser).items()
            assert text == "Usage and invoices"
            assert browser.get(address).headers["location"] == "/client/"
