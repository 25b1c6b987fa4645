"""The same pages with a ledger on PostgreSQL."""

from pathlib import Path

from tests.server.operator.office import an_office
from tests.server.operator.test_pages import PAGES


def test_every_page_and_sum_is_there_on_postgresql_too(postgresql_url: str, tmp_path: Path) -> None:
    with an_office(tmp_path, postgresql_url) as office:
        operator = office.operator()
        for path in PAGES:
            for table in operator.page(path).all("table"):
                assert operator.table(path, table["id"])
        assert {row["left"] for row in operator.table("/books", "places")} == {"0"}
        months = operator.table("/revenue", "months")
        assert {(row["month"], row["currency"], row["net"]) for row in months} >= {("2026-08", "USD", "4.90")}
        assert [row["client_id"] for row in operator.table("/clients?q=client4", "clients")] == ["4"]
        first = operator.table("/invoices?q=TB-2026-06-2", "invoices")[0]
        assert operator.table(f"/invoices?q={first['billing_id']}", "invoices")
