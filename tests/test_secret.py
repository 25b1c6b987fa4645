"""Secrets never show."""

import copy
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.secret import HIDDEN, DatabaseUrl, Secret, hide, redact, redact_tree

# A prefix of their own keeps what is made up here from hiding words of other tests.
SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20).map(lambda text: f"§S§{text}")
PASSWORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12).map("§P§x{}".format)


@given(SECRETS)
def test_a_secret_shows_as_dots_wherever_it_is_written(value: str) -> None:
    secret = Secret(value)
    shown = [str(secret), repr(secret), f"{secret}", f"{[secret]}", f"{ ({'key': secret})!r}"]
    assert all(value not in text and HIDDEN in text for text in shown)
    assert secret.reveal() == value


@given(SECRETS)
def test_secrets_are_compared_by_their_value_and_never_equal_text(value: str) -> None:
    assert Secret(value) == Secret(value) == copy.deepcopy(Secret(value))
    assert len({Secret(value), Secret(value)}) == 1
    assert Secret(value) != Secret(f"{value}!")
    assert Secret(value) != value


def test_an_empty_secret_is_false() -> None:
    assert not Secret("")
    assert Secret("x")


def test_a_secret_does_not_go_into_json() -> None:
    with pytest.raises(TypeError):
        json.dumps(Secret("§S§json"))


@given(SECRETS.filter(lambda value: len(value) >= 4), st.text(max_size=10), st.text(max_size=10))
def test_what_was_once_a_secret_is_taken_out_of_every_text(value: str, before: str, after: str) -> None:
    Secret(value)
    assert value not in redact(f"{before}{value}{after}{value}")


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    hide("§S§abcd")
    hide("§S§abcdef")
    assert redact("x §S§abcdef y §S§abcd") == f"x {HIDDEN} y {HIDDEN}"


def test_text_without_secrets_stays_as_it_is() -> None:
    hide("§S§n")
    hide("abc")
    assert redact("abc, invoice TB-2026-07-1042") == "abc, invoice TB-2026-07-1042"


def test_secrets_are_hidden_at_any_depth_of_a_log_entry() -> None:
    hide("§S§deep")
    assert redact_tree({"a": ["x §S§deep", ("§S§deep", 1)], "b": None}) == {
        "a": [f"x {HIDDEN}", [HIDDEN, 1]],
        "b": None,
    }


@given(PASSWORDS, st.sampled_from(["bridge", "", "me"]), st.sampled_from(["", "?charset=utf8mb4", "?options=a@b"]))
def test_a_database_url_never_shows_its_password_as_written_or_as_meant(password: str, user: str, tail: str) -> None:
    written = quote(password, safe="")
    url = DatabaseUrl(f"postgresql+psycopg://{user}:{written}@db.example.com:5432/ledger{tail}")
    assert written not in f"{url} {url!r}"
    assert redact(f"could not connect with {written} or {password}").count(HIDDEN) == 2
    assert url.reveal().count(written) == 1


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///billing.db", "sqlite:///billing.db"),
        ("sqlite:////srv/a:b@c/billing.db", "sqlite:////srv/a:b@c/billing.db"),
        ("postgresql://bridge@db/ledger", "postgresql://bridge@db/ledger"),
        ("postgresql://bridge:§P§w@db/ledger", f"postgresql://bridge:{HIDDEN}@db/ledger"),
        ("postgresql://me@there:§P§w@db/ledger", f"postgresql://me@there:{HIDDEN}@db/ledger"),
        ("postgresql://db/ledger?user=me&password=§P§w&x=1", f"postgresql://db/ledger?user=me&password={HIDDEN}&x=1"),
        ("mysql+pymysql://db/ledger?passwd=§P§w", f"mysql+pymysql://db/ledger?passwd={HIDDEN}"),
        ("postgresql://db/x?sslpassword=§P§w", f"postgresql://db/x?sslpassword={HIDDEN}"),
    ],
)
def test_a_database_url_shows_everything_but_its_password(url: str, shown: str) -> None:
    assert str(DatabaseUrl(url)) == shown
    assert repr(DatabaseUrl(url)) == f"DatabaseUrl({shown})"
    assert DatabaseUrl(url).reveal() == url
    assert DatabaseUrl(url) == DatabaseUrl(url) != DatabaseUrl(f"{url}x")


@pytest.mark.parametrize(
    "password", ["s3cr@t-word", "s3cr@t/word", "s3cr@t:word", "s3cr@t?word", "@t", "a@b@c", "a=b@c"]
)
def test_a_password_with_an_at_sign_that_would_be_taken_for_the_host_is_refused_unseen(password: str) -> None:
    with pytest.raises(ValueError, match="%40") as caught:
        DatabaseUrl(f"postgresql+psycopg://bridge:{password}@db.example.com:5432/ledger?options=a@b")
    assert not any(part in str(caught.value) for part in ("s3cr", "t-word", "db.example.com"))
    assert DatabaseUrl(f"postgresql+psycopg://bridge:{quote(password, safe='')}@db.example.com/ledger")
