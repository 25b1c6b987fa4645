"""Adapters in one file, written from section 6 of the contract alone; each test gets a module of its own."""

import itertools
from pathlib import Path

from tests.world import World

_numbers = itertools.count()

CONFIGURATION = """
[solus]
url = "{solus}"
api_token = "sandbox-token"

[pricing.tokens]
USD = "0.001"
JPY = "0.15"

[[pricing.taxes]]
label = "VAT"
rate = "20"
country = "GB"

[billing]
start = "2026-06"
lock_after_days = 7
suspend_after_days = 14

[ledger]
url = "sqlite:///books.db"

[adapter]
use = "{use}"
{settings}
"""

HEAD = """
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import attrs
from tollbridge import Client, Currency, Invoice, NotFound, Receipt, Refused, Terms, Unavailable, hookimpl


@attrs.frozen
class AcmeSettings:
    file: str
    greeting: str = attrs.field(default="hello", metadata={"doc": "what it says"})

"""

ACME = '''
class AcmeAdapter:
    """Billing in a JSON file."""

    Settings = AcmeSettings
    at_once = 1  # a file is read and written whole

    def __init__(self, settings: AcmeSettings) -> None:
        self._file = Path(settings.file)

    def _read(self):
        return json.loads(self._file.read_text())

    def _receipt(self, row) -> Receipt:
        return Receipt(row["id"], row["reference"], row["client_id"], row["status"],
                       date.fromisoformat(row["due_date"]), Decimal(row["total"]))

    @hookimpl
    def client(self, client_id: int) -> Client | None:
        for row in self._read()["clients"]:
            if row["id"] == client_id:
                return Client(**row)
        return None

    @hookimpl
    def clients(self) -> Iterator[Client]:
        for row in self._read()["clients"]:
            yield Client(**row)

    @hookimpl
    def currencies(self) -> list[Currency]:
        return [Currency("USD", prefix="$"), Currency("JPY", decimals=0)]

    @hookimpl
    def create_invoice(self, invoice: Invoice) -> Receipt:
        document = self._read()
        row = {"id": f"INV-{len(document['invoices']) + 1}", "reference": invoice.reference,
               "client_id": invoice.client_id, "status": "unpaid", "due_date": invoice.due_date.isoformat(),
               "total": str(invoice.total), "lines": [[each.description, str(each.amount)] for each in invoice.lines]}
        document["invoices"].append(row)
        self._file.write_text(json.dumps(document))
        return self._receipt(row)

    @hookimpl
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        for row in self._read()["invoices"]:
            if (row["client_id"], row["reference"]) == (client_id, reference):
                return self._receipt(row)
        return None

    @hookimpl
    def unpaid_invoices(self) -> Iterator[Receipt]:
        return (self._receipt(row) for row in self._read()["invoices"] if row["status"] == "unpaid")
'''


def module(folder: Path, text: str = ACME, head: str = HEAD) -> str:
    """Write the adapter beside bridge.toml; its module's name, never used before."""
    name = f"acme_of_test_{next(_numbers)}"
    (folder / f"{name}.py").write_text(head + text, encoding="utf-8")
    return name


def configure(world: World, use: str, settings: str = "") -> Path:
    """bridge.toml with this adapter, beside it."""
    path = world.folder / "bridge.toml"
    path.write_text(CONFIGURATION.format(solus=world.solus_url, use=use, settings=settings), encoding="utf-8")
    return path
