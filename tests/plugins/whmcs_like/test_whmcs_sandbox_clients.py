"""Clients, groups, currencies and settings."""

import base64
from collections.abc import Iterator

import httpx
import pytest

from tests.plugins import TLS
from tests.plugins.whmcs_like import Api
from tollbridge_whmcs_like.sandbox import Install, InstallError, running, small_company

NEW = {
    "firstname": "Ada",
    "lastname": "Example",
    "email": "ada@example.com",
    "address1": "1 Example Street",
    "city": "Example",
    "state": "Kent",
    "postcode": "EX1 1EX",
    "country": "GB",
    "phonenumber": "0123456789",
    "password2": "a-password",
}


@pytest.fixture
def install() -> Install:
    made = Install()
    made.add_currency("EUR", prefix="€", format=3, rate="0.91000")
    made.add_client("zoe@example.com", first_name="Zoe", last_name="Abel", company="Example & Daughters")
    made.add_client("abe@example.com", first_name="Abe", last_name="Zorn", currency="EUR", country="DE")
    return made


@pytest.fixture
def api(install: Install) -> Iterator[Api]:
    with running(install) as root, httpx.Client(verify=TLS) as http:
        yield Api(root, install, http)


def emails(api: Api, **fields: object) -> list[str]:
    rows = api("GetClients", **fields)["clients"]["client"]
    return [row["email"].partition("@")[0] for row in rows]


def test_a_row_of_the_list_says_nothing_of_currency_country_or_tax(api: Api) -> None:
    row = api("GetClients", orderby="id")["clients"]["client"][0]
    created = row.pop("datecreated")
    assert len(created) == len("2026-07-31")
    assert row == {
        "id": 1,
        "firstname": "Zoe",
        "lastname": "Abel",
        "companyname": "Example & Daughters",
        "email": "zoe@example.com",
        "groupid": 0,
        "status": "Active",
    }


def test_the_order_of_clients_is_that_of_their_names_unless_another_is_asked_for(install: Install, api: Api) -> None:
    assert emails(api) == ["abe", "zoe"]
    assert emails(api, orderby="id") == ["zoe", "abe"]
    assert emails(api, orderby="id", sorting="DESC") == ["abe", "zoe"]
    install.quirks.version = "8.1"
    assert emails(api, orderby="id") == ["abe", "zoe"]


def test_clients_are_found_by_how_a_name_or_address_begins_and_by_status(install: Install, api: Api) -> None:
    assert emails(api, search="ZOE ab") == ["zoe"]
    assert emails(api, search="Example &") == ["zoe"]
    assert emails(api, search="example.com") == []
    install.set_client(1, status="Closed")
    assert emails(api, status="closed") == ["zoe"]
    assert emails(api, status="Active") == ["abe"]
    assert emails(api) == ["abe", "zoe"]


def test_details_are_found_by_id_and_by_address(api: Api) -> None:
    by_id = api("GetClientsDetails", clientid=2)["client"]
    assert by_id == api("GetClientsDetails", email="ABE@example.com")["client"]
    assert (by_id["id"], by_id["client_id"], by_id["userid"], by_id["owner_user_id"]) == (2, 2, 2, 502)
    assert (by_id["currency"], by_id["currency_code"]) == (2, "EUR")
    assert (by_id["fullname"], by_id["country"], by_id["countryname"]) == ("Abe Zorn", "DE", "Germany")
    assert (by_id["taxexempt"], by_id["allowSingleSignOn"], by_id["credit"]) == (False, 1, "0.00")
    assert by_id["users"] == {
        "user": [{"id": 502, "name": "Abe Zorn", "email": "abe@example.com", "is_owner": True}],
    }


@pytest.mark.parametrize("fields", [{"clientid": 3}, {"clientid": "abe"}, {"email": "nobody@example.com"}])
def test_there_are_no_details_of_a_client_that_is_not_there(api: Api, fields: dict[str, object]) -> None:
    assert api.refusal("GetClientsDetails", **fields) == "Client Not Found"


def test_details_need_an_id_or_an_address(api: Api) -> None:
    assert api.refusal("GetClientsDetails") == "Either clientid Or email Is Required"


def test_details_stand_at_the_top_level_too_where_status_is_the_clients(install: Install, api: Api) -> None:
    install.set_client(1, status="Inactive")
    answer = api("GetClientsDetails", clientid=1)
    assert (answer["result"], answer["status"], answer["email"]) == ("success", "Inactive", "zoe@example.com")
    install.quirks.client_at_top_level = False
    assert api("GetClientsDetails", clientid=1).keys() == {"result", "client"}


def test_custom_fields_are_numbered_by_place_at_the_top_and_by_id_in_the_list(install: Install, api: Api) -> None:
    install.set_custom_fields(1, {7: "42"})
    client = api("GetClientsDetails", clientid=1)["client"]
    assert client["customfields"] == [{"id": 3, "value": ""}, {"id": 7, "value": "42"}]
    assert (client["customfields1"], client["customfields2"]) == ("", "42")
    assert "customfields7" not in client


def test_a_client_is_added_with_a_user_of_its_own(install: Install, api: Api) -> None:
    assert api("AddClient", **NEW) == {"result": "success", "clientid": "3"}
    client = install.client(3)
    assert (client.email, client.state, client.currency, client.full_name) == (
        "ada@example.com", "Kent", "USD", "Ada Example",
    )  # fmt: skip
    assert client.owner_id == 503
    assert install.login("Ada@Example.com", "a-password").id == 503


def test_a_user_there_is_may_own_a_client_more(install: Install, api: Api) -> None:
    assert api("AddClient", **{**NEW, "owner_user_id": "501", "currency": "2", "password2": ""})["clientid"] == "3"
    assert (install.client(3).owner_id, install.client(3).currency) == (501, "EUR")
    assert [client.id for client in install.clients_of(501)] == [1, 3]
    assert api.refusal("AddClient", **{**NEW, "owner_user_id": "3"}) == "Invalid Owner User ID"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"firstname": ""}, "You did not enter your first name"),
        ({"lastname": " "}, "You did not enter your last name"),
        ({"email": ""}, "You did not enter your email address"),
        ({"email": "ada"}, "The email address you entered was not valid"),
        ({"address1": ""}, "You did not enter your address line 1"),
        ({"city": ""}, "You did not enter your city"),
        ({"state": ""}, "You did not enter your state"),
        ({"postcode": ""}, "You did not enter your postcode"),
        ({"country": "England"}, "Valid country required"),
        ({"phonenumber": ""}, "You did not enter your phone number"),
        ({"password2": ""}, "You did not enter a password"),
        ({"email": "ABE@example.com"}, "A user already exists with that email address"),
        ({"currency": "9"}, "There is no currency 9"),
        ({"groupid": "9"}, "There is no client group 9"),
    ],
)
def test_a_client_is_not_added_when_something_is_missing_or_taken(
    install: Install, api: Api, changes: dict[str, str], message: str
) -> None:
    assert api.refusal("AddClient", **{**NEW, **changes}) == message
    assert (len(install.clients), len(install.users)) == (2, 2)


def test_an_address_can_not_belong_to_two_clients(api: Api) -> None:
    taken = {**NEW, "email": "abe@example.com", "owner_user_id": "501"}
    assert api.refusal("AddClient", **taken) == "The email address entered is not available for use."


def test_validation_can_be_skipped_except_for_address_and_password(api: Api) -> None:
    assert api("AddClient", email="bea@example.com", password2="a-password", skipvalidation=1)["clientid"] == "3"
    assert "password" in api.refusal("AddClient", email="cy@example.com", skipvalidation=1)


def test_an_update_changes_what_was_sent_and_nothing_else(install: Install, api: Api) -> None:
    before = install.client(1)
    assert api("UpdateClient", clientid=1, lastname="Baker", taxexempt="1", status="Inactive")["result"] == "success"
    client = install.client(1)
    assert (client.last_name, client.tax_exempt, client.status) == ("Baker", True, "Inactive")
    assert (client.first_name, client.company, client.country) == (before.first_name, before.company, before.country)


def test_an_update_finds_its_client_by_address_too(install: Install, api: Api) -> None:
    assert api("UpdateClient", clientemail="abe@example.com", email="abel@example.com")["clientid"] == "2"
    assert install.client_by_email("abel@example.com").id == 2
    assert api.refusal("UpdateClient", clientemail="abe@example.com") == "Client ID Not Found"
    assert api.refusal("UpdateClient", lastname="Nobody") == "Client ID Not Found"
    assert api.refusal("UpdateClient", clientid=2, email="zoe@example.com") == "Duplicate Email Address"
    assert api.refusal("UpdateClient", clientid=2, email="zoe") == "The email address entered is not valid"


def encoded(serialized: str) -> str:
    return base64.b64encode(serialized.encode()).decode()


@pytest.mark.parametrize(
    ("serialized", "value"),
    [
        ('a:1:{i:7;s:2:"42";}', "42"),
        ("a:1:{i:7;i:42;}", "42"),
        ('a:1:{s:1:"7";s:2:"42";}', "42"),
        ('a:2:{i:3;s:0:"";i:7;s:5:"4"";}";}', '4"";}'),
        ('a:1:{i:7;s:2:"é";}', "é"),
        ("a:0:{}", ""),
    ],
)
def test_custom_fields_are_set_from_a_serialized_map(install: Install, api: Api, serialized: str, value: str) -> None:
    api("UpdateClient", clientid=1, customfields=encoded(serialized))
    assert install.custom_field(1, 7) == value


@pytest.mark.parametrize(
    "serialized",
    [
        "",
        "42",
        'a:1:{i:7;s:1:"é";}',
        'a:1:{i:7;s:3:"42";}',
        'a:2:{i:7;s:2:"42";}',
        'a:1:{i:7;s:2:"42";i:3;s:0:"";}',
        'a:1:{i:7;s:2:"42"}',
        'a:1:{i:7;s:2:"42";} ',
        'a:1:{s:4:"user";s:2:"42";}',
        "a:1:{i:7;a:0:{}}",
        '{"7": "42"}',
    ],
)
def test_a_map_that_php_would_not_write_is_refused(install: Install, api: Api, serialized: str) -> None:
    assert api.refusal("UpdateClient", clientid=1, customfields=encoded(serialized) or "====").startswith(
        "customfields"
    )
    assert install.custom_field(1, 7) == ""


def test_custom_fields_that_are_not_base64_are_refused(api: Api) -> None:
    assert api.refusal("UpdateClient", clientid=1, customfields="a:0:{}") == "customfields is not base64"


def test_a_custom_field_that_does_not_exist_is_lost_and_others_stay(install: Install, api: Api) -> None:
    install.set_custom_fields(1, {3: "GB1"})
    answer = api("UpdateClient", clientid=1, customfields=encoded('a:2:{i:7;s:1:"1";i:8;s:1:"2";}'))
    assert answer["result"] == "success"
    assert [install.custom_field(1, field) for field in (3, 7, 8)] == ["GB1", "1", ""]


def test_groups_have_their_discount_in_percent(install: Install, api: Api) -> None:
    install.add_group("Partners", discount="5")
    assert api("GetClientGroups") == {
        "result": "success",
        "totalresults": 1,
        "groups": {
            "group": [
                {
                    "id": 1,
                    "groupname": "Partners",
                    "groupcolour": "#FFFFFF",
                    "discountpercent": "5.00",
                    "susptermexempt": "",
                    "separateinvoices": "",
                }
            ]
        },
    }


def test_currencies_are_nested_with_their_format_and_rate(install: Install, api: Api) -> None:
    assert install.add_currency("USD", prefix="$", suffix=" USD") == 1
    assert api("GetCurrencies") == {
        "result": "success",
        "totalresults": 2,
        "currencies": {
            "currency": [
                {"id": 1, "code": "USD", "prefix": "$", "suffix": " USD", "format": 1, "rate": "1.00000"},
                {"id": 2, "code": "EUR", "prefix": "€", "suffix": "", "format": 3, "rate": "0.91000"},
            ]
        },
    }


def test_a_setting_is_read_by_its_exact_name(install: Install, api: Api) -> None:
    install.configuration["TaxType"] = "Inclusive"
    assert api("GetConfigurationValue", setting="TaxType") == {
        "result": "success",
        "setting": "TaxType",
        "value": "Inclusive",
    }
    assert api("GetConfigurationValue", setting="TaxL2Compound")["value"] == ""
    assert api.refusal("GetConfigurationValue") == "Parameter setting is required"
    assert api.refusal("GetConfigurationValue", setting="taxtype") == "Invalid name for parameter setting"


def test_payment_methods_have_a_name_to_send_and_one_to_show(api: Api) -> None:
    methods = api("GetPaymentMethods")["paymentmethods"]["paymentmethod"]
    assert {"module": "mailin", "displayname": "Mail In Payment"} in methods


def test_a_client_is_never_numbered_like_a_user(install: Install) -> None:
    for number in range(600):
        install.add_client(f"{number}@example.com")
    assert not {client.id for client in install.clients} & {user.id for user in install.users}
    assert len(install.clients) == 602


def test_a_client_can_not_be_what_there_is_not(install: Install) -> None:
    for changes in (
        {"currency": "XAU"},
        {"status": "Asleep"},
        {"group_id": 5},
        {"email": "abe@example.com"},
        {"id": 5},
    ):
        with pytest.raises(InstallError):
            install.set_client(1, **changes)
    for taken in ("zoe@example.com", "ZOE@example.com"):
        with pytest.raises(InstallError):
            install.add_client(taken)
    with pytest.raises(InstallError):
        install.add_client("new@example.com", client_id=1)
    with pytest.raises(InstallError):
        install.add_client("new@example.com", user_id=99)


def test_the_small_company_has_more_than_a_page_of_clients_and_every_kind() -> None:
    company = Install()
    special = small_company(company)
    assert len(company.clients) == 30
    assert {currency.code: currency.format for currency in company.currencies} == {"USD": 1, "EUR": 3, "JPY": 4}
    assert company.client(special.exempt).tax_exempt
    assert company.client(special.closed).status == "Closed"
    assert company.client(special.inactive).status == "Inactive"
    assert str(company.groups[company.client(special.discounted).group_id - 1].discount) == "5.00"
    assert len({client.country for client in company.clients}) > 5
    assert [len(company.clients_of(user.id)) for user in company.users].count(2) == 1
