"""The conformance kit fails for adapters that would bill wrongly: each fault here is one, and a test names it."""

import shutil
from pathlib import Path

import httpcore  # noqa: F401 - httpx imports it late, and a pytest within this one forgets what it imported
import pytest

import tollbridge.conformance  # noqa: F401 - once for all the tests here

pytest_plugins = ["pytester"]

NOTHING_ELSE = ("-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")

SOURCES = "src/tollbridge_my_billing"
FAULTS = {
    "reads only the first page": ("while read < total:", "while read < min(total, 1):", "however_many_pages"),
    "never finds an invoice": ("return found[0] if found else None", "return None", "find_invoice_finds"),
    "finds any of the client's invoices": (
        "client=client_id, reference=reference", "client=client_id", "longer_reference"
    ),
    "guesses that a lost answer was a no": (
        "return self._http.request(method, path, json=fields)",
        "return self._http.request(method, path, json=fields, repeatable=True)",
        "lost_answer",
    ),
    "adds a cent": ('"amount": f"{line.amount:f}"', '"amount": f"{line.amount + 1:f}"', "keeps_every_amount"),
    "rounds to cents": (
        '"amount": f"{line.amount:f}"', '"amount": f"{round(line.amount, 2):f}"', "keeps_every_amount"
    ),
    "forgets the last line": ("for line in invoice.lines\n", "for line in invoice.lines[:1]\n", "every_amount"),
    "swaps the dates": ('"due": invoice.due_date', '"due": invoice.issue_date', "keeps_its_dates"),
    "takes everybody for taxable": (
        'tax_exempt=flag(row, "tax_exempt", who)', "tax_exempt=False", "as_it_was_entered"
    ),
    "forgets pending payments' siblings": ('("unpaid", "pending")', '("pending",)', "unpaid_invoices"),
    "taxes nothing": ('"taxed": line.taxed', '"taxed": False', "charges_the_taxes"),
    "taxes everything": ('"taxed": line.taxed', '"taxed": True', "not_taxed"),
    "takes its own word for the total": (
        "            return receipt_of(document(answer))\n",
        '            return receipt_of(document(answer) | {"total": str(invoice.subtotal)})\n',
        "charges_the_taxes",
    ),
    "repeats the total that was shown": (
        "            return receipt_of(document(answer))\n",
        '            return receipt_of(document(answer) | {"total": str(invoice.total)})\n',
        "not_the_one_that_was_shown",
    ),
    "takes an invoice for the client's that asks": (
        'return receipt_of(self._api.get(f"invoices/{invoice_id}"))',
        'return receipt_of(self._api.get(f"invoices/{invoice_id}") | {"client": client_id})',
        "names_the_client_that_has_it_now",
    ),
    "takes an outage for an invoice that is gone": (
        "        except NotFound:\n            return None\n\n    @hookimpl\n    def invoices_since",
        "        except Exception:\n            return None\n\n    @hookimpl\n    def invoices_since",
        "invoices_since_are_unavailable",
    ),
    "goes by a date that people can move": (
        'if reference_in(text(row, "reference"))',
        'if reference_in(text(row, "reference")) and text(row, "date") >= day.isoformat()',
        "every_one_made_since_then",
    ),
    "forgets cancelled ones": (
        'if reference_in(text(row, "reference"))',
        'if reference_in(text(row, "reference")) and text(row, "status") != "cancelled"',
        "every_one_made_since_then",
    ),
    "tells a currency of its own": (
        'currency=text(row, "currency"),\n    )\n', 'currency="EUR",\n    )\n', "subtotal_currency_and_months"
    ),
    "mixes up its threads": (
        'return client_of(self._api.get(f"clients/{client_id}"))',
        (
            'self._asked = client_id; __import__("time").sleep(0.01);'
            ' return client_of(self._api.get(f"clients/{self._asked}"))'
        ),
        "answers_many_threads",
    ),
    "charges tax on tax": ("if invoice.prices_include_tax and", "if False and", "include_tax"),
    "takes the first of two invoices": ("if len(found) > 1:", "if False:", "two_invoices_of_one_reference"),
    "tells only the first tax": (
        'for row in found))', 'for row in list(found)[:1]))', "charges_the_taxes"
    ),
    "lets one bad client hide the others": (
        'return map(client_of, self._api.every("clients"))',
        'return iter([client_of(row) for row in self._api.every("clients")])',
        "hide_no_others",
    ),
    "forgets payments under way": ('("unpaid", "pending")', '("unpaid",)', "under_way"),
    "bills in whatever currency there is": (
        '"currency": invoice.currency', '"currency": "USD"', "another_currency"
    ),
    "shows its key": (
        "        self._api = Api(settings, retry)\n",
        (
            "        self._api = Api(settings, retry)\n\n"
            "    def __repr__(self) -> str:\n        return 'my-billing-secret-key'\n"
        ),
        "secrets_show_nowhere",
    ),
    "takes an outage for an empty list": (
        "            found = self._page(path, page=page, **parameters)",
        (
            "            try:\n                found = self._page(path, page=page, **parameters)\n"
            "            except Unavailable:\n                return"
        ),
        "outage_is_unavailable",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.replace(" ", "_"))
def test_a_fault_is_found(project: Path, pytester: pytest.Pytester, fault: str) -> None:
    """By a pytest within this one, which is ten times as fast as one of its own."""
    before, after, found_by = FAULTS[fault]
    shutil.copytree(project, pytester.path, dirs_exist_ok=True)
    texts = {path: path.read_text(encoding="utf-8") for path in (pytester.path / SOURCES).glob("*.py")}
    [(path, text)] = [(path, text) for path, text in texts.items() if before in text]
    path.write_text(text.replace(before, after), encoding="utf-8")
    done = pytester.inline_run(*NOTHING_ELSE, "--tb=no", "-k", found_by)
    failed = [report.nodeid for report in done.getfailures() if report.when == "call"]
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    assert all(found_by in name for name in failed), failed
