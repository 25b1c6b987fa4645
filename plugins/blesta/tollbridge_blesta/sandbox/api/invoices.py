"""invoices: writing them, finding them, and what they come to."""

from collections.abc import Callable
from typing import Any

from tollbridge_blesta.sandbox.api.calls import Call, Form
from tollbridge_blesta.sandbox.api.paging import Columns, page_of
from tollbridge_blesta.sandbox.api.php import Array
from tollbridge_blesta.sandbox.problems import rejected
from tollbridge_blesta.sandbox.records import Invoice, Line

_RECURRING = {"term", "period", "duration", "duration_time", "recur_date_billed"}
_FIELDS = _RECURRING | {
    "client_id", "date_billed", "date_due", "date_closed", "date_autodebit", "autodebit", "status", "currency",
    "note_public", "note_private", "lines", "delivery",
}  # fmt: skip
_LINE = {"id", "service_id", "description", "qty", "amount", "tax", "order"}
_COLUMNS: Columns = {
    "id": lambda row: row.id,
    "id_code": lambda row: row.number,
    "id_value": lambda row: row.number,
    "client_id": lambda row: row.client_id,
    "date_billed": lambda row: row.date_billed,
    "date_due": lambda row: row.date_due,
    "date_closed": lambda row: row.date_closed,
    "status": lambda row: row.status,
    "currency": lambda row: row.currency,
    "total": lambda row: row.total,
}


def add(call: Call) -> Any:
    """invoices/add."""
    form = Form(call.array("vars"), _FIELDS)
    _refuse_recurring(form)
    client_id = form.id("client_id")
    if call.install.client(client_id) is None:
        form.complaints.add("client_id", "exists", f"There is no client {form.text('client_id')!r}.")
    dates = {name: form.timestamp(name, call.install) for name in ("date_billed", "date_due")}
    lines = [_line(form, values) for values in form.array("lines").values()]
    values: dict[str, Any] = {
        **dates,
        **_texts(form),
        "status": form.text("status", "active"),
        "currency": form.text("currency"),
        "delivery": _delivery(form),
    }
    if form.text("date_closed"):
        values["date_closed"] = form.timestamp("date_closed", call.install)
    call.install.check_invoice(form.complaints, lines=lines, **values)
    form.check()
    return call.wire.whole(call.install.add_invoice(client_id, lines, **values))


def get_invoice(call: Call) -> Any:
    """invoices/get."""
    row = call.install.invoice(call.id("invoice_id"))
    return call.wire.invoice(row) if row else False


def get_list(call: Call) -> Any:
    """invoices/getList."""
    return [
        call.wire.invoice(row, listed=True) for row in page_of(call, _listed(call), _COLUMNS, call.array("order_by"))
    ]


def get_list_count(call: Call) -> Any:
    """invoices/getListCount."""
    return len(_listed(call))


def get_tax_rules(call: Call) -> Any:
    """invoices/getTaxRules: those that the client pays, so none if it is exempt or tax is switched off."""
    row = call.install.client(call.id("client_id"))
    if row is None:
        return []
    if call.install.quirks.rules_by_place_alone:
        rules = call.install.rules_at(row.contact.country, row.contact.state)
    else:
        rules = () if call.install.is_exempt(row.id) else call.install.rules_for(row)
    return [call.wire.tax(rule) for rule in rules]


def get_tax_rules_by_location(call: Call) -> Any:
    """invoices/getTaxRulesByLocation: whether tax is enabled or not."""
    if call.id("company_id") != call.install.company_id:
        return []
    return [call.wire.tax(rule) for rule in call.install.rules_at(call.text("country") or "", call.text("state") or "")]


def _refuse_recurring(form: Form) -> None:
    for name in sorted(_RECURRING):
        if name in form and form.text(name):
            form.complaints.add(name, "sandbox", "The sandbox has no recurring invoices.")


def _texts(form: Form) -> dict[str, str]:
    return {name: form.text(name) for name in ("note_public", "note_private") if name in form}


def _delivery(form: Form) -> tuple[str, ...]:
    return tuple(str(method) for method in form.array("delivery").values())


def _line(form: Form, values: Any) -> Line:
    line = Form(values if isinstance(values, dict) else {}, _LINE, "lines[][{}]", form.complaints)
    description = line.text("description")
    if not description.strip():
        form.complaints.add("lines[][description]", "empty", "A line has a description.")
    qty = line.number("qty", "1")
    if qty < 1:
        form.complaints.add("lines[][qty]", "minimum", f"A line has a quantity of at least 1, not {qty}.")
    if line.text("service_id"):
        form.complaints.add("lines[][service_id]", "exists", "The sandbox has no services.")
    amount = line.number("amount")
    return Line(description, amount, qty, line.boolean("tax"))


def _listed(call: Call) -> list[Invoice]:
    """The invoices of a status that every filter lets pass."""
    rows = _of_status(call)
    filters: Array = call.array("filters")
    for name, wanted in filters.items():
        passes = _FILTERS.get(name)
        if passes is None or not isinstance(wanted, str):
            raise rejected("filters", "unknown", f"There is no filter {name}.")
        if wanted:
            rows = [row for row in rows if passes(row, wanted.casefold())]
    return rows


def _of_status(call: Call) -> list[Invoice]:
    """The invoices of a status; none for a status there is none of."""
    client_id = None if call.text("client_id") is None else call.id("client_id")
    has_status = _STATUSES.get(call.text("status") or "")
    return [row for row in call.install.invoices(client_id) if has_status and has_status(call, row)]


def _is_open(call: Call, row: Invoice) -> bool:
    billed = not call.install.quirks.open_once_billed or row.date_billed <= call.install.now
    return row.status == "active" and row.date_closed is None and billed


_STATUSES: dict[str, Callable[[Call, Invoice], bool]] = {
    "all": lambda _call, _row: True,
    "open": _is_open,
    "closed": lambda _, row: row.status == "active" and row.date_closed is not None,
    "past_due": lambda call, row: _is_open(call, row) and row.date_due < call.install.now,
    "pending": lambda call, row: row.status == "active" and row.date_billed > call.install.now,
    "active": lambda _, row: row.status == "active",
    "draft": lambda _, row: row.status == "draft",
    "proforma": lambda _, row: row.status == "proforma",
    "void": lambda _, row: row.status == "void",
}
_FILTERS: dict[str, Callable[[Invoice, str], bool]] = {
    "invoice_line": lambda row, wanted: any(wanted in line.description.casefold() for line in row.lines),
    "invoice_number": lambda row, wanted: wanted == row.id_code.casefold(),
    "currency": lambda row, wanted: wanted == row.currency.casefold(),
}
