"""An adapter in one file beside bridge.toml bills a company."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.acme import ACME, configure, module
from tests.world import World
from tollbridge.cli import main

CLIENTS = [
    {"id": 1, "email": "one@example.com", "currency": "USD", "country": "GB"},
    {"id": 2, "email": "two@example.com", "currency": "JPY"},
    {"id": 3, "email": "three@example.com", "currency": "USD", "country": "GB", "tax_exempt": True},
]


@pytest.fixture
def books(world: World) -> Path:
    """Acme's whole billing system."""
    path = world.folder / "acme.json"
    path.write_text(json.dumps({"clients": CLIENTS, "invoices": []}))
    for client in CLIENTS:
        user = world.panel.add_user(str(client["email"]), billing_user_id=int(str(client["id"])))
        world.run_server(user.id, 700)
    world.panel.set_time(datetime(2026, 7, 1, 4, tzinfo=UTC))
    return path


def command(world: World, books: Path, text: str, *arguments: str) -> int:
    use = f"{module(world.folder, text)}:AcmeAdapter"
    path = configure(world, use, f'[adapter.settings]\nfile = "{books}"')
    return main(["--config", str(path), *arguments])


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_it_bills_a_month_exactly_once(world: World, books: Path, capsys: pytest.CaptureFixture[str]) -> None:
    use = f"{module(world.folder)}:AcmeAdapter"
    path = configure(world, use, f'[adapter.settings]\nfile = "{books}"')
    for expected in (3, 0):
        assert main(["--config", str(path), "run", "--date", "2026-07-01", "--json"]) == 0
        assert len(document(capsys)["invoices"]) == expected
    invoices = json.loads(books.read_text())["invoices"]
    assert [(each["reference"], each["total"], len(each["lines"])) for each in invoices] == [
        ("TB-2026-06-1", "5.88", 1),
        ("TB-2026-06-2", "735", 1),
        ("TB-2026-06-3", "4.90", 1),
    ]


def test_it_locks_who_does_not_pay_and_releases_who_does(
    world: World, books: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = configure(world, f"{module(world.folder)}:AcmeAdapter", f'[adapter.settings]\nfile = "{books}"')

    def run(day: str) -> dict[str, str]:
        assert main(["--config", str(path), "run", "--date", day]) == 0
        return {user.email: str(user.status) for user in world.panel.users if user.billing_user_id}

    run("2026-07-01")
    assert set(run("2026-07-22").values()) == {"locked"}
    text = books.read_text()
    books.write_text(text.replace('"unpaid"', '"paid"', 1))
    capsys.readouterr()
    assert run("2026-07-23")["one@example.com"] == "active"


def test_a_list_is_as_good_as_a_generator(world: World, books: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = ACME.replace(
        '        for row in self._read()["clients"]:\n            yield Client(**row)\n',
        '        return [Client(**row) for row in self._read()["clients"]]\n',
    )
    assert listed != ACME
    assert command(world, books, listed, "run", "--date", "2026-07-01", "--json") == 0
    assert len(document(capsys)["invoices"]) == 3


def test_raising_not_found_is_the_same_as_giving_none(
    world: World, books: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raising = ACME.replace("        return None\n", '        raise NotFound("no such thing")\n')
    assert raising.count("NotFound(") == 2
    assert command(world, books, raising, "run", "--date", "2026-07-01", "--json") == 0
    assert len(document(capsys)["invoices"]) == 3
    assert command(world, books, raising, "price", "99") == command(world, books, ACME, "price", "99") == 2


def test_without_terms_bridge_tomls_taxes_apply(world: World, books: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(world, books, ACME, "price", "1", "--json") == 0
    answer = document(capsys)["answer"]
    assert (answer["user_token_unit_cost"], answer["taxes"]["rates"]) == ("0.0012", [{"label": "VAT", "rate": "20"}])


def test_without_a_check_of_its_own_it_is_asked_for_its_currencies(
    world: World, books: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(world, books, ACME, "check", "--json") == 0
    checks = {check["name"]: check["ok"] for check in document(capsys)["checks"]}
    assert checks["billing system"] is True
    assert checks["currency JPY"] is True


REFUSING = '            if row["id"] == 2:\n                {}\n            yield Client(**row)\n'


@pytest.mark.parametrize(
    "way", ['yield Refused("client 2: no currency"); continue', 'raise Refused("client 2: no currency")']
)
def test_one_client_that_is_refused_is_reported_and_the_others_are_billed(
    world: World, books: Path, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    text = ACME.replace("            yield Client(**row)\n", REFUSING.format(way))
    assert command(world, books, text, "run", "--date", "2026-07-01", "--json") == 1
    report = document(capsys)
    assert "client 2: no currency" in json.dumps(report["failures"])
    assert len(report["invoices"]) == 3, "usage is billed by client, not by the list"
    assert ("ended right after that" in json.dumps(report["failures"])) == way.startswith("raise")


def test_a_client_it_refuses_to_give_costs_nobody_else_an_invoice(
    world: World, books: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ACME.replace(
        '            if row["id"] == client_id:\n',
        '            if client_id == 2:\n                raise Refused("client 2 is under review")\n'
        '            if row["id"] == client_id:\n',
    )
    text = text.replace(
        "            yield Client(**row)\n", '            if row["id"] != 2:\n                yield Client(**row)\n'
    )
    assert command(world, books, text, "run", "--date", "2026-07-01", "--json") == 1
    report = document(capsys)
    assert [each["client_id"] for each in report["invoices"]] == [1, 3]
    assert "under review" in json.dumps(report["failures"])


def test_an_adapter_that_is_down_stops_the_run_with_3(
    world: World, books: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ACME.replace(
        '        for row in self._read()["clients"]:\n            yield',
        '        raise Unavailable("Acme is down")\n        for row in ():\n            yield',
    )
    assert command(world, books, text, "run", "--date", "2026-07-01") == 3
    assert "Acme is down" in capsys.readouterr().err
    assert json.loads(books.read_text())["invoices"] == []


@pytest.mark.parametrize(
    ("hook", "broken"),
    [
        ("clients", "return 5"),
        ("clients", "return None"),
        ("clients", "return [{'id': 1}]"),
        ("unpaid_invoices", "return None"),
        ("unpaid_invoices", "return ['TB-1']"),
        ("clients", "return 1 / 0"),
        ("unpaid_invoices", "raise KeyError('due')"),
    ],
)
def test_a_fault_of_its_own_is_shown_as_one_with_the_hooks_name(
    world: World, books: Path, capsys: pytest.CaptureFixture[str], hook: str, broken: str
) -> None:
    text = ACME.replace(f"def {hook}(self)", f"def {hook}(self):\n        {broken}\n    def _{hook}(self)")
    assert command(world, books, text, "run", "--date", "2026-07-01") == 3
    told = capsys.readouterr().err
    assert f".{hook} " in told.replace("\n", " ")
    assert "Traceback" not in told


@pytest.mark.parametrize(
    "broken", ["return None", "return 'INV-1'", "raise ZeroDivisionError", "return self.find_invoice(1, 'x') or 7"]
)
def test_an_invoice_that_is_not_confirmed_properly_is_in_doubt_and_never_made_twice(
    world: World, books: Path, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    """Whether it was made is not known, so it is looked for: the fault may have come after the invoice."""
    text = ACME.replace(
        "        return self._receipt(row)\n\n    @hookimpl\n    def find",
        f"        {broken}\n\n    @hookimpl\n    def find",
    )
    assert text != ACME
    sure = ("    Settings = AcmeSettings", "    Settings = AcmeSettings\n    in_doubt_seconds = 0")
    assert command(world, books, text.replace(*sure), "run", "--date", "2026-07-01") == 1
    assert "create_invoice" in capsys.readouterr().err
    assert command(world, books, ACME.replace(*sure), "run", "--date", "2026-07-01") == 0
    references = [each["reference"] for each in json.loads(books.read_text())["invoices"]]
    assert references == ["TB-2026-06-1", "TB-2026-06-2", "TB-2026-06-3"]


def test_a_receipt_for_another_invoice_is_not_accepted(
    world: World, books: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ACME.replace('"reference": invoice.reference,', '"reference": "TB-0",')
    assert command(world, books, text, "run", "--date", "2026-07-01") == 1
    assert "gave a receipt for TB-0" in " ".join(capsys.readouterr().err.split())


def test_invoices_that_all_come_out_wrong_stop_the_run(
    world: World, books: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tollbridge.jobs.sending._MOST_DIFFERING", 2)
    text = ACME.replace("return self._receipt(row)\n\n    @hookimpl\n    def find", WRONG_TOTAL)
    assert text != ACME
    assert command(world, books, text, "run", "--date", "2026-07-01") == 3
    assert "another total" in " ".join(capsys.readouterr().err.split())
    assert len(json.loads(books.read_text())["invoices"]) == 2


WRONG_TOTAL = """return attrs.evolve(self._receipt(row), total=self._receipt(row).total + 100)

    @hookimpl
    def find"""


def test_a_billing_system_that_does_not_take_the_users_id_is_told_of_and_billed_all_the_same(
    world: World, books: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ACME.replace("    @hookimpl\n    def client(", REMEMBERING, 1)
    assert text != ACME
    assert command(world, books, text, "run", "--date", "2026-07-01", "--json") == 1
    report = document(capsys)
    assert len(report["invoices"]) == 3
    assert ["no such field" in each["message"] for each in report["failures"]] == [True, True, True]
    assert command(world, books, text, "run", "--date", "2026-07-22", "--json") == 0
    assert {user.status for user in world.panel.users if user.billing_user_id} == {"locked"}


REMEMBERING = """    @hookimpl
    def remember_user(self, client_id: int, solus_user_id: int) -> None:
        raise Refused("no such field")

    @hookimpl
    def client("""


def test_another_invoice_with_the_same_reference_locks_nobody(
    world: World, books: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(world, books, ACME, "run", "--date", "2026-07-01") == 0
    books.write_text(books.read_text().replace('"unpaid"', '"paid"'))
    text = ACME.replace("    def unpaid_invoices(self)", ANOTHER)
    assert text != ACME
    assert command(world, books, text, "run", "--date", "2026-07-22") == 0
    assert {user.status for user in world.panel.users if user.billing_user_id} == {"active"}


ANOTHER = """    def unpaid_invoices(self):
        for row in self._read()["invoices"]:
            yield attrs.evolve(self._receipt(row), id="another", status="unpaid")

    def _unpaid_invoices(self)"""
