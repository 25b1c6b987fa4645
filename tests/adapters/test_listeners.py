"""Whoever listens hears what was done, and never disturbs it."""

from datetime import UTC, datetime
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pytest

from tests.world import World
from tollbridge import Client, Invoice, Receipt, UserStatus, hookimpl
from tollbridge.adapters import loading
from tollbridge.cli import main


class Hearing:
    """Notes everything."""

    heard: list[tuple[Any, ...]] = []  # noqa: RUF012

    @hookimpl
    def invoice_issued(self, invoice: Invoice, receipt: Receipt) -> None:
        self.heard.append(("issued", invoice.reference, receipt.total))

    @hookimpl
    def user_status_changed(self, client_id: int, before: UserStatus, after: UserStatus) -> None:
        self.heard.append(("status", client_id, str(before), str(after)))

    @hookimpl
    def run_finished(self, report: dict[str, Any]) -> None:
        self.heard.append(("finished", report["date"]))


class Failing:
    """Fails at everything."""

    @hookimpl
    def invoice_issued(self) -> None:
        raise RuntimeError("listener broke")

    @hookimpl
    def run_finished(self) -> None:
        raise RuntimeError("listener broke")


class TakingOver:
    """Would answer for the billing system."""

    @hookimpl
    def client(self, client_id: int) -> Client:
        return Client(client_id, "evil@example.com", "JPY")


class Unmakeable:
    """Cannot even begin."""

    def __init__(self) -> None:
        raise OSError("no network")


@pytest.fixture
def company(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """One client with a month of usage, and four listeners installed, three of them bad."""
    points = [
        EntryPoint(name.lower(), f"{__name__}:{name}", loading.LISTENERS_GROUP)
        for name in ("Failing", "TakingOver", "Unmakeable", "Missing", "Hearing")
    ]
    monkeypatch.setattr(
        loading,
        "entry_points",
        lambda *, group: points if group == loading.LISTENERS_GROUP else entry_points(group=group),
    )
    Hearing.heard.clear()
    world.add_client(1042)
    world.run_server(world.add_user(1042), 700)
    world.panel.set_time(datetime(2026, 7, 1, 4, tzinfo=UTC))
    return world


def run(world: World, *more: str) -> int:
    return main(["--config", str(world.config), "run", *more])


def test_listeners_hear_of_invoices_statuses_and_the_end(company: World) -> None:
    assert run(company, "--date", "2026-07-01") == 0
    assert run(company, "--date", "2026-07-22") == 0
    kinds = [heard[0] for heard in Hearing.heard]
    assert kinds == ["issued", "finished", "status", "finished"]
    assert Hearing.heard[0][1] == "TB-2026-06-1042"
    assert Hearing.heard[2] == ("status", 1042, "active", "locked")


def test_a_dry_run_is_not_told_as_if_it_were_real(company: World) -> None:
    assert run(company, "--date", "2026-07-01", "--dry-run") == 0
    assert Hearing.heard == []


def test_a_listener_that_fails_is_logged_and_billing_goes_on(
    company: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(company, "--date", "2026-07-01") == 0
    told = capsys.readouterr().err
    for words in ("listener broke", "takingover", "no network", "missing"):
        assert words in told
    assert company.query("SELECT client_id, currency FROM invoices") == [(1042, "USD")]
