"""The words of invoice lines and notes, in each language."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.rules.calendar import Month
from tollbridge.rules.lines import LineFacts, carried_line, correction_line, item_line, notes, reworded, server_line
from tollbridge.rules.metering import meter
from tollbridge.texts.catalogue import placeholders
from tollbridge.texts.invoice_words import InvoiceWords, invoice_words
from tollbridge.texts.languages import LANGUAGES, language_called

ENGLISH, GERMAN = invoice_words("en"), invoice_words("de")
for each in (ENGLISH, GERMAN):
    each.day(date(2026, 7, 1))  # dates are read from files once, which takes longer than one example may
LANGUAGE = st.sampled_from([invoice_words(language) for language in LANGUAGES])
KIND = st.one_of(st.sampled_from(["backup", "additional_ip", "load_balancer"]), st.text(min_size=1))
NAME = st.text(st.characters(exclude_characters="{}"))
MONTH = st.builds(Month, st.integers(1900, 2998), st.integers(1, 12))


@pytest.mark.parametrize(
    ("hours", "per_hour", "per_month", "english", "german"),
    [
        (
            700, 7, 5_000,
            "web-1, S: 700 h x 7 tokens = 4900 tokens (hourly price)",
            "web-1, S: 700 h x 7 Token = 4.900 Token (Stundenpreis)",
        ),
        (730, 7, 5_000, "web-1, S: 730 h, 5000 tokens (monthly price)", "web-1, S: 730 h, 5.000 Token (Monatspreis)"),
        (12, 0, 5_000, "web-1, S: 12 h, 5000 tokens (monthly price)", "web-1, S: 12 h, 5.000 Token (Monatspreis)"),
        (744, 0, 0, "web-1, S: 744 h, free of charge", "web-1, S: 744 h, kostenlos"),
    ],
)  # fmt: skip
def test_a_line_says_how_its_tokens_came_about(
    hours: int, per_hour: int, per_month: int, english: str, german: str
) -> None:
    metered = meter(hours, per_hour, per_month)

    def line(words: InvoiceWords) -> str:
        return server_line(words, "web-1", "S", hours, per_hour, tokens=metered.tokens, metered=metered)

    assert (line(ENGLISH), line(GERMAN)) == (english, german)


@given(st.integers(0, 744), st.integers(0, 50), st.integers(0, 9_000), st.integers(0, 9_000))
def test_a_line_claims_a_price_only_where_it_makes_the_tokens_invoiced(
    hours: int, per_hour: int, per_month: int, tokens: int
) -> None:
    metered = meter(hours, per_hour, per_month)
    line = server_line(ENGLISH, "web-1", "S", hours, per_hour, tokens=tokens, metered=metered)
    claims = any(words in line for words in ("hourly price", "monthly price", "free of charge"))
    assert claims == (metered.tokens == tokens)
    assert f"{tokens} tokens" in line or (tokens == 0 and line.endswith("free of charge"))


def test_a_kind_nobody_knows_is_invoiced_under_its_own_name() -> None:
    assert item_line(ENGLISH, "backup", "web-1", 490) == "web-1, backup: 490 tokens"
    assert item_line(ENGLISH, "additional_ip", "web-1", 730) == "web-1, additional ip: 730 tokens"
    assert item_line(ENGLISH, "load_balancer", "lb-1", 3) == "lb-1, load balancer: 3 tokens"
    assert item_line(GERMAN, "backup", "web-1", 490) == "web-1, Datensicherung: 490 Token"
    assert item_line(GERMAN, "load_balancer", "lb-1", 1234567) == "lb-1, load balancer: 1.234.567 Token"


@given(LANGUAGE, KIND, NAME, st.integers(0, 2**63 - 1))
def test_every_kind_of_item_has_words_in_each_language_and_none_is_left_out(
    words: InvoiceWords, kind: str, name: str, tokens: int
) -> None:
    line = item_line(words, kind, name, tokens)
    assert line.startswith(f"{name}, {words.kind(kind)}: ")
    assert words.kind(kind)
    assert re.sub(r"\D", "", line.removeprefix(f"{name}, {words.kind(kind)}: ")) == str(tokens)


@given(LANGUAGE, NAME, st.integers(0, 744), st.tuples(st.integers(0, 50), st.integers(0, 9_000)), st.integers(0, 1))
def test_no_placeholder_is_left_in_a_servers_line(
    words: InvoiceWords, name: str, hours: int, prices: tuple[int, int], more: int
) -> None:
    metered = meter(hours, *prices)
    line = server_line(words, name, name, hours, prices[0], tokens=metered.tokens + more, metered=metered)
    assert line.startswith(f"{name}, {name}: ")
    assert not set(line) & set("{}")


@given(LANGUAGE, MONTH, st.text())
def test_a_carried_line_is_the_line_as_it_was_behind_its_month(words: InvoiceWords, month: Month, line: str) -> None:
    assert carried_line(words, month, line).endswith(f" {month.year}: {line}")


@given(LANGUAGE, st.sampled_from(["{tokens}", "{0}", "{", "}}", "{name.__class__}"]))
def test_what_customers_call_their_servers_stays_as_it_is(words: InvoiceWords, name: str) -> None:
    assert item_line(words, "backup", name, 7).startswith(f"{name}, ")


@given(LANGUAGE, st.lists(MONTH, min_size=1, max_size=4, unique=True))
def test_notes_begin_with_the_reference_and_name_every_month_and_the_period(
    words: InvoiceWords, months: list[Month]
) -> None:
    text = notes(words, "TB-2026-07-1042", [*map(str, months)])
    assert text.startswith("TB-2026-07-1042: ")
    assert re.findall(r"(?<![\w-])\d{4}-\d{2}(?![\w-])", text.removeprefix("TB-2026-07-1042")) == [*map(str, months)]
    assert words.day(min(months).first_day) in text
    assert words.day(max(months).last_day) in text


def test_notes_say_the_period_as_the_language_writes_dates() -> None:
    months = ["2026-03"]
    assert notes(ENGLISH, "R", months) == "R: usage in 2026-03 (March 1, 2026 to March 31, 2026)"
    assert notes(GERMAN, "R", months) == "R: Nutzung in 2026-03 (1. März 2026 bis 31. März 2026)"


def test_a_carried_line_names_its_month_in_words() -> None:
    assert carried_line(ENGLISH, Month(2026, 7), "web-1") == "July 2026: web-1"
    assert carried_line(GERMAN, Month(2026, 7), "web-1") == "Juli 2026: web-1"


JULY = Month(2026, 7)
HOURLY = LineFacts(JULY, "web-1", "server", 4_900, "S", 700, 7)


@given(LANGUAGE, LANGUAGE, NAME, KIND, st.integers(0, 744), st.integers(0, 50), st.integers(0, 9_000), st.booleans())
def test_every_line_of_the_bridges_can_be_read_in_the_other_language(  # noqa: PLR0917
    before: InvoiceWords, after: InvoiceWords, name: str, kind: str, hours: int, per_hour: int, tokens: int, late: bool
) -> None:
    def written(words: InvoiceWords) -> list[tuple[LineFacts, str]]:
        server = LineFacts(JULY, name, "server", tokens, "S", hours, per_hour)
        item = LineFacts(JULY, name, kind, tokens)
        sum_of = meter(hours, per_hour, tokens)
        as_server = server_line(words, name, "S", hours, per_hour, tokens=tokens, metered=sum_of)
        as_item = item_line(words, kind, name, tokens)
        found = [(server, as_server), (item, as_item)]
        found += [(facts, carried_line(words, JULY, line)) for facts, line in found]
        changed = tokens + 1 if late else -tokens - 1
        facts = LineFacts(JULY, name, kind, changed, "S" if late else "")
        return [*found, (facts, correction_line(words, JULY, name, changed))]

    for (facts, line), (_, other) in zip(written(before), written(after), strict=True):
        assert reworded(line, facts, before, after) == other


def test_a_line_that_is_not_the_bridges_own_words_stays_as_it_is() -> None:
    line = "web-1, S: 700 h x 7 tokens = 4900 tokens (hourly price)"
    assert reworded(line, HOURLY, ENGLISH, GERMAN) == "web-1, S: 700 h x 7 Token = 4.900 Token (Stundenpreis)"
    for other in ("Hosting in July", line.replace("700", "701"), f"{line}!"):
        assert reworded(other, HOURLY, ENGLISH, GERMAN) == other


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_has_the_same_sentences_with_the_same_values(language: str) -> None:
    english, other = ENGLISH.texts, invoice_words(language).texts
    assert english.keys() == other.keys()
    assert {key: placeholders(text) for key, text in english.items()} == {
        key: placeholders(text) for key, text in other.items()
    }


@given(LANGUAGE, MONTH)
def test_no_word_has_a_letter_that_billing_systems_lose(words: InvoiceWords, month: Month) -> None:
    """Whatever else an old table is made for, it keeps what Latin-1 has."""
    for text in (*words.texts.values(), words.month(month.first_day), words.day(month.last_day)):
        text.encode("latin-1")


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("de", "de"), ("de_DE", "de"), ("de-AT", "de"), ("DE_de", "de"), ("german", "de"), ("German", "de"),
        (" Deutsch ", "de"), ("de_DE.UTF-8", "de"), ("german-formal", "de"), ("en", "en"), ("en_us", "en"),
        ("english", "en"), ("", None), ("fr_FR", None), ("french", None), ("den", None), ("-", None),
    ],
)  # fmt: skip
def test_a_language_is_known_by_whatever_a_billing_system_calls_it(words: str, language: str | None) -> None:
    assert language_called(words) == language


@given(st.text())
def test_no_word_is_too_strange_to_be_asked_for_its_language(words: str) -> None:
    assert language_called(words) in {None, *LANGUAGES}


@given(MONTH)
def test_a_months_last_day_belongs_to_it_and_the_next_is_another_months(month: Month) -> None:
    assert month.first_day.day == 1
    assert (month.last_day.year, month.last_day.month) == (month.year, month.number)
    assert date.fromordinal(month.last_day.toordinal() + 1) == month.next.first_day
