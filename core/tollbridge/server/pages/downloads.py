"""What a client takes home: its invoices, and the running month, as tables for a spreadsheet."""

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from tollbridge.rules.entry import Entry
from tollbridge.rules.pricing import rounded
from tollbridge.server.pages.invoice_views import taxes_of, worded
from tollbridge.server.pages.visit import Visit
from tollbridge.server.pages.web import Web
from tollbridge.texts.languages import Language

_MOST_INVOICES = 1200
_INVOICES = (
    "number", "reference", "month", "issue_date", "due_date", "status", "kind", "description", "hours", "tokens",
    "amount", "currency",
)  # fmt: skip
_USAGE = ("name", "kind", "plan", "hours", "tokens", "amount", "currency")


class Downloads:
    """``/cloud/account/invoices.csv`` and ``/cloud/account/usage.csv``, of the client who is logged in."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def invoices(self, visit: Visit) -> Response:
        """Every line of every invoice, and a row for each tax that comes on top: an invoice's rows make its total."""
        rows = await self._web.in_ledger(self._invoices, self._web.client_of(visit), visit.language)
        return self._web.table(visit, "invoices", rows)

    def _invoices(self, client_id: int, language: Language) -> list[tuple[Any, ...]]:
        entries = self._web.parts.ledger.invoices.issued_to(client_id, _MOST_INVOICES)
        return [_INVOICES, *(row for entry in entries for row in _rows_of(entry, language))]

    async def usage(self, visit: Visit) -> Response:
        """The running month so far, with the tax that the client pays."""
        rows = await self._web.work(self._usage, self._web.client_of(visit))
        return self._web.table(visit, "usage", rows)

    def _usage(self, client_id: int) -> list[tuple[Any, ...]]:
        prices = self._web.prices.list()
        price = self._web.prices.pricer.price(self._web.parts.billing.client(client_id), prices)
        currency, items = price.currency, self._web.usage.of_client(client_id, prices.month).items
        return [
            _USAGE,
            *(
                (
                    item.name, item.type, item.server.plan if item.server else "",
                    item.server.all_hours if item.server else None, item.tokens,
                    rounded(item.tokens * price.user, currency.decimals), currency.code,
                )
                for item in items
            ),
        ]  # fmt: skip


def _rows_of(entry: Entry, language: Language) -> Iterator[tuple[Any, ...]]:
    invoice = (
        entry.printed_number or entry.billing_id, entry.reference, str(entry.month), entry.issue_date, entry.due_date,
        str(entry.billing_status or ""),
    )  # fmt: skip
    for line in entry.document.lines:
        words = worded(line, entry.document.language, language)
        yield *invoice, line.item_type, words, line.hours, line.tokens, line.amount, entry.currency
    if entry.total != entry.subtotal:
        for tax, amount in taxes_of(entry):
            yield *invoice, "tax", f"{tax.label} {tax.rate:f} %" if tax else "", None, None, amount, entry.currency
