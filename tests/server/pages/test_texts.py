"""The catalogues, and which of them a browser asks for."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.pages.rendered import page
from tollbridge.server.pages import views as v
from tollbridge.server.pages.renderer import language_of
from tollbridge.texts.catalogue import placeholders, read_texts
from tollbridge.texts.languages import LANGUAGES

TEXTS = Path(__file__).parents[3] / "core/tollbridge/server/pages/texts"


def texts(language: str) -> dict[str, str]:
    return read_texts(TEXTS / f"{language}.toml")


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_catalogue_has_the_same_sentences_with_the_same_values(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert english.keys() == other.keys()
    assert {key: placeholders(text) for key, text in english.items()} == {
        key: placeholders(text) for key, text in other.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_hold_no_html_and_none_is_empty(language: str) -> None:
    assert not [key for key, text in texts(language).items() if not text.strip() or re.search(r"[<>&]", text)]


def test_every_message_there_is_has_a_title_and_a_text() -> None:
    titles = [key for key in texts("en") if key.startswith("message.") and key.endswith("_title")]
    assert titles
    for title in titles:
        view = v.MessageView(title, title.removesuffix("_title"), "/cloud", "message.home")
        assert page("message", view, "de").one("main").one("a")["href"] == "/cloud"


def test_a_sentence_that_does_not_exist_is_a_fault_and_not_an_empty_page() -> None:
    with pytest.raises(LookupError, match=r"there is no text message\.nothing"):
        page("message", v.MessageView("message.nothing", "message.fault"))


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("DE-ch", "de"),
        ("en-GB,de;q=0.9", "en"),
        ("fr,de;q=0.5,en;q=0.4", "de"),
        ("fr", "en"),
        ("*", "en"),
        ("en;q=0,*", "de"),
        ("de;q=0", "en"),
        ("de;q=0,en;q=0", "en"),
        ("de,en", "de"),
        ("en,de", "en"),
        ("en;q=0.5 , de ; q = 0.6", "de"),
        ("de;q=2", "en"),
        ("de;q=nan", "en"),
        (";;;,=,q=1,de;x=1", "en"),
        ("x," * 10_000 + "de", "en"),
    ],
)
def test_the_browsers_language_is_the_pages(header: str, language: str) -> None:
    assert language_of(header) == language


@pytest.mark.parametrize(
    ("header", "language"), [("", "de"), ("fr", "de"), ("*", "de"), ("en", "en"), ("en;q=0", "de"), ("de;q=0,*", "en")]
)
def test_where_the_browser_asks_for_none_of_ours_it_is_the_companys(header: str, language: str) -> None:
    assert language_of(header, "de") == language


@given(st.text())
def test_no_header_is_too_strange_for_a_language(header: str) -> None:
    assert language_of(header) in LANGUAGES
