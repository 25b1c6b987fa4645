"""Clients, users, groups, currencies and settings of the simulated Blesta."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.blesta import Api, served
from tollbridge_blesta.sandbox import Install, Rejected, small_company

NEW = {
    "username": "ada",
    "new_password": "secret-1",
    "confirm_password": "secret-1",
    "client_group_id": "1",
    "first_name": "Ada",
    "last_name": "Example",
    "email": "ada@example.com",
}


@pytest.fixture
def api() -> Iterator[Api]:
    with served(Install(page_size=10)) as api:
        yield api


def test_a_client_is_three_records_and_no_id_is_another_ones(api: Api) -> None:
    client_id = api.install.add_client("ada@example.com", first_name="Ada", country="DE")
    row = api.get("clients/get", client_id=client_id)
    assert len({row["id"], row["id_code"], row["user_id"], row["contact_id"]}) == 4
    assert (row["first_name"], row["last_name"], row["company"], row["state"]) == ("Ada", None, None, None)
    assert (row["email"], row["country"], row["status"], row["client_group_id"]) == (
        "ada@example.com",
        "DE",
        "active",
        "1",
    )
    assert api.get("clients/getByUserId", user_id=row["user_id"])["id"] == str(client_id)
    assert api.get("clients/get", client_id=row["user_id"]) is False
    users = {user.id for user in api.install.users}
    assert not users & {client.id for client in api.install.clients}


def test_a_client_may_have_an_id_of_choice_and_the_next_goes_on(api: Api) -> None:
    assert api.install.add_client("ada@example.com", client_id=50_001) == 50_001
    assert api.install.add_client("bob@example.com") == 1
    assert 50_001 not in {user.id for user in api.install.users}
    with pytest.raises(Rejected, match="already is a client 50001"):
        api.install.add_client("eve@example.com", client_id=50_001)


def test_currency_and_exemption_are_settings_that_are_inherited(api: Api) -> None:
    api.install.add_currency("EUR")
    api.install.add_currency("GBP")
    group = api.install.add_group("Partners")
    ada = api.install.add_client("ada@example.com", currency=None, group_id=group)
    assert "currency" not in api.get("clients/get", client_id=ada)
    assert api.get("clients/get", client_id=ada)["settings"]["default_currency"] == "USD"
    api.install.set_group_setting(group, "default_currency", "EUR")
    assert api.get("clients/get", client_id=ada)["settings"]["default_currency"] == "EUR"
    api.install.set_client(ada, currency="GBP", tax_exempt=True)
    levels = {row["key"]: (row["value"], row["level"]) for row in api.get("clients/getSettings", client_id=ada)}
    assert levels["default_currency"] == ("GBP", "client")
    assert levels["tax_exempt"] == ("true", "client")
    assert levels["timezone"] == ("UTC", "company")


def test_a_client_that_was_never_exempt_has_no_such_setting(api: Api) -> None:
    ada = api.install.add_client("ada@example.com")
    assert "tax_exempt" not in api.get("clients/get", client_id=ada)["settings"]


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        ("values", {"solusio": "7"}),
        ("objects", {"solusio": {"key": "solusio", "value": "7", "encrypted": "0", "level": "client"}}),
        ("list", [{"key": "solusio", "value": "7", "encrypted": "0", "level": "client"}]),
    ],
)
def test_settings_come_in_three_shapes(api: Api, shape: str, shown: Any) -> None:
    ada = api.install.add_client("ada@example.com", currency=None)
    api.install.settings.clear()
    api.install.set_client_setting(ada, "solusio", "7")
    api.install.change_quirks(client_settings=shape, settings_lists=shape)
    assert api.get("clients/get", client_id=ada)["settings"] == shown
    assert api.get("clients/getSettings", client_id=ada) == shown
    assert api.install.client_setting(ada, "solusio") == "7"


def test_settings_may_be_left_out_of_a_client(api: Api) -> None:
    ada = api.install.add_client("ada@example.com")
    api.install.quirks.client_settings = "absent"
    assert "settings" not in api.get("clients/get", client_id=ada)


@pytest.mark.parametrize(("booleans", "shown"), [("text", "true"), ("digit", "1"), ("number", 1), ("json", True)])
def test_true_has_four_spellings(api: Api, booleans: str, shown: Any) -> None:
    ada = api.install.add_client("ada@example.com", tax_exempt=True)
    api.install.change_quirks(booleans=booleans)
    found = api.get("clients/get", client_id=ada)["settings"]["tax_exempt"]
    assert (type(found), found) == (type(shown), shown)


def test_company_settings_are_a_list_of_objects(api: Api) -> None:
    settings = {row["key"]: row["value"] for row in api.get("companies/getSettings", company_id=1)}
    assert (settings["default_currency"], settings["enable_tax"], settings["cascade_tax"]) == ("USD", "true", "false")


def test_lists_have_pages_of_a_fixed_size_and_end_with_false(api: Api) -> None:
    small_company(api.install)
    pages = [api.get("clients/getList", page=number) for number in (1, 2, 3)]
    assert [len(page) for page in pages] == [10, 10, 10]
    assert [row["id"] for page in pages for row in page] == [str(number) for number in range(1, 31)]
    assert api.get("clients/getList", page=4) is False
    assert api.get("clients/getListCount") == 30
    assert api.get("clients/getList", page=0) == api.get("clients/getList", page="x") == pages[0]
    assert "settings" not in pages[0][0]


def test_a_list_is_of_all_clients_or_of_those_of_a_status(api: Api) -> None:
    small_company(api.install)
    assert [api.get("clients/getListCount", status=status) for status in ("", "active", "inactive", "fraud")] == [
        30, 28, 1, 1,
    ]  # fmt: skip
    assert api.get("clients/getList", status="fraud")[0]["status"] == "fraud"
    assert api.get("clients/getList", status="closed") is False


def test_filters_match_parts_and_need_their_right_names(api: Api) -> None:
    for email, country in (("ada@example.com", "DE"), ("ada@example.com.au", "AU"), ("bob@example.com", "DE")):
        api.install.add_client(email, country=country, first_name=email[:3])

    def found(**filters: str) -> int:
        count: int = api.get("clients/getListCount", filters=filters)
        return count

    assert found(contact_email="ADA@example.com") == 2
    assert found(contact_email="ada@example.com", contact_country="DE") == 1
    assert (found(contact_name="bob"), found(client_group_id="1"), found(company_id="1"), found(company_id="2")) == (
        1, 3, 3, 0,
    )  # fmt: skip
    assert api.refused("clients/getList", filters={"email": "ada"}) == {"filters": ["unknown"]}


def test_rows_that_sort_alike_may_come_in_another_order_on_the_next_page(api: Api) -> None:
    for number in range(20):
        api.install.add_client(f"client-{number}@example.com")

    def seen(**order_by: str) -> int:
        pages = [api.get("clients/getList", page=page, order_by=order_by) for page in (1, 2)]
        return len({row["id"] for page in pages for row in page})

    assert seen(status="asc") == 20
    api.install.quirks.unstable_ties = True
    assert seen(status="asc") == 10
    assert seen(status="asc", id="desc") == 20


def test_a_column_there_is_none_of_breaks_the_query(api: Api) -> None:
    api.install.add_client("ada@example.com")
    assert api.ask("clients/getList", order_by={"currency": "asc"}).status_code == 500
    assert api.ask("clients/getList", order_by={"id": "sideways"}).status_code == 500


def test_creating_a_client_makes_somebody_who_can_log_in(api: Api) -> None:
    api.install.add_currency("EUR")
    row = api.post("clients/create", vars={
        **NEW, "company": "Company 1", "country": "DE", "city": "Berlin", "custom": {"1": "7"},
        "settings": {"default_currency": "EUR", "tax_exempt": "true", "tax_id": "DE1"},
        "send_registration_email": "false",
    })  # fmt: skip
    assert (row["first_name"], row["company"], row["country"], row["city"]) == ("Ada", "Company 1", "DE", "Berlin")
    assert (row["settings"]["default_currency"], row["settings"]["tax_exempt"]) == ("EUR", "true")
    assert api.install.custom_field(int(row["id"]), 1) == "7"
    assert (
        api.post("users/auth", username="ada", vars={"username": "ada", "password": "secret-1"}, type="client") is True
    )


def test_a_client_may_log_in_with_its_email_address(api: Api) -> None:
    fields = {key: value for key, value in NEW.items() if key != "username"}
    assert api.refused("clients/create", vars=fields) == {"username": ["empty"]}
    row = api.post("clients/create", vars={**fields, "settings": {"username_type": "email"}})
    assert row["username"] == "ada@example.com"


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"username": "bob@example.com"}, {"username": ["unique"]}),
        ({"username": "BOB@example.com"}, {"username": ["unique"]}),
        ({"first_name": "", "last_name": " "}, {"first_name": ["empty"], "last_name": ["empty"]}),
        ({"email": "ada"}, {"email": ["format"]}),
        ({"new_password": "short", "confirm_password": "short"}, {"new_password": ["format"]}),
        ({"confirm_password": "secret-2"}, {"new_password": ["matches"]}),
        ({"client_group_id": "9"}, {"client_group_id": ["exists"]}),
        ({"client_group_id": ""}, {"client_group_id": ["exists"]}),
        ({"country": "DEU"}, {"country": ["length"]}),
        ({"country": "US", "state": "California"}, {"state": ["length"]}),
        ({"state": "CA"}, {"state": ["country_exists"]}),
        ({"status": "closed"}, {"status": ["format"]}),
        ({"settings": {"default_currency": "EUR"}}, {"default_currency": ["valid"]}),
        ({"settings": {"tax_exempt": "1"}}, {"settings[tax_exempt]": ["format"]}),
        ({"settings": {"currency": "USD"}}, {"settings[currency]": ["unknown"]}),
        ({"custom": {"9": "x"}}, {"client_field_id": ["exists"]}),
        ({"password": "secret-1"}, {"password": ["unknown"]}),
    ],
)
def test_a_client_that_breaks_a_rule_is_not_created(api: Api, fields: dict[str, Any], errors: dict[str, Any]) -> None:
    api.install.add_client("bob@example.com")
    assert api.refused("clients/create", vars={**NEW, **fields}) == errors
    assert len(api.install.clients) == 1


def test_an_email_address_may_be_anybodys_unless_the_company_minds(api: Api) -> None:
    api.install.add_client("ada@example.com")
    api.post("clients/create", vars=NEW)
    api.install.quirks.unique_emails = True
    assert api.refused("clients/create", vars={**NEW, "username": "ada-2"}) == {"email": ["unique"]}


def test_two_clients_with_one_address_have_two_usernames(api: Api) -> None:
    first, second = (api.install.add_client("ada@example.com") for _ in range(2))
    names = [api.get("clients/get", client_id=client_id)["username"] for client_id in (first, second)]
    assert len(set(names)) == 2
    assert api.get("users/getByEmail", email="ADA@example.com")["username"] == names[0]


def test_custom_fields_exist_before_they_hold_something(api: Api) -> None:
    ada = api.install.add_client("ada@example.com")
    partners = api.install.add_group("Partners")
    field = api.install.add_custom_field("Partner number", group_id=partners)
    assert api.post("clients/setCustomField", field_id=1, client_id=ada, value="7") is None
    assert api.install.custom_field(ada, 1) == "7"
    assert api.refused("clients/setCustomField", field_id=9, client_id=ada, value="7") == {
        "client_field_id": ["exists"]
    }
    assert api.refused("clients/setCustomField", field_id=1, client_id=9, value="7") == {"client_id": ["exists"]}
    assert [row["id"] for row in api.get("clients/getCustomFields", company_id=1, client_group_id=1)] == ["1"]
    assert [row["id"] for row in api.get("clients/getCustomFields", company_id=1)] == ["1", str(field)]


def test_logging_in_tells_clients_from_staff(api: Api) -> None:
    ada = api.install.add_client("ada@example.com", password="secret-1")
    api.install.add_client("bob@example.com")
    api.install.add_staff("staff", "secret-2")

    def auth(name: str, password: str, **more: str) -> Any:
        return api.post("users/auth", username=name, vars={"username": name, "password": password}, **more)

    assert auth("ada@example.com", "secret-1", type="client") is True
    assert auth("ada@example.com", "secret-1") is True
    assert auth("ada@example.com", "wrong") is False
    assert auth("bob@example.com", "") is False
    assert auth("nobody", "secret-1") is False
    assert auth("staff", "secret-2") is True
    assert auth("staff", "secret-2", type="client") is False
    assert auth("ada@example.com", "secret-1", type="contact") is False
    user_id = str(api.get("clients/get", client_id=ada)["user_id"])
    assert "secret" not in api.ask("users/get", user_id=user_id).text
    assert api.get("users/getByUsername", username="ADA@example.com")["id"] == user_id


def test_a_changed_client_is_what_it_was_changed_to(api: Api) -> None:
    ada = api.install.add_client("ada@example.com", password="secret-1")
    api.install.add_client("bob@example.com")
    api.install.set_client(ada, status="inactive", email="ada@example.org", country="CA", state="QC", username="ada")
    row = api.get("clients/get", client_id=ada)
    assert (row["status"], row["email"], row["country"], row["state"]) == ("inactive", "ada@example.org", "CA", "QC")
    assert api.post("users/auth", username="ada", vars={"username": "ada", "password": "secret-1"}) is True
    api.install.set_client(ada, currency=None)
    assert api.install.client_setting(ada, "default_currency") == "USD"
    for changes in ({"status": "closed"}, {"currency": "EUR"}, {"username": "bob@example.com"}):
        with pytest.raises(Rejected):
            api.install.set_client(ada, **changes)
    with pytest.raises(Rejected, match="no client 9"):
        api.install.set_client(9, status="active")


def test_currencies_have_a_code_a_precision_and_a_picture(api: Api) -> None:
    small_company(api.install)
    rows = {row["code"]: row for row in api.get("currencies/getAll", company_id=1)}
    assert {code: (row["precision"], row["format"]) for code, row in rows.items()} == {
        "USD": ("2", "#,###.##"),
        "EUR": ("2", "#.###,##"),
        "JPY": ("0", "#,###"),
    }
    assert (rows["EUR"]["prefix"], rows["EUR"]["suffix"]) == (None, " €")


def test_the_small_company_has_somebody_of_every_kind(api: Api) -> None:
    small_company(api.install)
    assert [row["name"] for row in api.get("client_groups/getAll", company_id=1)] == ["General", "Partners"]
    assert {row.status for row in api.install.clients} == {"active", "inactive", "fraud"}
    rules = [api.get("invoices/getTaxRules", client_id=row.id) for row in api.install.clients]
    assert {len(found) for found in rules} == {0, 1, 2}
    assert [client.id for client in api.install.clients if api.install.is_exempt(client.id)] == [9]
    with pytest.raises(Rejected):
        small_company(api.install)
