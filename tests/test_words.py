"""What customers type harms no terminal, no database and no line but its own."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.model import ServerMeter, UsageItem
from tollbridge.words import counted, printable

ANYTHING = st.text(st.characters(codec=None), max_size=60)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("web-1", "web-1"),
        ("Büro ☕ 東京", "Büro ☕ 東京"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("a\ud800b", "a\ufffdb"),
        ("\x1b[31mred\x1b]0;title\x07", "\ufffd[31mred\ufffd]0;title\ufffd"),
        ("\u009b31m", "\ufffd31m"),
        ("two\r\nlines\tand\u2028more", "two  lines and more"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("nul\x00", "nul\ufffd"),
        ("x" * 10_000, "x" * 199 + "…"),
        ("\x1b" * 10_000, "\ufffd" * 199 + "…"),
    ],
)
def test_a_name_is_one_line_that_can_be_shown(typed: str, shown: str) -> None:
    assert printable(typed, 200) == shown


@given(typed=ANYTHING, most=st.integers(1, 40))
def test_whatever_is_typed_can_be_sent_kept_and_cut(typed: str, most: int) -> None:
    shown = printable(typed, most)
    shown.encode("utf-8")
    assert len(shown) == min(len(typed), most)
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in shown)
    with sqlite3.connect(":memory:") as connection:
        assert connection.execute("SELECT ?", (shown,)).fetchone() == (shown,)
    connection.close()
    assert printable(shown, most) == shown


@given(typed=ANYTHING.filter(bool))
def test_what_was_used_carries_clean_names_whichever_source_it_comes_from(typed: str) -> None:
    item = UsageItem(typed, 1, typed, 7, ServerMeter(typed, 7, 5_000, 1))
    assert item.server is not None
    assert {item.type, item.name, item.server.plan} == {printable(typed, 200)}


def test_one_thing_is_not_counted_as_many() -> None:
    assert [counted(number, "client") for number in (0, 1, 2000)] == ["0 clients", "1 client", "2,000 clients"]
