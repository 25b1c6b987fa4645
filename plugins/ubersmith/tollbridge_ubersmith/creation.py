"""One try at an invoice: its services, each tagged with the reference, then the invoice of exactly these.

The process may die between any two of the calls. What it leaves are services with the tag, or the whole invoice; the
next try looks for both before it makes anything.
"""

from collections.abc import Sequence

import structlog

from tollbridge import Attempt, Invoice, NotFound, OutcomeUnknown, Receipt, Refused, Unavailable
from tollbridge.asking import made_certain
from tollbridge_ubersmith import invoices, services
from tollbridge_ubersmith.api import Api
from tollbridge_ubersmith.services import Charge, Service
from tollbridge_ubersmith.settings import UbersmithSettings

_log = structlog.get_logger("tollbridge_ubersmith")


def found(api: Api, settings: UbersmithSettings, client_id: int, reference: str) -> Receipt | None:
    """The client's invoice with the reference; a draft, if there are only its services; None if nothing is there."""
    tagged = services.tagged(api, settings.reference_field, client_id, reference)
    receipt = standing(api, settings, client_id, reference, tagged)
    left = [each for each in tagged if not each.is_gone]
    if receipt is not None or not left:
        return receipt
    return invoices.unfinished(left, client_id, reference, settings.today)


def standing(
    api: Api, settings: UbersmithSettings, client_id: int, reference: str, tagged: Sequence[Service]
) -> Receipt | None:
    """The invoice that charges the tagged services; one of Ubersmith's own that took them in counts, and is told.

    Raises:
        Refused: several invoices do: a human must say which is right.
        Unavailable: none does, although a service counts as billed.
    """
    if not tagged:
        return None
    rows = invoices.holding(api, client_id, tagged)
    receipts = [invoices.receipt(row, reference, settings) for row in rows]
    valid = [each for each in receipts if each.status.value != "cancelled"]
    if len(valid) > 1:
        numbers = ", ".join(str(each.id) for each in valid)
        raise Refused(f"Ubersmith's invoices {numbers} all charge services of {reference}: disregard all but one")
    if not receipts:
        _stop_at_billed(reference, tagged)
        return None
    receipt = (valid or receipts)[0]
    [row] = [each for each in rows if int(each["invid"]) == receipt.id]
    ours, all_of_it = {each.id for each in tagged if not each.is_gone}, invoices.charged(row)
    if valid and ours != all_of_it:
        _log.warning(
            "an invoice of Ubersmith's own took in services of Tollbridge, or left some out",
            reference=reference,
            invoice=receipt.id,
            others=sorted(all_of_it - ours),
            left_out=sorted(ours - all_of_it),
        )
    return receipt


def _stop_at_billed(reference: str, tagged: Sequence[Service]) -> None:
    """A service that is billed stands on an invoice: the list lacks it, or somebody deleted it."""
    billed = [str(each.id) for each in tagged if each.is_billed and not each.is_gone]
    if billed:
        raise Unavailable(
            f"Ubersmith calls services {', '.join(billed)} of {reference} billed, and no invoice of the client charges"
            " them: find it, or deactivate these services and clear their custom field"
        )


class Creation:
    """One try at one invoice; ``proven`` are the custom fields that are known to keep a reference."""

    def __init__(
        self,
        api: Api,
        settings: UbersmithSettings,
        invoice: Invoice,
        taxes: Sequence[int],
        attempt: Attempt,
        *,
        proven: set[str],
    ) -> None:
        self._api = api
        self._settings = settings
        self._invoice = invoice
        self._taxes = taxes
        self._attempt = attempt
        self._proven = proven
        self._made: list[int] = []

    def run(self) -> Receipt:
        """The invoice, whole; services of an earlier try are used first."""
        reference, client_id = self._invoice.reference, self._invoice.client_id
        lines = services.charges(self._invoice)
        tagged = services.tagged(self._api, self._settings.reference_field, client_id, reference)
        receipt = standing(self._api, self._settings, client_id, reference, tagged)
        if receipt is not None:
            return receipt
        left = [each for each in tagged if not each.is_gone]
        self._made = [each.id for each in left]
        try:
            return self._finished(lines, left)
        except (Refused, NotFound) as error:
            self._take_back(error)
            raise
        except Unavailable as error:
            if isinstance(error, OutcomeUnknown) or not self._made:
                raise
            raise OutcomeUnknown(f"{error}; {self._names()} are there, and the next run goes on with them") from None

    def _finished(self, lines: Sequence[Charge], left: Sequence[Service]) -> Receipt:
        there, rest = services.assigned(lines, left)
        for service in rest:
            self._keep()
            self._deactivate(service.id)
        for place, line in enumerate(lines):
            if place not in there:
                there[place] = self._add(line)
        self._keep()
        return self._generated([there[place] for place in range(len(lines))])

    def _add(self, line: Charge) -> int:
        self._keep()
        invoice, field = self._invoice, self._settings.reference_field
        fields = services.new_service(invoice.client_id, line, self._taxes, field, invoice.reference)
        number = services.number_of(self._api.write("client.service_add", **fields), invoice.reference)
        self._made.append(number)
        if field not in self._proven:
            self._prove(number)
        return number

    def _prove(self, number: int) -> None:
        """The first service of each process is looked for: a field that keeps nothing would have all made twice."""
        invoice, field = self._invoice, self._settings.reference_field
        if number not in {each.id for each in services.tagged(self._api, field, invoice.client_id, invoice.reference)}:
            raise Refused(
                f"{invoice.reference}: Ubersmith does not keep a service's {field}: let the custom field apply to all"
                " services, those without a plan among them"
            )
        self._proven.add(field)

    def _generated(self, numbers: Sequence[int]) -> Receipt:
        invoice, reference = self._invoice, self._invoice.reference
        fields = invoices.new_invoice(self._api, invoice.client_id, numbers, invoice.due_date, self._settings)
        answer = self._api.write("client.invoice_generate", **fields)

        def read() -> Receipt | None:
            row = invoices.read(self._api, invoice.client_id, invoices.number_of(answer))
            return None if row is None else invoices.receipt(row, reference, self._settings)

        return made_certain(read, f"the invoice for {reference}")

    def _take_back(self, error: Refused | NotFound) -> None:
        """After a no nothing is left that Ubersmith could bill by itself; an invoice that is there is left alone.

        Raises:
            OutcomeUnknown: it could not be found out, or not be taken back.
        """
        client_id, reference = self._invoice.client_id, self._invoice.reference
        try:
            if self._made:
                tagged = services.tagged(self._api, self._settings.reference_field, client_id, reference)
                if tagged and invoices.holding(self._api, client_id, tagged):
                    raise OutcomeUnknown(f"{error}; and yet an invoice charges services of {reference}")
                gone = {each.id for each in tagged if each.is_gone}
                for number in sorted({*self._made, *(each.id for each in tagged)} - gone):
                    self._deactivate(number)
            self._attempt.keep("")
        except (Refused, NotFound, Unavailable) as problem:
            if isinstance(problem, OutcomeUnknown):
                raise
            raise OutcomeUnknown(f"{error}; and {self._names()} could not be taken back: {problem}") from None

    def _deactivate(self, number: int) -> None:
        self._api.write("client.service_deactivate", client_id=self._invoice.client_id, service_id=number)
        if number in self._made:
            self._made.remove(number)

    def _keep(self) -> None:
        self._attempt.keep(self._names() if self._made else "begun")

    def _names(self) -> str:
        return f"services {', '.join(map(str, self._made))}"
