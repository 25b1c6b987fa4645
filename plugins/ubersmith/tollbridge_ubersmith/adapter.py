"""The adapter: each hook as calls of Ubersmith's API."""

import weakref
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

import structlog

from tollbridge import (
    Attempt,
    Check,
    Client,
    Currency,
    Invoice,
    Receipt,
    Refused,
    Signup,
    Terms,
    Unavailable,
    hookimpl,
)
from tollbridge.asking import Kept, Lately, each, made_certain, whole_list
from tollbridge.http import Retry
from tollbridge.reading import Row, records, whole
from tollbridge_ubersmith import clients, invoices, login, taxes
from tollbridge_ubersmith.api import Api, Declined
from tollbridge_ubersmith.checking import check_install, variables
from tollbridge_ubersmith.creation import Creation, found
from tollbridge_ubersmith.settings import UbersmithSettings

# Each line is a call, and a service of its own.
_MOST_LINES = 200
_DECIMALS = 2
_LOOKS = 3
_STORED_AS = "solusio_user_id"

_log = structlog.get_logger("tollbridge_ubersmith")


class UbersmithAdapter:
    """Billing in Ubersmith."""

    Settings = UbersmithSettings
    # One request is under way at a time, each after a renewed claim. To generate an invoice may mean to mail it, too.
    in_doubt_seconds = 120.0
    at_once = 8
    cannot: Mapping[str, str] = {
        "currencies": "Ubersmith does not tell its currency: it is the one in the settings",
        "taxes": "Ubersmith's tax rates have no place: give them in [[pricing.taxes]], by the names they have there",
        "three_decimals": "Ubersmith's amounts have two decimals",
        "prices_include_tax": "Ubersmith only adds tax to prices",
        "negative_lines": "it is not known whether Ubersmith takes a service with a price below zero",
        "pending": "Ubersmith's invoices are unpaid until they are paid",
        "issue_date": "Ubersmith dates an invoice by the day on which it makes it",
        "portal_login_url": "Ubersmith's API has no links into the client area",
    }

    def __init__(self, settings: UbersmithSettings, retry: Retry | None = None) -> None:
        self._settings = settings
        self._api = Api(settings, retry)
        self._rates = Kept(self._read_rates)
        self._fields = Kept(lambda: variables(self._api, settings, "pack"))
        self._rows: Lately[int, Row] = Lately()
        self._told: set[int] = set()
        self._proven: set[str] = set()
        weakref.finalize(self, self._api.http.close)

    @hookimpl
    def client(self, client_id: int) -> Client | None:
        """The client, deactivated or not."""
        row = self._row(client_id)
        return None if row is None else self._client(row, self._exempt(client_id))

    @hookimpl
    def clients(self) -> Iterator[Client | Refused]:
        """All of the brand's clients and leads, from one list, which ``client.count`` must agree with."""
        with whole_list():
            rows = {whole(row, "clientid", "a client"): row for row in self._listed()}
            exempt = self._exempt(None)

        def client(number: int) -> Client | None:
            row = rows[number]
            if clients.is_whole(row):
                return self._client(row, exempt) if clients.is_ours(row, self._settings) else None
            asked = self._row(number)
            return None if asked is None else self._client(asked, exempt)

        yield from each(client, sorted(rows), what="client", at_once=self.at_once)

    @hookimpl
    def currencies(self) -> list[Currency]:
        """Ubersmith does not say."""
        return []

    @hookimpl
    def terms(self, client: Client) -> Terms:
        """The client's discount, if it is in percent; taxes are bridge.toml's. One in money is left out, and told."""
        row = self._rows.get(client.id) or self._row(client.id)
        if row is None:
            raise Refused(f"Ubersmith has no client {client.id}")
        in_money = clients.discount_in_money(row)
        if in_money and client.id not in self._told:
            self._told.add(client.id)
            _log.warning(
                "a discount in money is for each service and cannot be one on tokens, so it is not taken off usage",
                client=client.id,
                discount=f"{in_money:f} {self._settings.currency}",
            )
        return Terms(clients.discounts(row), None)

    @hookimpl
    def create_invoice(self, invoice: Invoice, attempt: Attempt) -> Receipt:
        """A service for each line, an invoice of exactly these, and the invoice read back."""
        self._refuse_what_cannot_be_kept(invoice)
        self._refuse_without_field()
        numbers = self._tax_numbers(invoice) if invoice.taxes else ()
        return Creation(
            self._api, self._settings, invoice.folded(_MOST_LINES), numbers, attempt, proven=self._proven
        ).run()

    @hookimpl
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        """The client's invoice that charges services with this reference, or a draft if there are only services."""
        return found(self._api, self._settings, client_id, reference)

    @hookimpl
    def invoice(self, client_id: int, invoice_id: str) -> Receipt | None:
        """The invoice with this number."""
        row = invoices.read(self._api, client_id, invoice_id)
        return None if row is None else invoices.receipt(row, invoices.reference(row), self._settings)

    @hookimpl
    def invoices_since(self, day: date) -> Iterator[Receipt | Refused]:
        """The bridge's invoices made since then, by the time at which Ubersmith made them."""
        # Half a day early, wherever the installation is; services without an invoice are found when it is created.
        since = datetime.combine(day, time(0), UTC) - timedelta(hours=14)
        yield from self._ours(since=int(since.timestamp()))

    @hookimpl
    def unpaid_invoices(self) -> Iterator[Receipt | Refused]:
        """Every open invoice of the bridge, past its due date or not."""
        yield from self._ours(paid=0)

    @hookimpl
    def check(self) -> list[Check]:
        """What can be found out without writing."""
        return check_install(self._api, self._settings)

    @hookimpl
    def create_client(self, signup: Signup) -> Client:
        """A client who logs in with the address."""
        answer = {"id": login.new_client(self._api, signup, self._settings)}
        return made_certain(
            lambda: self.client(whole(answer, "id", "the new client")), f"Ubersmith's client {answer['id']}"
        )

    @hookimpl
    def authenticate(self, email: str, password: str) -> Client | None:
        """The client whose log-in, or whose contact's, this is."""
        number = login.client_of(self._api, email, password)
        return None if number is None else self.client(number)

    @hookimpl
    def remember_user(self, client_id: int, solus_user_id: int) -> None:
        """The id in the client's custom field or, if none is configured, in the client's storage."""
        field = self._settings.custom_field
        if field is None:
            self._api.write("client.storage_set", client_id=client_id, item=_STORED_AS, value=solus_user_id)
        else:
            self._api.write("client.update", client_id=client_id, **{f"meta_{field}": solus_user_id})

    @hookimpl
    def close(self) -> None:
        """The connections that are kept open."""
        self._api.http.close()

    def _row(self, client_id: int) -> Row | None:
        """``client.get``; None if the list of clients does not have it either, or it is of another brand."""
        try:
            row = self._api.read("client.get", client_id=client_id, allclients=1)
        except Declined as error:
            if error.is_denied or self._is_listed(client_id, error):
                raise
            return None
        if not isinstance(row, dict) or not row:
            return None
        if whole(row, "clientid", "a client") != client_id:
            raise Refused(f"Ubersmith was asked for client {client_id} and gave client {row['clientid']}")
        self._rows.keep(client_id, row)
        return row if clients.is_ours(row, self._settings) else None

    def _is_listed(self, client_id: int, refusal: Declined) -> bool:
        try:
            return bool(records(self._api.read("client.list", client_id=client_id, inactive=2)))
        except Declined as error:
            return not (error.is_none and refusal.is_none)

    def _listed(self) -> list[Row]:
        brand = self._settings.brand_id
        for _ in range(_LOOKS):
            rows = self._api.every("client.list", brand_id=brand, inactive=2, short=0)
            answer = {"count": self._api.read("client.count", brand_id=brand, inactive=2)}
            count = whole(answer, "count", "client.count")
            if count == len(rows):
                return rows
        raise Unavailable(f"Ubersmith counts {count} clients and lists {len(rows)}")

    def _client(self, row: Row, exempt: Collection[int]) -> Client:
        made = clients.client(row, self._settings.currency, exempt)
        self._rows.keep(made.id, row)
        return made

    def _exempt(self, client_id: int | None) -> set[int]:
        """Who pays no tax, among all clients or of this one."""
        rows = self._api.every("client.tax_exemption_list", client_id=client_id, active=1)
        return {number for row in rows if (number := clients.exempted(row)) is not None}

    def _read_rates(self) -> tuple[taxes.Rate, ...]:
        return taxes.rates(self._api.every("uber.tax_rate_list", brand_id=self._settings.brand_id, active=1))

    def _tax_numbers(self, invoice: Invoice) -> tuple[int, ...]:
        """The numbers of the rates that were shown, by what was read a minute ago or, without a match, now."""
        try:
            return taxes.matched(invoice, self._rates.get())
        except Refused:
            return taxes.matched(invoice, self._rates.get(fresh=True))

    def _refuse_what_cannot_be_kept(self, invoice: Invoice) -> None:
        who = invoice.reference
        if invoice.currency != self._settings.currency:
            raise Refused(f"{who} is in {invoice.currency}, and Ubersmith bills in {self._settings.currency} here")
        if any(line.amount < 0 for line in invoice.lines):
            raise Refused(f"{who} has a line below zero, which Ubersmith is not known to take")
        if any(round(line.amount, _DECIMALS) != line.amount for line in invoice.lines):
            raise Refused(f"{who}: Ubersmith keeps two decimals of an amount")

    def _refuse_without_field(self) -> None:
        """Without the custom field services would carry no reference, and nobody could find them again."""
        field = self._settings.reference_field
        if field not in self._fields.get() and field not in self._fields.get(fresh=True):
            raise Refused(f"Ubersmith has no custom field of services with the variable {field}: make it anew")

    def _ours(self, **wanted: object) -> Iterator[Receipt | Refused]:
        """The bridge's invoices of a list; what its rows do not show is asked for by number."""
        with whole_list():
            detailed = self._api.takes("client.invoice_list", "services_details")
            listed = self._api.every(
                "client.invoice_list", brand_id=self._settings.brand_id, services_details=detailed or None, **wanted
            )
            rows = {whole(row, "invid", "an invoice"): row for row in listed}

        def receipt(number: int) -> Receipt | None:
            row: Row | None = rows[number]
            reference = invoices.listed_reference(rows[number])
            if reference is None:
                row = invoices.read(self._api, whole(rows[number], "clientid", "an invoice"), number)
                reference = "" if row is None else invoices.reference(row)
            return invoices.receipt(row, reference, self._settings) if row is not None and reference else None

        yield from each(receipt, sorted(rows), what="invoice", at_once=self.at_once)
