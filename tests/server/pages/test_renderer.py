"""The customers' pages and e-mails: how they are made, whatever is in them."""

import itertools
import re
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.pages.reading import read
from tests.server.pages.rendered import BARE, LINK, SITE, every_page, page, renderer, signup, signup_mail
from tollbridge.server.pages import samples
from tollbridge.server.pages import views as v
from tollbridge.texts.languages import LANGUAGES

FORMS = {
    "",  # the page's own address: a sign-up's link
    "/cloud/login",
    "/cloud/logout",
    "/cloud/signup",
    "/cloud/account/solusio",
    "/cloud/account/pay",
    "/cloud/account/enrol",
}
NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}{brand}&amp;"


@pytest.mark.parametrize("site", [SITE, BARE], ids=["full", "bare"])
def test_every_page_is_well_formed_html_in_both_languages(site: v.Site) -> None:
    seen = {(name, language) for name, language, _ in every_page(site)}
    assert seen == {(name, language) for name in samples.PAGES for language in LANGUAGES}


def test_every_page_tells_its_language_and_has_one_heading_its_landmarks_and_a_way_past_the_header() -> None:
    for name, language, found in every_page():
        assert found.one("html")["lang"] == language
        assert len(found.all("h1")) == 1, name
        assert [found.one(tag).tag for tag in ("header", "main", "footer")] == ["header", "main", "footer"]
        assert found.all("a")[0]["href"] == f"#{found.one('main')['id']}"
        assert found.one("head").one("title").text.endswith("– Example Cloud")
        assert found.one("img")["alt"] == "Example Cloud"
        assert len({each.get("aria-label") for each in found.all("nav")}) == len(found.all("nav"))


def test_every_heading_follows_the_one_above_it() -> None:
    for name, _, found in every_page():
        levels = [int(each.tag[1]) for each in found.walk() if re.fullmatch(r"h\d", each.tag)]
        assert levels[0] == 1, name
        assert all(below - above <= 1 for above, below in itertools.pairwise(levels)), name


def test_every_field_has_a_label_and_every_reference_leads_to_something_on_the_page() -> None:
    for name, _, found in every_page():
        ids = {each["id"] for each in found.walk() if each.has("id")}
        labelled = {each["for"] for each in found.all("label")}
        for field in found.all("input"):
            assert field.get("type") == "hidden" or field["id"] in labelled, name
        wanted = [each["href"][1:] for each in found.all("a") if each["href"].startswith("#")]
        for attribute in ("for", "aria-describedby", "aria-labelledby"):
            wanted += [each for element in found.walk() for each in element.get(attribute).split()]
        assert set(wanted) <= ids, name


def test_every_form_is_protected_against_forgery_and_goes_to_an_address_there_is() -> None:
    for name, _, found in every_page():
        for form in found.all("form"):
            assert form["method"] == "post", name
            assert form.get("action") in FORMS
            assert form.one("input", name="csrf")["value"] == "a-token"
            assert form.one("button")["type"] == "submit"


@pytest.mark.parametrize("name", ["login", "signup", "confirm", "account"])
def test_a_page_with_a_form_is_not_rendered_without_protection(name: str) -> None:
    with pytest.raises(Exception, match="'csrf' is undefined"):
        renderer().page(name, "en", samples.PAGES[name][0])


def test_pages_hold_no_script_no_style_and_nothing_from_elsewhere() -> None:
    for name, _, found in every_page():
        for element in found.walk():
            assert element.tag not in {"script", "style", "iframe", "object", "base"}, name
            assert not [key for key in element.attributes if key == "style" or key.startswith("on")], name
            assert element.get("src") in {"", "/cloud/static/logo"}
            assert not element.get("href").startswith(("javascript:", "data:", "//"))
        assert all(each["href"].startswith("/cloud/static/") for each in found.all("link"))


def test_what_leaves_the_site_opens_beside_a_form_and_says_so() -> None:
    for link in page("confirm", v.ConfirmView("ann@example.com", "Ann Example")).one("form").all("a"):
        assert (link["target"], link["rel"]) == ("_blank", "noopener")
        assert link.text.endswith("(opens in a new tab)")


def test_only_the_landing_page_is_for_search_engines() -> None:
    for name, _, found in every_page():
        assert bool(found.all("meta", name="robots", content="noindex")) == (name != "landing")


def test_a_visitor_with_a_session_can_always_log_out() -> None:
    for name in samples.PAGES:
        found = page(name, samples.PAGES[name][-1], logged_in=True)
        assert found.one("form", action="/cloud/logout").one("button").text == "Log out"


_KEYS = {"kind", "problem", "problems", "title", "text", "link_text", "link", "status", "user_status", "tax", "by"}


def filled(value: Any, text: str) -> Any:
    """The view with ``text`` for everything that comes from a person or another system."""
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        return tuple(filled(each, text) for each in value)
    if attrs.has(type(value)):
        names = [field.name for field in attrs.fields(type(value)) if field.name not in _KEYS]
        return attrs.evolve(value, **{name: filled(getattr(value, name), text) for name in names})
    return value


def skeletons(text: str, site: v.Site = SITE) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """Of every page at its fullest, with ``text`` wherever there can be any."""
    rendered = {
        name: renderer(site).page(name, "en", filled(views[-1], text), csrf="x", logged_in=True)
        for name, views in samples.PAGES.items()
    }
    return {name: read(html).skeleton for name, html in rendered.items()}


def branded(text: str) -> v.Site:
    return v.Site(text, terms_url=text, postpay_terms_url=text, support_email=text)


HARMLESS = skeletons("x")


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.just(NASTY), st.text(min_size=1), st.text("<>\"'&{}%/ax=;", min_size=1)))
def test_no_text_becomes_markup_on_a_page(text: str) -> None:
    assert skeletons(text) == HARMLESS


@settings(max_examples=20, deadline=None)
@given(st.one_of(st.just(NASTY), st.text("<>\"'&{}%/ax=;", min_size=1)))
def test_no_setting_becomes_markup_either(text: str) -> None:
    assert skeletons("x", branded(text)) == skeletons("x", branded("x"))


def test_what_was_typed_is_shown_as_it_was_typed() -> None:
    found = page("signup", signup(first_name=NASTY, last_name=NASTY, company=NASTY, email=NASTY))
    assert [found.one("input", id=name)["value"] for name in v.FIELD_LONGEST] == [NASTY] * 4


def test_a_password_is_never_sent_back() -> None:
    for _, _, found in every_page():
        assert not [each for each in found.all("input", type="password") if each.has("value")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_e_mail_has_the_link_and_its_life_in_both_forms(language: str) -> None:
    mail = signup_mail(language)
    html = read(mail.html)
    assert html.one("html")["lang"] == language
    assert {each["href"] for each in html.all("a")} == {LINK}
    assert f"\n{LINK}\n" in mail.text
    assert " 24 " in mail.text
    assert " 24 " in html.text
    assert "Example Cloud" in mail.subject


def test_the_e_mails_text_is_not_escaped_and_its_html_is() -> None:
    mail = signup_mail(site=v.Site("A & B <Cloud>"))
    assert mail.subject == "Finish signing up with A & B <Cloud>"
    assert "finish signing up with A & B <Cloud>:" in mail.text
    assert read(mail.html).skeleton == read(signup_mail(site=v.Site("x")).html).skeleton


def test_a_subject_is_one_line_whatever_is_in_it() -> None:
    subject = signup_mail(site=v.Site("Example\r\nBcc: everybody@example.com\x00\u2028Cloud")).subject
    assert subject == "Finish signing up with Example Bcc: everybody@example.com Cloud"


def test_an_e_mail_without_one_of_its_values_is_not_sent() -> None:
    with pytest.raises(Exception, match="'link' is undefined"):
        renderer().mail("signup", "en")
