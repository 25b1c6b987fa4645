"""An operator's own templates: what they replace, and how their faults are told before a customer meets them."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.server.pages.reading import read
from tests.server.pages.rendered import LINK, SITE, renderer, signup_mail
from tollbridge.errors import ConfigError
from tollbridge.server.pages import views as v
from tollbridge.server.pages.renderer import Renderer

Files = Mapping[str, str | bytes]


def write(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def own(folder: Path, files: Files) -> Renderer:
    return Renderer(SITE, write(folder, files))


def test_an_own_template_replaces_ours_and_the_others_stay(tmp_path: Path) -> None:
    mine = own(tmp_path, {"signup_sent.html": "<p>{{ site.name }}: {{ t('signup_sent.title') }}</p>"})
    assert mine.page("signup_sent", "de", None) == "<p>Example Cloud: Bitte prüfen Sie Ihre E-Mails</p>"
    assert mine.page("welcome", "de", None) == renderer().page("welcome", "de", None)


def test_an_own_template_may_change_a_part_of_ours(tmp_path: Path) -> None:
    extended = '{% extends "ours/base.html" %}{% block footer %}Since 1999{% include "_more.html" %}{% endblock %}'
    mine = own(tmp_path, {"base.html": extended, "_more.html": " & {{ '<b>' }}"})
    found = read(mine.page("login", "en", v.LoginView(), csrf="x"))
    assert found.one("footer").text == "Since 1999 & <b>"
    assert found.one("h1").text == "Log in"


def test_an_own_e_mail_replaces_only_the_form_it_has(tmp_path: Path) -> None:
    mail = own(tmp_path, {"mail/signup.txt": "Go to {{ link }}, {{ '<you>' }}"}).mail("signup", "en", link=LINK)
    assert mail.text == f"Go to {LINK}, <you>"
    assert (mail.subject, mail.html) == (signup_mail().subject, signup_mail().html)


def test_an_own_stylesheet_may_add_to_ours(tmp_path: Path) -> None:
    added = '{% include "ours/static/style.css" %}h1 { color: {{ site.colour }}; }'
    style = own(tmp_path, {"static/style.css": added}).style
    assert style == renderer().style + "h1 { color: #1a5fb4; }"


def test_own_sentences_replace_ours_one_by_one(tmp_path: Path) -> None:
    mine = own(tmp_path, {"texts/de.toml": '[login]\ntitle = "Willkommen <zurück> bei {brand}"\n'})
    found = read(mine.page("login", "de", v.LoginView(), csrf="x"))
    assert found.one("h1").text == "Willkommen <zurück> bei Example Cloud"
    assert "Verwenden Sie E-Mail-Adresse und Passwort" in found.text
    assert read(mine.page("login", "en", v.LoginView(), csrf="x")).one("h1").text == "Log in"


def test_a_new_sentence_that_a_language_lacks_is_said_in_english(tmp_path: Path) -> None:
    files = {"texts/en.toml": 'own.hello = "Hello"', "signup_sent.html": '{{ t("own.hello") }}'}
    assert own(tmp_path, files).page("signup_sent", "de", None) == "Hello"


def test_notes_and_hidden_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    own(tmp_path, {"README.md": "{% mine", "notes.txt": "{{", ".git/x.html": "{{", "login.html.bak": "{{"})


BROKEN: dict[str, tuple[Files, str]] = {
    "a tag that is no tag": ({"login.html": "<p>\n<p>\n{% iff x %}"}, "login.html, line 3: Encountered unknown tag"),
    "a tag left open": ({"mail/signup.txt": "\n{% if link %}"}, "mail/signup.txt, line 2: Unexpected end of template"),
    "a field there is not": ({"login.html": "<p>\n{{ view.emial }}"}, "has no attribute 'emial'"),
    "a value there is not": ({"mail/signup.html": "{{ linc }}"}, "mail/signup.html, line 1: 'linc' is undefined"),
    "a sentence there is not": ({"welcome.html": "\n\n{{ t('x.y') }}"}, "welcome.html, line 3: there is no text x.y"),
    "a part there is not": (
        {"login.html": "a\n{% include '_banner.html' %}"},
        "login.html, line 2: there is no template _banner.html",
    ),
    "a base there is not": (
        {"login.html": '{% extends "bse.html" %}'},
        "login.html, line 1: there is no template bse.html",
    ),
    "a part that is broken": (
        {"login.html": "{% include '_banner.html' %}", "_banner.html": "a\nb\n{{ 1 / 0 }}"},
        "_banner.html, line 3: division by zero",
    ),
    "a page of another name": (
        {"log_in.html": "Hello"},
        "log_in.html: there is nothing of this name to replace; did you mean login.html?",
    ),
    "an e-mail of another name": ({"mail/sign-up.txt": ""}, "mail/sign-up.txt: there is nothing of this name"),
    "a language we do not speak": ({"texts/fr.toml": ""}, "texts/fr.toml: there is nothing of this name to replace"),
    "another encoding": ({"login.html": "Grüße".encode("latin-1")}, "login.html: it is not written in UTF-8"),
    "a stylesheet that fails": (
        {"static/style.css": "\n{{ colour }}"},
        "static/style.css, line 2: 'colour' is undefined",
    ),
    "a value no sentence gets": (
        {"texts/en.toml": 'login.title = "Log in, {name}"'},
        "texts/en.toml: login.title has {name}, which nothing fills in",
    ),
    "a sentence that is a number": ({"texts/en.toml": "login.title = 1"}, "login.title: must be a text"),
    "texts that are not TOML": (
        {"texts/de.toml": 'login.title = "a"\nlogin.hint = b'},
        "it cannot be read: Invalid value (at line 2",
    ),
}


@pytest.mark.parametrize(("files", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_broken_template_is_refused_at_start_by_file_and_line(tmp_path: Path, files: Files, problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)) as refused:
        own(tmp_path, files)
    assert str(tmp_path) in str(refused.value)


def test_everything_wrong_in_the_folder_is_told_at_once_and_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        own(tmp_path, {"login.html": "{{ a }}", "account.html": "{{ b }}", "mail/signup.txt": "{{ c }}"})
    assert refused.value.problems == [
        "login.html, line 1: 'a' is undefined",
        "account.html, line 1: 'b' is undefined",
        "mail/signup.txt, line 1: 'c' is undefined",
    ]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"pages\.templates: there is no folder .*/nowhere"):
        Renderer(SITE, tmp_path / "nowhere")
