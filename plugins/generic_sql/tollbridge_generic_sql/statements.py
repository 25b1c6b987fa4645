"""The statements an operator may give, what each is told, and what it must answer."""

from collections.abc import Mapping

import attrs
import sqlalchemy as sa


@attrs.frozen
class Shape:
    """A statement's parameters and result columns; ``needs`` are the parameters without which it makes no sense."""

    parameters: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()
    optional_columns: frozenset[str] = frozenset()

    @property
    def reads(self) -> bool:
        """Whether the statement only reads."""
        return bool(self.columns)


def _shape(parameters: str = "", needs: str = "", columns: str = "", optional: str = "") -> Shape:
    return Shape(*(frozenset(names.split()) for names in (f"{parameters} {needs}", needs, columns, optional)))


_CLIENT = "first_name last_name company status group country state tax_exempt language"
_INVOICE = "id reference client_id status due_date total"
_TOLD = "balance subtotal currency notes number"
_WRITTEN = (
    "reference client_id currency issue_date due_date subtotal total notes tax_label tax_rate prices_include_tax random"
)
_METERED = "kind name plan hours tokens_per_hour month period_start period_end"

SHAPES: Mapping[str, Shape] = {
    "client": _shape(needs="client_id", columns="id email currency", optional=_CLIENT),
    "clients": _shape(columns="id email currency", optional=_CLIENT),
    "currencies": _shape(
        columns="code", optional="prefix suffix decimals max_decimals thousands_separator decimal_separator"
    ),
    "discounts": _shape(parameters="client_id month_start month_end", columns="name description multiplier"),
    "taxes": _shape(parameters="client_id month_start month_end", columns="label rate", optional="level compound"),
    "before_invoice": _shape(parameters=_WRITTEN),
    "insert_invoice": _shape(parameters=f"{_WRITTEN} number", needs="reference client_id"),
    "insert_line": _shape(
        parameters=f"{_WRITTEN} number position description tokens taxed {_METERED}", needs="invoice_id amount"
    ),
    "find_invoice": _shape(parameters="client_id", needs="reference", columns=_INVOICE, optional=_TOLD),
    "unpaid_invoices": _shape(columns=_INVOICE, optional=_TOLD),
    "invoice": _shape(parameters="client_id", needs="invoice_id", columns=_INVOICE, optional=_TOLD),
    "invoices_since": _shape(needs="day", columns=_INVOICE, optional=_TOLD),
    "login": _shape(needs="email", columns="id password_hash"),
    "insert_client": _shape(
        parameters="first_name last_name company currency country random", needs="email password_hash"
    ),
}

NO_ID = (
    "does not tell the new row's id: end it with RETURNING and the id's column, or, where the database has no"
    " RETURNING, let it number the rows"
)
# The writing statements that tell the id of what they write.
TELL_ID = ("insert_invoice", "insert_client")
REQUIRED = ("client", "clients", "insert_invoice", "insert_line", "find_invoice", "unpaid_invoices")


@attrs.frozen
class Queries:
    """``[adapter.generic_sql.queries]``: one statement per key; one left out switches its capability off.

    Beside a preset, what is left out is the preset's, and an empty text switches off.
    """

    client: str | None = None
    clients: str | None = None
    currencies: str | None = None
    discounts: str | None = None
    taxes: str | None = None
    before_invoice: str | None = None
    insert_invoice: str | None = None
    insert_line: str | None = None
    find_invoice: str | None = None
    unpaid_invoices: str | None = None
    invoice: str | None = None
    invoices_since: str | None = None
    login: str | None = None
    insert_client: str | None = None

    def given(self) -> dict[str, str]:
        """The statements that are given, by name, be they empty."""
        return {name: text for name, text in attrs.asdict(self).items() if text is not None}


def parameter_problems(statements: Mapping[str, str]) -> list[str]:
    """What is wrong with the statements' ``:parameters``, in plain words; the lines may carry the reference, too."""
    used = {name: set(sa.text(text).compile().params) for name, text in statements.items()}
    problems = []
    for name, its in used.items():
        shape = SHAPES[name]
        needs = shape.needs - used.get("insert_line", set()) if name == "insert_invoice" else shape.needs
        known = ", ".join(f":{parameter}" for parameter in sorted(shape.parameters)) or "none"
        problems += [
            f"{name} names :{unknown}, which it is not given; it gets {known}"
            for unknown in sorted(its - shape.parameters)
        ]
        problems += [
            f"{name} does not use :{needed}, without which it cannot be right" for needed in sorted(needs - its)
        ]
    return problems


def column_problems(name: str, columns: set[str]) -> list[str]:
    """What is wrong with a statement's result columns, in plain words."""
    missing = SHAPES[name].columns - columns
    if not missing:
        return []
    has = ", ".join(sorted(columns)) or "none"
    return [f"gives no column {', '.join(sorted(missing))}; it gives {has} (name columns with AS)"]
