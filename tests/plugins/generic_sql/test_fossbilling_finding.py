"""Invoices found again in FOSSBilling, whatever has become of them there."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.plugins.generic_sql.fossbilling import VAT, Shop, an_invoice
from tollbridge import Client, Receipt, Refused


def copied(shop: Shop, invoice_id: Any, price: str) -> Any:
    """Another invoice with the same lines, as FOSSBilling makes it for a refund or a replacement; its id."""
    shop.execute(
        f"""INSERT INTO invoice (client_id, status, currency, taxrate, due_at, {shop.published})
            SELECT client_id, status, currency, taxrate, due_at, 1 FROM invoice WHERE id = :id""",
        id=invoice_id,
    )
    shop.execute(
        f"""INSERT INTO invoice_item (invoice_id, type, rel_id, task, status, title, quantity, price, taxed)
            SELECT (SELECT MAX(id) FROM invoice), type, rel_id, task, 'executed', title, quantity, {price}, taxed
            FROM invoice_item WHERE invoice_id = :id""",
        id=invoice_id,
    )
    return shop.invoices()[-1]["id"]


def test_it_is_found_by_its_reference_alone(shop: Shop) -> None:
    shop.add_client(1)
    shop.add_client(2)
    made = shop.adapter().create_invoice(an_invoice(taxes=VAT))
    shop.adapter().create_invoice(an_invoice("TB-2026-07-1"))
    billing = shop.billing()
    assert billing.find_invoice(1, "TB-2026-06-1") == made
    assert billing.find_invoice(1, "TB-2026-0") is None
    assert billing.find_invoice(2, "TB-2026-06-1") is None


def test_an_operators_edits_do_not_hide_it(shop: Shop) -> None:
    """FOSSBilling lets titles, prices, notes and dates be edited, and not what a line refers to."""
    shop.add_client(1)
    made = shop.adapter().create_invoice(an_invoice("TB-2026-06-1", "4.90", "1.00"))
    shop.execute("UPDATE invoice_item SET title = 'as agreed', price = 2 WHERE price = 1")
    shop.execute("DELETE FROM invoice_item WHERE price = 4.9")
    shop.execute("UPDATE invoice SET notes = '', nr = '1', serie = 'X', due_at = '2026-08-01 12:00:00'")
    found = shop.billing().find_invoice(1, "TB-2026-06-1")
    assert found == Receipt(
        made.id, "TB-2026-06-1", 1, "unpaid", date(2026, 8, 1), Decimal(2), subtotal=Decimal(2), currency="EUR",
        number="X00001",
    )  # fmt: skip


def test_its_status_is_fossbillings(shop: Shop) -> None:
    shop.add_client(1)
    shop.adapter().create_invoice(an_invoice())
    billing = shop.billing()
    for change, status in (
        ("due_at = '2020-01-01 00:00:00'", "unpaid"),
        (f"{shop.published} = 0", "draft"),
        ("status = 'canceled'", "cancelled"),
        (f"status = 'paid', {shop.published} = 1, paid_at = NOW(), serie = 'PAID'", "paid"),
        ("status = 'refunded'", "refunded"),
    ):
        shop.execute(f"UPDATE invoice SET {change}")
        found = billing.find_invoice(1, "TB-2026-06-1")
        assert found is not None
        assert found.status.value == status
        assert list(billing.unpaid_invoices()) == ([found] if status == "unpaid" else [])


def test_only_the_bridges_own_invoices_are_listed_as_unpaid(shop: Shop) -> None:
    shop.add_client(1)
    made = shop.adapter().create_invoice(an_invoice("TB-2026-06-1", "4.90", "0.10", taxes=VAT))
    shop.insert("invoice", client_id=1, status="unpaid", **{shop.published: 1})
    other = {"invoice_id": shop.invoices()[-1]["id"], "title": "TB-2026-06-1", "price": 1, "quantity": 1}
    shop.insert("invoice_item", type="order", rel_id="17", **other)
    shop.insert("invoice_item", type="custom", **other)
    assert list(shop.billing().unpaid_invoices()) == [made]


def test_an_invoice_that_is_never_due_is_never_overdue(shop: Shop) -> None:
    shop.add_client(1)
    shop.adapter().create_invoice(an_invoice())
    shop.execute("UPDATE invoice SET due_at = NULL")
    (found,) = shop.billing().unpaid_invoices()
    assert isinstance(found, Receipt)
    assert found.due_date.year == 2999


def test_a_refund_does_not_stand_in_for_the_invoice(shop: Shop) -> None:
    """FOSSBilling's credit note repeats every line, reference and all, with its price below zero."""
    shop.add_client(1)
    made = shop.adapter().create_invoice(an_invoice("TB-2026-06-1", "4.90", "0.00", taxes=VAT))
    shop.execute("UPDATE invoice SET status = 'refunded'")
    copied(shop, made.id, "-price")
    shop.execute("UPDATE invoice SET status = 'refunded'")
    found = shop.billing().find_invoice(1, "TB-2026-06-1")
    assert found is not None
    assert (found.id, found.status.value, found.total) == (made.id, "refunded", Decimal("5.88"))


def test_a_replacement_is_what_is_owed(newest_shop: Shop) -> None:
    """Lately FOSSBilling corrects an invoice by cancelling it and issuing its lines anew."""
    newest_shop.add_client(1)
    made = newest_shop.adapter().create_invoice(an_invoice())
    newer = copied(newest_shop, made.id, "price")
    newest_shop.execute(
        "UPDATE invoice SET status = 'canceled', replaced_by_invoice_id = :new WHERE id = :id", new=newer, id=made.id
    )
    found = newest_shop.billing().find_invoice(1, "TB-2026-06-1")
    assert found is not None
    assert (found.id, found.status.value) == (newer, "unpaid")
    assert list(newest_shop.billing().unpaid_invoices()) == [found]


def test_two_that_both_stand_are_refused(main_shop: Shop) -> None:
    main_shop.add_client(1)
    made = main_shop.adapter().create_invoice(an_invoice())
    copied(main_shop, made.id, "price")
    with pytest.raises(Refused, match="2 invoices with the reference TB-2026-06-1"):
        main_shop.billing().find_invoice(1, "TB-2026-06-1")


def test_everything_fits_every_version(shop: Shop) -> None:
    shop.add_client(1)
    checks = shop.billing().check()
    assert [check for check in checks if check.ok is False] == []
    assert {"statement before_invoice", "statement insert_invoice", "statement insert_line"} <= {
        check.name for check in checks
    }
    assert (shop.invoices(), shop.next_number()) == ([], "42"), "and nothing was written"


def test_an_update_of_fossbilling_is_noticed_without_a_restart(main_shop: Shop) -> None:
    main_shop.add_client(1)
    billing = main_shop.billing()
    assert billing.find_invoice(1, "TB-2026-06-1") is None
    main_shop.execute("ALTER TABLE invoice CHANGE approved issued TINYINT(1) NOT NULL DEFAULT 0")
    with pytest.raises(Refused, match="approved"):
        billing.create_invoice(an_invoice())
    assert billing.create_invoice(an_invoice()).status.value == "unpaid"


def test_a_statement_of_ones_own_beside_the_preset_replaces_that_one(main_shop: Shop) -> None:
    main_shop.add_client(1)
    main_shop.add_client(2, status="suspended")
    own = "SELECT id, email, currency FROM client WHERE status = 'active'"
    assert [client.id for client in main_shop.billing(clients=own).clients() if isinstance(client, Client)] == [1]


def test_it_is_found_by_its_number_whoevers_it_is(shop: Shop) -> None:
    shop.add_client(1)
    shop.add_client(2)
    made = shop.adapter().create_invoice(an_invoice())
    shop.execute("UPDATE invoice SET client_id = 2")
    found = shop.billing().invoice(1, str(made.id), "TB-2026-06-1")
    assert found is not None
    assert (found.id, found.client_id, found.reference) == (made.id, 2, "TB-2026-06-1")
    shop.execute("UPDATE invoice_item SET rel_id = NULL")
    unmarked = shop.billing().invoice(1, str(made.id), "TB-2026-06-1")
    assert unmarked is not None
    assert unmarked.reference == ""
    assert shop.billing().invoice(1, str(int(made.id) + 1), "TB-2026-06-1") is None


def test_under_the_number_of_one_that_was_replaced_stands_what_is_owed_now(newest_shop: Shop) -> None:
    newest_shop.add_client(1)
    made = newest_shop.adapter().create_invoice(an_invoice())
    billing = newest_shop.billing()
    for _ in range(2):
        old = newest_shop.invoices()[-1]["id"]
        new = copied(newest_shop, old, "price + 1")
        newest_shop.execute(
            "UPDATE invoice SET status = 'canceled', replaced_by_invoice_id = :new WHERE id = :id", new=new, id=old
        )
    found = billing.invoice(1, str(made.id), "TB-2026-06-1")
    assert found is not None
    assert (str(found.id), found.status.value, found.total) == (str(made.id), "unpaid", Decimal("6.90"))


def test_those_made_since_a_day_are_listed_whatever_dates_were_put_on_them(shop: Shop) -> None:
    shop.add_client(1)
    for reference in ("TB-2026-06-1", "TB-2026-07-1"):
        shop.adapter().create_invoice(an_invoice(reference))
    shop.insert("invoice", client_id=1, status="unpaid", **{shop.published: 1})
    shop.execute("UPDATE invoice SET created_at = '2001-01-01 00:00:00', status = 'canceled'")
    shop.execute("UPDATE invoice_item SET created_at = '2001-01-01 00:00:00' WHERE rel_id = 'TB-2026-06-1'")
    yesterday = date.today() - timedelta(days=1)  # noqa: DTZ011 - the database's day, within a day
    listed = [receipt for receipt in shop.billing().invoices_since(yesterday) if isinstance(receipt, Receipt)]
    assert [receipt.reference for receipt in listed] == ["TB-2026-07-1"]
