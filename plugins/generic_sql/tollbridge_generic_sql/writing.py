"""What is written in one transaction: an invoice with its lines, or a client who signs up."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge import AddressTaken, Client, Invoice, Receipt, Refused
from tollbridge.reading import Row, whole
from tollbridge_generic_sql import parameters, rows
from tollbridge_generic_sql.locks import forget_what_was_seen
from tollbridge_generic_sql.prepared import Answer, Prepared
from tollbridge_generic_sql.statements import NO_ID


@attrs.frozen
class Transaction:
    """A transaction that somebody else begins and ends.

    Attributes:
        what: what is written in it, for messages.
        nothing: why a writing statement may find nothing to do, by its name.
    """

    connection: sa.Connection
    statements: Mapping[str, Prepared]
    what: str
    nothing: Mapping[str, str]

    def invoice(self, invoice: Invoice) -> Receipt:
        """All rows of the invoice, read back before they are kept; one with its reference that is there already wins.

        Nobody else may be writing it meanwhile: see :func:`locked`.
        """
        found = self.find_invoice(invoice.client_id, invoice.reference)
        if found is not None:
            return found
        forget_what_was_seen(self.connection)
        plain = self.connection.dialect.name == "sqlite"
        values = parameters.of_invoice(invoice, plain=plain)
        if "before_invoice" in self.statements:
            values["number"] = self._first("before_invoice", self._run("before_invoice", values))
        invoice_id = self._inserted("insert_invoice", values)
        lines = parameters.of_lines(invoice, invoice_id, values, plain=plain)
        self.statements["insert_line"].run_each(self.connection, lines)
        receipt = self.find_invoice(invoice.client_id, invoice.reference)
        if receipt is None:
            raise Refused(
                f"the statement `find_invoice` would not find {invoice.reference} again, so it is not written"
            )
        return receipt

    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        """The client's invoice with this reference."""
        found = list(self._rows("find_invoice", {"client_id": client_id, "reference": reference}))
        if len(found) > 1:
            raise Refused(f"the database has {len(found)} invoices with the reference {reference}: remove all but one")
        return rows.receipt(found[0]) if found else None

    def client(self, values: Mapping[str, Any]) -> Client:
        """The client of these parameters, read back before it is kept.

        Raises:
            AddressTaken: ``login`` finds somebody with the address.
            Refused: nothing was written, or ``client`` would not find it again.
        """
        if list(self._rows("login", values)):
            raise taken(values["email"])
        client_id = whole({"id": self._inserted("insert_client", values)}, "id", "the new client")
        client = the_client(list(self._rows("client", {"client_id": client_id})), client_id)
        if client is None:
            raise Refused(f"the statement `client` would not find {self.what} again, so it is not written")
        return client

    def _inserted(self, name: str, values: Mapping[str, Any]) -> int | str:
        """The id of the row that the statement writes: what it returns, or else the number the driver tells."""
        answer = self._run(name, values)
        first = self._first(name, answer)
        new = answer.new_id if answer.columns is None else first
        if not new:
            raise Refused(f"the statement `{name}` {NO_ID}")
        return rows.identifier(new)

    def _first(self, name: str, answer: Answer) -> Any:
        """The first value that a writing statement gives, if it gives any; Refused if it found nothing to do."""
        if not answer.rows if answer.columns is not None else answer.changed == 0:
            why = self.nothing.get(name, f"the statement `{name}` finds nothing to do")
            raise Refused(f"{self.what} is not written: {why}")
        return answer.rows[0][0] if answer.rows else None

    def _run(self, name: str, values: Mapping[str, Any]) -> Answer:
        return self.statements[name].run(self.connection, values)

    def _rows(self, name: str, values: Mapping[str, Any]) -> Iterable[Row]:
        return self.statements[name].rows(self._run(name, values))


def the_client(found: list[Row], client_id: int) -> Client | None:
    """The one client that the statement ``client`` gives."""
    if len(found) > 1:
        raise Refused(f"the statement `client` gives {len(found)} rows for client {client_id}: it must give one")
    return rows.client(found[0]) if found else None


def taken(email: str) -> AddressTaken:
    """The refusal of an address that is somebody's already."""
    return AddressTaken(f"the database has a client with the address {email}")
