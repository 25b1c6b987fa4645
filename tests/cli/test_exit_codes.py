"""0 done; 1 done but some clients failed; 2 bad usage or configuration; 3 a system could not be reached."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.company import Operator
from tests.world import World
from tollbridge import http
from tollbridge.cli import main
from tollbridge.solus.sandbox import Fault

COMMANDS = ["init", "check", "connect", "serve", "run", "invoice", "sync", "overdue", "usage", "price", "plans",
            "explain", "adapters", "sandbox", "demo", "probe"]  # fmt: skip


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries that do not wait."""
    quick = http.Retry(attempts=2, wait_initial=0.0, wait_max=0.0)
    monkeypatch.setattr(http, "Retry", lambda: quick)


def nobody_listens() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_fits_eighty_columns(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Usage" in out
    assert max(len(line) for line in out.splitlines()) <= 80


def test_the_overview_names_every_command_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    words = capsys.readouterr().out.split()
    assert [command for command in COMMANDS if command not in words] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["run", "--date", "yesterday"], ["run", "--date", "2026-02-30"], ["invoice", "--month", "2026-13"],
        ["invoice", "--month", "June"], ["price"], ["price", "ada"], ["explain"], ["explain", "TB-1"],
        ["explain", "TB-2026-13-1042"], ["explain", "TB-2026-06-1042x"], ["explain", "tb-2026-06-1042"],
        ["explain", "TB-2026-05-1042"], ["price", "4711"], ["invoice", "--month", "2026-05"], ["run", "--nonsense"],
        ["usage", "--month", "0"], ["run", "--dry-run", "--date", "9999-12-31"], ["explain", "TB-9999-12-1"],
        ["explain", "TB-2026-06-99999999999999999999"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_bad_usage_is_2_and_says_what_is_wrong(operator: Operator, arguments: list[str]) -> None:
    told = operator(*arguments)
    assert (told.code, told.out) == (2, "")
    assert len(told.err) > 10
    assert "Traceback" not in told.err


def test_a_reason_that_a_terminal_spoils_is_kept_as_far_as_it_can_be(operator: Operator) -> None:
    assert operator("approve", "totals", "--reason", "checked \udcff").code == 0


def test_a_month_that_has_not_ended_is_not_invoiced(operator: Operator) -> None:
    told = operator("invoice", "--month", "2099-01")
    assert told.code == 2
    assert "--dry-run" in told.err


def test_without_a_file_it_says_how_to_get_one(operator: Operator, tmp_path: Path) -> None:
    told = operator("run", config=tmp_path / "none.toml")
    assert told.code == 2
    assert "tollbridge init" in told.err


def test_everything_wrong_in_the_file_is_told_at_once(operator: Operator) -> None:
    path = operator.world.config
    path.write_text(
        path.read_text().replace('start = "2026-06"', 'strat = "2026-06"').replace('USD = "0.001"', "USD = 0.001")
    )
    told = operator("run", config=path)
    assert told.code == 2
    assert "did you mean start?" in told.err
    assert "pricing.tokens" in told.err


def test_a_broken_client_is_1_and_the_others_are_served(operator: Operator) -> None:
    operator.world.execute("UPDATE clients SET currency = 'XXX' WHERE id = 1043")
    told = operator("run", "--date", "2026-07-01")
    assert told.code == 1
    assert "client 1043" in told.err
    assert operator.world.query("SELECT client_id FROM invoices") == [(1042,)]
    operator.world.execute("UPDATE clients SET currency = 'JPY' WHERE id = 1043")
    assert operator("run", "--date", "2026-07-01").code == 0, "and the next run makes up for it"


@pytest.mark.parametrize("command", ["run", "sync", "invoice", "usage", "plans", "connect", "check", "meter"])
def test_a_panel_that_is_down_is_3(operator: Operator, impatient: None, command: str) -> None:
    told = operator(command, config=with_url(operator, nobody_listens()))
    assert told.code == 3
    assert "SolusIO" in told.out + told.err


def test_a_run_that_was_stopped_is_3_and_still_tells_what_it_did(operator: Operator, impatient: None) -> None:
    operator.world.panel.faults.add(Fault("500", method="GET", path="usage", times=None))
    told = operator("run", "--date", "2026-07-01", "--json")
    assert (told.code, told.json["invoices"]) == (3, [])
    assert "500" in told.json["stopped_by"]
    assert told.json["accounts"]["clients"] == 2
    operator.world.panel.faults.clear()
    assert operator("run", "--date", "2026-07-01", "--json").json["stopped_by"] is None


def with_url(operator: Operator, url: str) -> Path:
    path = operator.world.config
    path.write_text(
        path.read_text()
        .replace(operator.world.solus_url, url)
        .replace("[server]\n", '[server]\npublic_url = "https://b.example.com"\n')
    )
    return path


@pytest.mark.parametrize("command", [["run"], ["sync"], ["price", "1042"], ["check"]], ids=" ".join)
def test_a_billing_system_that_is_down_is_3(operator: Operator, command: list[str]) -> None:
    operator.world.database_url = "postgresql+psycopg://joe:sehrgeheim@127.0.0.1:1/billing"
    told = operator(*command)
    assert told.code == 3
    assert "database" in told.out + told.err
    assert "sehrgeheim" not in told.out + told.err


def test_a_ledger_that_is_down_is_3(operator: Operator) -> None:
    operator.world.ledger_url = "postgresql+psycopg://joe:sehrgeheim@127.0.0.1:1/ledger"
    told = operator("run")
    assert told.code == 3
    assert "ledger" in told.err
    assert "sehrgeheim" not in told.out + told.err


@pytest.mark.parametrize("command", ["run", "sync", "plans", "connect"])
def test_a_token_that_the_panel_does_not_accept_says_so(operator: Operator, command: str) -> None:
    path = operator.configured(api_token="another-token")
    path.write_text(path.read_text().replace("[server]\n", '[server]\npublic_url = "https://b.example.com"\n'))
    told = operator(command, config=path)
    assert told.code in {2, 3}
    assert "does not accept the API token" in " ".join(told.err.split())
    assert "another-token" not in told.out + told.err


def test_check_tells_a_wrong_token_from_a_panel_that_is_down(operator: Operator) -> None:
    told = operator("check", config=operator.configured(api_token="another-token"))
    assert told.code == 2
    assert "does not accept" in told.out


def test_check_misses_the_price_of_an_active_currency(operator: Operator) -> None:
    operator.world.execute("INSERT INTO currencies (code) VALUES ('CHF')")
    told = operator("check", "--json")
    assert told.code == 2
    (failed,) = [each for each in told.json["checks"] if not each["ok"]]
    assert (failed["name"], "[pricing.tokens]" in failed["detail"]) == ("currency CHF", True)


def test_connect_tells_the_panel_where_prices_are_and_closes_registration(operator: Operator) -> None:
    told = operator("connect", "--json")
    assert told.json["url"] == "https://bridge.example.com/solusio/api/"
    assert (told.json["token_set"], told.json["registration"]) == (True, False)
    assert "bridge-token" not in told.out


def test_connect_without_a_public_address_says_which_key_is_missing(operator: Operator) -> None:
    told = operator("connect", config=operator.world.config)
    assert told.code == 2
    assert "server.public_url" in told.err


def test_an_unpaid_invoice_locks_through_the_command_alone(operator: Operator, world: World) -> None:
    operator("run", "--date", "2026-07-01")
    world.panel.set_time(datetime(2026, 7, 22, tzinfo=UTC))
    told = operator("overdue", "--date", "2026-07-22", "--json")
    assert told.code == 0
    assert [(each["client_id"], each["after"]) for each in told.json["status_changes"]] == [
        (1042, "locked"),
        (1043, "locked"),
    ]


def test_a_ledger_whose_folder_is_missing_is_a_matter_of_configuration(operator: Operator) -> None:
    operator.world.ledger_url = f"sqlite:///{operator.world.folder}/gone/tollbridge.db"
    told = operator("run")
    assert (told.code, told.out) == (2, "")
    assert "make it" in told.err
    assert not (operator.world.folder / "gone").exists()


def test_a_client_without_a_price_is_a_matter_of_configuration(operator: Operator) -> None:
    operator.world.execute("INSERT INTO currencies (code) VALUES ('CHF')")
    operator.world.execute("UPDATE clients SET currency = 'CHF' WHERE id = 1042")
    told = operator("price", "1042")
    assert (told.code, told.out) == (2, "")
    assert "[pricing.tokens]" in told.err


@pytest.mark.parametrize(
    ("change", "words"), [("email = ''", "has no e-mail address"), ("currency = 'XXX'", "pays in XXX")]
)
def test_check_finds_a_client_that_every_run_would_fail_on(operator: Operator, change: str, words: str) -> None:
    operator.world.execute(f"UPDATE clients SET {change} WHERE id = 1042")
    told = operator("check", "--json")
    assert told.code == 2
    (failed,) = [each for each in told.json["checks"] if not each["ok"]]
    assert failed["name"] == "clients"
    assert f"client 1042 {words}" in failed["detail"]
    operator.world.execute("UPDATE clients SET status = 'closed' WHERE id = 1042")
    assert operator("check").code == 0, "a closed client is nobody's to invoice"


def test_a_panel_that_is_not_there_is_named_with_its_address(operator: Operator, impatient: None) -> None:
    url = nobody_listens()
    assert url.removeprefix("http://") in operator("sync", config=with_url(operator, url)).err
