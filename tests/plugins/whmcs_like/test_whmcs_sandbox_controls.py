"""The sandbox's own controls, and the command that serves it."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner

from tests.plugins import TLS
from tests.plugins.whmcs_like import Api
from tollbridge.sandbox import Fault
from tollbridge_whmcs_like import sandbox
from tollbridge_whmcs_like.sandbox import Install, app, running, small_company
from tollbridge_whmcs_like.sandbox.command import whmcs_like


@pytest.fixture
def install() -> Install:
    made = Install(access_key="let-me-in", allow_any_address=False)
    made.add_client("one@example.com", tax_exempt=True)
    made.add_invoice(1, [("July", "10.50", True)], notes="TB-2026-07-1")
    return made


@pytest.fixture
def http(install: Install) -> Iterator[httpx.Client]:
    with running(install) as root, httpx.Client(verify=TLS, base_url=root) as client:
        yield client


@pytest.mark.parametrize("seeded", [True, False])
def test_every_command_on_the_overview_page_works_one_after_the_other(seeded: bool) -> None:
    install = Install(access_key="let-me-in", allow_any_address=False)
    if seeded:
        small_company(install)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with running(install) as root, httpx.Client(verify=TLS, headers=form) as client:
        text = re.sub(r"\\\n", " ", client.get(f"{root}/sandbox/").text)
        commands = [shlex.split(line) for line in text.splitlines() if line.startswith("  curl ")]
        assert len(commands) == (16 if seeded else 17)
        for words in commands:
            data = "&".join(words[place + 1] for place, word in enumerate(words) if word == "-d")
            method = words[words.index("-X") + 1] if "-X" in words else "POST" if data else "GET"
            answer = client.request(method, words[-1], content=data)
            assert answer.status_code < 300, (words, answer.text)
            assert '"error"' not in answer.text
    assert [str(invoice.status) for invoice in install.invoices()] == ["Paid"]


def test_clients_are_seeded_once(http: httpx.Client, install: Install) -> None:
    assert http.post("/sandbox/seed", json={"company": "big"}).status_code == 422
    seeded = http.post("/sandbox/seed", json={"company": "small"})
    assert (seeded.status_code, seeded.json()) == (201, {"data": {"clients": 31}})
    again = http.post("/sandbox/seed", json={"company": "small"})
    assert (again.status_code, again.json()) == (422, {"message": "Duplicate Email Address"})
    assert len(install.clients) == 31


def test_a_client_is_added(http: httpx.Client, install: Install) -> None:
    added = http.post("/sandbox/clients", json={"email": "new@example.com", "country": "GB", "state": "Kent"})
    assert (added.status_code, added.json()["data"]["id"], added.json()["data"]["state"]) == (201, 2, "Kent")
    assert install.client(2).country == "GB"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("clients", {}),
        ("clients", {"email": "one@example.com"}),
        ("clients", {"email": "new@example.com", "currency": "XAU"}),
        ("clients", {"email": "new@example.com", "colour": "red"}),
        ("clients", {"email": 7}),
        ("invoices/1", {"status": "Late"}),
        ("invoices/1", {"client_id": 2}),
        ("invoices/1", {"credit": 4.5}),
        ("invoices/2", {"status": "Paid"}),
        ("quirks", {"booleans": "maybe"}),
        ("quirks", {"humour": True}),
        ("today", {"today": "tomorrow"}),
        ("today", {}),
        ("seed", {}),
        ("faults", {"kind": "explode"}),
    ],
)
def test_what_makes_no_sense_is_answered_422_with_a_message(
    http: httpx.Client, install: Install, path: str, body: dict[str, object]
) -> None:
    answer = http.post(f"/sandbox/{path}", json=body)
    assert (answer.status_code, bool(answer.json()["message"])) == (422, True)
    assert (len(install.clients), install.invoice(1).status) == (1, "Unpaid")


@pytest.mark.parametrize("body", ["{", "[]", "7"])
def test_a_body_that_is_no_json_object_is_answered_422(http: httpx.Client, body: str) -> None:
    assert http.post("/sandbox/quirks", content=body).status_code == 422


def test_invoices_are_listed_and_set(http: httpx.Client, install: Install) -> None:
    (shown,) = http.get("/sandbox/invoices").json()["data"]
    assert (shown["id"], shown["status"], shown["notes"], shown["total"]) == (1, "Unpaid", "TB-2026-07-1", "10.50")
    assert shown["lines"][0]["description"] == "July"
    assert http.get("/sandbox/invoices", params={"client_id": "2"}).json() == {"data": []}
    changed = http.post("/sandbox/invoices/1", json={"status": "Paid", "duedate": "2026-08-15"}).json()["data"]
    assert (changed["status"], changed["duedate"]) == ("Paid", "2026-08-15")
    assert (install.invoice(1).status, install.invoice(1).duedate) == ("Paid", date(2026, 8, 15))


def test_quirks_are_listed_and_switched_all_or_none(http: httpx.Client, install: Install) -> None:
    assert http.get("/sandbox/quirks").json()["data"]["booleans"] == "documented"
    changes = {"booleans": "on", "forbidden_actions": ["GetConfigurationValue"], "version": "7.10"}
    shown = http.post("/sandbox/quirks", json=changes).json()["data"]
    assert shown["version"] == "7.10"
    assert (install.quirks.booleans, install.quirks.forbidden_actions) == ("on", ("GetConfigurationValue",))
    assert http.post("/sandbox/quirks", json={"php_notice": True, "empty": "void"}).status_code == 422
    assert not install.quirks.php_notice


def test_the_date_is_moved(http: httpx.Client, install: Install) -> None:
    assert http.post("/sandbox/today", json={"today": "2027-01-01"}).json() == {"data": {"today": "2027-01-01"}}
    assert install.today == date(2027, 1, 1)
    assert http.get("/sandbox/today").json()["data"]["today"] == "2027-01-01"


def test_faults_and_requests_have_their_controls(http: httpx.Client, install: Install) -> None:
    assert http.post("/sandbox/faults", json={"kind": "503", "path": "GetClients"}).status_code == 201
    assert install.faults.list() == [Fault("503", path="GetClients")]
    api = Api(str(http.base_url).rstrip("/"), install, http)
    assert api.post(api.fields("GetClients", accesskey="let-me-in")).status_code == 503
    assert [entry["status"] for entry in http.get("/sandbox/requests").json()["data"]] == [503]


def test_the_command_says_where_it_is_and_what_to_write_into_bridge_toml(monkeypatch: pytest.MonkeyPatch) -> None:
    served: dict[str, Any] = {}
    monkeypatch.setattr(app, "serve", lambda install, **place: served.update(install=install, **place))
    commands = typer.Typer()
    commands.command()(whmcs_like)
    assert CliRunner().invoke(commands, ["--port", "8499", "--page-limit", "10"]).exit_code == 0
    told = served["told"].replace("{root}", "http://127.0.0.1:8499")
    for line in (
        "http://127.0.0.1:8499/includes/api.php",
        "[adapter.whmcs_like]",
        'url = "http://127.0.0.1:8499/"',
        'identifier = "sandbox-identifier"',
        'secret = "sandbox-secret"',
    ):
        assert line in told
    assert (served["host"], served["port"]) == ("127.0.0.1", 8499)
    assert (served["install"].page_limit, len(served["install"].clients)) == (10, 30)
    CliRunner().invoke(commands, ["--empty"])
    assert (served["port"], served["install"].clients) == (8498, [])


def test_loading_the_command_starts_no_web_server_machinery() -> None:
    code = (
        "import sys, tollbridge_whmcs_like.sandbox.command\n"
        "print(*sorted({'uvicorn', 'starlette'} & {name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""


def test_the_package_has_what_it_says_it_has() -> None:
    for name in sandbox.__all__:
        assert getattr(sandbox, name) is not None
    with pytest.raises(AttributeError):
        _ = sandbox.nothing
