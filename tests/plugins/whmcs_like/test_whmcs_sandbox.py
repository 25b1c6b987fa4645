"""Who is let in, how answers are written, and what goes wrong on the wire."""

from collections.abc import Iterator

import httpx
import pytest

from tests.plugins import TLS
from tests.plugins.whmcs_like import Api
from tollbridge.sandbox import Fault, Kind
from tollbridge_whmcs_like.sandbox import Install, running


@pytest.fixture
def install() -> Install:
    made = Install()
    for number in range(1, 8):
        made.add_client(f"client{number}@example.com", first_name=f"{number}")
    return made


@pytest.fixture
def api(install: Install) -> Iterator[Api]:
    with running(install) as root, httpx.Client(verify=TLS) as http:
        yield Api(root, install, http)


def test_the_credentials_may_be_sent_as_identifier_and_secret_or_as_username_and_password(api: Api) -> None:
    for names in [("identifier", "secret"), ("username", "password")]:
        pair = dict(zip(names, ("sandbox-identifier", "sandbox-secret"), strict=True))
        answer = api.post({**pair, "action": "GetCurrencies", "responsetype": "json"})
        assert (answer.status_code, answer.json()["result"]) == (200, "success")


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        ({}, "Authentication Failed"),
        ({"identifier": "sandbox-identifier"}, "Authentication Failed"),
        ({"identifier": "somebody", "secret": "sandbox-secret"}, "Invalid or missing credentials"),
        ({"identifier": "sandbox-identifier", "secret": "guessed"}, "Authentication Failed"),
        ({"username": "sandbox-identifier", "password": "guessed"}, "Authentication Failed"),
    ],
)
def test_wrong_credentials_are_answered_403_and_still_in_json(
    api: Api, credentials: dict[str, str], message: str
) -> None:
    answer = api.post({**credentials, "action": "GetCurrencies", "responsetype": "json"})
    assert (answer.status_code, answer.json()) == (403, {"result": "error", "message": message})


@pytest.mark.parametrize("name", ["identifier", "secret", "username", "password", "accesskey"])
def test_credentials_in_the_url_are_refused_whatever_the_body_says(api: Api, name: str) -> None:
    answer = api.post(api.fields("GetCurrencies"), params={name: "anything"})
    assert answer.status_code == 403
    assert "URL" in answer.json()["message"]
    assert api.install.journal.list()[-1].query == f"{name}=anything"


def test_a_json_body_is_no_form_and_a_get_has_none(api: Api) -> None:
    url = f"{api.root}/includes/api.php"
    for answer in (api.http.post(url, json=api.fields("GetCurrencies")), api.http.get(url)):
        assert (answer.status_code, answer.text) == (403, "result=error;message=Authentication Failed;")


def test_a_multipart_form_is_read_like_any_other(api: Api) -> None:
    parts = {name: (None, value) for name, value in api.fields("GetCurrencies").items()}
    answer = api.http.post(f"{api.root}/includes/api.php", files=parts)
    assert answer.json()["totalresults"] == 1


def test_who_does_not_ask_for_json_gets_text(api: Api) -> None:
    fields = api.fields("GetPaymentMethods")
    del fields["responsetype"]
    assert api.post(fields).text.startswith("result=success;totalresults=2;paymentmethods[paymentmethod][0][module]=")


def test_an_address_that_is_not_allowed_needs_the_access_key() -> None:
    install = Install(access_key="let-me-in", allow_any_address=False)
    with running(install) as root, httpx.Client(verify=TLS) as http:
        api = Api(root, install, http)

        def answered(**more: str) -> tuple[int, str]:
            answer = api.post(api.fields("GetCurrencies", **more))
            return answer.status_code, answer.json().get("message", "")

        assert answered() == (403, "Invalid IP 127.0.0.1")
        assert answered(accesskey="guessed") == (403, "Invalid Access Key")
        assert answered(accesskey="let-me-in") == (200, "")
        install.allowed_addresses.add("127.0.0.1")
        assert answered() == (200, "")


def test_an_action_may_be_written_in_any_case(api: Api) -> None:
    assert api("getclients")["totalresults"] == api("GETCLIENTS")["totalresults"] == 7


def test_an_action_that_does_not_exist_is_one_the_role_does_not_allow(api: Api) -> None:
    answer = api.post(api.fields("GetTokens"))
    assert (answer.status_code, answer.json()) == (
        403,
        {"result": "error", "message": 'Invalid Permissions: API action "gettokens" is not allowed'},
    )
    assert api.refusal("") == "An API Action is required"


def test_an_error_is_answered_200(api: Api) -> None:
    assert api.refusal("GetClientsDetails", clientid=99) == "Client Not Found"


def test_secrets_are_masked_in_the_journal(api: Api) -> None:
    api("ValidateLogin", email="client1@example.com", password2="a-password")
    shown = str(api.install.journal.list()[-1].body)
    assert "a-password" not in shown
    assert "sandbox-secret" not in shown
    assert "client1@example.com" in shown


def ids(answer: dict[str, object]) -> list[int]:
    rows: list[dict[str, int]] = answer["clients"]["client"]  # type: ignore[index]
    return [row["id"] for row in rows]


def test_a_list_gives_25_rows_unless_more_are_asked_for(install: Install, api: Api) -> None:
    for number in range(8, 41):
        install.add_client(f"client{number}@example.com")
    answer = api("GetClients")
    assert (answer["totalresults"], answer["startnumber"], answer["numreturned"]) == (40, 0, 25)
    assert len(ids(api("GetClients", limitnum=100))) == 40
    assert len(ids(api("GetClients", limitnum=0))) == 25
    last = api("GetClients", limitstart=25, orderby="id")
    assert (last["totalresults"], last["startnumber"], last["numreturned"]) == (40, 25, 15)
    assert ids(last) == [*range(26, 41)]


def test_an_install_may_give_less_rows_than_were_asked_for(install: Install, api: Api) -> None:
    install.page_limit = 3
    answer = api("GetClients", limitstart=2, limitnum=5, orderby="id")
    assert (ids(answer), answer["numreturned"], answer["totalresults"]) == ([3, 4, 5], 3, 7)


def test_a_page_beyond_the_end_has_no_rows(api: Api) -> None:
    answer = api("GetClients", limitstart=100)
    assert (answer["totalresults"], answer["startnumber"], answer["numreturned"]) == (7, 100, 0)
    assert answer["clients"] == {"client": []}


@pytest.mark.parametrize("action", ["GetClients", "GetInvoices"])
def test_faults_falsify_a_list(install: Install, api: Api, action: str) -> None:
    for client in install.clients:
        install.add_invoice(client.id)
    outer, inner = ("clients", "client") if action == "GetClients" else ("invoices", "invoice")

    def page(start: int) -> tuple[list[int], object]:
        answer = api(action, orderby="id", limitstart=start, limitnum=2)
        return [row["id"] for row in answer[outer][inner]], answer.get("totalresults")

    expected: dict[Kind, tuple[list[int], object]] = {
        "half_page": ([3], 7),
        "no_meta": ([3, 4], None),
        "wrong_total": ([3, 4], 8),
        "shuffled_pages": ([1, 2], 7),
    }
    for kind, falsified in expected.items():
        install.faults.add(Fault(kind, "POST", action))
        assert page(2) == falsified
        assert page(2) == ([3, 4], 7)


def test_a_fault_hits_the_action_it_names_and_no_longer_name(install: Install, api: Api) -> None:
    install.faults.add(Fault("500", path="getclients"))
    assert install.faults.list() == [Fault("500", path="GetClients")]
    assert api("GetClientsDetails", clientid=1)["result"] == "success"
    assert api.post(api.fields("getClients")).status_code == 500
    assert api("GetClients")["result"] == "success"


def test_the_beginning_of_several_names_hits_them_all(install: Install, api: Api) -> None:
    install.faults.add(Fault("503", path="Get", times=None))
    assert {api.post(api.fields(action)).status_code for action in ("GetClients", "GetInvoice", "GetUsers")} == {503}
    assert api("UpdateClient", clientid=1)["result"] == "success"


def test_an_invoice_whose_answer_is_lost_was_created(install: Install, api: Api) -> None:
    install.faults.add(Fault("lost", path="CreateInvoice"))
    with pytest.raises(httpx.TransportError):
        api("CreateInvoice", userid=1, itemdescription1="July", itemamount1="1.00")
    install.faults.add(Fault("cut", path="CreateInvoice"))
    with pytest.raises(httpx.TransportError):
        api("CreateInvoice", userid=1, itemdescription1="July", itemamount1="1.00")
    assert len(install.invoices(1)) == 1
