"""The world that the core's tests stand on: billing in memory and the SolusIO sandbox, and a month between them."""

from datetime import date

from tests.small_world import SmallWorld
from tollbridge.cli import main
from tollbridge.memory import Trouble
from tollbridge.solus.sandbox import running


def run(world: SmallWorld, day: str) -> int:
    """The daily job; how many failures it had."""
    with world.run(day) as made:
        return len(made.daily().failures)


def test_a_month_is_billed_and_who_does_not_pay_is_locked_until_it_is_paid(small_world: SmallWorld) -> None:
    user = small_world.client_with_server(1042, hours=700)
    small_world.at("2026-07-01")
    assert run(small_world, "2026-07-01") == 0
    assert small_world.billed() == {"TB-2026-06-1042": "4.9"}
    [booked] = small_world.books.invoices
    assert (booked.due_date, booked.made_on) == (date(2026, 7, 15), date(2026, 7, 1))
    assert run(small_world, "2026-07-22") == 0
    assert small_world.panel.user(user).status == "locked"
    small_world.books.pay("TB-2026-06-1042")
    assert run(small_world, "2026-07-23") == 0
    assert small_world.panel.user(user).status == "active"


def test_an_invoice_whose_answer_was_lost_is_made_once(small_world: SmallWorld) -> None:
    small_world.client_with_server(1042, currency="JPY")
    small_world.at("2026-07-01")
    small_world.books.troubles.add(Trouble("after", "create_invoice"))
    assert run(small_world, "2026-07-01") == 1
    assert run(small_world, "2026-07-01") == 0
    assert small_world.billed() == {"TB-2026-06-1042": "735"}


def test_what_bridge_toml_says_is_read_anew(small_world: SmallWorld) -> None:
    small_world.billing = "grace_days = 10"
    with small_world.parts() as parts:
        assert parts.settings.billing.grace_days == 10
        assert str(parts.settings.ledger.url) == small_world.ledger_url
    small_world.billing = ""
    with small_world.parts() as parts:
        assert parts.settings.billing.grace_days == 14


def test_commands_find_the_same_books(small_world: SmallWorld) -> None:

    small_world.client_with_server(1042)
    small_world.at("2026-07-01")
    with running(small_world.panel) as small_world.solus_url:
        assert main(["--config", str(small_world.config), "run", "--date", "2026-07-01"]) == 0
    assert small_world.billed() == {"TB-2026-06-1042": "4.9"}
