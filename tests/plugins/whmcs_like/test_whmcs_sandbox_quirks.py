"""How installs of WHMCS differ from each other on the wire."""

from collections.abc import Iterator
from typing import Any

import attrs
import httpx
import pytest

from tests.plugins import TLS
from tests.plugins.whmcs_like import Api
from tollbridge_whmcs_like.sandbox import Install, Quirks, running


@pytest.fixture
def install() -> Install:
    made = Install()
    made.add_group('Smith\'s "best" <5%>', discount="5.00")
    made.add_client("one@example.com", first_name="Ann & Bob", group_id=1, password="a-password")
    made.add_client("two@example.com", tax_exempt=True)
    made.add_invoice(1, [("July", "10.50", True)], taxrate="8.25")
    return made


@pytest.fixture
def api(install: Install) -> Iterator[Api]:
    with running(install) as root, httpx.Client(verify=TLS) as http:
        yield Api(root, install, http)


@pytest.mark.parametrize(
    ("style", "no", "yes"),
    [("json", False, True), ("number", 0, 1), ("text", "0", "1"), ("on", "", "on"), ("word", "false", "true")],
)
def test_booleans_are_written_in_five_ways(install: Install, api: Api, style: Any, no: object, yes: object) -> None:
    install.quirks.booleans = style
    written = [api("GetClientsDetails", clientid=client)["client"]["taxexempt"] for client in (1, 2)]
    written.append(api("GetInvoice", invoiceid=1)["items"]["item"][0]["taxed"])
    written.append(api("ValidateLogin", email="one@example.com", password2="a-password")["twoFactorEnabled"])
    written.append(api("GetClientGroups")["groups"]["group"][0]["susptermexempt"])
    assert [(type(value), value) for value in written] == [
        (type(value), value) for value in (no, yes, yes, no, no)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("empty", "transactions", "invoices"),
    [
        ("nested", "", {"invoice": []}),
        ("missing", None, None),
        ("text", "", ""),
        ("list", [], []),
        ("object", {}, {}),
    ],
)
def test_empty_collections_are_written_in_five_ways(
    api: Api, empty: Any, transactions: object, invoices: object
) -> None:
    api.install.quirks.empty = empty
    assert api("GetInvoice", invoiceid=1).get("transactions") == transactions
    listed = api("GetInvoices", userid=2)
    assert (listed["totalresults"], listed.get("invoices")) == (0, invoices)
    assert ("invoices" in listed) == (empty != "missing")


def test_a_single_row_may_come_without_a_list_around_it(install: Install, api: Api) -> None:
    install.quirks.single_row_as_object = True
    assert api("GetInvoices")["invoices"]["invoice"]["id"] == 1
    assert api("GetInvoice", invoiceid=1)["items"]["item"]["description"] == "July"
    assert api("GetClientsDetails", clientid=1)["client"]["users"]["user"]["id"] == 501
    assert [row["id"] for row in api("GetClients", orderby="id")["clients"]["client"]] == [1, 2]


def test_currencies_may_come_flattened_as_the_reference_prints_them(install: Install, api: Api) -> None:
    install.quirks.flat_currencies = True
    assert api("GetCurrencies") == {
        "result": "success",
        "totalresults": "1",
        "currencies[currency][0][id]": "1",
        "currencies[currency][0][code]": "USD",
        "currencies[currency][0][prefix]": "$",
        "currencies[currency][0][suffix]": " USD",
        "currencies[currency][0][format]": "1",
        "currencies[currency][0][rate]": "1.00000",
    }


def test_ids_and_counts_may_be_text_or_numbers_throughout(install: Install, api: Api) -> None:
    install.quirks.ids = "text"
    listed = api("GetInvoices")
    assert (listed["totalresults"], listed["invoices"]["invoice"][0]["userid"]) == ("1", "1")
    assert api("GetClientsDetails", clientid=1)["client"]["currency"] == "1"
    install.quirks.ids = "number"
    assert api("CreateInvoice", userid=1)["invoiceid"] == 2
    assert api("ValidateLogin", email="one@example.com", password2="a-password")["userid"] == 501


def test_money_may_be_written_as_numbers_without_zeros_at_the_end(install: Install, api: Api) -> None:
    install.quirks.money = "number"
    text = api.post(api.fields("GetInvoice", invoiceid=1)).text
    assert '"subtotal":10.5,' in text
    assert '"total":11.37,' in text
    assert '"taxrate":8.25,' in text
    assert '"credit":0,' in text


def test_text_may_come_html_escaped(install: Install, api: Api) -> None:
    plain = api("GetClientGroups")["groups"]["group"][0]["groupname"]
    install.quirks.escaped_text = True
    assert plain == 'Smith\'s "best" <5%>'
    assert api("GetClientGroups")["groups"]["group"][0]["groupname"] == "Smith&#039;s &quot;best&quot; &lt;5%&gt;"
    assert api("GetClientsDetails", clientid=1)["client"]["fullname"] == "Ann &amp; Bob"
    assert [row["id"] for row in api("GetClients", search="Ann & B")["clients"]["client"]] == [1]
    assert api.install.client(1).first_name == "Ann & Bob"


def test_errors_may_have_a_status_instead_of_a_result(install: Install, api: Api) -> None:
    install.quirks.status_on_errors = True
    assert api("GetInvoice", invoiceid=9) == {"status": "error", "message": "Invoice ID Not Found"}
    assert api("GetInvoice", invoiceid=1)["result"] == "success"


def test_errors_and_refusals_may_come_with_other_http_statuses(install: Install, api: Api) -> None:
    install.quirks.error_status, install.quirks.denied_status = 404, 200
    missing = api.post(api.fields("GetInvoice", invoiceid=9))
    assert (missing.status_code, missing.json()["message"]) == (404, "Invoice ID Not Found")
    refused = api.post({"action": "GetInvoice", "responsetype": "json"})
    assert (refused.status_code, refused.json()["message"]) == (200, "Authentication Failed")


def test_a_success_may_hold_only_a_warning_though_nothing_was_done(install: Install, api: Api) -> None:
    install.quirks.warning_only = True
    for action, fields in [("CreateInvoice", {"userid": "1"}), ("AddClient", {"email": "new@example.com"})]:
        assert api(action, **fields).keys() == {"result", "warning"}
    assert (len(install.invoices()), len(install.clients)) == (1, 2)


def test_a_warning_may_come_with_an_id_when_all_was_done(install: Install, api: Api) -> None:
    install.quirks.extra_warning = True
    answer = api("CreateInvoice", userid=1)
    assert (answer["invoiceid"], "deprecated" in answer["warning"]) == ("2", True)
    assert "warning" not in api("GetInvoices")


def test_a_role_may_forbid_actions_such_as_reading_the_configuration(install: Install, api: Api) -> None:
    install.quirks.forbidden_actions = ("GetConfigurationValue",)
    answer = api.post(api.fields("getconfigurationvalue", setting="TaxType"))
    assert (answer.status_code, answer.json()["message"]) == (
        403,
        'Invalid Permissions: API action "getconfigurationvalue" is not allowed',
    )
    assert api("GetClients")["result"] == "success"


def test_the_groups_discount_may_be_taken_off_a_second_time(install: Install, api: Api) -> None:
    line = {"itemdescription1": "July", "itemamount1": "10.00"}
    api("CreateInvoice", userid=1, **line)
    install.quirks.group_discount_on_lines = True
    for client in (1, 2):
        api("CreateInvoice", userid=client, **line)
    assert [str(invoice.total) for invoice in install.invoices()[1:]] == ["10.00", "9.50", "10.00"]


def test_there_may_be_a_notice_or_a_byte_order_mark_before_the_json(install: Install, api: Api) -> None:
    install.quirks.php_notice = True
    text = api.post(api.fields("GetCurrencies")).text
    assert text.startswith("<br />\n<b>Warning</b>")
    assert text.endswith("}")
    install.quirks.php_notice, install.quirks.byte_order_mark = False, True
    assert api.post(api.fields("GetCurrencies")).content.startswith(b'\xef\xbb\xbf{"result"')


def test_fields_the_reference_does_not_list_may_be_refused_to_find_them(install: Install, api: Api) -> None:
    fields = {"userid": "1", "due_date": "2026-08-15", "itemdescription12": "x", "itemamount12": "1", "itemsum1": "1"}
    assert api("CreateInvoice", **fields)["result"] == "success"
    install.quirks.refuse_unknown_fields = True
    assert api.refusal("CreateInvoice", **fields) == "CreateInvoice has no due_date, itemsum1"
    assert api("GetClientsDetails", clientid=1)["result"] == "success"


@pytest.mark.parametrize(
    "changes",
    [
        {"booleans": "yes"},
        {"empty": None},
        {"version": "eight"},
        {"php_notice": "no"},
        {"forbidden_actions": "GetClients"},
        {"max_input_vars": 0},
        {"error_status": 99},
    ],
)
def test_a_quirk_can_not_be_what_is_unheard_of(changes: dict[str, Any]) -> None:
    quirks = Quirks()
    with pytest.raises((ValueError, TypeError)):
        setattr(quirks, *next(iter(changes.items())))
    assert quirks == Quirks()
    with pytest.raises((ValueError, TypeError)):
        attrs.evolve(quirks, **changes)
