"""The Ubersmith sandbox, called by somebody who knows nothing but Ubersmith's documentation."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.plugins.ubersmith import Api, served
from tollbridge_ubersmith.sandbox import Install, Rejected, small_company
from tollbridge_ubersmith.sandbox.methods import METHODS


@pytest.fixture
def api() -> Iterator[Api]:
    install = Install()
    small_company(install)
    with served(install) as made:
        yield made


def a_service(api: Api, client_id: int = 1, **fields: Any) -> int:
    given = {"description": "Server web-1", "period": 0, "price": "10.00", **fields}
    number: int = api.get("client.service_add", client_id=client_id, **given)
    return number


class TestTransport:
    def test_without_credentials_nothing_is_answered(self, api: Api) -> None:
        for auth in ((api.install.user, "wrong"), ("wrong", api.install.token)):
            answer = api.http.post("/api/2.0/", params={"method": "client.count"}, auth=auth)
            assert (answer.status_code, answer.json()["error_code"]) == (401, 3)

    def test_the_method_may_stand_in_the_address_or_in_the_form_and_arguments_in_json(self, api: Api) -> None:
        assert api.http.get("/api/2.0/?method=client.count&inactive=2").json()["data"] == "30"
        assert api.http.post("/api/2.0/", data={"method": "client.count"}).json()["data"] == "30"
        answer = api.http.post("/api/2.0/?method=client.get", json={"client_id": 3})
        assert answer.json()["data"]["clientid"] == "3"

    def test_errors_come_with_200_and_say_no(self, api: Api) -> None:
        answer = api.call("client.get", client_id=999)
        assert answer.status_code == 200
        assert answer.json() == {
            "status": False, "error_code": 1, "error_message": "Client ID '999' not found.", "data": "",
        }  # fmt: skip

    def test_every_method_is_described_and_another_is_none(self, api: Api) -> None:
        for method in METHODS:
            assert api.get("uber.method_get", method_name=method)["method"] == method
        assert api.refused("uber.method_get", method_name="client.merge") == "invalid method: client.merge"
        assert api.refused("client.merge") == "invalid method: client.merge"

    def test_what_must_be_given_and_is_not_is_refused(self, api: Api) -> None:
        assert api.refused("client.service_add", description="x") == "client_id parameter not supplied"
        assert api.refused("client.service_add", client_id=1) == "description parameter not supplied"

    def test_older_versions_have_fewer_parameters_and_methods(self, api: Api) -> None:
        api.install.change_quirks(version="4.6.1")
        names = {row["param"] for row in api.get("uber.method_get", method_name="client.invoice_list")["params"]}
        assert {"client_id", "paid", "since"} <= names
        assert not {"services", "services_details", "due_end"} & names
        assert "invalid method" in api.refused("uber.check_user_twofactor", user_id=1, user_type=1)

    def test_the_token_page_and_maintenance_do_nothing(self, api: Api) -> None:
        api.install.change_quirks(updating_token=1)
        answer = api.call("client.service_add", client_id=1, description="x")
        assert "<title>Updating Token</title>" in answer.text
        api.install.change_quirks(maintenance=True)
        assert "maintenance" in api.refused("client.service_add", client_id=1, description="x")
        assert api.install.services == {}


class TestClients:
    def test_deactivated_clients_show_only_when_asked_for(self, api: Api) -> None:
        assert "not found" in api.refused("client.get", client_id=11)
        assert api.get("client.get", client_id=11, allclients=1)["active"] == "0"
        assert len(api.get("client.list", inactive=0)) == 29
        assert [*api.get("client.list", active=2)] == ["10"]

    def test_lists_are_maps_by_id_and_an_empty_one_is_a_list(self, api: Api) -> None:
        page = api.get("client.list", order_by="client_id", offset=10, limit=3)
        assert [*page] == ["11", "12", "13"]
        assert api.get("client.list", offset=100) == []

    def test_a_log_in_name_is_anybodys_unless_it_must_be_unique(self, api: Api) -> None:
        fields = {"first": "Ada", "email": "ada@example.com", "uber_login": "client-01@example.com", "uber_pass": "x"}
        assert "already in use" in api.refused("client.add", strict=1, **fields)
        assert api.get("client.add", **fields) == "1001"

    def test_log_ins_tell_who_it_is(self, api: Api) -> None:
        assert api.get("uber.check_login", login=api.install.user, **{"pass": "sandbox-password"})["type"] == "admin"
        client = api.get("uber.check_login", login="client-01@example.com", **{"pass": "password-01"})
        assert (client["type"], client["client_id"]) == ("client", "1")
        contact = api.get("uber.check_login", login="contact@example.com", **{"pass": "password-contact"})
        assert (contact["type"], contact["client_id"], contact["contact_id"]) == ("contact", "1", "5001")
        assert api.refused("uber.check_login", login="client-01@example.com", **{"pass": "no"}) == (
            "Invalid login or password."
        )

    def test_only_fields_that_exist_keep_anything(self, api: Api) -> None:
        api.get("client.update", client_id=1, meta_solusid="7", meta_other="8")
        assert api.install.clients[1].metadata == {"solusid": "7"}


class TestServices:
    def test_a_service_is_monthly_and_takes_its_clients_discount_unless_told_otherwise(self, api: Api) -> None:
        api.get("client.service_add", client_id=5, description="Dedicated", price="10.00")
        a_service(api, 5, discount=0)
        first, second = api.install.services.values()
        assert (first.period, first.cost) == (1, Decimal("9.50"))
        assert (second.period, second.cost) == (0, Decimal("10.00"))

    def test_a_list_is_limited_by_fields_that_are_asked_for_and_exist(self, api: Api) -> None:
        wanted = a_service(api, meta_tollbridge_reference="TB-2026-07-1")
        a_service(api, meta_other="TB-2026-07-1")
        both = {"client_id": 1, "pack_type_select": 3, "tollbridge_reference": "TB-2026-07-1"}
        listed = api.get("client.service_list", **both, **{"metadata[tollbridge_reference]": 1})
        assert [*listed] == [str(wanted)]
        assert listed[str(wanted)]["metadata"] == {"tollbridge_reference": "TB-2026-07-1"}
        assert len(api.get("client.service_list", **both)) == 2, "one that is not asked for limits nothing"

    def test_old_services_and_deactivated_ones_show_only_among_all(self, api: Api) -> None:
        number = a_service(api)
        api.get("client.service_deactivate", client_id=1, service_id=number)
        assert api.get("client.service_list", client_id=1) == []
        assert [*api.get("client.service_list", client_id=1, pack_type_select=3)] == [str(number)]

    def test_deactivated_clients_and_unknown_taxes_are_refused(self, api: Api) -> None:
        assert "not active" in api.refused("client.service_add", client_id=11, description="x")
        assert "not found" in api.refused("client.service_add", client_id=1, description="x", **{"taxes[9]": 9})


class TestInvoices:
    def test_without_lists_all_that_can_be_billed_is_swept_in(self, api: Api) -> None:
        for _ in range(2):
            a_service(api)
        api.install.credits[1] = Decimal("3.00")
        made = api.get("client.invoice_generate", client_id=1)
        assert (made["invid"], made["total"]) == ("401", 0)
        shown = api.get("client.invoice_get", invoice_id=401)
        assert (shown["amount"], len(shown["current_packs"]), shown["sent"]) == ("17.00", 2, "1")
        assert api.refused("client.invoice_generate", client_id=1) == "There is nothing to invoice."

    def test_exactly_what_is_included_is_billed_and_once(self, api: Api) -> None:
        wanted = a_service(api)
        a_service(api)
        only = {f"include_packs[{wanted}]": 1, "include_credits": 0, "skip_notification": 1}
        api.get("client.invoice_generate", client_id=1, duedate=1_790_000_000, **only)
        shown = api.get("client.invoice_get", invoice_id=401)
        assert [pack["packid"] for pack in shown["current_packs"].values()] == [str(wanted)]
        assert (shown["due"], shown["sent"]) == ("1790000000", "0")
        assert "nothing" in api.refused("client.invoice_generate", client_id=1, **only)
        assert "nothing" in api.refused("client.invoice_generate", client_id=1, include_packs=0)

    @pytest.mark.parametrize(
        ("taxes", "by_line", "tax"),
        [((1,), False, "0.04"), ((1,), True, "0.03"), ((2, 3), False, "0.03")],
    )
    def test_taxes_are_fractions_of_what_is_charged(
        self, api: Api, taxes: tuple[int, ...], by_line: bool, tax: str
    ) -> None:
        api.install.change_quirks(tax_rounding="line" if by_line else "invoice")
        for _ in range(3):
            a_service(api, price="0.07", **{f"taxes[{number}]": number for number in taxes})
        api.get("client.invoice_generate", client_id=1)
        assert api.get("client.invoice_get", invoice_id=401)["summary"]["total_tax"] == tax

    def test_a_tax_with_other_taxes_in_its_base_is_charged_on_them(self, api: Api) -> None:
        on_others = api.install.add_rate("QST", "0.1", include_other=True)
        a_service(api, price="100.00", **{"taxes[2]": 1, f"taxes[{on_others}]": 1})
        api.get("client.invoice_generate", client_id=1)
        assert api.get("client.invoice_get", invoice_id=401)["amount"] == "115.50"

    def test_older_versions_look_at_the_values_of_taxes(self, api: Api) -> None:
        api.install.change_quirks(version="4.6.1")
        a_service(api, price="100.00", **{"taxes[0]": 1})
        api.get("client.invoice_generate", client_id=1)
        assert api.get("client.invoice_get", invoice_id=401)["amount"] == "120.00"

    def test_invoices_are_listed_by_status_and_by_their_services(self, api: Api) -> None:
        numbers = []
        for client in (1, 2, 3):
            numbers.append(a_service(api, client))
            api.get("client.invoice_generate", client_id=client)
        api.install.pay(401)
        api.install.disregard(402)
        assert [*api.get("client.invoice_list", paid=0)] == ["403"]
        assert [*api.get("client.invoice_list", paid=1)] == ["401"]
        assert api.get("client.invoice_list", paid=2)["402"]["amount_unpaid"] == "10.00"
        assert [*api.get("client.invoice_list", **{"services[0]": numbers[1]})] == ["402"]
        listed = api.get("client.invoice_list", client_id=1, services_details=1)["401"]
        assert listed["services"][str(numbers[0])]["desserv"] == "Server web-1"


class TestControls:
    def test_the_overview_has_commands_that_work(self, api: Api) -> None:
        page = api.http.get("/sandbox/").text
        assert "client.invoice_generate" in page
        assert api.http.post("/sandbox/seed", json={"company": "small"}).status_code == 422, "it is there already"
        added = api.http.post("/sandbox/clients", json={"email": "ada@example.com", "discount": "10"})
        assert (added.status_code, added.json()["data"]["discount"]) == (201, "10")
        assert "password" not in added.json()["data"]
        assert len(api.http.get("/sandbox/clients").json()["data"]) == 31

    def test_invoices_are_made_paid_and_disregarded_there(self, api: Api) -> None:
        a_service(api)
        made = api.http.post("/sandbox/clients/1", json={"bill": True}).json()["data"]
        assert (made["id"], made["amount"], made["status"]) == (401, "10.00", "unpaid")
        assert len(api.http.get("/sandbox/services").json()["data"]) == 1
        for change, status in (
            ({"pay": "1.50"}, "unpaid"),
            ({"pay": True}, "paid"),
            ({"disregard": True}, "disregarded"),
        ):
            assert api.http.post("/sandbox/invoices/401", json=change).json()["data"]["status"] == status
        assert api.http.get("/sandbox/invoices").json()["data"][0]["unpaid"] == "0.00"
        for path, body in (("invoices/401", {"pay": 1}), ("invoices/999", {"pay": True}), ("clients/1", {})):
            assert api.http.post(f"/sandbox/{path}", json=body).status_code == 422

    @pytest.mark.parametrize(
        "quirk", [{"version": "3.0"}, {"most_rows": -1}, {"numbers": "yes"}, {"denied_status": 500}, {"humour": True}]
    )
    def test_a_quirk_there_is_none_of_changes_nothing(self, api: Api, quirk: dict[str, Any]) -> None:
        before = api.install.quirks
        assert api.http.post("/sandbox/quirks", json=quirk).status_code == 422
        assert api.install.quirks == before

    def test_what_cannot_be_is_rejected(self) -> None:
        install = Install()
        with pytest.raises(Rejected, match="active is 0, 1 or 2"):
            install.add_client("a@example.com", active=3)
        install.add_client("a@example.com", client_id=1)
        with pytest.raises(Rejected, match="already is a client 1"):
            install.add_client("b@example.com", client_id=1)
