"""clients: reading them, finding them, making them."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from tollbridge_blesta.sandbox.api.calls import Call, Form
from tollbridge_blesta.sandbox.api.paging import Columns, page_of
from tollbridge_blesta.sandbox.problems import Complaints, rejected
from tollbridge_blesta.sandbox.records import Client

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_FIELDS = {
    "username", "new_password", "confirm_password", "recovery_email", "client_group_id", "status", "first_name",
    "last_name", "title", "company", "email", "address1", "address2", "city", "state", "zip", "country", "numbers",
    "custom", "settings", "send_registration_email", "send_registration_message",
}  # fmt: skip
_SETTINGS = {"default_currency", "language", "username_type", "tax_id", "tax_exempt"}
_COLUMNS: Columns = {
    "id": lambda row: row.id,
    "id_code": lambda row: row.number,
    "id_value": lambda row: row.number,
    "status": lambda row: row.status,
    "date_added": lambda row: row.date_added,
    "email": lambda row: row.contact.email,
    "first_name": lambda row: row.contact.first_name,
    "last_name": lambda row: row.contact.last_name,
    "company": lambda row: row.contact.company,
}


def get_client(call: Call) -> Any:
    """clients/get."""
    row = call.install.client(call.id("client_id"))
    return call.wire.client(row, settings=call.flag("get_settings")) if row else False


def get_by_user(call: Call) -> Any:
    """clients/getByUserId."""
    rows = [row for row in call.install.clients if row.user_id == call.id("user_id")]
    return call.wire.client(rows[0], settings=call.flag("get_settings")) if rows else False


def get_settings(call: Call) -> Any:
    """clients/getSettings: those in force for the client, its own and inherited ones."""
    row = call.install.client(call.id("client_id"))
    if row is None:
        return False
    return call.wire.settings(call.install.settings_of(row.id), call.install.quirks.settings_lists)


def get_list(call: Call) -> Any:
    """clients/getList."""
    return [call.wire.client(row) for row in page_of(call, _listed(call), _COLUMNS, call.array("order_by"))]


def get_list_count(call: Call) -> Any:
    """clients/getListCount."""
    return len(_listed(call))


def set_custom_field(call: Call) -> None:
    """clients/setCustomField."""
    call.install.set_custom_field(call.id("client_id"), call.id("field_id"), call.text("value") or "")


def get_custom_fields(call: Call) -> Any:
    """clients/getCustomFields."""
    if call.id("company_id") != call.install.company_id:
        return []
    group_id = call.text("client_group_id")
    return [
        call.wire.custom_field(row)
        for row in call.install.custom_fields
        if group_id is None or row.group_id in {None, call.id("client_group_id")}
    ]


def create(call: Call) -> Any:
    """clients/create: a user, a client and its primary contact."""
    form = Form(call.array("vars"), _FIELDS)
    settings = Form(form.array("settings"), _SETTINGS, "settings[{}]", form.complaints)
    currency = settings.text("default_currency") or None
    exempt = settings.boolean("tax_exempt")
    by_email = settings.text("username_type", "username") == "email"
    username = form.text("email") if by_email else form.text("username")
    custom = _custom(call, form)
    _check(call, form, username)
    client_id = call.install.add_client(
        form.text("email"),
        currency=currency,
        first_name=form.text("first_name"),
        last_name=form.text("last_name"),
        company=form.text("company"),
        status=form.text("status", "active"),
        group_id=form.id("client_group_id"),
        country=form.text("country", call.install.settings["country"]),
        state=form.text("state"),
        tax_exempt=exempt,
        username=username,
        password=form.text("new_password"),
    )
    address = {name: form.text(name) for name in ("address1", "address2", "city", "zip")}
    call.install.set_client(client_id, **address)
    for name in ("language", "username_type", "tax_id"):
        if name in settings:
            call.install.set_client_setting(client_id, name, settings.text(name))
    for field_id, value in custom.items():
        call.install.set_custom_field(client_id, field_id, value)
    row = call.install.client(client_id)
    return row and call.wire.client(row, settings=True)


def _check(call: Call, form: Form, username: str) -> None:
    """Every rule about a new client, those of the install among them."""
    complaints = form.complaints
    for name in ("first_name", "last_name"):
        if not form.text(name).strip():
            complaints.add(name, "empty", f"Please give {name}.")
    if not _EMAIL.fullmatch(form.text("email")):
        complaints.add("email", "format", f"{form.text('email')!r} is not an e-mail address.")
    if not username:
        complaints.add("username", "empty", "Please give a username.")
    if len(form.text("new_password")) < 6:
        complaints.add("new_password", "format", "A password has at least 6 characters.")
    if form.text("new_password") != form.text("confirm_password"):
        complaints.add("new_password", "matches", "The two passwords differ.")
    _check_place(complaints, form)
    call.install.check_client(
        complaints,
        email=form.text("email"),
        username=username,
        group_id=form.id("client_group_id"),
        status=form.text("status", "active"),
        currency=Form(form.array("settings"), _SETTINGS).text("default_currency") or None,
    )
    form.check()


def _check_place(complaints: Complaints, form: Form) -> None:
    if len(form.text("state")) > 3:
        complaints.add("state", "length", "A state is a code of up to 3 characters.")
    if form.text("state") and not form.text("country"):
        complaints.add("state", "country_exists", "A state needs its country.")
    if "country" in form and len(form.text("country")) not in {0, 2}:
        complaints.add("country", "length", "A country is a code of 2 characters.")


def _custom(call: Call, form: Form) -> dict[int, str]:
    known = {str(row.id): row.id for row in call.install.custom_fields}
    given = form.array("custom")
    for key in given.keys() - known.keys():
        form.complaints.add("client_field_id", "exists", f"There is no custom field {key}.")
    return {known[key]: str(value) for key, value in given.items() if key in known}


def _listed(call: Call) -> Sequence[Client]:
    """The clients of a status that every filter lets pass."""
    status = call.text("status")
    rows = [row for row in call.install.clients if status in {None, row.status}]
    for name, wanted in call.array("filters").items():
        passes = _FILTERS.get(name)
        if passes is None or not isinstance(wanted, str):
            raise rejected("filters", "unknown", f"The sandbox has no filter {name}.")
        if wanted:
            rows = [row for row in rows if passes(call, row, wanted.casefold())]
    return rows


def _name(row: Client) -> str:
    return f"{row.contact.first_name} {row.contact.last_name}"


_FILTERS: dict[str, Callable[[Call, Client, str], bool]] = {
    "contact_name": lambda _, row, wanted: wanted in _name(row).casefold(),
    "contact_email": lambda _, row, wanted: wanted in row.contact.email.casefold(),
    "contact_company": lambda _, row, wanted: wanted in row.contact.company.casefold(),
    "contact_country": lambda _, row, wanted: wanted == row.contact.country.casefold(),
    "client_group_id": lambda _, row, wanted: wanted == str(row.group_id),
    "company_id": lambda call, _, wanted: wanted == str(call.install.company_id),
    "invoice_method": lambda call, row, wanted: wanted == call.install.client_setting(row.id, "inv_method"),
}
