"""What happens while the pages are open is on them at the next look."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.operator.office import Office, an_office
from tollbridge.sandbox import Fault


@pytest.fixture
def own_office(tmp_path: Path) -> Iterator[Office]:
    with an_office(tmp_path) as made:
        yield made


def test_what_is_cancelled_leaves_the_revenue_and_what_is_owed(own_office: Office) -> None:
    operator = own_office.operator()
    before = {(row["month"], row["currency"]): row for row in operator.table("/revenue", "months")}
    assert before["2026-06", "USD"]["left_out"] == "0"
    owed = sum(int(row["invoices"]) for row in operator.table("/owed", "ages"))
    own_office.world.books.set_status("TB-2026-06-2", "cancelled")
    own_office.world.daily("2026-09-02")
    after = {(row["month"], row["currency"]): row for row in operator.table("/revenue", "months")}
    june = before["2026-06", "USD"], after["2026-06", "USD"]
    assert (int(june[0]["invoices"]) - 1, "1") == (int(june[1]["invoices"]), june[1]["left_out"])
    assert sum(int(row["invoices"]) for row in operator.table("/owed", "ages")) == owed - 1


def test_a_run_that_was_stopped_is_the_first_thing_to_read(own_office: Office) -> None:
    own_office.world.panel.faults.add(Fault("half_page", method="GET", path="users", times=None))
    report = own_office.world.daily("2026-09-02")
    assert report.stopped_by is not None
    state = own_office.operator().page().one("section", **{"aria-labelledby": "state-title"}).text
    assert "was stopped:" in state
    assert str(report.stopped_by)[:40] in state


def test_what_was_decided_waits_no_more(own_office: Office) -> None:
    office, operator = own_office, own_office.operator()
    waiting = {row["who"] for row in operator.table("", "waiting")}
    for page in list(office.parts.ledger.invoices.held()):
        for entry in page:
            office.parts.ledger.invoices.approve(entry.month, entry.client_id, "seen")
    left = {row["who"] for row in operator.table("", "waiting")}
    assert waiting - left == {"TB-2026-07-5", "TB-2026-08-5"}
    office.world.daily("2026-09-02")
    assert operator.table("/invoices?state=written", "invoices") == []
    assert {row["reference"] for row in operator.table("/invoices?q=TB-2026-08-5", "invoices")} == {"TB-2026-08-5"}
