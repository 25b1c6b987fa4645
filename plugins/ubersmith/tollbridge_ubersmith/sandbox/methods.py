"""The methods of the API that there are here, as the adapter makes them and no others."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import attrs

from tollbridge_ubersmith.sandbox.install import Install
from tollbridge_ubersmith.sandbox.php import Array, is_true
from tollbridge_ubersmith.sandbox.records import Client, Contact, Invoice, Rejected
from tollbridge_ubersmith.sandbox.wire import Json, Wire

_PAGE = "order_by direction offset limit"
_CLIENT = "first last company email country uber_login uber_pass discount discount_type active brand_id strict meta_*"
# What each takes: what it must be given is marked, and so is what 4.6.1 does not have yet.
_PARAMETERS = {
    "client.add": _CLIENT,
    "client.contact_list": f"client_id email contact_active metadata {_PAGE}",
    "client.count": "brand_id inactive active",
    "client.get": "client_id user_login email metadata allclients",
    "client.invoice_generate": (
        "!client_id command duedate +skip_notification include_packs include_prebills include_credits"
    ),
    "client.invoice_get": "!invoice_id format +include_payments",
    "client.invoice_list": f"client_id brand_id paid since +invoices +services +services_details +end +due_end {_PAGE}",
    "client.list": f"short client_id brand_id inactive active metadata {_PAGE}",
    "client.lookup": "client_id brand_id active email login",
    "client.service_add": (
        "!client_id description plan_id period price quantity discount discount_type start tax_engine_id taxes comment"
        " meta_*"
    ),
    "client.service_deactivate": "!client_id !service_id",
    "client.service_list": f"client_id brand_id plan_id parentpack period pack_type_select metadata {_PAGE}",
    "client.storage_set": "!client_id !item !value encrypt",
    "client.tax_exemption_list": f"client_id status active {_PAGE}",
    "client.update": f"!client_id {_CLIENT}",
    "uber.brand_list": "",
    "uber.check_login": "!login !pass",
    "uber.check_user_twofactor": "!user_id !user_type",
    "uber.metadata_field_list": "metaconf_id class_id meta_type variable",
    "uber.method_get": "!method_name",
    "uber.tax_rate_list": f"brand_id ids active {_PAGE}",
}
_ONLY_NEW = {"uber.check_user_twofactor"}
_WRITING = {"client.add", "client.invoice_generate", "client.service_add", "client.service_deactivate"} | {
    "client.storage_set",
    "client.update",
}
METHODS = tuple(_PARAMETERS)


@attrs.frozen
class Parameter:
    """One parameter of a method in a version."""

    name: str
    required: bool


def parameters(method: str, version: str) -> list[Parameter] | None:
    """What the method takes in a version; None if that does not have it."""
    if method not in _PARAMETERS or (method in _ONLY_NEW and version == "4.6.1"):
        return None
    words = [word for word in _PARAMETERS[method].split() if version != "4.6.1" or not word.startswith("+")]
    return [Parameter(word.lstrip("!+"), word.startswith("!")) for word in words]


def call(install: Install, method: str, sent: Array) -> Any:
    """``data`` of the answer; the install is locked.

    Raises:
        Rejected: it says no.
    """
    known = parameters(method, install.quirks.version)
    if known is None:
        raise Rejected(f"invalid method: {method}")
    if method in install.quirks.forbidden:
        raise Rejected(f"You do not have permission to call {method}.", code=2)
    for each in known:
        if each.required and not sent.get(each.name):
            raise Rejected(f"{each.name} parameter not supplied")
    if install.quirks.refuse_unknown:
        _refuse_unknown(install, method, {each.name for each in known}, sent)
    data = _HANDLERS[method](Call(install, sent, Wire(install.quirks)))
    install.writes += method in _WRITING
    return data


def _refuse_unknown(install: Install, method: str, known: set[str], sent: Array) -> None:
    lists = {"client.service_list": "pack", "client.list": "client"}
    filters = set(install.fields[lists[method]]) if method in lists else set()
    for name in sent:
        if name not in known | filters and not ("meta_*" in known and name.startswith("meta_")):
            raise Rejected(f"invalid parameter: {name}")


@attrs.frozen
class Call:
    """One call: who is asked, what was sent, and how the answer is written."""

    install: Install
    sent: Array
    wire: Wire

    def text(self, name: str, default: str = "") -> str:
        """A parameter as text."""
        value = self.sent.get(name, default)
        return value if isinstance(value, str) else ""

    def number(self, name: str, default: int = 0) -> int:
        """A parameter as a whole number, as PHP casts text."""
        words = self.text(name, str(default)).strip()
        return int(words) if words.lstrip("-").isdecimal() else 0

    def money(self, name: str, default: str = "0") -> Decimal:
        """A parameter as an amount."""
        try:
            return Decimal(self.text(name, default) or default)
        except InvalidOperation:
            raise Rejected(f"invalid {name}") from None

    def map(self, name: str) -> dict[str, Any] | None:
        """A parameter that is an array; an empty one for the text 0, and None if it was not sent."""
        value = self.sent.get(name)
        return None if value is None else value if isinstance(value, dict) else {}

    def page(self, rows: Mapping[int, Json]) -> Any:
        """The rows from ``offset`` on, ``limit`` of them, by their number in the direction that was asked for."""
        numbers = sorted(rows, reverse=self.text("direction") == "desc")
        limits = [each for each in (self.number("limit"), self.install.quirks.most_rows) if each]
        first = self.number("offset")
        last = first + min(limits) if limits else None
        shown = {number: rows[number] for number in numbers[first:last]}
        if not shown and self.install.quirks.none_is_error:
            raise Rejected("No matching records found.")
        return self.wire.rows(shown)

    def metadata(self, prefix: str = "meta_") -> dict[str, str]:
        """The custom fields that were sent and exist."""
        return {
            name: self.text(prefix + name)
            for name in (*self.install.fields["pack"], *self.install.fields["client"])
            if prefix + name in self.sent
        }

    def clients(self) -> list[Client]:
        """Those of the brand and of the status that were asked for."""
        brand, active, inactive = self.text("brand_id"), self.text("active"), self.number("inactive", 2)
        rows = [row for row in self.install.clients.values() if brand in {"", str(row.brand_id)}]
        rows = [row for row in rows if inactive == 2 or (row.active == 0) == (inactive == 1)]
        return [row for row in rows if active in {"", str(row.active)}]


def _client_get(call: Call) -> Any:
    row = call.install.known_client(call.number("client_id"))
    if row.active == 0 and not is_true(call.text("allclients")):
        raise Rejected(f"Client ID '{row.id}' not found.")
    return call.wire.client(row)


def _client_list(call: Call) -> Any:
    only = call.text("client_id")
    rows = {row.id: row for row in call.clients() if only in {"", str(row.id)}}
    return call.page({number: call.wire.client(row, listed=True) for number, row in rows.items()})


def _client_lookup(call: Call) -> Any:
    wanted = call.text("email").casefold()
    active = call.number("active", 1)
    rows = [row for row in call.install.clients.values() if row.email.casefold() == wanted]
    rows = [row for row in rows if (row.active == 0) == (active == 0)]
    if not rows:
        raise Rejected("No clients found.")
    return call.wire.rows({row.id: {"clientid": call.wire.whole(row.id)} for row in rows})


def _contact_list(call: Call) -> Any:
    wanted = call.text("email")
    rows = {row.id: row for row in call.install.contacts.values() if wanted in {"", row.email}}
    return call.page({number: call.wire.contact(row) for number, row in rows.items()})


def _client_add(call: Call) -> Any:
    login = call.text("uber_login")
    if is_true(call.text("strict")) and login in {row.login for row in _people(call.install)}:
        raise Rejected("The specified login name is already in use.")
    fields: dict[str, Any] = {name: call.text(name) for name in ("first", "last", "company", "country")}
    brand = call.number("brand_id", call.install.brands[0])
    number = call.install.add_client(
        call.text("email"),
        login=login,
        password=call.text("uber_pass"),
        brand_id=brand,
        metadata=call.metadata(),
        **fields,
    )
    return str(number)


def _client_update(call: Call) -> Any:
    client = call.install.known_client(call.number("client_id"))
    call.install.change_client(client.id, metadata={**client.metadata, **call.metadata()})
    return True


def _storage_set(call: Call) -> Any:
    client = call.install.known_client(call.number("client_id"))
    call.install.change_client(client.id, storage={**client.storage, call.text("item"): call.text("value")})
    return True


def _service_add(call: Call) -> Any:
    if not call.text("description"):
        raise Rejected("description parameter not supplied")
    given = "discount" in call.sent
    return call.install.add_service(
        call.number("client_id"),
        call.text("description"),
        call.money("price"),
        period=call.number("period", 1),
        quantity=call.money("quantity", "1"),
        discount=call.money("discount") if given else None,
        **({"discount_type": call.number("discount_type")} if given else {}),
        taxes=_tax_numbers(call),
        metadata=call.metadata() if call.install.quirks.keeps_fields else {},
    )


def _tax_numbers(call: Call) -> tuple[int, ...]:
    """Newer versions look at the keys of what is on, older ones at the values."""
    taxes = call.map("taxes") or {}
    chosen = taxes.values() if call.install.quirks.version == "4.6.1" else [key for key in taxes if is_true(taxes[key])]
    return tuple(int(each) for each in chosen if each != "0")


def _service_list(call: Call) -> Any:
    fields, asked = call.install.fields["pack"], call.map("metadata") or {}
    only = {name: call.text(name) for name in fields if name in call.sent and name in asked}
    client, brand = call.text("client_id"), call.text("brand_id")
    if not (client or brand or any(name in call.sent for name in fields)):
        raise Rejected("One of client_id, brand_id, plan_id, parentpack or custom data must be supplied")
    rows = [row for row in call.install.services.values() if client in {"", str(row.client_id)}]
    if call.number("pack_type_select") != 3:
        rows = [row for row in rows if row.active == 1 and (call.install.now - row.created).days <= 30]
    if call.install.quirks.metadata_filter:
        rows = [row for row in rows if all(row.metadata.get(name, "") == value for name, value in only.items())]
    return call.page(
        {
            row.id: call.wire.service(row, {name: row.metadata.get(name, "") for name in asked if name in fields})
            for row in rows
        }
    )


def _service_deactivate(call: Call) -> Any:
    service = call.install.services.get(call.number("service_id"))
    if service is None or service.client_id != call.number("client_id"):
        raise Rejected(f"Service ID '{call.text('service_id')}' not found.")
    call.install.change_service(service.id, active=0)
    return True


def _invoice_generate(call: Call) -> Any:
    packs = call.map("include_packs")
    only = None if packs is None else [int(key) for key, value in packs.items() if is_true(value)]
    due = call.number("duedate")
    invoice = call.install.generate(
        call.number("client_id"),
        only,
        due=datetime.fromtimestamp(due, UTC) if due else None,
        credits=call.map("include_credits") is None,
        mail=not is_true(call.text("skip_notification")),
    )
    if call.install.quirks.fails_after_generate:
        raise Rejected("The notification could not be sent.")
    return {
        "invid": str(invoice.id),
        "total": 0,
        "time": int(invoice.date.timestamp()),
        "duedate": int(invoice.due.timestamp()),
    }


def _invoice_list(call: Call) -> Any:
    install, client, brand = call.install, call.text("client_id"), call.text("brand_id")
    if client:
        install.known_client(int(client))
    rows = [row for row in install.invoices.values() if client in {"", str(row.client_id)}]
    rows = [row for row in rows if brand in {"", str(_brand_of(install, row))}]
    paid, since = call.text("paid", "all"), call.number("since")
    rows = [row for row in rows if paid in {"all", str(row.paid)} and row.date.timestamp() >= since]
    is_new = install.quirks.version != "4.6.1"
    services = call.map("services") if is_new else None
    if services is not None:
        wanted = {int(number) for number in services.values()}
        rows = [row for row in rows if wanted & {pack.service_id for pack in row.packs}]
    details = is_new and is_true(call.text("services_details"))
    return call.page({row.id: call.wire.invoice(row) | (call.wire.details(row) if details else {}) for row in rows})


def _brand_of(install: Install, invoice: Invoice) -> int | None:
    client = install.clients.get(invoice.client_id)
    return None if client is None else client.brand_id


def _invoice_get(call: Call) -> Any:
    return call.wire.whole_invoice(call.install.known_invoice(call.number("invoice_id")))


def _tax_exemption_list(call: Call) -> Any:
    client, active = call.text("client_id"), is_true(call.text("active"))
    rows = [row for row in call.install.exemptions.values() if client in {"", str(row.client_id)}]
    rows = [row for row in rows if row.status == 1 or not active]
    return call.page({row.id: call.wire.exemption(row) for row in rows})


def _tax_rate_list(call: Call) -> Any:
    active, brand = call.text("active", "2"), call.number("brand_id", call.install.brands[0])
    rows = [
        row for row in call.install.rates.values() if active in {"2", str(int(row.active))} and row.brand_id == brand
    ]
    return call.page({row.id: call.wire.rate(row) for row in rows})


def _metadata_field_list(call: Call) -> Any:
    names = call.install.fields.get(call.text("meta_type"), [])
    rows = {number: {"metaconf_id": str(number), "variable": name} for number, name in enumerate(names, 21)}
    return call.page(rows)


def _method_get(call: Call) -> Any:
    name = call.text("method_name")
    known = parameters(name, call.install.quirks.version)
    if known is None:
        raise Rejected(f"invalid method: {name}")
    rows = [{"param": each.name, "required": each.required, "default": None} for each in known]
    return {"method": name, "title": name, "output": None, "params": rows}


def _people(install: Install) -> list[Client | Contact]:
    return [*install.clients.values(), *install.contacts.values()]


def _check_login(call: Call) -> Any:
    login, password = call.text("login"), call.text("pass")
    if call.install.staff.get(login) == password:
        return {"id": "1", "type": "admin", "client_id": None, "contact_id": None, "login": login, "email": login}
    for row in _people(call.install):
        if row.login == login and row.password and row.password == password:
            is_client = isinstance(row, Client)
            client = row.id if isinstance(row, Client) else row.client_id
            return {
                "id": str(client) if is_client else f"{client}-{row.id}",
                "type": "client" if is_client else "contact",
                "client_id": call.wire.whole(client),
                "contact_id": None if is_client else call.wire.whole(row.id),
                "login": row.login,
                "email": row.email,
            }
    raise Rejected("Invalid login or password.", code=3)


def _check_user_twofactor(call: Call) -> Any:
    table: Mapping[int, Client | Contact] = (
        call.install.clients if call.text("user_type") == "1" else call.install.contacts
    )
    person = table.get(call.number("user_id"))
    if person is None:
        raise Rejected("User not found.")
    answer = call.wire.whole(person.two_factor)
    return answer if call.install.quirks.two_factor == "flag" else {"enabled": answer}


_HANDLERS: dict[str, Callable[[Call], Any]] = {
    "client.add": _client_add,
    "client.contact_list": _contact_list,
    "client.count": lambda call: call.wire.whole(len(call.clients())),
    "client.get": _client_get,
    "client.invoice_generate": _invoice_generate,
    "client.invoice_get": _invoice_get,
    "client.invoice_list": _invoice_list,
    "client.list": _client_list,
    "client.lookup": _client_lookup,
    "client.service_add": _service_add,
    "client.service_deactivate": _service_deactivate,
    "client.service_list": _service_list,
    "client.storage_set": _storage_set,
    "client.tax_exemption_list": _tax_exemption_list,
    "client.update": _client_update,
    "uber.brand_list": lambda call: call.wire.rows(
        {number: {"class_id": str(number), "name": f"Brand {number}"} for number in call.install.brands}
    ),
    "uber.check_login": _check_login,
    "uber.check_user_twofactor": _check_user_twofactor,
    "uber.metadata_field_list": _metadata_field_list,
    "uber.method_get": _method_get,
    "uber.tax_rate_list": _tax_rate_list,
}
