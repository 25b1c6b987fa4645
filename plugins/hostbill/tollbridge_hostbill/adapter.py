"""The adapter: each hook as calls of HostBill's API."""

import weakref
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import structlog

from tollbridge import (
    NOBODY,
    Attempt,
    Check,
    Client,
    Currency,
    Invoice,
    InvoiceStatus,
    NotFound,
    Receipt,
    Refused,
    Signup,
    TaxRate,
    Terms,
    Unavailable,
    hookimpl,
)
from tollbridge.asking import Kept, Lately, each, made_certain, whole_list
from tollbridge.http import Http, Retry
from tollbridge.reading import Row, text, whole
from tollbridge.reference import earliest
from tollbridge_hostbill import clients, drafts, invoices, login, taxes
from tollbridge_hostbill.api import Api, SaidNo, told
from tollbridge_hostbill.checking import check_install
from tollbridge_hostbill.clients import Listed
from tollbridge_hostbill.settings import HostBillSettings

_MOST_LINES = 200  # each is a call of its own

_log = structlog.get_logger("tollbridge_hostbill")


class HostBillAdapter:
    """Billing in HostBill."""

    Settings = HostBillSettings
    # A try at an invoice ends after two minutes, and what it sent last may be done a minute later.
    in_doubt_seconds = drafts.MOST_SECONDS + 60.0
    at_once = 8
    cannot: Mapping[str, str] = {
        "discounts": "HostBill's API tells no discounts of clients or groups: give them in [[pricing.discounts]]",
        "prices_include_tax": "HostBill's taxes must be exclusive: set pricing.prices_include_tax = false",
        "pending": "HostBill's invoices are unpaid until they are paid",
    }

    def __init__(self, settings: HostBillSettings, retry: Retry | None = None) -> None:
        self._settings = settings
        self._api = api = Api(settings, retry)
        self._area = Http(settings.client_area, service="HostBill", ca_file=settings.ca_file, retry=retry)
        secret = settings.autologin_secret
        self._links = login.AutoLogin(self._area, secret, settings.autologin_hash) if secret else None
        if not settings.read_taxes:
            self.cannot = {**self.cannot, "taxes": "read_taxes is false: those of [[pricing.taxes]] apply"}
        self._currencies = Kept(lambda: clients.currencies(api.read("getCurrencies")))
        self._own_rates: Lately[int, tuple[Decimal, ...]] = Lately()
        self._references: Lately[int, str] = Lately()
        self._drafts = Kept(self._drafts_left)
        weakref.finalize(self, _close, api.http, self._area)

    @hookimpl
    def client(self, client_id: int) -> Client | None:
        """The client; a contact is none."""
        row = self._row(client_id)
        return None if row is None else clients.client(row, self._known(row))

    @hookimpl
    def clients(self) -> Iterator[Client | Refused]:
        """All clients; lists lack currency and country, so each one is asked for."""
        with whole_list():
            ids = [whole(row, "id", "a client") for row in self._api.every("getClients", "clients")]
        yield from each(self.client, sorted(ids), what="client", at_once=self.at_once)

    @hookimpl
    def currencies(self) -> list[Currency]:
        """The currencies that are enabled, the main one first."""
        return [one.currency for one in self._currencies.get().values() if one.enabled]

    @hookimpl
    def terms(self, client: Client) -> Terms | None:
        """The taxes of the client: its own rate, or those where it lives; discounts are bridge.toml's."""
        if not self._settings.read_taxes:
            return None
        if client.id == NOBODY:
            raise NotFound("HostBill tells taxes by client only, so none can be told for a country")
        return Terms(None, self._rates(client.id), compound=self._settings.compound_tax)

    @hookimpl
    def create_invoice(self, invoice: Invoice, attempt: Attempt) -> Receipt:
        """The invoice, from a draft that is made now or was left by an earlier try."""
        currency_id, decimals = self._currency(invoice.currency)
        taxes.refuse_what_cannot_be_kept(invoice, decimals)
        draft = self._left(invoice, attempt)
        if draft is not None and invoices.status(draft) != invoices.DRAFT:
            return self._receipt(draft)
        making = drafts.Making(self._api, invoice.folded(_MOST_LINES), attempt, currency_id)
        made = making.make(draft)
        return made_certain(lambda: self._receipt(made), invoice.reference)

    @hookimpl
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        """The client's invoice whose first line begins with the reference; a draft only if there is no other."""
        first = earliest(reference)

        def is_old(row: Row) -> bool:
            return first is not None and invoices.dated_before(row, first)

        with whole_list():
            try:
                of_client = {"id": client_id}
                rows = self._api.every("getClientInvoices", "invoices", of_client, is_old=is_old, uncounted=True)
            except NotFound:  # the client is gone, and nobody can be sent anything any more
                rows = []
        numbers = [whole(row, "id", "an invoice") for row in rows]
        listed = each(self._ours, numbers, what="invoice", at_once=1)
        found = [*_readable(listed), *_readable(self._drafts.get(fresh=True))]
        own = {one.id: one for one in found if (one.client_id, one.reference) == (client_id, reference)}
        issued = [one for one in own.values() if one.status is not InvoiceStatus.DRAFT]
        if len(issued) > 1:
            told = ", ".join(str(one.id) for one in issued)
            raise Refused(
                f"HostBill's invoices {told} all begin with {reference}: take it out of the first line of all but one"
            )
        return next(iter(issued or own.values()), None)

    @hookimpl
    def invoice(self, client_id: int, invoice_id: str) -> Receipt | None:  # noqa: ARG002 - numbers are nobody's own
        """The invoice with this number."""
        row = self._details(int(invoice_id)) if invoice_id.isdecimal() else None
        return None if row is None else self._receipt(row)

    @hookimpl
    def invoices_since(self, day: date) -> Iterator[Receipt | Refused]:
        """The bridge's invoices, from the newest on, down to where they have long been older, and its drafts."""

        def is_old(row: Row) -> bool:
            return invoices.dated_before(row, day)

        with whole_list():
            rows = self._api.every("getInvoices", "invoices", {"list": "all"}, is_old=is_old)
            left = self._drafts.get(fresh=True)
        drafted = {receipt.id for receipt in left if isinstance(receipt, Receipt)}
        yield from left
        yield from self._listed(row for row in rows if whole(row, "id", "an invoice") not in drafted)

    @hookimpl
    def unpaid_invoices(self) -> Iterator[Receipt | Refused]:
        """Every open invoice of the bridge; whose an invoice is does not stand in lists, so each is asked for once."""
        with whole_list():
            rows = self._api.every("getInvoices", "invoices", {"list": "unpaid"})
            rows += self._with_status("Collections")
        yield from self._listed(row for row in rows if invoices.status(row) in invoices.OPEN)

    @hookimpl
    def check(self) -> list[Check]:
        """What can be found out without writing."""
        return check_install(self._api, self._settings)

    @hookimpl
    def create_client(self, signup: Signup) -> Client:
        """A client who logs in with the address; HostBill refuses a second one with the same."""
        currency_id = self._currency(signup.currency)[0] if signup.currency else 0
        number = login.add_client(self._api, signup, currency_id)
        return made_certain(lambda: self.client(number), f"HostBill's client {number}")

    @hookimpl
    def authenticate(self, email: str, password: str) -> Client | None:
        """The client whose log-in this is; a contact's is nobody's here."""
        number = login.verified(self._api, email, password)
        client = None if number is None else self.client(number)
        return client if client is not None and client.email.casefold() == email.casefold() else None

    @hookimpl
    def portal_login_url(self, client_id: int) -> str | None:
        """A link of the Client Auto Login plugin, if its secret is configured."""
        client = self.client(client_id) if self._links else None
        return self._links.link(client.email) if self._links and client else None

    @hookimpl
    def remember_user(self, client_id: int, solus_user_id: int) -> None:
        """The id in the client's registration field, if one is configured."""
        field = self._settings.custom_field
        if field is not None:
            self._api.write("setClientDetails", id=client_id, **{field: solus_user_id})

    @hookimpl
    def close(self) -> None:
        """The connections that are kept open."""
        _close(self._api.http, self._area)

    # Clients

    def _row(self, client_id: int) -> Row | None:
        try:
            row = told(self._api.read("getClientDetails", id=client_id), "client", f"client {client_id}")
        except NotFound:
            return None
        if not isinstance(row, dict) or not row:
            return None
        if clients.number(row) != client_id:
            raise Refused(f"HostBill was asked for client {client_id} and gave client {clients.number(row)}")
        if clients.is_contact(row):
            return None
        rate = clients.own_rate(row)
        self._own_rates.keep(client_id, () if rate is None else (rate,))
        return row

    def _known(self, row: Row) -> Mapping[int, Listed]:
        known = self._currencies.get()
        return known if text(row, "currency_id") in map(str, known) else self._currencies.get(fresh=True)

    def _currency(self, code: str) -> tuple[int, int]:
        """HostBill's number of a currency, and its decimals."""
        for number, listed in self._currencies.get().items():
            if listed.currency.code == code:
                return number, listed.currency.decimals
        raise Refused(f"HostBill has no currency {code}")

    def _rates(self, client_id: int) -> tuple[TaxRate, ...]:
        own = self._own_rates.get(client_id)
        if own is None:
            if self._row(client_id) is None:
                raise NotFound(f"HostBill has no client {client_id}")
            own = self._own_rates.get(client_id) or ()
        if own:
            return tuple(TaxRate("Tax", rate) for rate in own)
        return taxes.rates(self._api.read("getClientTaxDetails", id=client_id), f"client {client_id}")

    # Invoices

    def _details(self, number: int) -> Row | None:
        try:
            answer = self._api.read("getInvoiceDetails", id=number)
        except NotFound:
            return None
        told(answer, "invoice", f"invoice {number}")
        row = invoices.details(answer)
        if row is not None and whole(row, "id", "an invoice") != number:
            raise Refused(f"HostBill was asked for invoice {number} and gave invoice {row['id']}")
        return row

    def _receipt(self, row: Row) -> Receipt:
        reference = invoices.reference(row)
        receipt = invoices.receipt(row, reference, self._currency_of(row))
        if invoices.items(row):  # an empty draft may still get its first line
            self._references.keep(int(receipt.id), reference)
        return receipt

    def _currency_of(self, row: Row) -> Currency | None:
        """The currency of an invoice, if it tells one that is known."""
        listed = self._currencies.get().get(int(number)) if (number := text(row, "currency_id")).isdecimal() else None
        return listed.currency if listed else None

    def _ours(self, number: int) -> Receipt | None:
        """The bridge's invoice with this number; None if it is not the bridge's, or gone.

        Of what is not the bridge's no more than its first line is read: credit notes and old imports have other forms.
        """
        row = None if self._references.get(number) == "" else self._details(number)
        if row is None:
            return None
        if invoices.items(row) and not invoices.reference(row):
            self._references.keep(number, "")
            return None
        receipt = self._receipt(row)
        return receipt if receipt.reference else None

    def _listed(self, rows: Iterable[Row]) -> Iterator[Receipt | Refused]:
        """The bridge's among the rows of a list; of which it is not known lately are asked for by number."""
        by_number = {whole(row, "id", "an invoice"): row for row in rows}

        def receipt(number: int) -> Receipt | None:
            row, reference = by_number[number], self._references.get(number)
            return (invoices.listed(row, reference, self._currency_of(row)) if reference else None) or self._ours(
                number
            )

        return each(receipt, sorted(by_number), what="invoice", at_once=self.at_once)

    def _with_status(self, status: str) -> list[dict[str, Any]]:
        """The rows of a status for which HostBill has no list of its own; none, if it does not know it as a filter.

        Nothing hangs on these: an invoice that is collected is asked for by its number, and a draft is known by it.
        """
        try:
            rows = self._api.every("getInvoices", "invoices", {"list": "all", "filter[status]": status})
        except SaidNo as error:
            _log.warning("HostBill lists no invoices of a status", status=status, reason=str(error))
            return []
        return [row for row in rows if invoices.status(row) == status.lower()]

    def _drafts_left(self) -> list[Receipt | Refused]:
        """The bridge's unfinished drafts, whoever left them; a human's has no reference."""
        with whole_list():
            rows = self._with_status("Draft")
        numbers = [whole(row, "id", "a draft") for row in rows]
        found = each(self._ours, numbers, what="draft", at_once=1)
        return [one for one in found if isinstance(one, Refused) or one.status is InvoiceStatus.DRAFT]

    def _left(self, invoice: Invoice, attempt: Attempt) -> Row | None:
        """What an earlier try left of this invoice: by the number that was kept, else by the reference.

        A draft is the bridge's own if its number was kept and it is empty, or if it carries the reference; any other is
        a human's, even under a number that was kept, as where HostBill's database was restored.
        """
        numbers = [int(attempt.kept)] if attempt.kept.isdecimal() else []
        numbers += [
            int(receipt.id)
            for receipt in self._drafts.get()
            if isinstance(receipt, Receipt) and receipt.reference == invoice.reference
        ]
        for number in numbers:
            row = self._details(number)
            if row is None or whole(row, "client_id", "an invoice") != invoice.client_id:
                continue
            is_empty = invoices.status(row) == invoices.DRAFT and not invoices.items(row)
            if is_empty or invoices.reference(row) == invoice.reference:
                return row
        return None


def _readable(receipts: Iterable[Receipt | Refused]) -> Iterator[Receipt]:
    """The receipts, if all of them can be read: one that cannot be read may be the one that is looked for."""
    for receipt in receipts:
        if isinstance(receipt, Refused):
            raise Unavailable(str(receipt))
        yield receipt


def _close(*connections: Http) -> None:
    for connection in connections:
        connection.close()
