"""The README's adapter passes the conformance kit as it stands."""

import csv
import importlib.util
import json
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.docs.walking import all_blocks
from tollbridge import Client, Currency, InvoiceStatus
from tollbridge.conformance import AdapterTests, Held, HeldLine, OtherSide

_COLUMNS = ("id", "email", "currency", "first_name", "last_name", "company", "status", "country", "state", "tax_exempt")


class AcmeSide(OtherSide):
    """A CSV file and a folder of JSON files."""

    def __init__(self, module: Any, folder: Path) -> None:
        self.module = module
        self.folder = folder
        self.clients: list[dict[str, Any]] = []
        self._write()

    def adapter(self) -> Any:
        return self.module.AcmeAdapter(self.module.AcmeSettings(self.folder))

    def add_currency(self, currency: Currency) -> None:
        """They stand in the adapter."""

    def add_client(self, client: Client) -> int:
        fields = attrs.asdict(client)
        self.clients.append({**fields, "tax_exempt": "yes" if client.tax_exempt else "no"})
        self._write()
        return client.id

    def _write(self) -> None:
        with (self.folder / "clients.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _COLUMNS, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.clients)

    def invoices(self) -> list[Held]:
        return [self._held(path) for path in sorted(self.folder.glob("TB-*.json"))]

    def _held(self, path: Path) -> Held:
        facts = json.loads(path.read_text(encoding="utf-8"))
        lines = [line.rpartition(": ") for line in facts["lines"]]
        return Held(
            id=path.stem,
            client_id=facts["client"],
            currency=facts["currency"],
            status=InvoiceStatus(facts["status"]),
            issue_date=date.fromisoformat(facts["date"]),
            due_date=date.fromisoformat(facts["due"]),
            lines=tuple(HeldLine(words, Decimal(amount)) for words, _, amount in lines),
            total=Decimal(facts["total"]),
        )

    def set_status(self, invoice_id: int | str, status: InvoiceStatus) -> None:
        path = self.folder / f"{invoice_id}.json"
        facts = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**facts, "status": str(status)}), encoding="utf-8")

    def spoil_client(self, client_id: int) -> None:
        pytest.skip("one row that cannot be read makes the whole file unreadable")

    def outage(self) -> AbstractContextManager[None]:
        pytest.skip("a folder is never down")

    def refusal(self) -> AbstractContextManager[None]:
        pytest.skip("a folder never says no")

    def lost_answer(self) -> AbstractContextManager[None]:
        pytest.skip("a folder does not answer")


class TestReadmesAdapter(AdapterTests):
    """All of the kit."""

    @pytest.fixture
    def side(self, tmp_path: Path) -> AcmeSide:
        [source] = all_blocks("python", "acme.py")
        path = tmp_path / "acme.py"
        path.write_text(source.text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("readme_acme", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        books = tmp_path / "books"
        books.mkdir()
        return AcmeSide(module, books)
