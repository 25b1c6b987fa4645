"""Whole runs on the preset's tables: what a database does to them that books in memory never do."""

from tests.world import World
from tollbridge.audit import Sources, audit


def test_a_client_that_the_database_spoils_stops_nobody_else(world: World) -> None:
    for client_id in (1, 2, 3):
        world.add_client(client_id)
    world.execute("UPDATE clients SET status = 'whatever' WHERE id = 2")
    with world.run("2026-06-15") as run:
        report = run.accounts()
    assert report.created == [1, 3]
    assert "client 2" in str(report.failures[0])


def test_tables_without_languages_are_billed_in_the_companys(world: World) -> None:
    world.execute("ALTER TABLE clients DROP COLUMN language")
    world.billing = 'language = "de"'
    world.client_with_server(1042)
    world.at("2026-07-01")
    with world.run("2026-07-01") as run:
        assert run.daily().failures == []
    assert world.query("SELECT description FROM invoice_lines") == [
        ("web-1042, 1 Core, 1 GB RAM: 700 h x 7 Token = 4.900 Token (Stundenpreis)",)
    ]


def test_an_invoice_that_somebody_copied_by_hand_is_found_by_the_audit_as_a_stranger(world: World) -> None:
    world.client_with_server(1)
    world.at("2026-07-01")
    with world.run("2026-07-01") as run:
        run.daily()
    columns = "client_id, currency, issue_date, due_date, subtotal, total, status, notes"
    world.execute(f"INSERT INTO invoices (reference, {columns}) SELECT 'TB-2026-06-777', {columns} FROM invoices")
    with world.parts() as parts:
        found = audit(Sources(parts.settings, parts.solus, parts.billing, parts.ledger, parts.usage)).findings
    assert [(each.check, each.who) for each in found] == [("strangers", "TB-2026-06-777")]
