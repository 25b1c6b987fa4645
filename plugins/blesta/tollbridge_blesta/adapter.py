"""The adapter: each hook as calls of Blesta's API."""

import weakref
from collections.abc import Iterator, Mapping
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs
import structlog

from tollbridge import (
    NOBODY,
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
from tollbridge.reading import Row, flag, text, whole
from tollbridge_blesta import clients, invoices, login, taxes
from tollbridge_blesta.api import Api
from tollbridge_blesta.checking import check_install
from tollbridge_blesta.settings import BlestaSettings

# Each line takes four form fields, and PHP silently drops all beyond a thousand (max_input_vars).
_MOST_LINES = 200

_log = structlog.get_logger("tollbridge_blesta")


class BlestaAdapter:
    """Billing in Blesta."""

    Settings = BlestaSettings
    in_doubt_seconds = 60.0
    at_once = 8
    cannot: Mapping[str, str] = {
        "discounts": "Blesta's coupons belong to packages: give discounts in [[pricing.discounts]]",
        "pending": "Blesta's invoices are open until they are paid",
        "set_taxes": "Blesta charges by its own rules, and an invoice that was shown with other taxes is refused",
    }

    def __init__(self, settings: BlestaSettings, retry: Retry | None = None) -> None:
        self.password_url = f"{settings.url.rstrip('/')}/client/login/reset/"
        self._settings = settings
        self._api = Api(settings, retry)
        company = settings.company_id
        self._company = Kept(lambda: clients.settings(self._api.read("companies/getSettings", company_id=company)))
        self._groups = Kept(lambda: clients.group_names(self._api.read("client_groups/getAll", company_id=company)))
        self._currencies = Kept(lambda: clients.currencies(self._api.read("currencies/getAll", company_id=company)))
        self._taxed_by: Lately[int, tuple[taxes.Rule, ...]] = Lately()
        weakref.finalize(self, self._api.http.close)

    @hookimpl
    def client(self, client_id: int) -> Client | None:
        """The client, with its settings."""
        row = self._row(client_id)
        return None if row is None else self._client(row)

    @hookimpl
    def clients(self) -> Iterator[Client | Refused]:
        """All of the company's clients; lists lack the settings, so each one is asked for."""
        ids: set[int] = set()
        with whole_list():
            for status in clients.STATUSES:
                rows = self._api.every("clients", status=status, filters={"company_id": self._settings.company_id})
                ids.update(whole(row, "id", "a client") for row in rows)
        yield from each(self.client, sorted(ids), what="client", at_once=self.at_once)

    @hookimpl
    def currencies(self) -> list[Currency]:
        """The company's currencies."""
        return [*self._currencies.get()]

    @hookimpl
    def terms(self, client: Client) -> Terms:
        """The taxes where the client lives, exempt or not; discounts are bridge.toml's."""
        found = self._rules(client)
        return Terms(None, tuple(rule.rate for rule in found), compound=self._cascades())

    @hookimpl
    def create_invoice(self, invoice: Invoice) -> Receipt:
        """The invoice, in one call, and read back."""
        found = self._rules_shown(invoice) if invoice.taxes else ()
        invoice = invoice.folded(_MOST_LINES)
        amounts = taxes.entered_amounts(invoice, found, cascade=self._cascades())
        fields = invoices.new_invoice(invoice, amounts, self._zone(), send=self._settings.send_invoices)
        invoice_id = self._api.write("invoices/add", vars=fields)

        def read() -> Receipt | None:
            row = self._invoice(whole({"id": invoice_id}, "id", f"the new invoice for {invoice.reference}"))
            if row is None or whole(row, "client_id", "the new invoice") != invoice.client_id:
                return None
            if invoices.reference(row) != invoice.reference:
                _log.warning("Blesta lost the reference", reference=invoice.reference, invoice=row["id"])
            receipt = invoices.receipt(row, invoice.reference, self._zone())
            as_sent = invoices.entered(row) == sum(amounts)
            return attrs.evolve(receipt, subtotal=invoice.subtotal if as_sent else invoices.entered(row))

        return made_certain(read, invoice.reference)

    @hookimpl
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        """The client's invoice one of whose lines carries the reference."""
        listed = self._api.every("invoices", client_id=client_id, status="all", filters={"invoice_line": reference})
        rows = [self._invoice(whole(row, "id", "an invoice")) for row in listed]
        found = [row for row in rows if row is not None and invoices.refers_to(row, reference)]
        found = [row for row in found if whole(row, "client_id", "an invoice") == client_id]
        if len(found) > 1:
            numbers = ", ".join(text(row, "id") for row in found)
            raise Refused(f"Blesta's invoices {numbers} all carry {reference} in a line: take it out of all but one")
        return invoices.receipt(found[0], reference, self._zone()) if found else None

    @hookimpl
    def invoice(self, client_id: int, invoice_id: str) -> Receipt | None:  # noqa: ARG002 - numbers are nobody's own
        """The invoice with this number."""
        row = self._invoice(invoice_id)
        return None if row is None else invoices.receipt(row, invoices.reference(row), self._zone())

    @hookimpl
    def invoices_since(self, day: date) -> Iterator[Receipt | Refused]:
        """The bridge's invoices, from the newest on, down to where they have long been older."""
        zone = self._zone()
        arguments = {"client_id": None, "status": "all", "filters": {"invoice_line": invoices.ANY_REFERENCE}}
        with whole_list():
            rows = self._api.newest("invoices", lambda row: invoices.billed_before(row, day, zone), **arguments)
        yield from self._ours({whole(row, "id", "an invoice"): row for row in rows})

    @hookimpl
    def unpaid_invoices(self) -> Iterator[Receipt | Refused]:
        """Every open invoice of the bridge, past its due date or not."""
        filters = {"invoice_line": invoices.ANY_REFERENCE}
        rows: dict[int, Row] = {}
        with whole_list():
            for status in invoices.OPEN:
                listed = self._api.every("invoices", client_id=None, status=status, filters=filters)
                rows |= {whole(row, "id", "an invoice"): row for row in listed}
        yield from self._ours(rows)

    @hookimpl
    def check(self) -> list[Check]:
        """What can be found out without writing."""
        return check_install(self._api, self._settings, self._company.get(fresh=True))

    @hookimpl
    def create_client(self, signup: Signup) -> Client:
        """A user and a client, who logs in with the address; Blesta's own registration message is not sent."""
        group = self._settings.client_group or min(self._groups.get(fresh=True), default=0)
        language = self._company.get().get("language", "")
        if login.is_taken(self._api, signup.email):
            raise AddressTaken(f"Blesta has a user with the address {signup.email}")
        made = self._api.write("clients/create", vars=login.new_client(signup, group, language))
        answer = made if isinstance(made, dict) else {"id": made}
        return made_certain(
            lambda: self.client(whole(answer, "id", "the new client")), f"Blesta's client {answer.get('id')}"
        )

    @hookimpl
    def authenticate(self, email: str, password: str) -> Client | None:
        """The client whose log-in this is."""
        user_id = login.user_of(self._api, email, password)
        row = None if user_id is None else self._api.read("clients/getByUserId", user_id=user_id)
        client = self.client(whole(row, "id", "a client")) if isinstance(row, dict) else None
        return client if client is not None and client.email.casefold() == email.casefold() else None

    @hookimpl
    def portal_login_url(self, client_id: int) -> str | None:
        """A Shared Login link, if the plugin's key is configured."""
        key = self._settings.shared_login_key
        row = self._row(client_id) if key else None
        if key is None or row is None:
            return None
        return login.shared_login_url(self._settings.url, key, login.username(self._api, row))

    @hookimpl
    def remember_user(self, client_id: int, solus_user_id: int) -> None:
        """The id in the client's custom field, if one is configured."""
        field = self._settings.custom_field
        if field is not None:
            self._api.write("clients/setCustomField", field_id=field, client_id=client_id, value=solus_user_id)

    @hookimpl
    def close(self) -> None:
        """The connections that are kept open."""
        self._api.http.close()

    def _row(self, client_id: int) -> Row | None:
        row = self._api.read("clients/get", client_id=client_id, get_settings=True)
        if not isinstance(row, dict) or not row:
            return None
        if whole(row, "id", "a client") != client_id:
            raise Refused(f"Blesta was asked for client {client_id} and gave client {row['id']}")
        company = text(row, "company_id")
        return row if company in {"", str(self._settings.company_id)} else None

    def _client(self, row: Row) -> Client:
        own = clients.settings(row.get("settings"))
        if not clients.is_whole(own):
            own = {**own, **clients.settings(self._api.read("clients/getSettings", client_id=row["id"]))}
        groups = self._groups.get()
        if text(row, "client_group_id") and whole(row, "client_group_id", "a client") not in groups:
            groups = self._groups.get(fresh=True)
        return clients.client(row, own, groups)

    def _rules(self, client: Client) -> tuple[taxes.Rule, ...]:
        """The tax rules in force where the client lives."""
        settings = self._company.get()
        if "enable_tax" in settings and not flag(settings, "enable_tax", "Blesta's company"):
            return ()
        if client.tax_exempt or client.id == NOBODY:
            place = {"company_id": self._settings.company_id, "country": client.country, "state": client.state}
            return taxes.rules(self._api.read("invoices/getTaxRulesByLocation", **place))
        found = taxes.rules(self._api.read("invoices/getTaxRules", client_id=client.id))
        self._taxed_by.keep(client.id, found)
        return found

    def _rules_shown(self, invoice: Invoice) -> tuple[taxes.Rule, ...]:
        """The rules of the last ten minutes, if they are what the customer was shown; else those of now."""
        lately = self._taxed_by.get(invoice.client_id)
        if lately is not None and taxes.are_shown(lately, invoice, cascade=self._cascades()):
            return lately
        client = self.client(invoice.client_id)
        if client is None:
            raise NotFound(f"Blesta has no client {invoice.client_id}")
        return self._rules(client)

    def _cascades(self) -> bool:
        return flag(self._company.get(), "cascade_tax", "Blesta's company")

    def _zone(self) -> ZoneInfo:
        name = self._company.get().get("timezone") or "UTC"
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise Refused(f"Blesta's company has the time zone {name}, which is not known here") from None

    def _invoice(self, invoice_id: int | str) -> Row | None:
        row = self._api.read("invoices/get", invoice_id=invoice_id)
        return row if isinstance(row, dict) and row else None

    def _ours(self, rows: Mapping[int, Row]) -> Iterator[Receipt | Refused]:
        """The bridge's among the rows of a list; what such a row does not tell is asked for by number."""

        def receipt(number: int) -> Receipt | None:
            if reference := invoices.listed_reference(rows[number]):
                return invoices.receipt(rows[number], reference, self._zone())
            row = self._invoice(number)
            reference = "" if row is None else invoices.reference(row)
            return invoices.receipt(row, reference, self._zone()) if row is not None and reference else None

        return each(receipt, sorted(rows), what="invoice", at_once=self.at_once)
