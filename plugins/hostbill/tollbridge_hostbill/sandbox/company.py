"""Ready-made contents for an install."""

from tollbridge_hostbill.sandbox.install import Install

# Country, state and currency; clients take them in turn.
_PLACES = [
    ("US", "California", "USD"),
    ("CA", "Quebec", "USD"),
    ("DE", "", "EUR"),
    ("JP", "", "JPY"),
    ("GB", "", "EUR"),
    ("SE", "", "EUR"),
]
_CLIENTS = 30
EXEMPT, OWN_RATE, LEAD, ARCHIVED, CLOSING = 9, 10, 11, 12, 13


def small_company(install: Install) -> None:
    """Add 30 clients in three currencies, taxes of five countries, a contact, and a paid invoice of HostBill's own.

    They are client-01@example.com and so on, with the passwords password-01 and so on. Numbers 9 to 13 are exempt from
    tax, taxed with a rate of their own, a lead, archived, and closing.
    """
    install.add_currency("EUR", sign="€", format="1.234,56")
    install.add_currency("JPY", code="yen", sign="¥", format="1,234", decimal=0)
    install.add_tax("GST", "5", "CA")
    install.add_tax("QST", "9.975", "CA", "Quebec", level=2)
    install.add_tax("MwSt", "19", "DE")
    install.add_tax("VAT", "20", "GB")
    install.add_tax("Consumption Tax", "10", "JP")
    install.add_tax("Moms", "25", "SE")
    for number in range(1, _CLIENTS + 1):
        country, state, currency = _PLACES[number % len(_PLACES)]
        install.add_client(
            f"client-{number:02}@example.com",
            currency=currency,
            first_name="Client",
            last_name=f"No. {number}",
            company=f"Company {number}" if number % 3 == 0 else "",
            status={LEAD: "Lead", ARCHIVED: "Archived", CLOSING: "Closing"}.get(number, "Active"),
            group_name="Partners" if number % 5 == 0 else "",
            country=country,
            state=state,
            tax_exempt=number == EXEMPT,
            own_rate="7" if number == OWN_RATE else None,
            password=f"password-{number:02}",
        )
    install.add_client("contact@example.com", password="password-contact", parent_id=1)  # noqa: S106 - no secret
    install.add_invoice(1, [("Hosting", "9.00", True)], status="Paid")
