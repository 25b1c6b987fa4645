"""FOSSBilling's clients log in and sign up, by the statements and the rights that docs/fossbilling.md offers."""

import tomllib
from collections.abc import Iterator
from datetime import datetime

import attrs
import pytest

from tests.docs.walking import ROOT, blocks
from tests.plugins.generic_sql.fossbilling import Shop
from tests.plugins.generic_sql.test_fossbilling_month import limited
from tests.plugins.generic_sql.test_passwords import PASSWORD, PHP
from tollbridge import AddressTaken, Client, Refused, Signup
from tollbridge.adapters.billing import BillingSystem

SIGNUP = Signup(
    "Nora@Example.com", first_name="Nora", last_name="Neu", company="Neu Ltd", currency="USD", country="GB",
    password=PASSWORD,
)  # fmt: skip


def documented() -> dict[str, str]:
    """The statements of docs/fossbilling.md."""
    [queries] = [
        tree["adapter"]["generic_sql"]["queries"]
        for block in blocks(ROOT / "docs/fossbilling.md")
        if block.language == "toml" and "login" in (tree := tomllib.loads(block.text)).get("adapter", {}).get(
            "generic_sql", {}
        ).get("queries", {})
    ]  # fmt: skip
    statements: dict[str, str] = queries
    return statements


@attrs.frozen
class Door:
    """A shop, and the bridge as it is let into its database."""

    shop: Shop
    billing: BillingSystem


@pytest.fixture
def door(shop: Shop) -> Iterator[Door]:
    with limited(shop, people=True) as reached:
        yield Door(shop, reached.billing(**documented()))


def test_the_documented_statements_fit_with_the_documented_rights(door: Door) -> None:
    assert [check for check in door.billing.check() if check.ok is False] == []
    details = {check.name: check.detail for check in door.billing.check()}
    assert (details["statement login"], details["statement insert_client"]) == ("fits", "fits")


def test_a_client_of_fossbilling_logs_in_with_its_password_there(door: Door) -> None:
    door.shop.add_client(7)
    door.shop.execute("UPDATE client SET pass = :hash", hash=PHP["bcrypt"])
    client = door.billing.authenticate("CLIENT7@example.com", PASSWORD)
    assert client is not None
    assert client.id == 7
    assert door.billing.authenticate("client7@example.com", "Zoes Pferd 9") is None


@pytest.mark.parametrize("status", ["suspended", "canceled"])
def test_whom_fossbilling_does_not_let_in_neither_logs_in_nor_signs_up_again(door: Door, status: str) -> None:
    door.shop.add_client(7, status=status)
    door.shop.execute("UPDATE client SET pass = :hash", hash=PHP["bcrypt"])
    assert door.billing.authenticate("client7@example.com", PASSWORD) is None
    with pytest.raises(Refused, match=r"refuses the client client7@example\.com: .*Duplicate entry") as caught:
        door.billing.create_client(Signup("client7@example.com", currency="USD", password=PASSWORD))
    assert not isinstance(caught.value, AddressTaken)


def test_who_signs_up_is_a_client_of_fossbilling(door: Door) -> None:
    made = door.billing.create_client(SIGNUP)
    assert made == Client(
        made.id, "nora@example.com", "USD", first_name="Nora", last_name="Neu", company="Neu Ltd", country="GB"
    )
    assert door.billing.authenticate("nora@example.com", PASSWORD) == made
    [row] = door.shop.query("SELECT * FROM client")
    assert (row["role"], row["status"], row["email_approved"], row["tax_exempt"]) == ("client", "active", 1, 0)
    assert row["pass"].startswith("$2y$")
    assert (type(row["created_at"]), row["updated_at"]) == (datetime, row["created_at"])
    with pytest.raises(AddressTaken):
        door.billing.create_client(SIGNUP)


def test_what_is_not_given_is_null_as_fossbilling_writes_it(door: Door) -> None:
    door.billing.create_client(Signup("new@example.com", password=PASSWORD))
    [row] = door.shop.query("SELECT company, country, currency FROM client")
    assert row == {"company": None, "country": None, "currency": None}


def test_by_default_the_bridge_knows_no_passwords(newest_shop: Shop) -> None:
    with limited(newest_shop) as reached:
        billing = reached.billing()
        assert (billing.can("authenticate"), billing.can("create_client")) == (False, False)
        assert [check for check in billing.check() if check.ok is False] == []
