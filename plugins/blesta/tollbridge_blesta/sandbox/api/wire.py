"""How an install's records look on the wire: columns as text, computed amounts as numbers, unset text as null."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from tollbridge_blesta.sandbox.install import Install
from tollbridge_blesta.sandbox.records import Client, Currency, CustomField, Group, Invoice, Line, User
from tollbridge_blesta.sandbox.taxing import Tax, rounded, shares, within

Json = dict[str, Any]
_FLAGS = {"true", "false"}


def dumped(content: Any) -> bytes:
    """JSON; decimals are written as numbers, digit by digit."""
    return orjson.dumps(content, default=_number)


def _number(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"{value!r} has no place in JSON")


class Wire:
    """Writes records as the install's quirks want them."""

    def __init__(self, install: Install) -> None:
        self._install = install
        self._quirks = install.quirks

    def whole(self, number: int) -> Any:
        """An id or another integer column."""
        return number if self._quirks.numbers else str(number)

    def decimal(self, amount: Decimal) -> Any:
        """A decimal column, which has four decimals."""
        return amount if self._quirks.numbers else f"{amount:.4f}"

    def computed(self, amount: Decimal) -> Any:
        """An amount that was calculated for the answer: a number without needless zeros."""
        if self._quirks.float_noise and amount:
            return math.nextafter(float(amount), math.inf)
        return Decimal(0) if amount == 0 else amount.normalize()

    def moment(self, moment: datetime | None) -> str | None:
        """UTC without saying so."""
        return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

    def setting(self, value: str) -> Any:
        """The value of a setting."""
        if value not in _FLAGS or self._quirks.booleans == "text":
            return value
        flag = value == "true"
        return {"digit": str(int(flag)), "number": int(flag), "json": flag}[self._quirks.booleans]

    def settings(self, values: Mapping[str, tuple[str, str]], shape: str) -> Any:
        """Settings with their levels, as ``values``, ``objects`` or a ``list``."""
        if shape == "values":
            return {key: self.setting(value) for key, (value, _) in values.items()}
        rows = [
            {"key": key, "value": self.setting(value), "encrypted": self.whole(0), "level": level}
            for key, (value, level) in values.items()
        ]
        return rows if shape == "list" else {row["key"]: row for row in rows}

    def company(self) -> Json:
        """The company."""
        return {
            "id": self.whole(self._install.company_id),
            "name": "Example Hosting",
            "hostname": "billing.example.com",
            "address": None,
            "phone": None,
            "fax": None,
        }

    def group(self, row: Group) -> Json:
        """A client group."""
        return {
            "id": self.whole(row.id),
            "name": row.name,
            "description": None,
            "company_id": self.whole(self._install.company_id),
            "color": None,
        }

    def currency(self, row: Currency) -> Json:
        """A currency; it has a code and no id."""
        return {
            "code": row.code,
            "company_id": self.whole(self._install.company_id),
            "format": row.format,
            "precision": self.whole(row.precision),
            "prefix": row.prefix or None,
            "suffix": row.suffix or None,
            "exchange_rate": Decimal(1) if self._quirks.numbers else "1.000000",
            "exchange_updated": None,
        }

    def tax(self, row: Tax) -> Json:
        """A tax rule; ``amount`` is per cent."""
        return {
            "id": self.whole(row.id),
            "company_id": self.whole(self._install.company_id),
            "level": self.whole(row.level),
            "name": row.name,
            "amount": self.decimal(row.amount),
            "type": row.type,
            "country": row.country,
            "state": row.state,
            "status": row.status,
        }

    def user(self, row: User) -> Json:
        """A user, without the password."""
        return {
            "id": self.whole(row.id),
            "username": row.username,
            "recovery_email": row.email or None,
            "two_factor_mode": "none",
            "two_factor_key": None,
            "two_factor_pin": None,
            "date_added": self.moment(row.date_added),
        }

    def client(self, row: Client, *, settings: bool = False) -> Json:
        """A client with its primary contact; ``settings`` are those in force for it."""
        contact = row.contact
        user = self._install.user_of(row)
        shown: Json = {
            "id": self.whole(row.id),
            "id_format": "{num}",
            "id_value": self.whole(row.number),
            "id_code": str(row.number),
            "user_id": self.whole(row.user_id),
            "client_group_id": self.whole(row.group_id),
            "status": row.status,
            "date_added": self.moment(row.date_added),
            "contact_id": self.whole(contact.id),
            "username": user.username,
            "email": contact.email,
            **{
                name: getattr(contact, name) or None
                for name in (
                    "first_name", "last_name", "company", "address1", "address2", "city", "state", "zip", "country",
                )
            },
        }  # fmt: skip
        if settings and self._quirks.client_settings != "absent":
            shown["settings"] = self.settings(self._install.settings_of(row.id), self._quirks.client_settings)
        return shown

    def custom_field(self, row: CustomField) -> Json:
        """A custom field."""
        return {
            "id": self.whole(row.id),
            "client_group_id": None if row.group_id is None else self.whole(row.group_id),
            "company_id": self.whole(self._install.company_id),
            "name": row.name,
            "type": "text",
            "show_client": self.whole(0),
            "read_only": self.whole(0),
        }

    def invoice(self, row: Invoice, *, listed: bool = False) -> Json:
        """An invoice; in lists without lines."""
        shown: Json = {
            "id": self.whole(row.id),
            "id_format": row.id_code.replace(str(row.number), "{num}"),
            "id_value": self.whole(row.number),
            "id_code": row.id_code,
            "client_id": self.whole(row.client_id),
            "date_billed": self.moment(row.date_billed),
            "date_due": self.moment(row.date_due),
            "date_closed": self.moment(row.date_closed),
            "date_autodebit": None,
            "autodebit": self.whole(1),
            "status": row.status,
            "currency": row.currency,
            "note_public": row.note_public or None,
            "subtotal": self.computed(row.subtotal),
            "total": self.computed(row.total),
        }
        if not (listed and self._quirks.lists_without_notes):
            shown["note_private"] = row.note_private or None
        if not self._quirks.without_balance:
            shown |= {"paid": self.computed(row.paid), "due": self.computed(row.due)}
        if not listed:
            shown |= {
                "line_items": self.lines(row),
                "taxes": [{**self.tax(rule), "tax_total": self.computed(amount)} for rule, amount in row.totals.taxes],
                "delivery": [
                    {"id": self.whole(number), "method": method, "date_sent": None}
                    for number, method in enumerate(row.delivery, row.id * 10)
                ],
            }
        return shown

    def lines(self, row: Invoice) -> list[Json]:
        """The lines of an invoice."""
        return [self._line(row, line, order) for order, line in enumerate(row.lines)]

    def _line(self, invoice: Invoice, line: Line, order: int) -> Json:
        parts = shares(invoice.tax_rules, cascade=invoice.cascade) if line.tax else []
        net = line.entered / (1 + within(parts))
        taxes = [] if invoice.exempt else parts
        price = net + sum((net * share for rule, share in taxes if rule.type != "exclusive"), Decimal(0))
        return {
            "id": self.whole(line.id),
            "invoice_id": self.whole(invoice.id),
            "service_id": None,
            "description": line.description,
            "qty": self.decimal(line.qty),
            "amount": self.decimal(line.amount),
            "order": self.whole(order),
            "taxes": [self.tax(rule) for rule, _ in taxes],
            "subtotal": self.computed(rounded(net, 4)),
            "total": self.computed(rounded(price, 4)),
            "total_w_tax": self.computed(rounded(net + sum((net * share for _, share in taxes), Decimal(0)), 4)),
        }
