"""What goes wrong with the simulated Blesta on request, and its controls."""

import hashlib
import hmac
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import attrs
import httpx
import pytest

from tests.plugins import TLS
from tests.plugins.blesta import Api, invoice, served
from tollbridge.sandbox import Fault
from tollbridge_blesta.sandbox import Install, Line, Quirks, small_company

NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def api() -> Iterator[Api]:
    with served(Install(page_size=10)) as api:
        api.install.clock = lambda: NOW
        small_company(api.install)
        yield api


def ids(rows: Any) -> list[int]:
    return [int(row["id"]) for row in rows]


def test_a_fault_is_ordered_by_the_name_of_the_call(api: Api) -> None:
    api.install.faults.add(Fault("500", path="invoices/add"))
    assert api.ask("invoices/getListCount").status_code == 200
    assert api.tell("invoices/add", vars=invoice()).status_code == 500
    assert api.install.invoices() == []
    assert api.post("invoices/add", vars=invoice()) == "301"


def test_a_call_has_the_same_name_behind_index_php(api: Api) -> None:
    api.install.faults.add(Fault("503", method="GET", path="companies/getAll"))
    assert api.http.get("/index.php/api/companies/getAll.json").status_code == 503


@pytest.mark.parametrize(("kind", "written"), [("cut", 0), ("lost", 1)])
def test_a_connection_is_cut_before_or_after_the_invoice_was_written(api: Api, kind: Any, written: int) -> None:
    api.install.faults.add(Fault(kind, path="invoices/add"))
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        api.tell("invoices/add", vars=invoice())
    assert len(api.install.invoices()) == written


def test_half_a_page_looks_like_the_last_one(api: Api) -> None:
    api.install.faults.add(Fault("half_page", path="clients/getList"))
    assert ids(api.get("clients/getList")) == [1, 2, 3, 4, 5]
    api.install.faults.add(Fault("half_page", path="clients/getList"))
    api.install.quirks.keyed_lists = True
    assert list(api.get("clients/getList")) == ["1", "2", "3", "4", "5"]


def test_shuffled_pages_repeat_rows_and_leave_others_out(api: Api) -> None:
    api.install.faults.add(Fault("shuffled_pages", path="clients/getList", times=None))
    assert [ids(api.get("clients/getList", page=page))[0] for page in (1, 2, 3)] == [1, 1, 11]
    assert [ids(api.post("clients/getList", page=page))[0] for page in (1, 2, 3)] == [1, 1, 11]


def test_what_has_no_pages_is_not_shuffled(api: Api) -> None:
    api.install.faults.add(Fault("shuffled_pages", times=None))
    assert api.get("clients/get", client_id=1)["id"] == "1"
    assert api.get("clients/getListCount") == 30


def test_a_wrong_count_is_one_too_many_or_missing(api: Api) -> None:
    api.install.faults.add(Fault("wrong_total", path="clients/getListCount"))
    assert api.get("clients/getListCount") == 31
    api.install.faults.add(Fault("no_meta", path="clients/getListCount"))
    assert api.ask("clients/getListCount").json() == {}
    assert api.get("clients/getListCount") == 30


def test_counts_alone_are_miscounted(api: Api) -> None:
    number = api.install.add_invoice(1, [Line("Server", "10")])
    whole = api.get("invoices/get", invoice_id=number)
    kinds: list[Any] = ["wrong_total", "no_meta"]
    for kind in kinds:
        api.install.faults.add(Fault(kind))
        assert api.get("invoices/get", invoice_id=number) == whole


def test_faults_of_lists_leave_refusals_alone(api: Api) -> None:
    kinds: list[Any] = ["half_page", "shuffled_pages", "wrong_total"]
    for kind in kinds:
        api.install.faults.add(Fault(kind))
        assert "errors" in api.ask("clients/getListCount", filters={"x": "y"}).json()


def login(api: Api, **changed: Any) -> httpx.Response:
    values = {"t": str(int(NOW.timestamp())), "u": "client-01@example.com", "r": "/client/invoices/", **changed}
    signed = (values["t"] + values["u"] + values["r"]).encode()
    signature = hmac.new(api.install.shared_login_key.encode(), signed, hashlib.sha256).hexdigest()
    return httpx.get(f"{api.url}/plugin/shared_login/", params={"h": signature, **values})


def test_a_signed_address_logs_a_client_in(api: Api) -> None:
    page = login(api)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Logged in as client-01@example.com and sent on to /client/invoices/" in page.text
    assert login(api, r="").status_code == 200
    assert "<b>" not in login(api, r="<b>").text


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"t": str(int(NOW.timestamp()) - 1800)}, 200),
        ({"t": str(int(NOW.timestamp()) + 1800)}, 200),
        ({"t": str(int(NOW.timestamp()) - 1801)}, 403),
        ({"t": str(int(NOW.timestamp()) + 1801)}, 403),
        ({"t": "now"}, 403),
        ({"u": "nobody@example.com"}, 403),
        ({"u": "staff"}, 403),
        ({"h": "0" * 64}, 403),
        ({"h": "ö"}, 403),
    ],
)
def test_an_address_is_good_for_half_an_hour_and_for_clients(api: Api, changed: dict[str, str], status: int) -> None:
    assert login(api, **changed).status_code == status


def test_javascript_is_told_whether_it_worked(api: Api) -> None:
    answer = httpx.get(f"{api.url}/plugin/shared_login/", headers={"X-Requested-With": "XMLHttpRequest"})
    assert answer.json() == {"success": False}


def test_without_a_key_the_plugin_is_not_there(api: Api) -> None:
    api.install.shared_login_key = ""
    assert login(api).status_code == 404


def test_the_overview_explains_itself(api: Api) -> None:
    for _ in range(2):
        api.install.add_invoice(1, [Line("Server", "10")])
    text = httpx.get(f"{api.url}/sandbox/").text
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("  curl ")]
    assert len(commands) > 15
    for command in commands:
        if "small" not in "".join(command):
            assert run(command).status_code < 300, command
            api.install.faults.clear()
            api.install.quirks.encoded_build = False
    assert [row.status for row in api.install.invoices()] == ["active", "void", "active"]


def run(command: list[str]) -> httpx.Response:
    """What curl would do."""
    method, headers, auth, data, url = "GET", {"content-type": "application/x-www-form-urlencoded"}, None, [], ""
    words = iter(command)
    for word in words:
        match word:
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-u":
                user, _, key = next(words).partition(":")
                auth = (user, key)
            case "-X":
                method = next(words)
            case "-d":
                data.append(next(words))
            case _:
                url = word
    return httpx.request("POST" if data else method, url, headers=headers, auth=auth, content="&".join(data))


def test_clients_are_seeded_and_added_over_http() -> None:
    with served(Install()) as api:
        assert api.http.post("/sandbox/seed", json={"company": "small"}).json() == {"data": {"clients": 30}}
        assert api.http.post("/sandbox/seed", json={"company": "small"}).status_code == 422
        body = {"email": "ada@example.com", "currency": "EUR", "country": "DE", "tax_exempt": True, "client_id": 1042}
        row = api.http.post("/sandbox/clients", json=body).json()["data"]
        assert (row["id"], row["currency"], row["tax_exempt"], row["country"]) == (1042, "EUR", True, "DE")
        assert len(api.http.get("/sandbox/clients").json()["data"]) == len(api.install.clients) == 31


def test_invoices_are_paid_cancelled_and_changed_over_http(api: Api) -> None:
    for client_id in (6, 6, 12):
        api.install.add_invoice(client_id, [Line("Server", "10.00")])
    change = api.http.post
    assert change("/sandbox/invoices/301", json={"pay": "4"}).json()["data"]["due"] == "6.00"
    assert change("/sandbox/invoices/301", json={"pay": True}).json()["data"]["date_closed"] == "2026-07-01T00:00:00Z"
    assert change("/sandbox/invoices/302", json={"void": True}).json()["data"]["status"] == "void"
    dates = {"date_due": "2026-08-01T02:00:00+02:00", "status": "proforma", "note_public": "July"}
    row = change("/sandbox/invoices/303", json=dates).json()["data"]
    assert (row["date_due"], row["status"], row["note_public"]) == ("2026-08-01T00:00:00Z", "proforma", "July")
    assert [row["total"] for row in api.http.get("/sandbox/invoices?client_id=6").json()["data"]] == ["10.00", "10.00"]
    assert len(api.http.get("/sandbox/invoices").json()["data"]) == 3


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("seed", {}),
        ("clients", {}),
        ("clients", {"email": 5}),
        ("clients", {"email": "ada@example.com", "currency": "XXX"}),
        ("clients", {"email": "ada@example.com", "name": "Ada"}),
        ("clients", {"email": "ada@example.com", "client_id": True}),
        ("invoices/301", {"pay": "much"}),
        ("invoices/301", {"pay": 1.5}),
        ("invoices/301", {"status": "unpaid"}),
        ("invoices/301", {"date_due": "2026-07-15"}),
        ("invoices/301", {"date_due": "2020-07-15T00:00:00Z"}),
        ("invoices/301", {"total": "1"}),
        ("invoices/999", {"pay": True}),
        ("quirks", {"numbers": "yes"}),
        ("quirks", {"booleans": "on"}),
        ("quirks", {"max_input_vars": 0}),
        ("quirks", {"colour": "blue"}),
        ("quirks", []),
    ],
)
def test_what_a_control_cannot_do_is_422_with_a_message(api: Api, path: str, body: Any) -> None:
    api.install.add_invoice(1, [Line("Server", "10.00")])
    before = (len(api.install.clients), api.install.invoices(), attrs.evolve(api.install.quirks))
    answer = api.http.post(f"/sandbox/{path}", json=body)
    assert (answer.status_code, list(answer.json())) == (422, ["message"])
    assert (len(api.install.clients), api.install.invoices(), api.install.quirks) == before


def test_quirks_are_looked_at_and_changed_over_http(api: Api) -> None:
    quirks = api.http.get("/sandbox/quirks").json()["data"]
    assert quirks == attrs.asdict(Quirks())
    changed = api.http.post("/sandbox/quirks", json={"numbers": True, "max_input_vars": None}).json()["data"]
    assert changed == {**quirks, "numbers": True, "max_input_vars": None}
    assert api.http.post("/sandbox/quirks", json={"numbers": False, "booleans": "on"}).status_code == 422
    assert api.install.quirks.numbers is True


def test_a_quirk_has_only_the_values_it_can_have() -> None:
    quirks = Quirks()
    with pytest.raises(ValueError, match="client_settings"):
        quirks.client_settings = "xml"  # type: ignore[assignment]
    with pytest.raises(TypeError, match="maintenance"):
        quirks.maintenance = "yes"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="at least 1"):
        quirks.max_input_vars = 0


def test_a_page_has_at_least_one_row() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        Install(page_size=0)


def test_the_command_serves_a_company_and_says_how_to_use_it(unused_port: int) -> None:
    command = [sys.executable, "-m", "tollbridge", "sandbox", "blesta", "--port", str(unused_port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            told = ""
            while "/sandbox/\n" not in told:
                told += (line := process.stderr.readline())
                assert line, told
            assert f'url = "http://127.0.0.1:{unused_port}/"' in told
            assert all(words in told for words in ("[adapter.blesta]", 'user = "sandbox-user"', "company_id = 1"))
            assert answered(unused_port)["response"] == 30
        finally:
            process.terminate()


def test_the_command_says_that_its_port_is_taken(api: Api) -> None:
    command = [sys.executable, "-m", "tollbridge", "sandbox", "blesta", "--empty", "--port", api.url.rpartition(":")[2]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert "cannot be served" in done.stderr.replace("\n", " ")


@pytest.fixture
def unused_port() -> int:
    with served(Install()) as api:
        return int(api.url.rpartition(":")[2])


def answered(port: int) -> Any:
    """The number of clients, as soon as somebody listens."""
    with httpx.Client(
        verify=TLS, auth=("sandbox-user", "sandbox-key"), transport=httpx.HTTPTransport(retries=8)
    ) as http:
        return http.get(f"http://127.0.0.1:{port}/api/clients/getListCount.json").json()
