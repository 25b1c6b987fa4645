"""How an invoice is made in Acme: in one call, whole or not at all."""

from tollbridge import Invoice, OutcomeUnknown, Receipt, Refused, Unavailable, hookimpl

from tollbridge_acme.api import Api, document, receipt_of


class InvoiceCreating:
    """The hook that creates invoices."""

    _api: Api

    @hookimpl
    def create_invoice(self, invoice: Invoice) -> Receipt:
        if invoice.prices_include_tax and invoice.taxes:
            raise Refused(f"{invoice.reference}: Acme adds tax to prices: set pricing.prices_include_tax = false")
        lines = [
            {"description": line.description, "amount": f"{line.amount:f}", "taxed": line.taxed}
            for line in invoice.lines
        ]
        answer = self._api.send(
            "POST",
            "invoices",
            {
                "reference": invoice.reference,
                "client": invoice.client_id,
                "currency": invoice.currency,
                "date": invoice.issue_date.isoformat(),
                "due": invoice.due_date.isoformat(),
                "lines": lines,
            },
        )
        try:
            return receipt_of(document(answer))
        except Refused:
            if answer.ok:  # it is made, and what came back makes no sense
                raise OutcomeUnknown(f"Acme's answer for {invoice.reference} cannot be read") from None
            raise
        except Unavailable as error:
            raise OutcomeUnknown(f"Acme was sent {invoice.reference}, and {error}") from None
