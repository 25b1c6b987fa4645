"""Calls about clients."""

from decimal import Decimal

from tollbridge_hostbill.sandbox.api.calls import CREDENTIALS, Call
from tollbridge_hostbill.sandbox.records import Client, InstallError
from tollbridge_hostbill.sandbox.wire import Document, Real

_CLIENT_FILTERS = {
    "firstname": "first_name",
    "lastname": "last_name",
    "companyname": "company",
    "email": "email",
    "country": "country",
    "status": "status",
}


def get_clients(call: Call) -> Document:
    """Rows without currency and country; contacts are not among them."""
    wanted, quirks = call.filters, call.install.quirks
    fields = [name for name in wanted if name not in _CLIENT_FILTERS]
    if unknown := [name for name in fields if name not in call.install.registration_fields]:
        raise InstallError(f"getClients has no filter {', '.join(unknown)}")
    usable = {name: value for name, value in wanted.items() if name in {*_CLIENT_FILTERS, *quirks.searchable_fields}}

    def fits(client: Client) -> bool:
        values = {**client.fields, **{name: getattr(client, key) for name, key in _CLIENT_FILTERS.items()}}
        return all(value.casefold() in values.get(name, "").casefold() for name, value in usable.items())

    rows = [client for client in call.install.clients if not client.parent_id and fits(client)]
    return call.page(rows, _client_row, "clients")


def _client_row(client: Client) -> Document:
    return {
        "id": client.id,
        "firstname": client.first_name,
        "lastname": client.last_name,
        "datecreated": client.created_at.date(),
        "email": client.email,
        "companyname": client.company,
        "services": Real(0),
    }


def get_client_details(call: Call) -> Document:
    """Everything of a client, with the hash of its password, as HostBill has it."""
    client = call.install.client(call.whole("id"))
    empty = dict.fromkeys(call.install.registration_fields, "")
    return {
        "client": {
            "id": client.id,
            "client_id": client.id,
            "email": client.email,
            "password": "$2y$10$sandboxsandboxsandbox",
            "status": client.status,
            "firstname": client.first_name,
            "lastname": client.last_name,
            "companyname": client.company,
            "country": client.country,
            "state": client.state,
            "currency_id": client.currency_id,
            "group_id": 1 if client.group_name else 0,
            "group_name": client.group_name,
            "taxexempt": client.tax_exempt,
            "taxrateoverride": client.own_rate is not None,
            "taxrate": client.own_rate or Decimal(0),
            "credit": client.credit,
            "company": bool(client.company),
            "language": client.language,
            "parent_id": client.parent_id,
            "lastlogin": "0000-00-00 00:00:00",
            "privileges": None,
            **empty,
            **client.fields,
        }
    }


def get_client_tax_details(call: Call) -> Document:
    """The rates of the client's place, by level; what it is for an exempt client is not documented."""
    client = call.install.client(call.whole("id"))
    told = call.install.quirks.exempt_rates if client.tax_exempt else "rates"
    rules = [] if told == "none" else call.install.rules_for(client)
    levels = {
        f"L{rule.level}": {
            "name": rule.name,
            "rate": Decimal(0) if told == "zero" else rule.rate,
            "country": rule.country,
            "state": rule.state,
            "applyto": "all",
        }
        for rule in rules
    }
    return {"taxes": levels or []}


def add_client(call: Call) -> Document:
    """A new client."""
    install = call.install
    if call.text("password") != call.text("password2"):
        raise InstallError("Passwords do not match")
    currency_id = call.whole("currency_id", "0")
    if currency_id not in install.currencies:
        raise InstallError("Unknown currency")
    key = install.add_client(
        call.text("email"),
        currency=install.currencies[currency_id].iso,
        password=call.text("password"),
        first_name=call.text("firstname", ""),
        last_name=call.text("lastname", ""),
        company=call.text("companyname", ""),
        country=call.text("country", "US"),
    )
    return {"client_id": key, "info": ["Client profile has been created"]}


def set_client_details(call: Call) -> Document:
    """Registration fields, by their codes; others are left out here."""
    client = call.install.client(call.whole("id"))
    changes = {name: value for name, value in call.fields.items() if name not in {*CREDENTIALS, "id"}}
    if unknown := [name for name in changes if name not in call.install.registration_fields]:
        raise InstallError(f"setClientDetails has no {', '.join(unknown)} here")
    call.install.set_client(client.id, fields={**client.fields, **changes})
    return {"info": ["Client details updated"]}


def verify_client_login(call: Call) -> Document:
    """Whose password it is, and whether there is a second factor; a contact has one, too."""
    client = call.install.log_in(call.text("email"), call.text("password"))
    return {"client_id": client.id, "mfa_status": Real(int(client.second_factor))}
