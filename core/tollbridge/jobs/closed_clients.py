"""What waits for no later invoice: what is left of clients that are closed by now, or pay in another currency."""

from datetime import UTC, datetime
from functools import partial

from tollbridge.errors import TollbridgeError
from tollbridge.jobs.turn import Turn
from tollbridge.ledger.invoices import Draft
from tollbridge.model import Client, ClientStatus
from tollbridge.rules.closing import last_invoice
from tollbridge.rules.corrections import Correction, fits
from tollbridge.rules.entry import Entry, State
from tollbridge.rules.pricing import TokenPrice


class ClosedClients:
    """The last invoices that one run drafts."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._work = turn.work

    def bill_carried(self) -> None:
        """What was carried for clients who are closed by now waits for no later invoice."""
        ledger = self._work.parts.ledger
        for client_ids in ledger.invoices.clients_with_carried():
            closed = [
                client
                for client_id in client_ids
                if (client := self._work.clients.find(client_id)) and client.status is ClientStatus.CLOSED
            ]
            carried = ledger.invoices.all_carried([client.id for client in closed])
            price_then = partial(self._price_then, carried)
            for client, price in self._work.at_billing.each(price_then, closed):
                if isinstance(price, TollbridgeError):
                    self._turn.failures.add(f"client {client.id}", price)
                else:
                    self._bill(client, price, carried[client.id])

    def _price_then(self, carried: dict[int, list[Entry]], client: Client) -> TokenPrice:
        """A client's price in the first month that was carried."""
        return self._turn.price(carried[client.id][0].month, client)

    def _bill(self, client: Client, price: TokenPrice, carried: list[Entry]) -> None:
        ledger, first = self._work.parts.ledger, carried[0]
        taken_back = ledger.corrections.to_take(first.month, [client.id]).get(client.id, [])
        entry = last_invoice(
            carried, client, taken_back, price=price, rules=self._work.parts.settings.billing.invoice_rules,
            prices=self._turn.lists.of(first.month).prices.digest, day=self._work.when.day, now=datetime.now(UTC),
        )  # fmt: skip
        if entry.state is State.WRITTEN:
            ledger.invoices.draft([Draft(entry, first)], self._turn.lease)
        else:
            owed = -sum([*(each.subtotal for each in carried), *(each.line.amount for each in taken_back)])
            words = f"the client is closed, and is owed {owed:f} {first.currency}: settle it by hand"
            self._turn.report.warnings.append(f"{first.reference}: {words}")

    def owe_what_no_invoice_gives_back(self) -> None:
        """What is taken back of a client who is closed by now, or pays in another currency, waits for no invoice."""
        ledger = self._work.parts.ledger
        free = ledger.corrections.free()
        carried = ledger.invoices.all_carried(list(free))
        owed: list[Correction] = []
        for client_id, found in free.items():
            client = self._work.clients.find(client_id)
            if client is None:
                continue
            owed += [each for each in found if not fits(each, client.currency)]
            left = [each for each in found if fits(each, client.currency)]
            is_last = client.status is ClientStatus.CLOSED and client_id not in carried
            if is_last and sum(each.line.amount for each in left) < 0:
                owed += left
        ledger.corrections.owe(owed, self._turn.lease)
