"""How an invoice is made in Acme: a draft, its lines one by one, its dates, and a last call that makes it count.

The process may die, or the line be cut, between any two of them. The next try finds the draft by the number that was
kept, or by the reference that the draft carries from its first moment, and goes on.
"""

from collections.abc import Sequence

from tollbridge import (
    Attempt,
    Invoice,
    InvoiceStatus,
    NotFound,
    OutcomeUnknown,
    Receipt,
    Refused,
    TollbridgeError,
    Unavailable,
    hookimpl,
    tax_explains,
)
from tollbridge.reading import Row, decimal, records, text, whole

from tollbridge_acme.api import Api, document, receipt_of


class InvoiceCreating:
    """The hook that creates invoices."""

    _api: Api

    @hookimpl
    def create_invoice(self, invoice: Invoice, attempt: Attempt) -> Receipt:
        if invoice.prices_include_tax and invoice.taxes:
            raise Refused(f"{invoice.reference}: Acme adds tax to prices: set pricing.prices_include_tax = false")
        draft = self._begun(invoice, attempt) or self._begin(invoice)
        number = whole(draft, "id", f"the draft of {invoice.reference}")
        attempt.keep(str(number))  # before the next call: whoever comes after must know it
        try:
            self._fill(number, draft, invoice)
            return self._issue(number, invoice)
        except Refused:
            self._remove(number, attempt)
            raise

    def _begun(self, invoice: Invoice, attempt: Attempt) -> Row | None:
        """What an earlier try left, if the lines it has are the first ones of this invoice; else it is removed."""
        found = self._draft(invoice, attempt)
        if found is None or _lines_of(found) == _lines(invoice)[: len(_lines_of(found))]:
            return found
        self._remove(whole(found, "id", f"the draft of {invoice.reference}"), attempt)
        return None

    def _draft(self, invoice: Invoice, attempt: Attempt) -> Row | None:
        """The draft by the number that was kept, else by its reference. Without either it is a human's."""
        if attempt.kept:
            try:
                found = self._api.get(f"invoices/{attempt.kept}")
            except NotFound:
                return None
            return found if text(found, "status") == InvoiceStatus.DRAFT else None
        drafts = self._api.every("invoices", client=invoice.client_id, reference=invoice.reference, status="draft")
        return next(drafts, None)

    def _begin(self, invoice: Invoice) -> Row:
        fields = {"reference": invoice.reference, "client": invoice.client_id, "currency": invoice.currency}
        return self._sent("POST", "invoices", fields, invoice)

    def _fill(self, number: int, draft: Row, invoice: Invoice) -> None:
        """The lines that are not there yet."""
        for line in _lines(invoice)[len(_lines_of(draft)) :]:
            self._sent("POST", f"invoices/{number}/lines", line, invoice)

    def _issue(self, number: int, invoice: Invoice) -> Receipt:
        """Date it and make it count, unless it would come to something that no tax explains."""
        dates = {"date": invoice.issue_date.isoformat(), "due": invoice.due_date.isoformat()}
        dated = self._sent("PUT", f"invoices/{number}", dates, invoice)
        total = decimal(dated, "total", f"the draft of {invoice.reference}")
        if not tax_explains(invoice, total):
            raise Refused(f"{invoice.reference} would come to {total}, and no tax explains that")
        issued = self._sent("POST", f"invoices/{number}/issue", {}, invoice)
        try:
            return receipt_of(issued)
        except Refused:
            raise OutcomeUnknown(f"Acme's answer for {invoice.reference} cannot be read") from None

    def _remove(self, number: int, attempt: Attempt) -> None:
        """Delete a draft; one that is gone already is as good."""
        answer = self._api.send("DELETE", f"invoices/{number}")
        if answer.status != 404:
            document(answer)
        attempt.keep("")

    def _sent(self, method: str, path: str, fields: Row, invoice: Invoice) -> Row:
        """What Acme says to a step. If that cannot be read, the step may have been done."""
        answer = self._api.send(method, path, fields)
        try:
            return document(answer)
        except Unavailable as error:
            raise OutcomeUnknown(f"Acme was sent {invoice.reference}, and {error}") from None
        except NotFound as error:
            raise Refused(str(error)) from None
        except TollbridgeError:
            if answer.ok:
                raise OutcomeUnknown(f"Acme's answer for {invoice.reference} cannot be read") from None
            raise


def _lines(invoice: Invoice) -> Sequence[Row]:
    """As Acme takes them."""
    return [
        {"description": line.description, "amount": f"{line.amount:f}", "taxed": line.taxed} for line in invoice.lines
    ]


def _lines_of(draft: Row) -> Sequence[Row]:
    """As Acme shows them."""
    return records(draft.get("lines"))
