"""A month billed to FOSSBilling by the daily job, with the rights that docs/fossbilling.md grants and no others."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from tests.docs.walking import ROOT, blocks
from tests.plugins.generic_sql.fossbilling import Shop, an_invoice
from tests.world import a_world
from tollbridge import Refused
from tollbridge.cli import main

CONFIGURATION = """
[solus]
url = "{solus}"
api_token = "sandbox-token"

[pricing.tokens]
EUR = "0.00091"
USD = "0.001"
JPY = "0.15"
KWD = "0.0003"

[[pricing.discounts]]
name = "Partners"
description = "10% for partners"
multiplier = "0.9"
client_group = "Partners"

[billing]
start = "2026-06"
lock_after_days = 7
suspend_after_days = 14

[ledger]
url = "sqlite:///{folder}/tollbridge.db"

[adapter]
use = "generic_sql"

[adapter.generic_sql]
url = "{database}"
preset = "fossbilling"
"""


@contextmanager
def limited(shop: Shop, *, people: bool = False) -> Iterator[Shop]:
    """The same shop, for a database user with the documented rights; ``people``: those of log-ins, too."""
    user, host = f"tb_{secrets.token_hex(4)}", sa.make_url(shop.url).host
    [grants, members, log_ins] = [
        block.text
        for block in blocks(ROOT / "docs/fossbilling.md")
        if block.language == "sql" and "GRANT" in block.text
    ]
    if shop.version == "main with issued":
        grants = grants.replace("client_group_id, ", "") + members
    grants += log_ins if people else ""
    database = sa.make_url(shop.url).database
    text = grants.replace("fossbilling.", f"{database}.").replace("'tollbridge'@'127.0.0.1'", f"'{user}'@'%'")
    try:
        for statement in filter(None, map(str.strip, text.split(";"))):
            shop.execute(statement)
        url = sa.make_url(shop.url).set(username=user, password="a long password")
        yield attrs.evolve(shop, url=url.set(host=host).render_as_string(hide_password=False))
    finally:
        shop.execute(f"DROP USER IF EXISTS '{user}'@'%'")


@pytest.fixture
def limited_shop(shop: Shop) -> Iterator[Shop]:
    with limited(shop) as made:
        yield made


def test_the_documented_rights_are_enough(limited_shop: Shop) -> None:
    limited_shop.add_client(1, group=2)
    billing = limited_shop.billing()
    assert [check for check in billing.check() if check.ok is False] == []
    assert billing.client(1).group == "Partners"
    made = billing.create_invoice(an_invoice())
    assert list(billing.unpaid_invoices()) == [made]


def test_a_clients_language_is_read_with_the_right_to_and_unknown_without(shop: Shop, limited_shop: Shop) -> None:
    shop.add_client(1, lang="de_DE")
    shop.add_client(2)
    assert [limited_shop.billing().client(number).language for number in (1, 2)] == ["de_DE", ""]
    user = sa.make_url(limited_shop.url).username
    shop.execute(f"REVOKE SELECT (lang) ON client FROM '{user}'@'%'")
    billing = limited_shop.billing()
    assert [check for check in billing.check() if check.ok is False] == []
    assert billing.client(1).language == ""


def test_the_documented_rights_show_no_password_and_change_no_invoice(limited_shop: Shop) -> None:
    engine = sa.create_engine(limited_shop.url)
    for forbidden in (
        "SELECT pass FROM client",
        "SELECT api_token FROM client",
        "UPDATE invoice SET status = 'paid'",
        "DELETE FROM invoice_item",
        "UPDATE setting SET param = 'x'",
        "INSERT INTO setting (param) VALUES ('x')",
        "UPDATE client SET currency = 'USD'",
    ):
        with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="denied"):
            connection.execute(sa.text(forbidden))
    engine.dispose()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("tax", "no table of FOSSBilling called tax that this user may read"),
        ("setting", "UPDATE command denied"),
        ("invoice_item", "INSERT command denied"),
    ],
)
def test_check_names_a_right_that_is_missing(main_shop: Shop, table: str, words: str) -> None:
    with limited(main_shop) as shop:
        user = sa.make_url(shop.url).username
        missing = {"tax": "SELECT", "setting": "UPDATE (value, updated_at)", "invoice_item": "INSERT"}[table]
        main_shop.execute(f"REVOKE {missing} ON {sa.make_url(shop.url).database}.{table} FROM '{user}'@'%'")
        [failed] = [check for check in shop.billing().check() if check.ok is False]
    assert words in failed.detail


def test_a_group_table_that_may_not_be_read_is_named(newest_shop: Shop) -> None:
    """Else a partner would quietly lose the discount."""
    with limited(newest_shop) as shop:
        user = sa.make_url(shop.url).username
        newest_shop.execute(f"REVOKE SELECT ON {sa.make_url(shop.url).database}.client_group_members FROM '{user}'@'%'")
        with pytest.raises(Refused, match=r"client_group_members\.client_id, is not there for this user to read"):
            shop.billing().client(1)


def test_a_month_is_billed_and_a_second_run_writes_nothing(
    limited_shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """700 hours of 7 tokens are 4900 tokens: 4.459 euros, 4.90 dollars, 735 yen."""
    shop = limited_shop
    shop.insert("tax", name="USt", country="DE", taxrate="19")
    shop.insert("tax", name="QST", country="CA", state="QC", taxrate="9.975")
    shop.add_client(1, "EUR", country="DE")
    shop.add_client(2, "EUR", group=2, country="DE")
    shop.add_client(3, "USD", country="CA", state="QC")
    shop.add_client(4, "JPY", country="JP")
    shop.add_client(5, None, country="DE", tax_exempt=1)
    shop.add_client(6, "EUR", country="DE", status="suspended")

    with a_world(tmp_path, f"sqlite:///{tmp_path}/unused.db", f"sqlite:///{tmp_path}/tollbridge.db") as world:
        path = tmp_path / "fossbilling.toml"
        path.write_text(CONFIGURATION.format(solus=world.solus_url, folder=tmp_path, database=shop.url))
        for client_id in range(1, 7):
            world.run_server(world.add_user(client_id), 700)
        world.at("2026-07-01")

        def run(day: str) -> dict[str, Any]:
            capsys.readouterr()
            assert main(["--config", str(path), "run", "--date", day, "--json"]) == 0
            told = capsys.readouterr()
            assert told.err == ""
            report: dict[str, Any] = json.loads(told.out)
            return report

        assert main(["--config", str(path), "check", "--json"]) == 0
        assert len(run("2026-07-01")["invoices"]) == 6
        rows = {row["client_id"]: row for row in shop.invoices()}
        assert {client_id: (row["currency"], shop.total(row["id"])) for client_id, row in rows.items()} == {
            1: ("EUR", Decimal("5.31")),
            2: ("EUR", Decimal("4.77")),
            3: ("USD", Decimal("5.39")),
            4: ("JPY", Decimal(735)),
            5: ("EUR", Decimal("4.46")),
            6: ("EUR", Decimal("5.31")),
        }
        assert {(row["status"], row[shop.published], row["due_at"]) for row in rows.values()} == {
            ("unpaid", 1, datetime.fromisoformat("2026-07-15 23:59:59"))
        }
        assert sorted(int(row["nr"]) for row in rows.values()) == [42, 43, 44, 45, 46, 47]
        [line] = shop.lines(rows[1]["id"])
        assert line["title"].endswith(" (TB-2026-06-1)")
        assert rows[1]["notes"].endswith("TB-2026-06-1: usage in 2026-06 (June 1, 2026 to June 30, 2026)\n")

        before = (shop.invoices(), shop.query("SELECT * FROM invoice_item"), shop.query("SELECT * FROM setting"))
        assert run("2026-07-02")["invoices"] == []
        after = (shop.invoices(), shop.query("SELECT * FROM invoice_item"), shop.query("SELECT * FROM setting"))
        assert after == before

        shop.execute("UPDATE invoice SET status = 'paid' WHERE client_id > 2")
        shop.execute("UPDATE invoice SET due_at = '2026-08-31 12:00:00' WHERE client_id = 2")
        users = {user.billing_user_id: user.id for user in world.panel.tables.users.rows()}
        for day, status in (("2026-07-21", "active"), ("2026-07-22", "locked"), ("2026-07-29", "suspended")):
            run(day)
            assert [world.panel.user(users[client_id]).status for client_id in (1, 2, 3)] == [
                status,
                "active",
                "active",
            ]
        shop.execute("UPDATE invoice SET status = 'canceled' WHERE client_id = 1")
        run("2026-07-30")
        assert world.panel.user(users[1]).status == "active"
