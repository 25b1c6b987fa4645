"""The figures of docs/pricing.md are those that the rules compute, and links lead somewhere."""

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.docs.walking import PAGES, ROOT, all_blocks
from tollbridge.model import Client, Currency, Discount, TaxRate, Terms, UserStatus
from tollbridge.rules.calendar import due_date
from tollbridge.rules.metering import meter
from tollbridge.rules.overdue import Ladder
from tollbridge.rules.pricing import PriceList, plain, token_price

PRICING = (ROOT / "docs/pricing.md").read_text(encoding="utf-8")


def rows(first_cell: str) -> list[list[str]]:
    """The rows of the table whose head begins with this cell."""
    lines = iter(PRICING.splitlines())
    for line in lines:
        if line.startswith(f"| {first_cell} |"):
            next(lines)
            found: list[list[str]] = []
            for row in lines:
                if not row.startswith("|"):
                    return found
                found.append([cell.strip() for cell in row.strip("|").split("|")])
    raise AssertionError(first_cell)


def test_hours_become_the_tokens_that_the_page_says() -> None:
    for hours, hourly, invoiced in rows("hours in the month"):
        tokens = meter(int(hours), 7, 5000)
        assert f"{int(hours) * 7:,}" == hourly
        assert invoiced == f"{tokens.tokens:,}, the {tokens.price} price"


def test_tokens_become_the_money_that_the_page_says() -> None:
    for tokens, usd, eur in rows("tokens"):
        count = int(tokens.replace(",", ""))
        assert Decimal(usd) == count * Decimal("0.001")
        assert Decimal(eur) == count * Decimal("0.00091")


@pytest.mark.parametrize(("row", "compound"), [("compound", True), ("not compound", False)])
def test_the_price_of_a_token_is_what_the_page_says(row: str, compound: bool) -> None:
    terms = Terms(
        (Discount("", "", Decimal("0.95")),), (TaxRate("", Decimal(6)), TaxRate("", Decimal(2))), compound=compound
    )
    price = token_price(PriceList({"GBP": Decimal("1.34")}), Client(1, "", "GBP"), terms, Currency("GBP"))
    table = {name: shown for name, _, shown in rows("price")}
    assert table["with the discount"] == plain(price.net)
    assert table[row] == plain(price.user)


def test_the_sample_answer_adds_up() -> None:
    [block] = all_blocks("json", "pricing-answer")
    answer = json.loads(block.text, parse_float=Decimal, parse_int=Decimal)
    terms = Terms(
        [Discount(each["name"], each["description"], each["multipler"]) for each in answer["discounts"]],
        [TaxRate(each["label"], each["rate"]) for each in answer["taxes"]["rates"]],
    )
    price = token_price(
        PriceList({"USD": answer["base_token_unit_cost"]}), Client(1, "", "USD"), terms, Currency("USD")
    )
    assert price.user == answer["user_token_unit_cost"]


def test_an_exempt_client_pays_an_inclusive_price_without_the_tax() -> None:
    assert "a base of 0.0012 that includes 20 per cent is 0.001 to them" in PRICING
    prices = PriceList({"USD": Decimal("0.0012")}, prices_include_tax=True)
    client = Client(1, "", "USD", tax_exempt=True)
    assert token_price(prices, client, Terms((), (TaxRate("", Decimal(20)),)), Currency("USD")).user == Decimal("0.001")


def test_days_lead_to_the_status_that_the_page_says() -> None:
    table = dict(rows("day"))
    due, ladder = due_date(date(2026, 7, 1), 14), Ladder(7, 14)
    days = {day: ladder.status_on(due, date(2026, 7, day)) for day in (15, 16, 21, 22, 28, 29)}
    assert list(days.values()) == [
        UserStatus.ACTIVE, UserStatus.ACTIVE, UserStatus.ACTIVE,
        UserStatus.LOCKED, UserStatus.LOCKED, UserStatus.SUSPENDED,
    ]  # fmt: skip
    assert "is due" in table[f"{due.day} July"]
    assert "locked" in table["22 July"]
    assert "suspended" in table["29 July"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", unfenced(page)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


def unfenced(page: Path) -> str:
    """A page without its fenced blocks, whose comments look like headings."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", unfenced(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_lines_fit(page: Path) -> None:
    text = re.sub(r"^```csv .*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    prose = [line for line in text.splitlines() if not line.startswith(("|", "curl"))]
    assert [line for line in prose if len(line) > 120] == []
