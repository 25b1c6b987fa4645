"""How calls reach the simulated Blesta, and in which envelopes its answers come."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.plugins.blesta import Api, form, invoice, served
from tollbridge_blesta.sandbox import Install

NOBODY = {"BLESTA-API-USER": "", "BLESTA-API-KEY": ""}


@pytest.fixture
def api() -> Iterator[Api]:
    with served(Install()) as api:
        api.install.add_client("ada@example.com", country="DE")
        yield api


def test_the_headers_or_basic_credentials_admit(api: Api) -> None:
    path = f"{api.url}/api/companies/getAll.json"
    assert httpx.get(path, auth=("sandbox-user", "sandbox-key")).status_code == 200
    assert api.http.get(path).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"BLESTA-API-USER": "sandbox-user"},
        {"BLESTA-API-USER": "sandbox-user", "BLESTA-API-KEY": "wrong"},
        {"BLESTA-API-USER": "sandbox-use", "BLESTA-API-KEY": "rsandbox-key"},
        {"Authorization": "Basic !"},
        {"Authorization": "Bearer sandbox-key"},
    ],
)
def test_anybody_else_is_401_with_a_message(api: Api, headers: dict[str, str]) -> None:
    answer = httpx.get(f"{api.url}/api/nothing/nowhere.json", headers=headers)
    assert (answer.status_code, set(answer.json())) == (401, {"message"})


def test_a_server_may_hide_basic_credentials_and_an_old_version_know_nothing_else(api: Api) -> None:
    path = f"{api.url}/api/companies/getAll.json"
    api.install.quirks.credentials = "headers"
    assert httpx.get(path, auth=("sandbox-user", "sandbox-key")).status_code == 401
    assert api.http.get(path).status_code == 200
    api.install.quirks.credentials = "basic"
    assert httpx.get(path, auth=("sandbox-user", "sandbox-key")).status_code == 200
    assert api.http.get(path).status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("clients/fetch.json", 404),
        ("Clients/get.json", 404),
        ("clients/GetList.json", 404),
        ("customers/get.json", 404),
        ("clients.json", 404),
        ("users/login.json", 403),
        ("clients/__construct.json", 403),
        ("clients/get.xml", 415),
        ("clients/getListCount", 200),
    ],
)
def test_what_cannot_be_called_says_so_in_json(api: Api, path: str, status: int) -> None:
    answer = api.http.get(f"/api/{path}")
    assert answer.status_code == status
    assert set(answer.json()) == ({"response"} if status == 200 else {"message"})


def test_without_rewriting_only_index_php_leads_to_the_api(api: Api) -> None:
    api.install.quirks.rewriting = False
    answer = api.http.get("/api/companies/getAll.json")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert api.http.get("/index.php/api/companies/getAll.json").json()["response"][0]["id"] == "1"


def test_maintenance_is_503_with_a_message(api: Api) -> None:
    api.install.quirks.maintenance = True
    answer = api.http.get("/api/companies/getAll.json", headers=NOBODY)
    assert (answer.status_code, set(answer.json())) == (503, {"message"})


def test_every_verb_but_get_takes_its_arguments_from_the_form(api: Api) -> None:
    for verb in ("POST", "PUT", "DELETE"):
        path = "/api/clients/get.json"
        assert api.http.request(verb, path, data={"client_id": "1"}).json()["response"]["id"] == "1"
        assert api.http.request(verb, f"{path}?client_id=1").json()["errors"].keys() == {"client_id"}
    assert "errors" in api.http.request("GET", "/api/clients/get.json", data={"client_id": "1"}).json()


def test_a_json_body_holds_no_arguments(api: Api) -> None:
    answer = api.http.post("/api/invoices/add.json", json={"vars": invoice()})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["vars"])
    assert api.install.invoices() == []


def test_arguments_go_by_their_names_in_php(api: Api) -> None:
    assert api.refused("clients/get", id=1) == {"client_id": ["required"], "id": ["unknown"]}
    assert api.refused("clients/getListCount", page=1) == {"page": ["unknown"]}
    assert api.refused("invoices/add", **invoice())["vars"] == ["required"]


def test_brackets_nest_and_empty_ones_count_on(api: Api) -> None:
    fields = form({"vars": invoice()})
    lines = {
        "vars[lines][][description]": "Zero",
        "vars[delivery][]": ["email", "paper"],
        "vars[note_public": "a broken bracket",
    }
    kept = {key: value for key, value in fields.items() if "[lines]" not in key}
    answer = api.http.post("/api/invoices/add.json", data={**kept, **lines})
    assert list(answer.json()["errors"]) == ["vars_note_public"]
    del lines["vars[note_public"]
    more = {"vars[lines][0][amount]": "5", "vars[lines][7][description]": "Seven", "vars[lines][7][amount]": "-2.5"}
    api.http.post("/api/invoices/add.json", data={**kept, **lines, **more}).raise_for_status()
    (row,) = api.install.invoices()
    assert [(line.description, str(line.amount), line.tax) for line in row.lines] == [
        ("Zero", "5.0000", False),
        ("Seven", "-2.5000", False),
    ]
    assert row.delivery == ("email", "paper")


def test_a_list_where_a_text_belongs_or_the_reverse_is_a_500(api: Api) -> None:
    assert api.ask("clients/get", client_id={"x": 1}).status_code == 500
    assert api.ask("clients/getList", filters="ada").status_code == 500
    assert api.tell("invoices/add", vars="").status_code == 500
    assert api.ask("clients/getList", filters="").status_code == 200
    api.install.quirks.typed_arrays = True
    assert api.ask("clients/getList", filters="").status_code == 500


def test_php_drops_what_is_more_than_a_thousand_fields(api: Api) -> None:
    lines = [{"description": f"Line {number}", "amount": "1"} for number in range(260)]
    api.post("invoices/add", vars=invoice(1, *lines))
    assert len(api.install.invoices()[-1].lines) < 260
    api.install.quirks.max_input_vars = None
    api.post("invoices/add", vars=invoice(1, *lines))
    assert len(api.install.invoices()[-1].lines) == 260


def test_false_in_letters_is_true_for_php(api: Api) -> None:
    with_settings = [
        "settings" in api.get("clients/get", client_id=1, get_settings=said) for said in ("false", "1", "0")
    ]
    assert with_settings == [True, True, False]
    assert "settings" in api.get("clients/get", client_id=1)
    assert "settings" not in api.get("clients/getByUserId", user_id=api.install.clients[0].user_id)


def test_an_encoded_build_wants_every_optional_argument(api: Api) -> None:
    api.install.quirks.encoded_build = True
    for arguments in ({}, {"status": "", "page": 1}, {"status": "", "page": 1, "filters": ""}):
        answer = api.ask("clients/getList", **arguments)
        assert (answer.status_code, answer.json()) == (500, {"message": "Failed to retrieve the default value"})
    assert len(api.get("clients/getList", status="", page=1, filters="", order_by={"id": "asc"})) == 1
    assert api.get("clients/getList", status="", page="", filters="", order_by="")[0]["id"] == "1"
    assert api.ask("clients/getList", status="", page="", filters="", order_by="", x="").status_code == 400
    assert api.get("taxes/getAll", company_id=1) is False


def test_errors_name_the_field_and_the_rule(api: Api) -> None:
    answer = api.tell("invoices/add", vars=invoice(4711))
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"client_id": {"exists": "There is no client '4711'."}}
    assert answer.json()["message"]


def test_errors_may_come_as_a_success(api: Api) -> None:
    api.install.quirks.errors_with_200 = True
    answer = api.tell("invoices/add", vars=invoice(4711))
    assert (answer.status_code, set(answer.json())) == (200, {"message", "errors"})


@pytest.mark.parametrize(("nesting", "key"), [("model", "model"), ("name", "invoices")])
def test_older_versions_put_errors_below_the_model(api: Api, nesting: str, key: str) -> None:
    api.install.change_quirks(nested_errors=nesting)
    answer = api.tell("invoices/add", vars=invoice(4711)).json()
    assert list(answer) == [key]
    assert list(answer[key]["errors"]) == ["client_id"]


def test_no_rows_are_false_where_it_is_documented_and_an_empty_list_elsewhere(api: Api) -> None:
    calls: list[tuple[str, Any]] = [
        ("invoices/getList", {}),
        ("taxes/getAll", {"company_id": 1}),
        ("client_groups/getAll", {"company_id": 2}),
        ("invoices/getTaxRules", {"client_id": 1}),
    ]
    assert [api.get(name, **arguments) for name, arguments in calls] == [False, False, [], []]
    api.install.quirks.empty_lists = True
    assert [api.get(name, **arguments) for name, arguments in calls] == [[]] * 4


def test_what_is_not_there_is_false_and_no_error(api: Api) -> None:
    assert api.get("clients/get", client_id=4711) is False
    assert api.get("clients/get", client_id="ada") is False
    assert api.get("invoices/get", invoice_id=4711) is False
    assert api.get("users/getByUsername", username="nobody") is False
    assert api.get("companies/getSettings", company_id=2) is False
    assert api.get("currencies/getAll", company_id=2) is False


def test_methods_that_return_nothing_respond_with_null(api: Api) -> None:
    assert api.post("clients/setCustomField", client_id=1, field_id=1, value="7") is None


def test_columns_are_text_or_with_a_quirk_numbers(api: Api) -> None:
    api.install.add_tax("MwSt", "19", country="DE")
    currency, tax = api.get("currencies/getAll", company_id=1)[0], api.get("taxes/getAll", company_id=1)[0]
    assert (currency["precision"], currency["exchange_rate"]) == ("2", "1.000000")
    assert (tax["id"], tax["level"], tax["amount"]) == ("1", "1", "19.0000")
    api.install.quirks.numbers = True
    currency, tax = api.get("currencies/getAll", company_id=1)[0], api.get("taxes/getAll", company_id=1)[0]
    assert (currency["precision"], currency["exchange_rate"]) == (2, 1)
    assert (tax["id"], tax["level"], tax["amount"]) == (1, 1, 19)


def test_lists_may_come_as_objects_with_ids_for_keys(api: Api) -> None:
    api.post("invoices/add", vars=invoice(1, {}, {"description": "Backup"}))
    api.install.quirks.keyed_lists = True
    assert list(api.get("invoices/getList")) == ["301"]
    assert list(api.get("invoices/get", invoice_id=301)["line_items"]) == ["7001", "7002"]
    assert list(api.get("currencies/getAll", company_id=1)) == ["USD"]
    assert api.get("clients/get", client_id=1)["id"] == "1"
    assert api.get("invoices/getTaxRules", client_id=1) == []


def test_the_journal_tells_what_was_asked_but_no_passwords(api: Api) -> None:
    api.post("users/auth", username="ada@example.com", vars={"username": "ada@example.com", "password": "secret"})
    (entry,) = api.install.journal.list()
    assert (entry.method, entry.path, entry.status) == ("POST", "/api/users/auth.json", 200)
    assert entry.body["vars[password]"] == "********"
