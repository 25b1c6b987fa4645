"""Every page: whole, well-formed, in both languages, with figures that are the ledger's."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.server.operator.office import Office, Operator
from tollbridge.ledger.month_sums import MonthSum
from tollbridge.rules.calendar import Month
from tollbridge.texts.catalogue import placeholders, read_texts
from tollbridge.texts.languages import LANGUAGES

TEXTS = Path(__file__).parents[3] / "core/tollbridge/server/operator/texts"
PAGES = ["", "/books", "/revenue", "/owed", "/clients", "/clients/2", "/invoices", "/invoices/TB-2026-06-2", "/prices"]


@pytest.fixture(scope="module")
def operator(office: Office) -> Operator:
    return office.operator()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole(office: Office, path: str, language: str) -> None:
    page = office.operator(language).page(path)
    assert page.one("html")["lang"] == language
    assert page.all("h1")
    assert not page.all("script")
    assert not [each for each in page.walk() if each.has("style")]
    for chart in page.all("svg", role="img"):
        named = [page.one(id=name).text for name in chart["aria-labelledby"].split()]
        assert all(named), "a chart says in words what it shows"
    for table in page.all("table"):
        assert table.one("caption").text


@pytest.mark.parametrize("path", PAGES)
def test_every_table_is_there_as_csv(operator: Operator, path: str) -> None:
    for table in operator.page(path).all("table"):
        shown = len(table.one("tbody").all("tr"))
        assert len(operator.table(path, table["id"])) >= shown


def test_catalogues_say_the_same_with_the_same_values() -> None:
    english, german = (read_texts(TEXTS / f"{language}.toml") for language in LANGUAGES)
    assert english.keys() == german.keys()
    assert {key: placeholders(text) for key, text in english.items()} == {
        key: placeholders(text) for key, text in german.items()
    }


@pytest.mark.parametrize("path", ["/nowhere", "/clients/999", "/invoices/TB-2026-06-999", "/invoices/x", "/clients/x"])
def test_what_is_not_there_is_said_to_be(operator: Operator, path: str) -> None:
    answer = operator.get(path)
    assert (answer.status_code, "There is no such page" in answer.text) == (404, True)


@pytest.mark.parametrize("path", ["/clients/99999999999999999999", "/invoices/TB-2026-06-99999999999999999999"])
def test_no_number_is_too_large_to_be_asked_for(operator: Operator, path: str) -> None:
    assert operator.get(path).status_code == 404


# Books


def test_every_token_that_was_reported_has_its_place(office: Office, operator: Operator) -> None:
    rows = {row["month"]: row for row in operator.table("/books", "places")}
    assert rows.keys() == {"2026-06", "2026-07", "2026-08"}
    for row in rows.values():
        assert row["left"] == "0", row
    june = rows["2026-06"]
    assert (june["unbilled"], june["carried"], june["later"]) == ("35", "21", "70"), (
        "the stranger's, client 3's and 5's"
    )
    assert int(rows["2026-07"]["to_send"]) > 0, "the invoice that waits"


def test_without_an_audit_the_books_say_so(operator: Operator) -> None:
    assert "There was no audit yet. tollbridge audit" in operator.page("/books").text


# Revenue


def _sums(office: Office) -> dict[tuple[str, str], list[MonthSum]]:
    found: dict[tuple[str, str], list[MonthSum]] = {}
    for each in office.parts.ledger.sums.of_month():
        found.setdefault((each.month, each.currency), []).append(each)
    return found


def test_revenue_is_what_the_invoices_come_to(office: Office, operator: Operator) -> None:
    shown = {(row["month"], row["currency"]): row for row in operator.table("/revenue", "months")}
    entries = [
        entry
        for month in ("2026-06", "2026-07", "2026-08")
        for page in office.parts.ledger.invoices.pages_of(Month.parse(month))
        for entry in page
        if entry.state == "issued"
    ]
    assert shown.keys() == {(str(entry.month), entry.currency) for entry in entries}
    for (month, code), row in shown.items():
        of = [entry for entry in entries if (str(entry.month), entry.currency) == (month, code)]
        assert Decimal(row["net"]) == sum(entry.subtotal for entry in of)
        assert Decimal(row["total"]) == sum(entry.total for entry in of)
        assert int(row["invoices"]) == len(of)


def test_each_bar_says_its_month_and_amount(operator: Operator) -> None:
    page = operator.page("/revenue")
    euros = {row["month"]: row["net"] for row in operator.table("/revenue", "months") if row["currency"] == "EUR"}
    titles = [
        title.text
        for title in page.one("svg", **{"aria-labelledby": "revenue-EUR-words revenue-EUR-told"}).all("title")
    ]
    assert f"June 2026, Net: {euros['2026-06']} EUR" in titles


# Owed


def test_what_is_owed_is_every_open_invoice_by_its_age(office: Office, operator: Operator) -> None:
    ages = operator.table("/owed", "ages")
    owed = list(office.parts.ledger.finder.owed())
    assert sum(int(row["invoices"]) for row in ages) == len(owed) > 0
    for code in ("USD", "EUR"):
        shown = sum((Decimal(row["owed"]) for row in ages if row["currency"] == code), Decimal(0))
        assert shown == sum((each.total for each in owed if each.currency == code), Decimal(0))
    assert {row["age"] for row in ages} >= {"to_60", "to_30"}


def test_who_never_pays_is_held_and_named(operator: Operator) -> None:
    held = {row["client_id"]: (row["user"], row["reason"]) for row in operator.table("/owed", "held")}
    assert held["2"] == ("suspended", "unpaid invoices")


def test_the_next_steps_come_by_date(operator: Operator) -> None:
    steps = operator.table("/owed", "steps")
    assert [row["day"] for row in steps] == sorted(row["day"] for row in steps)
    assert all(row["day"] > "2026-09-01" for row in steps)


# Clients and invoices


@pytest.mark.parametrize(
    ("text", "found"),
    [("client4", ["4"]), ("CLIENT4@", ["4"]), ("client2@example.com", ["2"]), ("nobody", []), ("%", []), ("_", [])],
)
def test_a_client_is_found_by_number_and_address(operator: Operator, text: str, found: list[str]) -> None:
    assert [row["client_id"] for row in operator.table(f"/clients?q={text.replace('%', '%25')}", "clients")] == found


def test_a_client_has_its_time_line(office: Office, operator: Operator) -> None:
    line = operator.table("/clients/2", "time-line")
    assert len(line) == len(list(office.parts.ledger.lists.events(2)))
    assert any("locked → suspended" in row["changed"] or "suspended" in row["changed"] for row in line)
    assert "tollbridge client 2" in operator.page("/clients/2").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=TB-2026-06-2", {"TB-2026-06-2"}),
        ("q=4", {"TB-2026-06-4", "TB-2026-07-4"}),
        ("month=2026-06&state=unpaid", {"TB-2026-06-2"}),
        ("state=written", {"TB-2026-07-5", "TB-2026-08-5"}),
        ("q=TB-2026-06-2&month=2026-07", set()),
        ("q=nothing", set()),
        ("month=nonsense&q=TB-2026-06-2", {"TB-2026-06-2"}),
    ],
)
def test_an_invoice_is_found(operator: Operator, query: str, found: set[str]) -> None:
    got = {row["reference"] for row in operator.table(f"/invoices?{query}", "invoices")}
    assert found <= got
    if "q=4" not in query:  # the billing system may have given a 4, too
        assert got == found


def test_an_invoice_shows_its_lines_and_what_has_happened(office: Office, operator: Operator) -> None:
    entry = office.parts.ledger.invoices.find(Month(2026, 6), 1)
    assert entry is not None
    lines = operator.table("/invoices/TB-2026-06-1", "lines")
    assert sum(Decimal(row["amount"]) for row in lines) == entry.subtotal
    changed = [row["changed"] for row in operator.table("/invoices/TB-2026-06-1", "time-line")]
    assert changed[0] == "payment: unpaid → paid"
    assert changed[-1].startswith("invoice: written")


def test_pages_of_invoices_follow_each_other(
    office: Office, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tollbridge.server.operator.invoices_sheet.PAGE_ROWS", 2)
    seen, path = [], "/invoices"
    while path:
        page = operator.page(path)
        seen += [row.one("th").text for row in page.one("tbody").all("tr")]
        following = [each for each in page.all("a") if each.text == "Next page"]
        path = following[0]["href"].removeprefix("/operator") if following else ""
    assert seen == [row["reference"] for row in operator.table("/invoices", "invoices")]
    assert len(seen) == len(set(seen))


# Prices


def test_prices_are_those_that_months_are_billed_with(office: Office, operator: Operator) -> None:
    lists = {row["month"]: row["prices"] for row in operator.table("/prices", "lists")}
    kept = {str(month): str(each.prices) for month, each in office.parts.ledger.price_lists.all()}
    assert lists == kept
    assert {"currency": "USD", "token_price": "0.001"} in operator.table("/prices", "now")
