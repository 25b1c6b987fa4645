"""Addresses are taken as people have them, and not as attackers write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollbridge.mail.addresses import bare_address, named_address, one_line


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada.Lovelace+cloud@Mail.Example.COM", "Ada.Lovelace+cloud@mail.example.com"),
        ("o'brien_{1}@example.co.uk", "o'brien_{1}@example.co.uk"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("jürgen@example.com", "jürgen@example.com"),
        ("用户@例子.example", "用户@xn--fsqu00a.example"),
    ],
)
def test_addresses_that_people_have_are_taken(text: str, address: str) -> None:
    assert str(bare_address(text)) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "@", "ada", "ada@", "@example.com", "ada@localhost", "ada@127.0.0.1", "ada@[127.0.0.1]", "a b@example.com",
        "ada@example..com", "ada@.example.com", "ada@example.com.", ".ada@example.com", "a..b@example.com",
        "ada@-example.com", "ada@exam_ple.com", "ada@example.com,eve@example.com", "ada@example.com eve@example.com",
        "ada@eve@example.com", "<ada@example.com>", "Ada <ada@example.com>", '"ada"@example.com', "ada(x)@example.com",
        "ada@example.com\r\nBcc: eve@example.com", "ada\n@example.com", "ada@example.com\n", "ada\x00@example.com",
        "ada\u2028@example.com", "ada\u200b@example.com", "ada\ud800@example.com", "ada@example.com>",
        "a;b@example.com",
        "ada@exa\u2028mple.com", "ada@\ud800.com", "a" * 65 + "@example.com", "a@" + "b." * 130 + "com",
        "ü" * 33 + "@example.com",
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_words_that_can_be_printed(text: str) -> None:
    with pytest.raises(ValueError, match="e-mail address") as caught:
        bare_address(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("billing@example.com", ""),
        ("<billing@example.com>", ""),
        ("Example Cloud <billing@example.com>", "Example Cloud"),
        ('"Example, Inc." <billing@example.com>', "Example, Inc."),
        ("Größte Wolke <billing@example.com>", "Größte Wolke"),
    ],
)
def test_a_sender_may_have_a_name(text: str, name: str) -> None:
    address = named_address(text)
    assert (str(address), address.name) == ("billing@example.com", name)


@pytest.mark.parametrize(
    "text",
    [
        "Example <billing@example.com> x", "Example <<billing@example.com>>", "Example billing@example.com",
        "Exam\rple <billing@example.com>", "Exam\u2029ple <billing@example.com>",
        "A <a@example.com>, B <b@example.com>",
    ],
)  # fmt: skip
def test_a_sender_that_is_not_one_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"e-mail address|line breaks"):
        named_address(text)


@settings(deadline=None)
@given(st.text())
def test_no_text_becomes_an_address_that_could_end_a_line_or_be_two(text: str) -> None:
    try:
        address = str(bare_address(text))
    except ValueError:
        return
    assert address.count("@") == 1
    assert not {*address} & {*' \t\r\n\0<>,;:"()[]\\'}
    assert len(address.splitlines()) == 1


@settings(deadline=None)
@given(st.text())
def test_what_passes_as_one_line_is_one(text: str) -> None:
    try:
        assert len(one_line(text, "the subject").splitlines()) <= 1
    except ValueError:
        assert not text.isprintable()
