"""``GetClients``, ``GetClientsDetails``, ``AddClient`` and ``UpdateClient``."""

import re
from collections.abc import Callable
from typing import Any

from tollbridge_whmcs_like.sandbox.api.calls import Call
from tollbridge_whmcs_like.sandbox.install import Install
from tollbridge_whmcs_like.sandbox.places import country_name, phone_code, state_code, state_name
from tollbridge_whmcs_like.sandbox.problems import InstallError
from tollbridge_whmcs_like.sandbox.records import Client, User
from tollbridge_whmcs_like.sandbox.serialized import read_map
from tollbridge_whmcs_like.sandbox.wire import Document, Flag, Markup, Money, Rows, Written

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_REQUIRED = {
    "firstname": "You did not enter your first name",
    "lastname": "You did not enter your last name",
    "address1": "You did not enter your address line 1",
    "city": "You did not enter your city",
    "state": "You did not enter your state",
    "postcode": "You did not enter your postcode",
    "country": "Valid country required",
    "phonenumber": "You did not enter your phone number",
}
_COLUMNS = {
    "firstname": "first_name",
    "lastname": "last_name",
    "companyname": "company",
    "email": "email",
    "address1": "address1",
    "address2": "address2",
    "city": "city",
    "state": "state",
    "postcode": "postcode",
    "country": "country",
    "phonenumber": "phone",
    "tax_id": "tax_id",
    "language": "language",
    "notes": "notes",
    "paymentmethod": "payment_method",
}
_ORDERS: dict[str, Callable[[Client], Any]] = {
    "id": lambda client: client.id,
    "firstname": lambda client: client.first_name.casefold(),
    "lastname": lambda client: client.last_name.casefold(),
    "companyname": lambda client: client.company.casefold(),
    "email": lambda client: client.email.casefold(),
    "groupid": lambda client: client.group_id,
    "datecreated": lambda client: client.created_at.date(),
    "status": lambda client: client.status,
}
ADD_FIELDS = (*_COLUMNS, "owner_user_id", "password2", "securityqid", "securityqans", "currency", "groupid",
              "customfields", "clientip", "marketingoptin", "noemail", "skipvalidation")  # fmt: skip
UPDATE_FIELDS = (*ADD_FIELDS, "clientid", "clientemail", "status", "taxexempt", "separateinvoices", "latefeeoveride",
                 "overideduenotices", "disableautocc", "overrideautoclose", "email_preferences", "clearcreditcard",
                 "credit")  # fmt: skip


def get_clients(call: Call) -> Document:
    """Rows by first name unless another order is asked for; the order by id is not the one WHMCS begins with."""
    install, fields = call.install, call.fields
    status = fields.text("status").casefold()
    rows = [
        client
        for client in install.clients
        if call.matches(client.email, client.first_name, client.last_name, client.full_name, client.company)
        and status in {"", client.status.casefold()}
    ]
    asked = fields.text("orderby").lower() if install.quirks.since(8, 2) else ""
    rows.sort(key=_ORDERS.get(asked, _ORDERS["firstname"]), reverse=fields.text("sorting").upper() == "DESC")
    shown, counts = call.page(rows)
    return {**counts, "clients": Rows("client", [_row(client) for client in shown])}


def _row(client: Client) -> Document:
    return {
        "id": client.id,
        "firstname": client.first_name,
        "lastname": client.last_name,
        "companyname": client.company,
        "email": client.email,
        "datecreated": client.created_at.date().isoformat(),
        "groupid": client.group_id,
        "status": client.status,
    }


def get_clients_details(call: Call) -> Document:
    """One client, by ``clientid`` or ``email``."""
    install, fields = call.install, call.fields
    client_id, email = fields.number("clientid"), fields.text("email")
    if not fields.text("clientid") and not email:
        raise InstallError("Either clientid Or email Is Required")
    client = install.client(client_id) if fields.text("clientid") else install.client_by_email(email)
    details = _details(install, client)
    answer: Document = {**details} if install.quirks.client_at_top_level else {}
    answer["client"] = details
    return answer


def _details(install: Install, client: Client) -> Document:
    owner = install.user(client.owner_id)
    custom = [{"id": key, "value": client.custom_fields.get(key, "")} for key in install.custom_fields]
    details: Document = {
        "client_id": client.id,
        "owner_user_id": client.owner_id,
        "userid": client.id,
        "id": client.id,
        "uuid": client.uuid,
        "firstname": client.first_name,
        "lastname": client.last_name,
        "fullname": client.full_name,
        "companyname": client.company,
        "email": client.email,
        "address1": client.address1,
        "address2": client.address2,
        "city": client.city,
        "fullstate": state_name(client.country, client.state),
        "state": client.state,
        "postcode": client.postcode,
        "countrycode": client.country,
        "country": client.country,
        "phonenumber": client.phone,
        "tax_id": client.tax_id,
        "email_preferences": {
            kind: Flag(True, "text") for kind in ("general", "invoice", "support", "product", "domain", "affiliate")
        },
        "statecode": state_code(client.country, client.state),
        "countryname": country_name(client.country),
        "phonecc": phone_code(client.country),
        "phonenumberformatted": f"+{phone_code(client.country)}.{client.phone}",
        "telephoneNumber": f"+{phone_code(client.country)}.{client.phone}",
        "billingcid": 0,
        "notes": client.notes,
        "currency": install.currency(client.currency).id,
        "defaultgateway": client.payment_method,
        "groupid": client.group_id,
        "status": client.status,
        "credit": Money(client.credit),
        "taxexempt": Flag(client.tax_exempt),
        "latefeeoveride": Flag(False),
        "overideduenotices": Flag(False),
        "separateinvoices": Flag(False),
        "disableautocc": Flag(False),
        "emailoptout": Flag(False),
        "marketing_emails_opt_in": Flag(False),
        "overrideautoclose": Flag(False),
        "allowSingleSignOn": Flag(client.single_sign_on, "number"),
        "email_verified": Flag(True),
        "language": client.language,
        "isOptedInToMarketingEmails": Flag(False),
        "lastlogin": _last_login(owner),
        "currency_code": client.currency,
        "customfields": custom,
        **{f"customfields{place}": field["value"] for place, field in enumerate(custom, 1)},
    }
    if install.quirks.since(8, 0):
        name = f"{owner.first_name} {owner.last_name}".strip()
        row = {"id": owner.id, "name": name, "email": owner.email, "is_owner": Flag(True)}
        details["users"] = Rows("user", [row])
    else:
        del details["owner_user_id"]
    return details


def _last_login(owner: User) -> Markup:
    if owner.last_login is None:
        return Markup("No Login Logged")
    return Markup(f"Date: {owner.last_login:%d/%m/%Y %H:%M}<br>IP Address: 127.0.0.1<br>Host: localhost")


def add_client(call: Call) -> Document:
    """A new client, and, without ``owner_user_id``, a new user who owns it."""
    install, fields = call.install, call.fields
    owner = fields.number("owner_user_id") if install.quirks.since(8, 0) and fields.text("owner_user_id") else None
    _check_new(call, owner)
    if owner is not None and owner not in {user.id for user in install.users}:
        raise InstallError("Invalid Owner User ID")
    email = fields.text("email")
    if owner is None and any(user.email.casefold() == email.casefold() for user in install.users):
        raise InstallError("A user already exists with that email address")
    if any(client.email.casefold() == email.casefold() for client in install.clients):
        raise InstallError("The email address entered is not available for use.")
    changes = {"currency": install.currencies[0].code, **_changes(call)}
    custom = _custom(call)
    client_id = install.add_client(**changes, password=fields.text("password2"), user_id=owner)
    install.set_custom_fields(client_id, custom)
    return {"clientid": Written(client_id)}


def _check_new(call: Call, owner: int | None) -> None:
    fields = call.fields
    if not fields.text("email"):
        raise InstallError("You did not enter your email address")
    if not _EMAIL.fullmatch(fields.text("email")):
        raise InstallError("The email address you entered was not valid")
    if owner is None and not fields.text("password2"):
        raise InstallError("You did not enter a password")
    if fields.flag("skipvalidation"):
        return
    for name, message in _REQUIRED.items():
        if not fields.text(name).strip():
            raise InstallError(message)
    if not re.fullmatch("[A-Z]{2}", fields.text("country")):
        raise InstallError(_REQUIRED["country"])


def update_client(call: Call) -> Document:
    """Change what was sent, and nothing else."""
    install, fields = call.install, call.fields
    try:
        if fields.text("clientid"):
            client = install.client(fields.number("clientid"))
        else:
            client = install.client_by_email(fields.text("clientemail"))
    except InstallError:
        raise InstallError("Client ID Not Found") from None
    changes = _changes(call)
    if not _EMAIL.fullmatch(changes.get("email", client.email)):
        raise InstallError("The email address entered is not valid")
    if "status" in fields.values:
        changes["status"] = fields.text("status")
    if "taxexempt" in fields.values:
        changes["tax_exempt"] = fields.flag("taxexempt")
    if install.quirks.validates_updates and not fields.flag("skipvalidation"):
        for name, message in _REQUIRED.items():
            column = _COLUMNS[name]
            if not str(changes.get(column, getattr(client, column))).strip():
                raise InstallError(message)
    custom = _custom(call)
    install.set_client(client.id, **changes)
    install.set_custom_fields(client.id, custom)
    return {"clientid": Written(client.id)}


def _changes(call: Call) -> dict[str, Any]:
    """The fields that adding and updating have in common, as the record names them."""
    install, fields = call.install, call.fields
    changes: dict[str, Any] = {column: fields.text(name) for name, column in _COLUMNS.items() if fields.given(name)}
    if fields.text("currency"):
        codes = {currency.id: currency.code for currency in install.currencies}
        if fields.number("currency") not in codes:
            raise InstallError(f"There is no currency {fields.text('currency')}")
        changes["currency"] = codes[fields.number("currency")]
    if fields.given("groupid"):
        changes["group_id"] = fields.number("groupid")
    if changes.get("payment_method") and changes["payment_method"] not in install.payment_methods:
        raise InstallError(f"Invalid Payment Method. Valid options include {','.join(install.payment_methods)}")
    return changes


def _custom(call: Call) -> dict[int, str]:
    text = call.fields.text("customfields")
    return read_map(text) if text else {}
