"""Invoices of the simulated Blesta: writing them, finding them, paying them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.plugins.blesta import Api, invoice, served
from tollbridge_blesta.sandbox import Install, Line, Rejected

NOW = datetime(2026, 7, 20, tzinfo=UTC)


@pytest.fixture
def api() -> Iterator[Api]:
    with served(Install(page_size=10)) as api:
        api.install.clock = lambda: NOW
        api.install.add_currency("JPY", 0)
        api.install.add_client("ada@example.com", country="DE")
        yield api


def numbers(api: Api, **arguments: Any) -> list[str]:
    return [row["id"] for row in api.get("invoices/getList", **arguments) or []]


def test_an_invoice_is_written_whole(api: Api) -> None:
    api.install.add_tax("MwSt", "19", country="DE")
    lines = [{"qty": "700", "amount": "0.0071"}, {"description": "Backup", "amount": "1.5", "tax": "false"}]
    fields = {"note_public": "July", "note_private": "TB-2026-07-1", "delivery": ["email"]}
    assert api.post("invoices/add", vars=invoice(1, *lines, **fields)) == "301"
    (row,) = api.install.invoices(1)
    assert [(line.description, line.qty, line.amount, line.tax) for line in row.lines] == [
        ("Server web-1", Decimal(700), Decimal("0.0071"), True),
        ("Backup", Decimal(1), Decimal("1.5"), False),
    ]
    assert (row.date_billed, row.date_due) == (datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC))
    assert (row.note_public, row.note_private, row.delivery, row.date_closed) == (
        "July",
        "TB-2026-07-1",
        ("email",),
        None,
    )
    assert (row.subtotal, row.total, row.due) == (Decimal("6.47"), Decimal("7.41"), Decimal("7.41"))


def test_on_the_wire_columns_are_text_and_computed_amounts_numbers(api: Api) -> None:
    api.post("invoices/add", vars=invoice(1, {"qty": "2"}, note_private="TB-2026-07-1"))
    api.install.pay(301, "5")
    row = api.get("invoices/get", invoice_id=301)
    assert (row["id"], row["client_id"], row["status"], row["currency"]) == ("301", "1", "active", "USD")
    assert (row["date_billed"], row["date_due"], row["date_closed"]) == (
        "2026-07-01 00:00:00", "2026-07-15 00:00:00", None,
    )  # fmt: skip
    assert (row["id_code"], row["note_public"], row["note_private"]) == ("INV-1001", None, "TB-2026-07-1")
    assert (row["subtotal"], row["total"], row["paid"], row["due"]) == (20, 20, 5, 15)
    (line,) = row["line_items"]
    assert (line["description"], line["qty"], line["amount"]) == ("Server web-1", "2.0000", "10.0000")


def test_lists_hold_no_lines_and_with_quirks_no_notes_or_balance(api: Api) -> None:
    api.post("invoices/add", vars=invoice(note_private="TB-2026-07-1"))
    (row,) = api.get("invoices/getList")
    assert "line_items" not in row
    assert (row["note_private"], row["due"]) == ("TB-2026-07-1", 10)
    api.install.change_quirks(lists_without_notes=True, without_balance=True)
    (found,) = api.get("invoices/getList")
    assert not {"note_private", "paid", "due"} & found.keys()
    whole = api.get("invoices/get", invoice_id=301)
    assert "note_private" in whole
    assert not {"paid", "due"} & whole.keys()


def test_computed_amounts_may_be_binary_fractions_that_were_calculated_with(api: Api) -> None:
    api.post("invoices/add", vars=invoice(1, {"amount": "110.11"}))
    assert '"total":110.11,' in api.ask("invoices/get", invoice_id=301).text
    api.install.quirks.float_noise = True
    assert '"total":110.11000000000001,' in api.ask("invoices/get", invoice_id=301).text
    assert api.get("invoices/get", invoice_id=301)["paid"] == 0


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"client_id": "9"}, {"client_id": ["exists"]}),
        ({"client_id": ""}, {"client_id": ["exists"]}),
        ({"currency": "EUR"}, {"currency": ["exists"]}),
        ({"currency": ""}, {"currency": ["exists"]}),
        ({"status": "unpaid"}, {"status": ["format"]}),
        ({"lines": ""}, {"lines": ["empty"]}),
        ({"date_due": "2026-06-30T23:59:59Z"}, {"date_due": ["after_billed"]}),
        ({"date_due": "2026-07-15"}, {"date_due": ["format"]}),
        ({"date_due": "2026-07-15 00:00:00"}, {"date_due": ["format"]}),
        ({"date_billed": "2026-07-32T00:00:00Z"}, {"date_billed": ["format"]}),
        ({"date_billed": ""}, {"date_billed": ["format"]}),
        ({"delivery": ["pigeon"]}, {"delivery": ["exists"]}),
        ({"term": "1"}, {"term": ["sandbox"]}),
        ({"notes": "July"}, {"notes": ["unknown"]}),
    ],
)
def test_an_invoice_that_breaks_a_rule_is_not_written(api: Api, fields: dict[str, Any], errors: dict[str, Any]) -> None:
    assert api.refused("invoices/add", vars=invoice(**{"client_id": 1, **fields})) == errors
    assert api.install.invoices() == []


@pytest.mark.parametrize(
    ("line", "errors"),
    [
        ({"description": ""}, {"lines[][description]": ["empty"]}),
        ({"qty": "0"}, {"lines[][qty]": ["minimum"]}),
        ({"qty": "0.5"}, {"lines[][qty]": ["minimum"]}),
        ({"qty": "many"}, {"lines[][qty]": ["format", "minimum"]}),
        ({"amount": "1,000.00"}, {"lines[][amount]": ["format"]}),
        ({"amount": "1E+2"}, {"lines[][amount]": ["format"]}),
        ({"amount": "0.00001"}, {"lines[][amount]": ["format"]}),
        ({"amount": ""}, {"lines[][amount]": ["format"]}),
        ({"tax": "1"}, {"lines[][tax]": ["format"]}),
        ({"tax": "True"}, {"lines[][tax]": ["format"]}),
        ({"description": {"0": "Server"}}, {"lines[][description]": ["empty", "format"]}),
        ({"price": "1"}, {"lines[][price]": ["unknown"]}),
    ],
)
def test_a_line_that_breaks_a_rule_spoils_the_invoice(api: Api, line: dict[str, Any], errors: dict[str, Any]) -> None:
    assert api.refused("invoices/add", vars=invoice(1, {}, line)) == errors
    assert api.install.invoices() == []


@pytest.mark.parametrize("amount", ["0", "-3.50", "0.0001", "1.50000", "123456789.1234"])
def test_amounts_have_up_to_four_decimals_and_any_sign(api: Api, amount: str) -> None:
    api.post("invoices/add", vars=invoice(1, {"amount": amount}))
    assert api.install.invoices()[0].lines[0].amount == Decimal(amount)


def test_what_is_not_said_to_be_taxed_is_not(api: Api) -> None:
    fields = invoice()
    del fields["lines"][0]["tax"], fields["lines"][0]["qty"], fields["status"]
    api.post("invoices/add", vars=fields)
    assert [(line.tax, line.qty) for line in api.install.invoices()[0].lines] == [(False, Decimal(1))]


@pytest.mark.parametrize(
    "sent",
    ["2026-07-15T02:00:00+02:00", "2026-07-15 00:00:00 UTC", "2026-07-15 00:00:00 +00:00", "2026-07-15T00:00:00Z"],
)
def test_timestamps_are_sent_with_a_zone_and_answered_in_utc_without(api: Api, sent: str) -> None:
    api.post("invoices/add", vars=invoice(date_due=sent))
    assert api.get("invoices/get", invoice_id=301)["date_due"] == "2026-07-15 00:00:00"


def test_without_a_zone_a_timestamp_may_be_taken_for_local_time(api: Api) -> None:
    api.install.quirks.local_timestamps = True
    api.install.settings["timezone"] = "Europe/Berlin"
    api.post("invoices/add", vars=invoice(date_due="2026-07-15 00:00:00"))
    assert api.get("invoices/get", invoice_id=301)["date_due"] == "2026-07-14 22:00:00"


def test_paid_is_closed_and_still_active(api: Api) -> None:
    api.post("invoices/add", vars=invoice())
    assert api.install.pay(301, "9.99").date_closed is None
    assert api.install.pay(301).due == 0
    row = api.get("invoices/get", invoice_id=301)
    assert (row["status"], row["date_closed"], row["due"]) == ("active", "2026-07-20 00:00:00", 0)
    assert (numbers(api), numbers(api, status="closed"), numbers(api, status="active")) == ([], ["301"], ["301"])


def test_only_active_invoices_are_paid_and_only_unpaid_ones_cancelled(api: Api) -> None:
    for status in ("draft", "active"):
        api.post("invoices/add", vars=invoice(status=status))
    with pytest.raises(Rejected, match="draft and cannot be paid"):
        api.install.pay(301)
    api.install.pay(302, "1")
    with pytest.raises(Rejected, match="locked"):
        api.install.void(302)
    assert api.install.void(301).status == "void"
    with pytest.raises(Rejected, match="no invoice 9"):
        api.install.pay(9)


@pytest.fixture
def of_every_status(api: Api) -> Api:
    for status in ("active", "active", "active", "active", "draft", "void", "proforma"):
        api.post("invoices/add", vars=invoice(status=status))
    api.install.set_invoice(302, date_due=NOW)
    api.install.set_invoice(303, date_billed=NOW + timedelta(days=1), date_due=NOW + timedelta(days=2))
    api.install.pay(304)
    return api


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("open", {301, 302, 303}),
        ("past_due", {301}),
        ("closed", {304}),
        ("active", {301, 302, 303, 304}),
        ("pending", {303}),
        ("draft", {305}),
        ("void", {306}),
        ("proforma", {307}),
        ("all", {301, 302, 303, 304, 305, 306, 307}),
        ("unpaid", set()),
        ("", set()),
    ],
)
def test_lists_are_of_one_status(of_every_status: Api, status: str, found: set[int]) -> None:
    assert set(numbers(of_every_status, status=status)) == {str(number) for number in found}
    assert of_every_status.get("invoices/getListCount", status=status) == len(found)


def test_lists_are_of_open_invoices_if_nothing_is_said(of_every_status: Api) -> None:
    assert set(numbers(of_every_status)) == {"301", "302", "303"}
    of_every_status.install.quirks.open_once_billed = True
    assert set(numbers(of_every_status)) == {"301", "302"}


def test_drafts_and_proformas_have_numbers_of_their_own_kind(of_every_status: Api) -> None:
    codes = [of_every_status.get("invoices/get", invoice_id=number)["id_code"] for number in (301, 305, 307)]
    assert codes == ["INV-1001", "DRAFT-1005", "PROFORMA-1007"]


def test_a_reference_is_found_by_a_part_of_a_line_whatever_its_case(api: Api) -> None:
    for reference in ("TB-2026-07-1042", "TB-2026-07-104"):
        api.post("invoices/add", vars=invoice(1, {}, {"description": f"July, {reference}"}))

    def found(line: str, **more: Any) -> list[str]:
        return numbers(api, status="all", filters={"invoice_line": line, **more})

    assert found("tb-2026-07-1042") == ["301"]
    assert found("TB-2026-07-104") == ["301", "302"]
    assert found("TB-2026-08-1042") == []
    assert found("TB-2026-07-104", currency="JPY") == []
    assert found("TB-2026-07-104", invoice_number="INV-1002") == ["302"]
    assert numbers(api, client_id=9, status="all") == []
    assert api.refused("invoices/getList", filters={"line": "TB"}) == {"filters": ["unknown"]}


def test_lists_are_paged_and_sorted_by_due_date(api: Api) -> None:
    for day in range(12):
        due = f"2026-07-{28 - day:02}T00:00:00Z"
        api.post("invoices/add", vars=invoice(date_due=due))
    first, second = (api.get("invoices/getList", page=page) for page in (1, 2))
    assert [row["id"] for row in [*first, *second]] == [str(312 - number) for number in range(12)]
    assert api.get("invoices/getList", page=3) is False
    assert numbers(api, order_by={"id": "asc"})[0] == "301"


def test_the_status_of_an_invoice_something_was_paid_on_is_locked(api: Api) -> None:
    api.post("invoices/add", vars=invoice())
    api.install.pay(301, "1")
    with pytest.raises(Rejected, match="locked"):
        api.install.void(301)


def test_an_install_writes_invoices_without_http(api: Api) -> None:
    number = api.install.add_invoice(1, [Line("Server", "4.90")], note_public="July")
    row = api.install.invoice(number)
    assert row is not None
    assert (row.currency, row.total, row.date_due - row.date_billed) == ("USD", Decimal("4.90"), timedelta(days=14))
    with pytest.raises(Rejected, match="no client 9"):
        api.install.add_invoice(9, [Line("Server", "4.90")])
    with pytest.raises(Rejected, match="at least one line"):
        api.install.add_invoice(1, [])
