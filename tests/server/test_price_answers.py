"""What SolusIO is told: section 3 of the contract."""

import re
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.asking import ADDRESS, WHMCS_ADDRESS, ask, counting, endpoint, exact, form
from tests.world import World
from tollbridge import Client, Currency, Discount, TaxRate
from tollbridge.model import Terms
from tollbridge.rules.pricing import PriceList, token_price
from tollbridge.solus.pricing_answer import encode, pricing_answer


@pytest.fixture
def any_endpoint(world: World) -> Iterator[str]:
    with counting(world) as (url, _):
        yield url


def a_taxed_partner(world: World) -> None:
    world.execute("UPDATE currencies SET prefix = '$', suffix = ' USD' WHERE code = 'USD'")
    world.execute(
        "INSERT INTO discounts (name, description, multiplier, client_group) VALUES ('P', 'five', '0.95', 'p')"
    )
    for label, rate, level in (("VAT", "6", 1), ("City", "2", 2)):
        world.execute(
            "INSERT INTO taxes (label, rate, level, compound, country) VALUES (:label, :rate, :level, 1, 'GB')",
            label=label, rate=rate, level=level,
        )  # fmt: skip
    world.add_client(1042, client_group="p", country="GB")


@pytest.mark.parametrize("address", [ADDRESS, WHMCS_ADDRESS])
def test_both_addresses_answer_with_exactly_the_guides_keys_and_exact_digits(world: World, address: str) -> None:
    a_taxed_partner(world)
    with endpoint(world) as url:
        answer = ask(url, address=address)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert exact(answer) == {
        "base_token_unit_cost": "0.001",
        "user_token_unit_cost": "0.00102714",
        "currency": {
            "code": "USD",
            "display_prefix": "$",
            "display_suffix": " USD",
            "thousands_separator": ",",
            "decimals_separator": ".",
            "decimals": "2",
        },
        "discounts": [{"name": "P", "description": "five", "multipler": "0.95"}],
        "taxes": {"compound": True, "rates": [{"label": "VAT", "rate": "6"}, {"label": "City", "rate": "2"}]},
    }


@pytest.mark.parametrize(("compound", "user"), [(True, "1.3763676"), (False, "1.37484")])
def test_the_contracts_own_figures_compound_and_not(compound: bool, user: str) -> None:
    terms = Terms((Discount("P", "", Decimal("0.95")),), (TaxRate("a", Decimal(6)), TaxRate("b", Decimal(2))), compound)
    prices = PriceList({"USD": Decimal("1.34")})
    price = token_price(prices, Client(1, "a@example.com", "USD"), terms, Currency("USD"))
    assert f'"user_token_unit_cost":{user},'.encode() in encode(pricing_answer(price))


def test_a_tiny_price_is_written_without_an_exponent() -> None:
    prices = PriceList({"USD": Decimal("1E-7")})
    price = token_price(prices, Client(1, "a@example.com", "USD"), Terms(), Currency("USD"))
    assert b'"base_token_unit_cost":0.0000001,"user_token_unit_cost":0.0000001,' in encode(pricing_answer(price))


@given(
    base=st.decimals(min_value=0, max_value=10**6, places=12),
    multiplier=st.decimals(min_value=0, max_value=2, places=4),
    rate=st.decimals(min_value=0, max_value=100, places=3),
)
def test_every_price_is_written_with_all_its_digits_and_never_an_exponent(
    base: Decimal, multiplier: Decimal, rate: Decimal
) -> None:
    terms = Terms((Discount("d", "", multiplier),), (TaxRate("t", rate),))
    price = token_price(PriceList({"USD": base}), Client(1, "a@example.com", "USD"), terms, Currency("USD"))
    text = encode(pricing_answer(price)).decode()
    written = re.findall(r'"(?:base|user)_token_unit_cost":([^,]*),', text)
    assert [Decimal(number) for number in written] == [price.base, price.user]
    assert all(re.fullmatch(r"\d+(\.\d*[1-9])?", number) for number in written)


def test_an_exempt_client_sees_no_tax_and_keeps_the_discount(world: World) -> None:
    a_taxed_partner(world)
    world.execute("UPDATE clients SET tax_exempt = 1")
    with endpoint(world) as url:
        answer = exact(ask(url))
    assert (answer["user_token_unit_cost"], answer["taxes"]["rates"]) == ("0.00095", [])


def test_a_yen_client_is_told_a_currency_without_decimals(world: World) -> None:
    world.add_client(1042, "JPY")
    with endpoint(world) as url:
        answer = exact(ask(url))
    assert (answer["base_token_unit_cost"], answer["currency"]["decimals"]) == ("0.15", "0")


def test_a_multipart_form_is_answered_like_any_other(world: World) -> None:
    world.add_client(1042)
    with endpoint(world) as url:
        plain = ask(url)
        multipart = httpx.post(url + ADDRESS, files={name: (None, value) for name, value in form().items()})
    assert (multipart.status_code, multipart.content) == (200, plain.content)


def test_a_closed_client_still_sees_the_price_it_pays(world: World) -> None:
    world.add_client(1042, status="closed")
    with endpoint(world) as url:
        assert ask(url).status_code == 200


@given(text=st.text(max_size=40), action=st.text(max_size=20))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_user_id_but_a_whole_number_is_ever_priced(any_endpoint: str, text: str, action: str) -> None:
    body = urlencode(
        {"userid": text, "token": "bridge-token", "action": "GetTokenPricing", "note": action}, errors="replace"
    )
    answer = httpx.post(
        any_endpoint + ADDRESS, content=body, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    if re.fullmatch("[0-9]{1,18}", text):
        assert answer.status_code in {200, 404}
    else:
        assert answer.status_code == 400
        assert answer.json()["result"] == "error"
