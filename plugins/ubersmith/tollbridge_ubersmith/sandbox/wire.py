"""How an install's records look on the wire: all scalars as text, maps by id, and an empty map as a list."""

import html
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs
import orjson

from tollbridge_ubersmith.sandbox.quirks import Quirks
from tollbridge_ubersmith.sandbox.records import Client, Contact, Exemption, Invoice, Pack, Rate, Service

Json = dict[str, Any]
_LONG = {"discount", "discount_type", "country", "state", "company"}


def dumped(content: Any) -> bytes:
    """JSON; decimals are written as numbers, digit by digit."""
    return orjson.dumps(content, default=lambda value: orjson.Fragment(format(value, "f")))


@attrs.frozen
class Wire:
    """Writes records as the install's quirks want them."""

    quirks: Quirks

    def whole(self, number: int) -> Any:
        """An id, a flag, or another whole number."""
        return int(number) if self.quirks.numbers else str(int(number))

    def money(self, amount: Decimal) -> Any:
        """An amount."""
        return amount if self.quirks.numbers else f"{amount:.2f}"

    def text(self, words: str) -> str:
        """Words that somebody typed."""
        return html.escape(words) if self.quirks.escaped_text else words

    def moment(self, moment: datetime) -> Any:
        """Seconds since 1970."""
        return self.whole(int(moment.timestamp()))

    def rows(self, rows: Mapping[int, Json]) -> Any:
        """A page of a list."""
        shown = list(rows.items())
        if self.quirks.shuffled:
            shown.sort(key=lambda item: str(item[0])[::-1], reverse=True)
        if self.quirks.lists == "lists" or not shown:
            return [row for _, row in shown]
        return {str(number): row for number, row in shown}

    def client(self, row: Client, *, listed: bool = False) -> Json:
        """A client."""
        shown = {
            "clientid": self.whole(row.id),
            "first": self.text(row.first),
            "last": self.text(row.last),
            "full_name": self.text(f"{row.first} {row.last}".strip()),
            "company": row.company,
            "email": row.email,
            "country": row.country,
            "state": row.state,
            "login": row.login,
            "password": "{ssha1}" + "*" * 8,
            "active": self.whole(row.active),
            "class_id": self.whole(row.brand_id),
            "discount": self.money(row.discount),
            "discount_type": self.whole(row.discount_type),
            "balance": "1,234.56",
            "inv_balance": "1,234.56",
            "access": 'a:1:{s:4:"cbms";s:6:"client";}',
            "prefer_lang": self.whole(1),
        }
        if listed and self.quirks.short_rows:
            shown = {key: value for key, value in shown.items() if key not in _LONG}
        return shown

    def contact(self, row: Contact) -> Json:
        """A contact."""
        return {
            "contact_id": self.whole(row.id),
            "client_id": self.whole(row.client_id),
            "email": row.email,
            "login": row.login,
        }

    def rate(self, row: Rate) -> Json:
        """A tax rate, as a fraction of eight decimals."""
        return {
            "tax_id": self.whole(row.id),
            "name": row.name,
            "rate": row.rate if self.quirks.numbers else f"{row.rate:.8f}",
            "include_other": self.whole(row.include_other),
            "active": self.whole(row.active),
            "class_id": self.whole(row.brand_id),
        }

    def exemption(self, row: Exemption) -> Json:
        """A tax exemption."""
        return {
            "tax_exemption_id": self.whole(row.id),
            "client_id": self.whole(row.client_id),
            "tax_exemption_type_id": self.whole(1),
            "status": self.whole(row.status),
            "end_date": self.whole(0),
        }

    def service(self, row: Service, metadata: Mapping[str, str]) -> Json:
        """A service of a list, with those custom fields that were asked for."""
        shown: Json = {
            "packid": self.whole(row.id),
            "clientid": self.whole(row.client_id),
            "desserv": self.text(row.description),
            "price": self.money(row.price),
            "quantity": self.money(row.quantity),
            "cost": self.money(row.cost),
            "discount": self.money(row.discount),
            "period": self.whole(row.period),
            "billed": self.whole(row.billed),
            "active": self.whole(row.active),
            "created": self.moment(row.created),
            "plan_id": self.whole(0),
        }
        return shown | self.metadata(metadata)

    def metadata(self, values: Mapping[str, str]) -> Json:
        """Custom fields."""
        if self.quirks.metadata == "plain":
            return dict(values)
        if self.quirks.metadata == "prefixed":
            return {f"meta_{name}": value for name, value in values.items()}
        if self.quirks.metadata == "fields":
            found = {
                str(number): {"variable": name, "value": value}
                for number, (name, value) in enumerate(values.items(), 21)
            }
            return {"metadata": found or []}
        return {"metadata": dict(values) or []}

    def invoice(self, row: Invoice) -> Json:
        """An invoice, without what it charges."""
        return {
            "invid": self.whole(row.id),
            "clientid": self.whole(row.client_id),
            "amount": self.money(row.amount),
            "amount_unpaid": self.money(row.unpaid),
            "date": self.moment(row.date),
            "due": self.moment(row.due),
            "datepaid": self.whole(0),
            "paid": self.whole(row.paid),
            "comment": None,
            "reason": "",
        }

    def whole_invoice(self, row: Invoice) -> Json:
        """An invoice with what it charges."""
        packs = {str(place): self._pack(pack) for place, pack in enumerate(row.packs, 1)}
        return self.invoice(row) | {
            "invnum": self.whole(row.id),
            "current_packs": packs,
            "pre_billed_packs": [],
            "packs": [{"packid": self.whole(pack.service_id), "ob_label": "package"} for pack in row.packs],
            "taxes": [],
            "credits": [],
            "summary": {"total_tax": self.money(row.tax), "current_charges": self.money(row.amount - row.tax)},
            "sent": self.whole(row.mailed),
        }

    def details(self, row: Invoice) -> Json:
        """What a list shows of an invoice's services."""
        match self.quirks.services_details:
            case "absent":
                return {}
            case "numbers":
                return {"services": [self.whole(pack.service_id) for pack in row.packs]}
            case name:
                return {name: {str(pack.service_id): self._pack(pack) for pack in row.packs}}

    def _pack(self, pack: Pack) -> Json:
        return {
            "packid": self.whole(pack.service_id),
            "desserv": self.text(pack.description),
            "unit_price": self.money(pack.unit_price),
            "quantity": self.money(pack.quantity),
            "cost": self.money(pack.cost),
            "value": self.money(pack.cost),
            "discount": "",
        }
