"""Ready-made contents for an install."""

from tollbridge_blesta.sandbox.install import Install

# Country, state and currency; clients take them in turn.
_PLACES = [
    ("US", "CA", "USD"),
    ("CA", "QC", "USD"),
    ("DE", "", "EUR"),
    ("JP", "", "JPY"),
    ("GB", "", "EUR"),
    ("CA", "ON", "USD"),
]
_CLIENTS = 30
EXEMPT, INACTIVE, FRAUD = 9, 10, 11


def small_company(install: Install) -> None:
    """Add 30 clients of two groups in three currencies, tax rules of five kinds, and somebody of the staff.

    They are client-01@example.com and so on, with the passwords password-01 and so on. Numbers 9 to 11 are exempt
    from tax, inactive, and fraud. Rejected, and nothing is added, if the company is there already.
    """
    install.add_staff("staff", "password-staff")
    install.add_currency("EUR", suffix=" €", format="#.###,##")
    install.add_currency("JPY", 0, prefix="¥", format="#,###")
    install.add_tax("GST", "5", country="CA")
    install.add_tax("QST", "9.975", level=2, country="CA", state="QC")
    install.add_tax("MwSt", "19", country="DE")
    install.add_tax("VAT", "20", type="inclusive_calculated", country="GB")
    install.add_tax("Consumption Tax", "10", type="inclusive", country="JP")
    install.add_tax("Old MwSt", "16", country="DE", status="inactive")
    groups = (install.groups[0].id, install.add_group("Partners"))
    for number in range(1, _CLIENTS + 1):
        country, state, currency = _PLACES[number % len(_PLACES)]
        install.add_client(
            f"client-{number:02}@example.com",
            currency=currency,
            first_name="Client",
            last_name=f"No. {number}",
            company=f"Company {number}" if number % 3 == 0 else "",
            status={INACTIVE: "inactive", FRAUD: "fraud"}.get(number, "active"),
            group_id=groups[number % 5 == 0],
            country=country,
            state=state,
            tax_exempt=number == EXEMPT,
            password=f"password-{number:02}",
        )
