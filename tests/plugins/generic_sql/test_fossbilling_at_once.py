"""Invoices written to FOSSBilling at the same moment, by several bridges and by FOSSBilling itself."""

import time
from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest
import sqlalchemy as sa

from tests.plugins.generic_sql.company import created_at_once
from tests.plugins.generic_sql.fossbilling import Shop, an_invoice
from tollbridge import Receipt


@pytest.fixture(params=["OFF", "ON"])
def busy_shop(request: pytest.FixtureRequest, main_shop: Shop) -> Shop:
    """A shop whose database may also give a transaction up because a row has changed since it began."""
    url = f"{main_shop.url}&init_command=SET+SESSION+innodb_snapshot_isolation%3D{request.param}"
    return attrs.evolve(main_shop, url=url)


def test_no_two_invoices_get_one_number_and_none_is_left_out(busy_shop: Shop) -> None:
    bridges, each = 4, 8
    for client_id in range(1, bridges + 1):
        busy_shop.add_client(client_id)

    def bill(client_id: int) -> list[Receipt]:
        adapter = busy_shop.adapter()
        return [
            adapter.create_invoice(an_invoice(f"TB-2026-{n:02}-{client_id}", client_id=client_id))
            for n in range(1, each + 1)
        ]

    with ThreadPoolExecutor(bridges) as pool:
        made = [receipt for receipts in pool.map(bill, range(1, bridges + 1)) for receipt in receipts]
    assert sorted(int(row["nr"]) for row in busy_shop.invoices()) == list(range(42, 42 + bridges * each))
    assert busy_shop.next_number() == str(42 + bridges * each)
    assert len({receipt.id for receipt in made}) == bridges * each


def test_one_reference_is_one_invoice_and_one_number_whoever_comes_first(busy_shop: Shop) -> None:
    busy_shop.add_client(1)
    receipts = created_at_once([busy_shop.adapter() for _ in range(8)], an_invoice())
    assert len({receipt.id for receipt in receipts}) == 1
    assert [row["nr"] for row in busy_shop.invoices()] == ["42"]
    assert (len(busy_shop.lines(receipts[0].id)), busy_shop.next_number()) == (1, "43")


def test_a_deadlock_with_fossbilling_itself_is_tried_again(main_shop: Shop) -> None:
    """FOSSBilling holds the client and wants the number; the bridge holds the number and wants the client."""
    main_shop.add_client(1)
    adapter = main_shop.adapter()
    assert adapter.find_invoice(1, "TB-2026-06-1") is None
    with ThreadPoolExecutor(1) as pool:
        with main_shop.engine.begin() as fossbilling:
            fossbilling.execute(sa.text("UPDATE client SET company = 'Renamed Ltd' WHERE id = 1"))
            for n in range(50):  # of two transactions in a deadlock the smaller one is given up
                fossbilling.execute(sa.text("INSERT INTO client_group (title) VALUES (:title)"), {"title": f"g{n}"})
            writing = pool.submit(adapter.create_invoice, an_invoice())
            wait_until_somebody_waits(main_shop)
            fossbilling.execute(sa.text("UPDATE setting SET value = value + 1 WHERE param = 'invoice_starting_number'"))
        made = writing.result()
    (row,) = main_shop.invoices()
    assert (row["id"], row["nr"], row["buyer_company"]) == (made.id, "43", "Renamed Ltd")


def wait_until_somebody_waits(shop: Shop) -> None:
    """Until a transaction waits for a lock."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if shop.query("SELECT 1 AS one FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"):
            return
        time.sleep(0.01)
    raise AssertionError("nobody waits for a lock")
