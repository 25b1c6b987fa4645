"""Ready-made contents for an install."""

import attrs

from tollbridge_whmcs_like.sandbox.install import Install

PASSWORD = "sandbox-password"  # noqa: S105 - everybody's, and no secret

# Country, state, currency and how many clients.
_PLACES = [
    ("US", "California", "USD", 4),
    ("US", "New York", "USD", 3),
    ("US", "Texas", "USD", 2),
    ("CA", "Quebec", "USD", 2),
    ("CA", "Ontario", "USD", 1),
    ("GB", "", "EUR", 4),
    ("DE", "", "EUR", 4),
    ("FR", "", "EUR", 3),
    ("NL", "", "EUR", 2),
    ("JP", "", "JPY", 3),
    ("BR", "", "USD", 1),
    ("IN", "", "USD", 1),
]


@attrs.frozen
class Contents:
    """The ids of the clients that are special."""

    clients: tuple[int, ...]
    discounted: int
    exempt: int
    closed: int
    inactive: int


def small_company(install: Install) -> Contents:
    """Add three currencies, a group with 5 % discount and thirty clients, who all have the same password.

    The first is in the group, the second tax exempt, the third closed and the fourth inactive, and the user of the
    fifth owns the sixth, too.
    """
    with install.lock:
        install.add_currency("USD", prefix="$", suffix=" USD")
        install.add_currency("EUR", prefix="€", format=3, rate="0.91000")
        install.add_currency("JPY", prefix="¥", format=4, rate="150.00000")
        places = [(country, state, code) for country, state, code, count in _PLACES for _ in range(count)]
        clients: list[int] = []
        for number, place in enumerate(places, 1):
            owner = install.client(clients[4]).owner_id if number == 6 else None
            clients.append(_client(install, number, place, owner))
        group = install.add_group("Partners", discount="5.00")
        first, exempt, closed, inactive = clients[:4]
        install.set_client(first, group_id=group, company="Example & Daughters")
        install.set_client(exempt, tax_exempt=True)
        install.set_client(closed, status="Closed")
        install.set_client(inactive, status="Inactive")
        return Contents(tuple(clients), first, exempt, closed, inactive)


def _client(install: Install, number: int, place: tuple[str, str, str], owner: int | None) -> int:
    country, state, currency = place
    return install.add_client(
        f"client{number:02}@example.com",
        currency=currency,
        first_name="Client",
        last_name=f"Number {number}",
        country=country,
        state=state,
        password=PASSWORD,
        user_id=owner,
    )
