"""``tollbridge demo --operator``: months of a company, with everything on its pages that there is to see."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import typer.main

from tests.server.operator.office import Operator
from tollbridge.cli import app, main
from tollbridge.cli.demo import as_operator, write_configuration
from tollbridge.cli.demo_operator import a_company
from tollbridge.loopback import running as serving
from tollbridge.server.app import create_app

TOKEN = "a-token-for-the-demo"


@pytest.mark.usefixtures("capsys")
def test_a_company_of_some_months_has_something_on_every_page(tmp_path: Path) -> None:
    now = datetime(2026, 9, 24, 9, tzinfo=UTC)
    context = typer.Context(typer.main.get_command(app))
    with as_operator(tmp_path):
        write_configuration()
        with (
            a_company(context, TOKEN, now, 2) as parts,
            serving(create_app(parts, lambda: now)) as url,
            httpx.Client(base_url=url, timeout=30) as http,
        ):
            operator = Operator(http)
            assert operator.log_in(TOKEN).status_code == 303
            waiting = {row["who"] for row in operator.table("", "waiting")}
            assert "TB-2026-08-2002" in waiting
            assert any(who.startswith("user ") for who in waiting)
            assert "client 2006 in 2026-08" in {row["who"] for row in operator.table("", "failures")}
            assert {row["check"] for row in operator.table("/books", "findings")} == {"invoices"}
            assert {row["month"] for row in operator.table("/revenue", "months")} == {"2026-07", "2026-08"}
            assert operator.table("/owed", "steps")
            assert operator.table("/prices", "coming")[0]["from"] == "2026-10"
            moments = [row["at"] for row in operator.table("/clients/2001", "time-line")]
            assert moments == sorted(moments, reverse=True)
            assert moments[-1].startswith("2026-07-01"), "the year lies behind, and was not made just now"


def test_one_demo_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--pages", "--operator"]) == 2
    assert "ask for one of them" in capsys.readouterr().err
