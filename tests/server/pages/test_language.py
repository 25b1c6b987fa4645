"""The language that was chosen on a page: kept in a cookie, for every page from then on."""

import pytest

from tests.server.pages.site import Browser, Cloud


def spoken(browser: Browser, path: str = "/cloud") -> str:
    return "de" if 'lang="de">' in browser.get(path).text.partition("<head>")[0] else "en"


def test_a_chosen_language_is_kept_and_the_address_stays_as_it_was(browser: Browser) -> None:
    assert spoken(browser) == "en"
    answer = browser.get("/cloud/login?language=de")
    assert (answer.status_code, answer.headers["location"]) == (303, "/cloud/login")
    assert [spoken(browser, path) for path in ("/cloud", "/cloud/login", "/cloud/signup")] == ["de"] * 3
    browser.get("/cloud?language=en")
    assert spoken(browser) == "en"


def test_it_counts_for_more_than_the_browsers_own_language(cloud: Cloud) -> None:
    browser = cloud.browser(**{"Accept-Language": "de"})
    assert spoken(browser) == "de"
    browser.get("/cloud?language=en")
    assert spoken(browser) == "en"


@pytest.mark.parametrize(
    ("asked", "shown_at"),
    [
        ("/cloud?currency=EUR&language=de", "/cloud?currency=EUR"),
        ("/cloud?language=de&currency=%0d%0aX", "/cloud?currency=%0D%0AX"),
        ("/cloud/account/pay?language=de", "/cloud/account"),
        ("/cloud/confirm/a%20b?language=de", "/cloud/confirm/a%20b"),
        ("/cloud//evil.example?language=de&next=//evil.example", "/cloud//evil.example"),
    ],
)
def test_a_choice_leads_back_to_the_page_and_nowhere_else(browser: Browser, asked: str, shown_at: str) -> None:
    answer = browser.get(asked)
    assert (answer.status_code, answer.headers["location"]) == (303, shown_at)


def test_a_language_there_is_not_changes_nothing(browser: Browser) -> None:
    answer = browser.get("/cloud?language=fr")
    assert answer.status_code == 200
    assert "tollbridge_language" not in browser.http.cookies
    browser.http.cookies.set("tollbridge_language", "<b>")
    assert spoken(browser) == "en"


def test_the_link_on_a_page_leads_to_the_same_page_in_the_other_language(browser: Browser) -> None:
    assert 'href="/cloud?currency=EUR&amp;language=de"' in browser.get("/cloud?currency=EUR").text
    assert 'href="/cloud/login?language=de"' in browser.get("/cloud/login").text
    answer = browser.send("/cloud/account/enrol", on="/cloud/login")
    assert answer.headers["location"] == "/cloud/login"


def test_the_e_mail_of_a_sign_up_speaks_the_chosen_language(cloud: Cloud, browser: Browser) -> None:
    browser.get("/cloud?language=de")
    cloud.sign_up(browser)
    assert cloud.mails()[-1].subject == "Registrierung bei Example Cloud abschließen"
