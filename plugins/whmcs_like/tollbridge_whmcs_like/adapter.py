"""The adapter: each hook as calls of WHMCS's classic API."""

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import structlog

from tollbridge import (
    AddressTaken,
    Check,
    Client,
    Currency,
    Invoice,
    NotFound,
    Receipt,
    Refused,
    Signup,
    Terms,
    hookimpl,
)
from tollbridge.asking import Kept, Lately, each, made_certain, whole_list
from tollbridge.http import Retry
from tollbridge.reading import Row, carries, mentions, records, reference_in, whole
from tollbridge.reference import earliest
from tollbridge_whmcs_like import clients, invoices
from tollbridge_whmcs_like.api import Api
from tollbridge_whmcs_like.checking import check_install
from tollbridge_whmcs_like.login import clients_of_login, has_client, new_client
from tollbridge_whmcs_like.php import custom_fields
from tollbridge_whmcs_like.settings import WhmcsSettings
from tollbridge_whmcs_like.taxes import TaxSettings, tax_rates

# Each line takes three form fields, and PHP silently drops all beyond a thousand (max_input_vars).
_MOST_LINES = 300
# Where a new invoice is looked for first: somebody may have made another one for the client meanwhile.
_NEWEST = 5

_log = structlog.get_logger("tollbridge_whmcs_like")


class WhmcsAdapter:
    """Billing in WHMCS."""

    Settings = WhmcsSettings
    in_doubt_seconds = 60.0
    at_once = 8
    cannot: Mapping[str, str] = {
        "taxes": "WHMCS's API does not tell its tax rules: give them in [[pricing.taxes]]",
        "three_decimals": "WHMCS keeps amounts with two decimals",
    }

    def __init__(self, settings: WhmcsSettings, retry: Retry | None = None) -> None:
        self.password_url = f"{settings.url.rstrip('/')}/index.php?rp=/password/reset"
        self._settings = settings
        self._api = Api(settings, retry)
        self._currencies = Kept(lambda: clients.currencies_by_id(self._api.read("GetCurrencies")))
        self._groups = Kept(lambda: clients.groups_by_id(self._api.read("GetClientGroups")))
        self._taxes = Kept(lambda: TaxSettings.read(self._api))
        self._currency_of: Lately[int, str] = Lately()
        weakref.finalize(self, self._api.http.close)

    @hookimpl
    def client(self, client_id: int) -> Client | None:
        """The client, from its details."""
        row = self._details(client_id)
        return None if row is None else self._client(row)

    @hookimpl
    def clients(self) -> Iterator[Client | Refused]:
        """All clients; the list itself has neither currency nor tax, so each one's details are asked for."""
        with whole_list():
            rows = self._api.every("GetClients", "clients", "client", orderby="id")
            ids = [whole(row, "id", "a client") for row in rows]
        yield from each(self.client, ids, what="client", at_once=self.at_once)

    @hookimpl
    def currencies(self) -> list[Currency]:
        """Every currency of the install."""
        return [*self._currencies.get().values()]

    @hookimpl
    def terms(self, client: Client) -> Terms:
        """The group's discount; taxes are bridge.toml's."""
        return Terms(clients.discounts(client, self._groups.get().values()), taxes=None)

    @hookimpl
    def create_invoice(self, invoice: Invoice) -> Receipt:
        """The invoice, in one call, with the tax rates that the customer was shown, and read back."""
        self._refuse_other_currency(invoice)
        taxes = self._taxes.get()
        taxes.refuse_other_mode(invoice)
        fields = invoices.fields(invoice.folded(_MOST_LINES), tax_rates(invoice, cascades=taxes.cascades))
        if self._settings.payment_method:
            fields["paymentmethod"] = self._settings.payment_method
        if self._settings.send_invoices:
            fields["sendinvoice"] = 1
        answer = self._api.write("CreateInvoice", "invoiceid", **fields)
        return self._read_back(answer, invoice)

    @hookimpl
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        """The client's invoice whose notes carry the reference, among those that are not too old for it.

        There is no search, so they are read from the newest on.
        """
        limit = earliest(reference)
        rows = self._newest_first(limit, userid=client_id)
        rows = [row for row in rows if whole(row, "userid", "an invoice") == client_id]
        found = [row for row in rows if carries(invoices.notes(row), reference)]
        unsure = found if len(found) > 1 else [row for row in rows if mentions(invoices.notes(row), reference)]
        if len(found) > 1 or (unsure and not found):
            numbers = ", ".join(str(row["id"]) for row in unsure)
            raise Refused(
                f"WHMCS has {reference} in the notes of invoice {numbers}: let exactly one have it, at the beginning of"
                f" a line"
            )
        return self._receipt(found[0], reference) if found else None

    @hookimpl
    def invoice(self, client_id: int, invoice_id: str) -> Receipt | None:  # noqa: ARG002 - numbers are nobody's own
        """The invoice with this number."""
        try:
            row = self._api.read("GetInvoice", invoiceid=invoice_id)
        except NotFound:
            return None
        return self._receipt(row, reference_in(invoices.notes(row)))

    @hookimpl
    def invoices_since(self, day: date) -> Iterator[Receipt | Refused]:
        """The bridge's among all invoices, from the newest on, down to the page on which they are older."""
        yield from self._ours(self._newest_first(day))

    @hookimpl
    def unpaid_invoices(self) -> Iterator[Receipt | Refused]:
        """Every open invoice of the bridge, each once; of one whose status changes meanwhile the later one."""
        with whole_list():
            rows = {
                whole(row, "id", "an invoice"): row
                for status in invoices.OPEN
                for row in self._invoices(status=status, order="asc")
            }
        yield from self._ours(rows.values())

    @hookimpl
    def check(self) -> list[Check]:
        """What can be found out without writing."""
        return check_install(self._api, self._settings, self._taxes.get(fresh=True))

    @hookimpl
    def create_client(self, signup: Signup) -> Client:
        """A client, without WHMCS's own welcome message."""
        by_code = {currency.code: number for number, currency in self._currencies.get().items()}
        fields = new_client(signup, by_code)
        try:
            answer = self._api.write("AddClient", "clientid", **fields)
        except Refused as error:
            if has_client(self._api, signup.email):
                raise AddressTaken(str(error)) from None
            raise
        return made_certain(
            lambda: self.client(whole(answer, "clientid", "the new client")), f"WHMCS's client {answer['clientid']}"
        )

    @hookimpl
    def authenticate(self, email: str, password: str) -> Client | None:
        """The client that the user with these credentials owns."""
        found = clients_of_login(self._api, email, password)
        same = [row for row in found if clients.words(row, "email").casefold() == email.casefold()]
        if len(found) > 1 and len(same) != 1:
            raise Refused(f"{email} owns {len(found)} clients in WHMCS: which of them is meant is not known")
        chosen = same or found
        return self._client(chosen[0]) if chosen else None

    @hookimpl
    def portal_login_url(self, client_id: int) -> str | None:
        """A link into the client area's invoices, for one use within a minute."""
        fields = {"client_id": client_id, "destination": "clientarea:invoices"}
        return str(self._api.write("CreateSsoToken", "redirect_url", **fields)["redirect_url"])

    @hookimpl
    def remember_user(self, client_id: int, solus_user_id: int) -> None:
        """The id in the client's custom field, if one is configured."""
        if self._settings.custom_field is not None:
            fields = custom_fields({self._settings.custom_field: str(solus_user_id)})
            # Clients are not complete in every field that WHMCS asks for, least of all those who sign up here.
            self._api.write("UpdateClient", "clientid", clientid=client_id, customfields=fields, skipvalidation=1)

    @hookimpl
    def close(self) -> None:
        """The connections that are kept open."""
        self._api.http.close()

    def _invoices(self, until: Callable[[Row], bool] | None = None, **fields: Any) -> list[dict[str, Any]]:
        return self._api.every("GetInvoices", "invoices", "invoice", until=until, orderby="id", **fields)

    def _newest_first(self, day: date | None, **fields: Any) -> list[dict[str, Any]]:
        """The invoices made since that day, in whatever zone WHMCS counts it, and maybe some that are older."""
        limit = None if day is None else day - timedelta(days=1)
        with whole_list():
            return self._invoices(
                lambda row: limit is not None and invoices.made_before(row, limit), order="desc", **fields
            )

    def _ours(self, rows: Iterable[Row]) -> Iterator[Receipt | Refused]:
        for row in rows:
            try:
                if reference := reference_in(invoices.notes(row)):
                    yield self._receipt(row, reference)
            except Refused as error:
                yield error

    def _receipt(self, row: Row, reference: str) -> Receipt:
        return invoices.receipt(row, reference, included=self._taxes.get().included)

    def _refuse_other_currency(self, invoice: Invoice) -> None:
        """Raise Refused if WHMCS would make it in another currency, by what it said in the last ten minutes."""
        if self._currency_of.get(invoice.client_id) == invoice.currency:
            return
        client = self.client(invoice.client_id)
        if client is None:
            raise NotFound(f"WHMCS has no client {invoice.client_id}")
        if client.currency != invoice.currency:
            raise Refused(
                f"{invoice.reference} is in {invoice.currency}, and WHMCS would make it {client.currency}, which is"
                f" client {client.id}'s currency now"
            )

    def _details(self, client_id: int) -> Row | None:
        try:
            row = clients.details(self._api.read("GetClientsDetails", clientid=client_id))
        except NotFound:
            return None
        if clients.client_id(row) != client_id:
            raise Refused(f"WHMCS was asked for client {client_id} and gave client {clients.client_id(row)}")
        return row

    def _client(self, row: Row) -> Client:
        currencies = {} if row.get("currency_code") else self._currencies.get()
        number = clients.group_id(row)
        groups = self._groups.get() if number else {}
        if number and number not in groups:
            groups = self._groups.get(fresh=True)
        client = clients.client(row, currencies, groups)
        self._currency_of.keep(client.id, client.currency)
        return client

    def _read_back(self, answer: Row, invoice: Invoice) -> Receipt:
        """What WHMCS made of the invoice. Its id is proof that it did, even if the notes were lost on the way."""

        def read() -> Receipt | None:
            row = self._made(whole(answer, "invoiceid", "the new invoice"), invoice.client_id)
            if not carries(invoices.notes(row), invoice.reference):
                _log.warning("WHMCS lost the reference", reference=invoice.reference, invoice=answer["invoiceid"])
            receipt = self._receipt(row, invoice.reference)
            return receipt if receipt.client_id == invoice.client_id else None

        return made_certain(read, invoice.reference)

    def _made(self, invoice_id: int, client_id: int) -> Row:
        """A new invoice: among the client's newest it comes with its currency, by its number without."""
        fields = {"userid": client_id, "orderby": "id", "order": "desc", "limitnum": _NEWEST}
        newest = self._api.read("GetInvoices", **fields)
        for row in records(newest.get("invoices"), "invoice"):
            if whole(row, "id", "an invoice") == invoice_id:
                return row
        return self._api.read("GetInvoice", invoiceid=invoice_id)
