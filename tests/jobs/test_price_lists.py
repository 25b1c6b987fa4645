"""A month is billed with the prices that were shown in it; an edited file changes them from a month on, or is told."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.server.asking import ask, exact
from tests.small_world import SmallWorld, a_small_world
from tollbridge.errors import Refused, UsageError
from tollbridge.jobs import price_lists
from tollbridge.jobs.reports import DailyReport
from tollbridge.kept import Freshness
from tollbridge.loopback import running
from tollbridge.memory import Trouble
from tollbridge.model import Currency
from tollbridge.rules.calendar import Month, end_of_day
from tollbridge.rules.entry import State
from tollbridge.server.app import create_app

NEW_YORK = ZoneInfo("America/New_York")
JUNE, JULY = Month(2026, 6), Month(2026, 7)
AT_ONCE = Freshness(0, stale_seconds=float("inf"), patience_seconds=9, most_seconds=9)
CHANGE = """
[[pricing.changes]]
from = "{month}"
tokens = {{ USD = "{usd}" }}
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallWorld]:
    """A small world with a ledger of each kind; the client's server runs all summer."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    with a_small_world(tmp_path, url) as made:
        made.client_with_server(1, hours=3000)
        yield made


def daily(world: SmallWorld, day: str, *, dry_run: bool = False) -> DailyReport:
    world.at(day)
    with world.run(day, dry_run=dry_run) as run:
        report = run.daily()
    assert (report.failures, report.stopped_by) == ([], None)
    return report


def change_prices(world: SmallWorld, month: Month, usd: str) -> None:
    world.more += CHANGE.format(month=month, usd=usd)


def test_a_price_edited_within_the_month_changes_nothing_and_is_told_by_every_run_of_the_month(
    world: SmallWorld,
) -> None:
    assert daily(world, "2026-06-10").invoicing.warnings == []
    world.usd = "0.002"
    for day in ("2026-06-11", "2026-06-30"):
        [warning] = daily(world, day).invoicing.warnings
        assert "2026-06 is billed with the prices kept for it" in warning
        assert "USD 0.002 instead of 0.001" in warning
        assert "[[pricing.changes]]" in warning
        assert "tollbridge reprice --month 2026-06" in warning
    assert daily(world, "2026-07-01").invoicing.warnings == [], "July has the prices of the file"
    daily(world, "2026-08-01")
    assert world.billed() == {"TB-2026-06-1": "5", "TB-2026-07-1": "10"}


def test_a_price_that_changes_from_a_month_on_holds_for_that_month_and_the_ones_after_it(world: SmallWorld) -> None:
    daily(world, "2026-06-10")
    change_prices(world, JULY, "0.003")
    change_prices(world, JULY.next.next, "0.004")
    for day in ("2026-06-11", "2026-07-01", "2026-08-01", "2026-09-01", "2026-10-01"):
        assert daily(world, day).invoicing.warnings == []
    assert world.billed() == {
        "TB-2026-06-1": "5", "TB-2026-07-1": "15", "TB-2026-08-1": "15", "TB-2026-09-1": "20",
    }  # fmt: skip


def test_months_that_nobody_looked_at_are_each_billed_with_the_files_prices_of_that_month(world: SmallWorld) -> None:
    change_prices(world, JULY, "0.003")
    daily(world, "2026-08-01")
    assert world.billed() == {"TB-2026-06-1": "5", "TB-2026-07-1": "15"}
    with world.parts() as parts:
        found = [parts.ledger.price_lists.find(month) for month in (JUNE, JULY, JULY.next)]
    assert [each and str(each.prices.tokens["USD"]) for each in found] == ["0.001", "0.003", "0.003"]


def test_a_discount_or_tax_of_the_file_is_a_part_of_the_list(world: SmallWorld) -> None:
    daily(world, "2026-06-10")
    world.more = '[[pricing.taxes]]\nlabel = "VAT"\nrate = "20"\n'
    [warning] = daily(world, "2026-06-11").invoicing.warnings
    assert "other taxes" in warning
    daily(world, "2026-07-01")
    with world.parts() as parts:
        june, july = (parts.ledger.price_lists.find(month) for month in (JUNE, JULY))
    assert june is not None
    assert july is not None
    assert (june.prices.taxes, [each.tax.label for each in july.prices.taxes]) == ((), ["VAT"])


def test_a_currency_that_had_no_price_is_billed_as_soon_as_it_has_one(world: SmallWorld) -> None:
    world.books.add_currency(Currency("CHF"))
    world.client_with_server(2, hours=700, currency="CHF")
    world.at("2026-07-01")
    with world.run("2026-07-01") as run:
        [failure] = run.daily().failures
    assert "add CHF to [pricing.tokens]" in failure.message
    world.usd = '0.009"\nCHF = "0.002'
    [warning] = daily(world, "2026-07-01").invoicing.warnings
    assert "CHF" not in warning
    assert world.billed() == {"TB-2026-06-1": "5", "TB-2026-06-2": "9.8"}


def test_a_dry_run_with_another_file_shows_what_its_prices_would_make_and_says_what_will_be_billed(
    world: SmallWorld,
) -> None:
    daily(world, "2026-06-10")
    world.usd = "0.002"
    world.file = "/etc/tollbridge/new.toml"
    report = daily(world, "2026-07-01", dry_run=True)
    assert [str(each.subtotal) for each in report.invoicing.invoices] == ["10.00"]
    [warning] = report.invoicing.warnings
    assert "2026-06 is shown with the prices of /etc/tollbridge/new.toml" in warning
    assert "USD 0.002 instead of 0.001" in warning
    world.file = None
    report = daily(world, "2026-07-01", dry_run=True)
    assert [str(each.subtotal) for each in report.invoicing.invoices] == ["5.00"], "the file itself, edited"
    daily(world, "2026-07-01")
    assert world.billed() == {"TB-2026-06-1": "5"}


def test_a_dry_run_keeps_no_list(world: SmallWorld) -> None:
    daily(world, "2026-06-10", dry_run=True)
    with world.parts() as parts:
        assert parts.ledger.price_lists.find(JUNE) is None


def test_a_month_is_priced_anew_until_it_is_drafted_and_not_afterwards(world: SmallWorld) -> None:
    daily(world, "2026-06-10")
    world.usd = "0.002"
    reprice(world, JUNE)
    assert daily(world, "2026-06-11").invoicing.warnings == []
    daily(world, "2026-07-01")
    world.usd = "0.003"
    with pytest.raises(UsageError, match="drafted already"):
        reprice(world, JUNE)
    assert world.billed() == {"TB-2026-06-1": "10"}


def test_a_refused_invoice_is_drafted_anew_with_the_prices_of_its_month(world: SmallWorld) -> None:
    daily(world, "2026-06-10")
    world.books.troubles.add(Trouble("before", "create_invoice", error=Refused("not today")))
    world.at("2026-07-01")
    with world.run("2026-07-01") as run:
        assert [each.who for each in run.daily().failures] == ["TB-2026-06-1"]
    world.usd = "0.002"
    daily(world, "2026-07-02")
    assert world.billed() == {"TB-2026-06-1": "5"}


def reprice(world: SmallWorld, month: Month) -> bool:
    """What ``tollbridge reprice`` does; whether the month had a list."""
    with world.parts() as parts:
        by = parts.settings.pricing.price_list(month)
        return parts.ledger.price_lists.replace(month, by, parts.file, "a reason") is not None


# The law


class Summer:
    """A company whose file is edited at any time, with an endpoint that lives on or is started anew."""

    def __init__(self, world: SmallWorld) -> None:
        self.world = world
        self.day = date(2026, 6, 1)
        self.shown: dict[Month, set[Decimal]] = {}
        self.url = ""

    @property
    def now(self) -> datetime:
        return end_of_day(self.day, NEW_YORK)

    @property
    def month(self) -> Month:
        return Month(self.day.year, self.day.month)

    @contextmanager
    def open(self) -> Iterator[None]:
        """The endpoint with the file as it is now."""
        with self.world.parts() as parts, running(create_app(parts, lambda: self.now)) as self.url:
            yield

    def look(self) -> None:
        answer = ask(self.url, 1)
        assert answer.status_code == 200, answer.text
        self.shown.setdefault(self.month, set()).add(Decimal(exact(answer)["user_token_unit_cost"]))
        assert len(self.shown[self.month]) == 1, "a month has one price"

    def bill(self) -> None:
        daily(self.world, self.day.isoformat())

    def edit(self, usd: str) -> None:
        self.world.usd = usd

    def date_change(self, usd: str) -> None:
        change_prices(self.world, max([self.month.next, *self.changes()]), usd)

    def changes(self) -> list[Month]:
        return [each.from_.next for each in self.world.settings().pricing.changes]

    def reprice(self) -> None:
        if reprice(self.world, self.month):
            self.shown.pop(self.month, None)

    def charged(self) -> dict[Month, Decimal]:
        with self.world.parts() as parts:
            months = [Month(2026, number) for number in range(6, 12)]
            entries = [parts.ledger.invoices.find(month, 1) for month in months]
        return {each.month: each.document.price.user for each in entries if each and each.state is State.ISSUED}


WHAT = st.sampled_from(["edit", "edit", "date_change", "reprice", "bill", "restart", "look"])
USD = st.sampled_from(["0.001", "0.002", "0.0033"])
STEPS = st.lists(st.tuples(st.sampled_from([0, 3, 17]), WHAT, USD), min_size=4, max_size=9)
TOLD = [
    (0, "look", ""), (3, "edit", "0.002"), (17, "restart", ""), (17, "look", ""), (0, "date_change", "0.0033"),
    (0, "edit", "0.004"), (3, "reprice", ""), (17, "bill", ""), (17, "look", ""),
]  # fmt: skip


@given(steps=STEPS)
@example(steps=TOLD)
@settings(max_examples=4, deadline=None)
def test_the_price_shown_at_a_moment_is_the_price_charged_for_usage_of_that_month(
    steps: list[tuple[int, str, str]],
) -> None:
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory() as folder,
        a_small_world(Path(folder), billing='timezone = "America/New_York"') as world,
    ):
        patch.setattr(price_lists, "_FRESHNESS", AT_ONCE)
        world.client_with_server(1, hours=5000)
        summer = Summer(world)
        rest = iter(steps)
        over = False
        while not over:
            with summer.open():
                over = _tell(summer, rest)
        summer.day = date(2026, 11, 2)
        summer.bill()
        charged = summer.charged()
        assert summer.shown.keys() <= charged.keys()
        assert {month: {charged[month]} for month in summer.shown} == summer.shown


def _tell(summer: Summer, rest: Iterator[tuple[int, str, str]]) -> bool:
    """Go on until the endpoint is to be started anew, or there is nothing left; after each step somebody looks."""
    for days, what, usd in rest:
        summer.day = min(summer.day + timedelta(days=days), date(2026, 10, 31))
        match what:
            case "restart":
                return False
            case "edit" | "date_change":
                getattr(summer, what)(usd)
            case "bill" | "reprice":
                getattr(summer, what)()
        summer.look()
    return True
