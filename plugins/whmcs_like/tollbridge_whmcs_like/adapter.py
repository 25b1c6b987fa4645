"""The adapter: each hook as calls of WHMCS's classic API."""

import weakref
from collections.abc import Iterator, Mapping

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
from tollbridge.asking import Kept, each, made_certain
from tollbridge.http import Retry
from tollbridge.reading import Row, carries, mentions, reference_in, whole
from tollbridge_whmcs_like import clients, invoices
from tollbridge_whmcs_like.api import Api
from tollbridge_whmcs_like.checking import check_install
from tollbridge_whmcs_like.login import clients_of_login, has_client, new_client
from tollbridge_whmcs_like.php import custom_fields
from tollbridge_whmcs_like.settings import WhmcsSettings
from tollbridge_whmcs_like.taxes import TaxSettings, tax_rates

# Each line takes three form fields, and PHP silently drops all beyond a thousand (max_input_vars).
_MOST_LINES = 300

_log = structlog.get_logger("tollbridge_whmcs_like")


class WhmcsAdapter:
    """Billing in WHMCS."""

    Settings = WhmcsSettings
    in_doubt_seconds = 60.0
    token_price_decimals = 4
    cannot: Mapping[str, str] = {
        "taxes": "WHMCS's API does not tell its tax rules: give them in [[pricing.taxes]]",
        "three_decimals": "WHMCS keeps amounts with two decimals",
    }

    def __init__(self, settings: WhmcsSettings, retry: Retry | None = None) -> None:
        self._settings = settings
        self._api = Api(settings, retry)
        self._currencies = Kept(lambda: clients.currencies_by_id(self._api.read("GetCurrencies")))
        self._groups = Kept(lambda: clients.groups_by_id(self._api.read("GetClientGroups")))
        self._taxes = Kept(lambda: TaxSettings.read(self._api))
        weakref.finalize(self, self._api.http.close)

    @hookimpl
    def client(self, client_id: int) -> Client | None:
        """The client, from its details."""
        row = self._details(client_id)
        return None if row is None else self._client(row)

    @hookimpl
    def clients(self) -> Iterator[Client | Refused]:
        """All clients; the list itself has neither currency nor tax, so each one's details are asked for."""
        rows = self._api.every("GetClients", "clients", "client", orderby="id")
        ids = [whole(row, "id", "a client") for row in rows]
        yield from each(self.client, ids)

    @hookimpl
    def currencies(self) -> list[Currency]:
        """Every currency of the install."""
        return [*self._currencies.get(fresh=True).values()]

    @hookimpl
    def terms(self, client: Client) -> Terms:
        """The group's discount; taxes are bridge.toml's."""
        return Terms(clients.discounts(client, self._groups.get().values()), taxes=None)

    @hookimpl
    def create_invoice(self, invoice: Invoice) -> Receipt:
        """The invoice, in one call, with the tax rates that the customer was shown, and read back."""
        client = self.client(invoice.client_id)
        if client is None:
            raise NotFound(f"WHMCS has no client {invoice.client_id}")
        if client.currency != invoice.currency:
            raise Refused(
                f"{invoice.reference} is in {invoice.currency}, and WHMCS would make it {client.currency}, which is"
                f" client {client.id}'s currency now"
            )
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
        """The client's invoice whose notes carry the reference: there is no search, so all of them are read."""
        rows = self._api.every("GetInvoices", "invoices", "invoice", userid=client_id, orderby="id", order="desc")
        rows = [row for row in rows if whole(row, "userid", "an invoice") == client_id]
        found = [row for row in rows if carries(invoices.notes(row), reference)]
        unsure = found if len(found) > 1 else [row for row in rows if mentions(invoices.notes(row), reference)]
        if len(found) > 1 or (unsure and not found):
            numbers = ", ".join(str(row["id"]) for row in unsure)
            raise Refused(
                f"WHMCS has {reference} in the notes of invoice {numbers}: let exactly one have it, at the beginning of"
                f" a line"
            )
        return invoices.receipt(found[0], reference) if found else None

    @hookimpl
    def unpaid_invoices(self) -> Iterator[Receipt | Refused]:
        """Every open invoice of the bridge, each once; of one whose status changes meanwhile the later one."""
        rows = {
            whole(row, "id", "an invoice"): row
            for status in invoices.OPEN
            for row in self._api.every("GetInvoices", "invoices", "invoice", status=status, orderby="id", order="asc")
        }
        for row in rows.values():
            try:
                if reference := reference_in(invoices.notes(row)):
                    yield invoices.receipt(row, reference)
            except Refused as error:
                yield error

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
            self._api.write("UpdateClient", "clientid", clientid=client_id, customfields=fields)

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
        return clients.client(row, currencies, groups)

    def _read_back(self, answer: Row, invoice: Invoice) -> Receipt:
        """What WHMCS made of the invoice. Its id is proof that it did, even if the notes were lost on the way."""

        def read() -> Receipt | None:
            row = self._api.read("GetInvoice", invoiceid=whole(answer, "invoiceid", "the new invoice"))
            if not carries(invoices.notes(row), invoice.reference):
                _log.warning("WHMCS lost the reference", reference=invoice.reference, invoice=answer["invoiceid"])
            receipt = invoices.receipt(row, invoice.reference)
            return receipt if receipt.client_id == invoice.client_id else None

        return made_certain(read, invoice.reference)
