"""Invoices in the client's language, which keep the words they were written with."""

from datetime import date

import pytest

from tests.small_world import SmallWorld
from tollbridge.ledger.documents import documents
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Document, Entry

JUNE = Month(2026, 6)
ENGLISH = "web-1042, 1 Core, 1 GB RAM: 700 h x 7 tokens = 4900 tokens (hourly price)"
GERMAN = "web-1042, 1 Core, 1 GB RAM: 700 h x 7 Token = 4.900 Token (Stundenpreis)"


def lines(world: SmallWorld) -> list[str]:
    """The descriptions that the billing system got."""
    return [description for description, _ in world.lines()]


def notes(world: SmallWorld) -> list[str]:
    """The notes that it got."""
    return [booked.notes for booked in world.books.invoices]


def entry(world: SmallWorld, month: Month = JUNE) -> Entry:
    """What the ledger has of client 1042."""
    with world.parts() as parts:
        found = parts.ledger.invoices.find(month, 1042)
    assert found is not None
    return found


def bill(world: SmallWorld, day: str = "2026-07-01") -> None:
    world.at(day)
    with world.run(day) as run:
        assert run.daily().failures == []


@pytest.mark.parametrize(
    ("told", "companys", "line"),
    [
        ("german", "en", GERMAN),
        ("de_AT", "en", GERMAN),
        ("en_us", "de", ENGLISH),
        ("", "en", ENGLISH),
        ("", "de", GERMAN),
        ("french", "de", GERMAN),
    ],
)
def test_an_invoice_is_in_the_clients_language_or_else_in_the_companys(
    world: SmallWorld, told: str, companys: str, line: str
) -> None:
    world.billing = f'language = "{companys}"'
    world.client_with_server(1042, language=told)
    bill(world)
    assert lines(world) == [line]


def test_the_notes_tell_the_period_of_service_in_the_same_language(world: SmallWorld) -> None:
    world.client_with_server(1042, language="de")
    bill(world)
    assert notes(world) == ["TB-2026-06-1042: Nutzung in 2026-06 (1. Juni 2026 bis 30. Juni 2026)"]


def test_an_entry_keeps_its_words_when_the_language_changes_later(world: SmallWorld) -> None:
    world.client_with_server(1042, language="de")
    bill(world)
    before = entry(world)
    world.books.change_client(1042, language="en")
    world.billing = 'language = "en"'
    bill(world, "2026-07-02")
    assert (entry(world).document, entry(world).invoice()) == (before.document, before.invoice())
    assert before.invoice().language == "de"
    assert lines(world) == [line.description for line in before.document.lines] == [GERMAN]


def test_what_was_carried_keeps_its_words_and_gets_its_month_in_the_language_of_the_invoice(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "6.00" }'
    world.client_with_server(1042, hours=1400, language="en")
    bill(world)
    assert lines(world) == []
    world.books.change_client(1042, language="de")
    bill(world, "2026-08-01")
    first, second = lines(world)
    assert first == "Juni 2026: web-1042, 1 Core, 1 GB RAM: 720 h, 5000 tokens (monthly price)"
    assert second == "web-1042, 1 Core, 1 GB RAM: 680 h x 7 Token = 4.760 Token (Stundenpreis)"
    assert notes(world) == ["TB-2026-07-1042: Nutzung in 2026-06, 2026-07 (1. Juni 2026 bis 31. Juli 2026)"]
    invoice = entry(world, Month(2026, 7)).invoice()
    assert (invoice.period_start, invoice.period_end) == (date(2026, 6, 1), date(2026, 7, 31))
    assert [line.month for line in invoice.lines] == ["2026-06", "2026-07"]


def test_an_entry_of_an_earlier_version_is_english_and_sent_as_it_was_written(world: SmallWorld) -> None:
    world.client_with_server(1042, language="de")
    bill(world)
    there = entry(world).document
    written = documents.dumps(there).decode()
    assert '"language":"de"' in written
    of_before = documents.loads(written.replace(',"language":"de"', ""), Document)
    assert (of_before.language, of_before.lines, of_before.price) == ("en", there.lines, there.price)
