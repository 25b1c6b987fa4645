"""Prices that are kept are told, shown, and changed by one command alone."""

import pytest

from tests.cli.company import Operator, exact
from tests.world import World
from tollbridge.jobs.price_lists import now, running_month
from tollbridge.rules.calendar import Month


@pytest.fixture
def month(world: World) -> Month:
    """The month that it is, as a run has seen it before somebody edited the file."""
    with world.parts() as parts:
        it_is = running_month(parts, now())
        parts.ledger.price_lists.keep(it_is, parts.settings.pricing.price_list(it_is), parts.file)
    world.usd = "0.002"
    return it_is


def prices_check(operator: Operator) -> tuple[int, dict[str, object]]:
    told = operator("check", "--json")
    [found] = [each for each in told.json["checks"] if each["name"] == "prices"]
    return told.code, found


def test_check_warns_of_another_list_and_is_still_ok(operator: Operator, month: Month) -> None:
    code, found = prices_check(operator)
    assert (code, found["ok"]) == (0, True)
    detail = str(found["detail"])
    assert detail.startswith(f"warning: {month} is billed with the prices kept for it")
    assert "USD 0.002 instead of 0.001" in detail
    operator.world.usd = "0.001"
    assert prices_check(operator)[1]["detail"] == f"{month} is billed with those of bridge.toml"


def test_check_tells_the_changes_to_come(operator: Operator, world: World) -> None:
    world.more = '[[pricing.changes]]\nfrom = "2999-01"\ntokens = { USD = "0.0012", EUR = "0.0011" }\n'
    code, found = prices_check(operator)
    assert code == 0
    assert "from 2999-01 on USD 0.0012, EUR 0.0011" in str(found["detail"])


def test_what_a_client_is_shown_and_what_plans_cost_are_the_kept_prices(operator: Operator, month: Month) -> None:
    told = operator("price", "1042")
    assert told.code == 0
    assert "USD 0.002 instead of 0.001" in " ".join(told.err.split())
    document = operator("price", "1042", "--json").json
    assert (document["month"], document["answer"]["user_token_unit_cost"]) == (str(month), "0.001")
    plan = operator("plans", "--json").json[0]
    assert exact(plan["prices"]["USD"]["per_hour"]) * 1000 == plan["tokens_per_hour"]


def test_reprice_changes_the_month_and_keeps_the_reason(operator: Operator, month: Month) -> None:
    told = operator("reprice", "--month", str(month), "--reason", "a typing error")
    assert told.code == 0
    assert "USD 0.002 instead of 0.001" in " ".join(told.out.split())
    assert operator("price", "1042", "--json").json["answer"]["user_token_unit_cost"] == "0.002"
    with operator.world.parts() as parts:
        assert parts.ledger.events.of_kind("prices")[-1].why == "a typing error"
    again = operator("reprice", "--month", str(month), "--reason", "once more")
    assert (again.code, "nothing is changed" in " ".join(again.out.split())) == (0, True)


def test_reprice_of_a_month_that_was_not_seen_or_is_drafted_is_refused_in_words(operator: Operator) -> None:
    told = operator("reprice", "--month", "2026-06", "--reason", "too soon")
    assert told.code == 2
    assert "no prices are kept for 2026-06 yet" in told.err
    assert operator("run", "--date", "2026-07-01").code == 0
    operator.world.usd = "0.002"
    told = operator("reprice", "--month", "2026-06", "--reason", "too late")
    assert told.code == 2
    assert "2026-06 is drafted already" in told.err
    assert "Traceback" not in told.err


def test_a_run_between_two_months_prints_that_the_file_has_other_prices(operator: Operator) -> None:
    assert operator("run", "--date", "2026-07-01").code == 0
    operator.world.usd = "0.002"
    told = operator("run", "--date", "2026-07-02")
    assert told.code == 0
    assert "2026-07 is billed with the prices kept for it" in " ".join(told.err.split())


def test_a_dry_run_with_another_config_shows_what_a_new_list_would_make(operator: Operator, world: World) -> None:
    assert operator("run", "--date", "2026-06-10").code == 0
    new = world.folder / "new.toml"
    new.write_text(world.text().replace('USD = "0.001"', 'USD = "0.002"'))
    arguments = ["run", "--date", "2026-07-01", "--dry-run", "--json"]
    tried = operator(*arguments, config=new).json
    assert [each["subtotal"] for each in tried["invoices"] if each["currency"] == "USD"] == ["10.00"]
    [warning] = [each for each in tried["invoicing"]["warnings"] if "2026-06" in each]
    assert f"2026-06 is shown with the prices of {new}" in warning
    world.usd = "0.002"
    assert [each["subtotal"] for each in operator(*arguments).json["invoices"] if each["currency"] == "USD"] == ["5.00"]
