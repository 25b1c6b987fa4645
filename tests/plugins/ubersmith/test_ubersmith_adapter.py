"""What the Ubersmith adapter makes of Ubersmith's habits, beyond what the kit asks of every adapter."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import attrs
import httpx
import pytest
from structlog.testing import capture_logs

from tests.plugins.ubersmith.side import QUICK, UbersmithSide
from tollbridge import (
    NOBODY,
    AddressTaken,
    ClientStatus,
    InvoiceLine,
    InvoiceStatus,
    NotFound,
    OutcomeUnknown,
    Receipt,
    Refused,
    Secret,
    Signup,
    TaxRate,
    Terms,
    Unavailable,
)
from tollbridge.adapters.billing import LooseAttempt
from tollbridge.conformance import an_invoice
from tollbridge.conformance.side import MONTH
from tollbridge.fields import FieldError
from tollbridge.http import Answer
from tollbridge.rules.overdue import owed_status
from tollbridge.sandbox import Fault
from tollbridge_ubersmith import UbersmithAdapter
from tollbridge_ubersmith.api import Declined, _data
from tollbridge_ubersmith.sandbox import small_company

VAT = TaxRate("VAT", Decimal(20))
# What Apache answers when PHP died in the middle of a call.
APACHE_503 = (
    "<!DOCTYPE HTML><html><head><title>503 Service Unavailable</title></head><body><p>The server is temporarily unable"
    " to service your request due to maintenance downtime or capacity problems.</p></body></html>"
)
GST, QST = TaxRate("GST", Decimal(5)), TaxRate("QST", Decimal("9.975"))


def sent(side: UbersmithSide, method: str) -> list[dict[str, str]]:
    """The forms of all calls of a method."""
    return [entry.body or {} for entry in side.install.journal.list() if entry.query == f"method={method}"]


def failed_checks(side: UbersmithSide, **settings: Any) -> dict[str, str]:
    """What ``check`` finds wrong, by name."""
    adapter = UbersmithAdapter(attrs.evolve(side.settings(), **settings), QUICK)
    return {check.name: check.detail for check in adapter.check() if check.ok is False}


class TestTaxes:
    """Rates are fractions, have no place, and are attached by number."""

    def test_a_rate_that_was_shown_is_attached_by_its_number_to_taxed_lines_only(self, side: UbersmithSide) -> None:
        side.install.add_rate("Another", "0.2")
        number = side.install.add_rate("VAT", "0.20000000")
        lines = (InvoiceLine("a", 1, Decimal("10.00")), InvoiceLine("b", 1, Decimal("5.00"), taxed=False))
        receipt = side.billing().create_invoice(an_invoice(side.some_client(), lines=lines, taxes=(VAT,)))
        assert receipt.total == Decimal("17.00")
        forms = sent(side, "client.service_add")
        assert [form.get(f"taxes[{number}]") for form in forms] == [str(number), None]
        assert [form.get("taxes[0]") for form in forms] == [None, "0"]

    @pytest.mark.parametrize(
        ("name", "rate", "active"),
        [("VAT", "0.21", True), ("MwSt", "0.2", True), ("VAT", "0.2", False), ("VAT", "20", True)],
        ids=["height", "name", "not_active", "in_percent"],
    )
    def test_without_a_match_it_is_refused_before_anything_is_written(
        self, side: UbersmithSide, name: str, rate: str, active: bool
    ) -> None:
        side.install.add_rate(name, rate, active=active)
        invoice = an_invoice(side.some_client(), taxes=(VAT,))
        before = side.state()
        with pytest.raises(Refused, match=r"no active tax rate VAT 20 %.*add it to the brand"):
            side.billing().create_invoice(invoice)
        assert side.state() == before

    def test_a_rate_that_was_added_a_moment_ago_is_found(self, side: UbersmithSide) -> None:
        billing = side.billing()
        invoice = an_invoice(side.some_client(), taxes=(VAT,))
        with pytest.raises(Refused):
            billing.create_invoice(invoice)
        side.install.add_rate("vat", "0.2")
        assert billing.create_invoice(invoice).total == invoice.total

    @pytest.mark.parametrize(("compound", "total"), [(False, "114.98"), (True, "115.47")])
    def test_two_taxes_are_charged_beside_or_on_each_other_as_was_shown(
        self, side: UbersmithSide, compound: bool, total: str
    ) -> None:
        side.install.add_rate("GST", "0.05")
        side.install.add_rate("QST", "0.09975", include_other=compound)
        invoice = an_invoice(side.some_client(), "100.00", taxes=(GST, QST), compound=compound)
        assert side.billing().create_invoice(invoice).total == Decimal(total) == invoice.total

    @pytest.mark.parametrize("compound", [False, True])
    def test_two_taxes_that_are_charged_otherwise_than_shown_are_refused(
        self, side: UbersmithSide, compound: bool
    ) -> None:
        side.install.add_rate("GST", "0.05")
        side.install.add_rate("QST", "0.09975", include_other=not compound)
        with pytest.raises(Refused, match=r"no active tax rate QST 9\.975 %"):
            side.billing().create_invoice(an_invoice(side.some_client(), "100.00", taxes=(GST, QST), compound=compound))
        assert side.install.services == {}

    def test_older_versions_take_the_same_numbers(self, side: UbersmithSide) -> None:
        side.install.change_quirks(version="4.6.1")
        side.install.add_rate("Another", "0.1")
        side.install.add_rate("VAT", "0.2")
        invoice = an_invoice(side.some_client(), "10.00", taxes=(VAT,))
        assert side.billing().create_invoice(invoice).total == Decimal("12.00")

    def test_a_tax_rounded_for_each_line_is_the_systems_own_and_within_half_a_cent_each(
        self, side: UbersmithSide
    ) -> None:
        side.install.change_quirks(tax_rounding="line")
        side.install.add_rate("VAT", "0.2")
        invoice = an_invoice(side.some_client(), "0.07", "0.07", "0.07", taxes=(VAT,))
        assert invoice.total == Decimal("0.25")
        assert side.billing().create_invoice(invoice).total == Decimal("0.24")


class TestClients:
    """Discounts, exemptions, statuses and brands."""

    def test_a_discount_in_percent_is_told_and_not_taken_off_a_second_time(self, side: UbersmithSide) -> None:
        client = side.some_client()
        side.install.change_client(client.id, discount=Decimal("12.50"))
        terms = side.billing().terms(client, MONTH)
        assert terms is not None
        assert terms.discounts is not None
        assert [(each.multiplier, each.description) for each in terms.discounts] == [
            (Decimal("0.875"), "12.5% discount")
        ]
        assert side.billing().create_invoice(an_invoice(client, "4.90")).total == Decimal("4.90")

    def test_nobody_has_no_discount_and_the_taxes_of_bridge_toml(self, side: UbersmithSide) -> None:
        nobody = attrs.evolve(side.some_client(), id=NOBODY)
        assert side.billing().terms(nobody, MONTH) == Terms((), None)

    def test_a_discount_in_money_is_left_out_and_told(self, side: UbersmithSide) -> None:
        client = side.some_client()
        side.install.change_client(client.id, discount=Decimal("5.00"), discount_type=1)
        billing = side.billing()
        with capture_logs() as logs:
            terms = billing.terms(client, MONTH)
            billing.terms(client, MONTH)
        assert terms is not None
        assert terms.discounts == ()
        [told] = [entry for entry in logs if entry["log_level"] == "warning"]
        assert (told["client"], told["discount"]) == (client.id, "5.00 USD")
        [check] = [each for each in billing.check() if each.name == "Ubersmith clients"]
        assert check.detail == f"1 client; a discount in money is not taken off usage: client {client.id} (5.00)"
        assert billing.create_invoice(an_invoice(client, "4.90")).total == Decimal("4.90")

    def test_a_discount_of_more_than_everything_is_refused_by_name(self, side: UbersmithSide) -> None:
        client = side.some_client()
        side.install.change_client(client.id, discount=Decimal(120))
        with pytest.raises(Refused, match=f"client {client.id} in Ubersmith has a discount of 120 %"):
            side.billing().terms(client, MONTH)

    @pytest.mark.parametrize(("status", "exempt"), [(1, True), (0, False), (-1, False)])
    def test_only_an_active_exemption_exempts(self, side: UbersmithSide, status: int, exempt: bool) -> None:
        client = side.some_client()
        side.install.exempt(client.id, status)
        billing = side.billing()
        assert billing.client(client.id).tax_exempt is exempt
        [listed] = billing.clients()
        assert not isinstance(listed, Refused)
        assert listed.tax_exempt is exempt

    def test_exemptions_that_may_not_be_read_are_not_none(self, side: UbersmithSide) -> None:
        client = side.some_client()
        side.install.change_quirks(forbidden=("client.tax_exemption_list",))
        with pytest.raises(Refused, match=r"permission to call client\.tax_exemption_list"):
            side.billing().client(client.id)
        with pytest.raises(Unavailable):
            list(side.billing().clients())

    def test_deactivated_clients_and_leads_are_there(self, side: UbersmithSide) -> None:
        small_company(side.install)
        billing = side.billing()
        assert [billing.client(number).status for number in (1, 10, 11)] == [
            ClientStatus.ACTIVE, ClientStatus.INACTIVE, ClientStatus.CLOSED,
        ]  # fmt: skip
        assert len(list(billing.clients())) == 30

    def test_clients_of_another_brand_are_nobody(self, side: UbersmithSide) -> None:
        client = side.some_client()
        side.install.change_client(client.id, brand_id=2)
        side.install.brands = [1, 2]
        with pytest.raises(NotFound):
            side.billing().client(client.id)
        assert list(side.billing().clients()) == []

    def test_a_client_that_may_not_be_read_is_not_gone(self, side: UbersmithSide) -> None:
        client = side.some_client()
        for status in (200, 403):
            side.install.change_quirks(forbidden=("client.get",), denied_status=status)
            with pytest.raises(Refused):
                side.billing().client(client.id)

    @pytest.mark.parametrize("kind", ["half_page", "wrong_total", "shuffled_pages"])
    def test_a_list_that_is_not_whole_is_read_again(self, side: UbersmithSide, kind: Any) -> None:
        for number in range(12):
            side.some_client(id=1042 + number, email=f"client{number}@example.com")
        side.install.change_quirks(most_rows=5)
        for skip, method in ((1, "client.list"), (0, "client.count")):
            side.install.faults.add(Fault(kind, path=method, skip=skip))
        assert len(list(side.billing().clients())) == 12

    @pytest.mark.parametrize("method", ["client.list", "client.count"])
    def test_a_list_that_never_adds_up_is_unavailable(self, side: UbersmithSide, method: str) -> None:
        for number in range(4):
            side.some_client(id=1042 + number, email=f"client{number}@example.com")
        kind = "wrong_total" if method == "client.count" else "half_page"
        side.install.faults.add(Fault(kind, path=method, times=None))  # type: ignore[arg-type]
        with pytest.raises(Unavailable):
            list(side.billing().clients())


class TestInvoices:
    """What is sent, and what receipts tell."""

    def test_services_are_charged_once_without_the_clients_discount_and_carry_the_reference(
        self, side: UbersmithSide
    ) -> None:
        client = side.some_client()
        side.install.change_client(client.id, discount=Decimal(10))
        notes = f"TB-2026-07-{client.id}: usage in 2026-06, 2026-07 (June 1, 2026 to July 31, 2026)"
        side.billing().create_invoice(an_invoice(client, "4.90", "2.10", notes=f"{notes}\nThank you."))
        first, second = side.install.services.values()
        for each in (first, second):
            assert (each.period, each.billed, each.cost) == (0, 1, each.price)
        assert {each.metadata["tollbridge_reference"] for each in (first, second)} == {f"TB-2026-07-{client.id}"}
        assert first.description == f"{notes}: web-1, 1 Core: 700 hours = 7 tokens"
        assert second.description == "web-2, 1 Core: 700 hours = 14 tokens"

    def test_receipts_tell_the_months_and_the_sum_of_the_lines(self, side: UbersmithSide) -> None:
        client = side.some_client()
        notes = f"TB-2026-07-{client.id}: usage in 2026-06, 2026-07"
        made = side.billing().create_invoice(an_invoice(client, "4.90", "2.10", notes=notes))
        found = side.billing().find_invoice(client.id, made.reference)
        assert found is not None
        for receipt in (made, found):
            assert (receipt.months, receipt.subtotal) == (("2026-06", "2026-07"), Decimal("7.00"))

    def test_a_disregarded_invoice_is_cancelled_though_its_amount_is_open(self, side: UbersmithSide) -> None:
        client = side.some_client()
        made = side.billing().create_invoice(an_invoice(client))
        side.install.disregard(int(made.id))
        found = side.billing().find_invoice(client.id, made.reference)
        assert found is not None
        assert (found.status, found.is_open) == (InvoiceStatus.CANCELLED, False)
        assert list(side.billing().unpaid_invoices()) == []

    def test_a_payment_in_part_leaves_the_rest(self, side: UbersmithSide) -> None:
        client = side.some_client()
        made = side.billing().create_invoice(an_invoice(client, "4.90"))
        side.install.pay(int(made.id), Decimal("4.00"))
        [open_one] = side.billing().unpaid_invoices()
        assert isinstance(open_one, Receipt)
        assert (open_one.balance, open_one.is_open) == (Decimal("0.90"), True)

    def test_a_fraction_of_yen_is_told_as_it_is_and_by_check_before_the_first_invoice(
        self, side: UbersmithSide
    ) -> None:
        """Ubersmith keeps two decimals of yen, too: 313 and a tenth are 344.30, and what is shown is 344."""
        client = side.some_client("JPY")
        side.install.add_rate("Consumption Tax", "0.1")
        [told] = [check.detail for check in side.billing().check() if check.name == "Ubersmith currency"]
        assert "may come to 344.30 where 344 is shown" in told
        taxes = (TaxRate("Consumption Tax", Decimal(10)),)
        made = side.billing().create_invoice(an_invoice(client, "313", taxes=taxes))
        side.install.pay(int(made.id), Decimal(344))
        [open_one] = side.billing().unpaid_invoices()
        assert isinstance(open_one, Receipt)
        assert (open_one.total, open_one.balance) == (Decimal("344.30"), Decimal("0.30"))
        assert owed_status(open_one, 0) is InvoiceStatus.PAID, "so nobody is locked for it"

    @pytest.mark.parametrize(
        ("timezone", "due"),
        [
            (None, datetime(2026, 8, 15, 12, tzinfo=UTC)),
            ("America/New_York", datetime(2026, 8, 15, 16, tzinfo=UTC)),
            ("Asia/Tokyo", datetime(2026, 8, 15, 3, tzinfo=UTC)),
        ],
    )
    def test_an_invoice_is_due_at_noon_in_the_installations_zone(
        self, side: UbersmithSide, timezone: str | None, due: datetime
    ) -> None:
        side.timezone = timezone
        receipt = side.billing().create_invoice(an_invoice(side.some_client()))
        assert side.install.invoices[int(receipt.id)].due == due
        assert receipt.due_date == date(2026, 8, 15)

    def test_a_due_date_that_is_not_set_is_told_and_not_one_of_1970(self, side: UbersmithSide) -> None:
        billing = side.billing()
        first, second = (billing.create_invoice(an_invoice(side.some_client(id=each))) for each in (1, 2))
        side.install.change_invoice(int(first.id), due=datetime(1970, 1, 1, tzinfo=UTC))
        unset, read = billing.unpaid_invoices()
        assert isinstance(unset, Refused)
        assert "has no due date" in str(unset)
        assert isinstance(read, Receipt)
        assert read.id == second.id
        side.install.pay(int(first.id))
        paid = billing.invoice(1, str(first.id), first.reference)
        assert paid is not None
        assert paid.status is InvoiceStatus.PAID

    def test_a_due_date_that_a_human_moved_is_the_day_there(self, side: UbersmithSide) -> None:
        side.timezone = "Asia/Tokyo"
        receipt = side.billing().create_invoice(an_invoice(side.some_client()))
        side.install.change_invoice(int(receipt.id), due=datetime(2026, 8, 20, 15, tzinfo=UTC))
        found = side.billing().find_invoice(receipt.client_id, receipt.reference)
        assert found is not None
        assert found.due_date == date(2026, 8, 21)

    @pytest.mark.parametrize(
        ("version", "send", "mailed"),
        [("5.0.3", False, False), ("5.0.3", True, True), ("4.6.1", False, True), ("4.6.1", True, True)],
    )
    def test_invoices_are_mailed_only_where_that_is_wanted_or_cannot_be_helped(
        self, side: UbersmithSide, version: str, send: bool, mailed: bool
    ) -> None:
        side.install.change_quirks(version=version, refuse_unknown=True)
        settings = attrs.evolve(side.settings(), send_invoices=send)
        client = side.some_client()
        adapter = UbersmithAdapter(settings, QUICK)
        adapter.create_invoice(an_invoice(client), LooseAttempt())
        assert [invoice.mailed for invoice in side.install.invoices.values()] == [mailed]
        [told] = [check.detail for check in adapter.check() if check.name == "Ubersmith mail"]
        assert ("no invoice is mailed" in told) == (not mailed)

    def test_an_invoice_in_another_currency_is_refused(self, side: UbersmithSide) -> None:
        client = side.some_client()
        with pytest.raises(Refused, match="is in EUR, and Ubersmith bills in USD here"):
            side.billing().create_invoice(an_invoice(client, currency="EUR"))
        assert side.install.services == {}

    def test_an_invoice_with_very_many_lines_is_summed_up(self, side: UbersmithSide) -> None:
        client = side.some_client()
        receipt = side.billing().create_invoice(an_invoice(client, *["1.00"] * 250))
        assert receipt.total == Decimal("250.00")
        assert len(side.the_invoice().lines) == 199
        assert "52 more items" in side.the_invoice().lines[-1].description

    def test_invoices_that_show_their_services_in_the_list_are_not_asked_for_one_by_one(
        self, side: UbersmithSide
    ) -> None:
        client = side.some_client()
        side.billing().create_invoice(an_invoice(client))
        side.install.add_service(client.id, "Dedicated server", "100.00")
        side.install.generate(client.id)
        side.install.load.clear()
        assert len(list(side.billing().unpaid_invoices())) == 1
        assert "client.invoice_get" not in side.install.load.calls

    def test_a_payment_while_the_list_is_read_hides_no_other_invoice(self, side: UbersmithSide) -> None:
        """A row that leaves the list moves all others up by one place."""
        client = side.some_client()
        billing = side.billing()
        made = [billing.create_invoice(an_invoice(client, month=f"2026-0{month}")) for month in range(1, 9)]
        side.install.change_quirks(most_rows=5)
        calls: list[Any] = []
        adapter = side.adapter()
        send = adapter._api.http.request

        def paying(*arguments: Any, **fields: Any) -> Any:
            answer = send(*arguments, **fields)
            if fields["params"]["method"] == "client.invoice_list" and not calls:
                calls.append(side.install.pay(int(made[0].id)))
            return answer

        adapter._api.http.request = paying  # type: ignore[method-assign]
        listed = [each.reference for each in adapter.unpaid_invoices() if isinstance(each, Receipt)]
        assert listed == [each.reference for each in made[1:]]


class TestAnswers:
    """Answers that mean "come again", and those that say who may not."""

    @pytest.mark.parametrize("method", ["client.service_add", "client.invoice_generate", "client.get"])
    def test_an_updating_token_is_waited_out_for_writing_calls_too(self, side: UbersmithSide, method: str) -> None:
        client = side.some_client()
        adapter = side.adapter()
        send = adapter._api.http.request

        def updating(*arguments: Any, **fields: Any) -> Any:
            if fields["params"]["method"] == method and not side.install.load.calls.get(method):
                side.install.change_quirks(updating_token=1)
            return send(*arguments, **fields)

        adapter._api.http.request = updating  # type: ignore[method-assign]
        assert adapter.client(client.id) == client
        adapter.create_invoice(an_invoice(client), LooseAttempt())
        assert side.the_invoice().total == Decimal("4.90")
        assert side.install.load.calls[method] == 2
        assert len(side.install.services) == 1

    def test_a_token_that_is_never_renewed_is_unavailable(self, side: UbersmithSide) -> None:
        side.install.change_quirks(updating_token=99)
        with pytest.raises(Unavailable, match="it renews its token, or is down for maintenance"):
            side.billing().client(1)

    def test_a_web_servers_page_that_speaks_of_maintenance_proves_nothing(self, side: UbersmithSide) -> None:
        client = side.some_client()
        adapter = side.adapter()
        send = adapter._api.http._client.send

        def cut_off(request: httpx.Request) -> httpx.Response:
            answer = send(request)
            is_first = request.url.params["method"] == "client.service_add" and len(side.install.services) == 1
            return httpx.Response(503, html=APACHE_503, request=request) if is_first else answer

        adapter._api.http._client.send = cut_off  # type: ignore[method-assign, assignment]
        with pytest.raises(OutcomeUnknown, match="answered 503"):
            adapter.create_invoice(an_invoice(client), LooseAttempt())
        assert len(side.install.services) == 1
        side.billing().create_invoice(an_invoice(client))
        assert len(side.install.services) == 1
        assert side.the_invoice().total == Decimal("4.90")

    def test_maintenance_before_anything_is_written_is_no_doubt(self, side: UbersmithSide) -> None:
        client = side.some_client()
        with side.outage(), pytest.raises(Unavailable) as told:
            side.billing().create_invoice(an_invoice(client))
        assert not isinstance(told.value, OutcomeUnknown)

    def test_lists_that_may_not_be_read_are_not_one_record_that_cannot_be(self, side: UbersmithSide) -> None:
        side.some_client()
        for method in ("uber.method_get", "client.invoice_list", "client.list", "client.count"):
            side.install.change_quirks(forbidden=(method,))
            hook = "clients" if method in {"client.list", "client.count"} else "unpaid_invoices"
            with pytest.raises(Unavailable, match=method):
                list(getattr(side.billing(), hook)())

    def test_a_client_called_maintenance_is_a_client(self, side: UbersmithSide) -> None:
        client = side.some_client(company="Maintenance Ltd")
        assert side.billing().client(client.id).company == "Maintenance Ltd"

    @pytest.mark.parametrize("status", [200, 401])
    def test_a_wrong_token_is_told_as_that_by_every_hook(self, side: UbersmithSide, status: int) -> None:
        side.install.change_quirks(login_status=status)
        adapter = UbersmithAdapter(attrs.evolve(side.settings(), token=Secret("wrong-token")), QUICK)
        for ask in (
            lambda: adapter.client(1),
            lambda: adapter.authenticate("client-01@example.com", "password-01"),
            lambda: adapter.find_invoice(1, "TB-2026-07-1"),
        ):
            with pytest.raises((Refused, Unavailable), match="look at user and token"):
                ask()
        assert all("look at user and token" in check.detail for check in adapter.check() if check.ok is False)

    @pytest.mark.parametrize("content", ['{"data": 1}', "[]", '{"status": "perhaps"}', '{"status": true}'])
    def test_an_answer_that_says_neither_yes_nor_no_is_none(self, side: UbersmithSide, content: str) -> None:
        with pytest.raises(Unavailable):
            _data(Answer("Ubersmith", 200, content.encode()), "client.get")

    @pytest.mark.parametrize(
        ("said", "is_none"),
        [
            ("Client ID '7' not found.", True),
            ("No clients found.", True),
            ("No matching records found.", True),
            ("Invalid client_id specified.", True),
            ("Invoice 9 does not exist", True),
            ("Resource [client.billing] not found", False),
            ("invalid method: client.tax_exemption_list", False),
            ("You do not have permission to view clients: no clients found", False),
            ("Database error", False),
        ],
    )
    def test_only_words_that_name_what_is_missing_mean_that_there_is_none(self, said: str, is_none: bool) -> None:
        assert Declined("client.list", "1", said).is_none is is_none


class TestPeople:
    """Log-ins of clients and contacts, and of nobody else."""

    @pytest.fixture(autouse=True)
    def company(self, side: UbersmithSide) -> None:
        small_company(side.install)

    def test_a_contact_logs_in_for_its_client(self, side: UbersmithSide) -> None:
        client = side.billing().authenticate("contact@example.com", "password-contact")
        assert client is not None
        assert client.id == 1

    def test_a_client_logs_in_by_its_address_whatever_its_name_there(self, side: UbersmithSide) -> None:
        side.install.change_client(3, login="three")
        client = side.billing().authenticate("client-03@example.com", "password-03")
        assert client is not None
        assert client.id == 3

    def test_staff_is_nobody(self, side: UbersmithSide) -> None:
        side.install.staff["boss@example.com"] = "password-boss"
        assert side.billing().authenticate("boss@example.com", "password-boss") is None

    def test_who_took_the_address_of_another_for_a_name_is_not_that_other(self, side: UbersmithSide) -> None:
        side.install.change_client(3, login="three")
        side.install.change_client(4, login="client-03@example.com")
        assert side.billing().authenticate("client-03@example.com", "password-04") is None

    @pytest.mark.parametrize("shape", ["flag", "object"])
    def test_a_second_factor_is_told_as_that(self, side: UbersmithSide, shape: str) -> None:
        side.install.change_quirks(two_factor=shape)
        side.install.change_client(3, two_factor=True)
        side.install.add_contact(4, "second@example.com", "password-second", two_factor=True)
        for email, password in (("client-03@example.com", "password-03"), ("second@example.com", "password-second")):
            with pytest.raises(Refused, match="has two-factor authentication in Ubersmith"):
                side.billing().authenticate(email, password)
        assert side.billing().authenticate("client-03@example.com", "wrong") is None

    def test_where_a_second_factor_is_not_told_nobody_logs_in(self, side: UbersmithSide) -> None:
        side.install.change_quirks(version="4.6.1")
        with pytest.raises(Refused, match="does not tell whether somebody has a second factor"):
            side.billing().authenticate("client-03@example.com", "password-03")
        assert side.billing().authenticate("client-03@example.com", "wrong") is None

    def test_who_may_not_check_log_ins_is_told_so(self, side: UbersmithSide) -> None:
        side.install.change_quirks(forbidden=("uber.check_login",))
        with pytest.raises(Refused, match=r"permission to call uber\.check_login"):
            side.billing().authenticate("client-03@example.com", "password-03")

    def test_passwords_are_not_in_the_journal(self, side: UbersmithSide) -> None:
        billing = side.billing()
        billing.authenticate("client-03@example.com", "password-03")
        billing.create_client(Signup("new@example.com", currency="USD", password="password-new"))
        told = str(side.install.journal.list())
        assert "password-03" not in told
        assert "password-new" not in told

    def test_an_address_that_somebody_logs_in_by_is_taken(self, side: UbersmithSide) -> None:
        side.install.change_client(4, login="new@example.com")
        for email in ("new@example.com", "contact@example.com", "client-11@example.com"):
            with pytest.raises(AddressTaken):
                side.billing().create_client(Signup(email, currency="USD", password="password-new"))
        assert len(side.install.clients) == 30

    def test_nobody_signs_up_in_another_currency(self, side: UbersmithSide) -> None:
        with pytest.raises(Refused, match=r"bills in USD here, and new@example\.com wants EUR"):
            side.billing().create_client(Signup("new@example.com", currency="EUR"))

    def test_the_solusio_user_is_kept_in_the_field_or_else_in_storage(self, side: UbersmithSide) -> None:
        side.billing().remember_user(3, 42)
        assert side.install.clients[3].storage == {"solusio_user_id": "42"}
        side.field = "solusid"
        side.billing().remember_user(3, 43)
        assert side.install.clients[3].metadata == {"solusid": "43"}


class TestCheck:
    """What is wrong is found before the first invoice."""

    def test_all_is_well_in_either_version(self, side: UbersmithSide) -> None:
        small_company(side.install)
        for version in ("5.0.3", "4.6.1"):
            side.install.change_quirks(version=version)
            assert failed_checks(side, custom_field="solusid") == {}

    @pytest.mark.parametrize(
        ("settings", "name", "words"),
        [
            (
                {"reference_field": "other"},
                "Ubersmith reference field",
                "no custom field of services with the variable",
            ),
            ({"custom_field": "other"}, "Ubersmith custom field", "no custom field of clients with the variable other"),
            ({"brand_id": 7}, "Ubersmith brand", "brand_id 7 is not one of 1"),
            ({"currency": "KWD"}, "Ubersmith currency", "KWD has 3 decimals, and Ubersmith keeps two"),
        ],
    )
    def test_a_setting_that_does_not_fit_is_named(
        self, side: UbersmithSide, settings: dict[str, Any], name: str, words: str
    ) -> None:
        assert words in failed_checks(side, **settings)[name]

    def test_without_a_brand_there_may_be_only_one(self, side: UbersmithSide) -> None:
        assert failed_checks(side, brand_id=None) == {}
        side.install.brands = [1, 2]
        assert "say in brand_id which one bills in USD" in failed_checks(side, brand_id=None)["Ubersmith brand"]

    @pytest.mark.parametrize("status", [200, 403])
    @pytest.mark.parametrize(
        "method",
        [
            "client.list",
            "client.invoice_list",
            "client.invoice_generate",
            "client.service_list",
            "client.service_add",
            "client.service_deactivate",
            "client.storage_set",
            "client.tax_exemption_list",
            "uber.tax_rate_list",
            "uber.brand_list",
            "uber.metadata_field_list",
            "uber.method_get",
        ],
    )
    def test_a_permission_that_is_missing_is_found(self, side: UbersmithSide, method: str, status: int) -> None:
        side.some_client()
        side.install.change_quirks(forbidden=(method,), denied_status=status)
        before = side.state()
        assert any(method in words for words in failed_checks(side).values())
        assert side.state() == before

    def test_what_cannot_be_proved_is_told_as_that(self, side: UbersmithSide) -> None:
        side.install.faults.add(Fault("lost", path="client.service_add"))
        unproved = [check.name for check in side.billing().check() if check.ok is None]
        assert unproved == [
            f"Ubersmith method {name}" for name in ("client.service_add", "client.add", "uber.check_login")
        ]

    def test_a_list_that_is_not_limited_by_the_reference_is_told(self, side: UbersmithSide) -> None:
        side.install.add_service(side.some_client().id, "Dedicated server", "100.00")
        side.install.change_quirks(metadata_filter=False)
        [told] = [check.detail for check in side.billing().check() if check.name == "Ubersmith services"]
        assert "not limited by tollbridge_reference, so all of a client's are read" in told

    def test_services_that_do_not_show_the_reference_stop_everything(self, side: UbersmithSide) -> None:
        client = side.some_client()
        side.billing().create_invoice(an_invoice(client))
        side.install.change_quirks(metadata_filter=False, metadata="plain")
        side.install.fields["pack"] = ["tollbridge_reference", "other"]
        adapter = UbersmithAdapter(attrs.evolve(side.settings(), reference_field="hidden"), QUICK)
        with pytest.raises(Unavailable, match="comes without its custom fields"):
            adapter.find_invoice(client.id, "TB-2026-07-1042")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("currency", "usd"),
        ("currency", "US Dollar"),
        ("timezone", "Nowhere/Land"),
        ("reference_field", "my field"),
        ("custom_field", ""),
        ("user", "a:b"),
        ("url", "http://billing.example.com/"),
    ],
)
def test_a_setting_that_cannot_be_right_is_refused_at_start(side: UbersmithSide, field: str, value: str) -> None:
    with pytest.raises(FieldError, match=field):
        attrs.evolve(side.settings(), **{field: value})  # type: ignore[arg-type]
