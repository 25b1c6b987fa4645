"""Ready-made contents for an install."""

from tollbridge_ubersmith.sandbox.install import Install

_PLACES = [("US", "CA"), ("GB", ""), ("CA", "QC"), ("US", "NY"), ("GB", ""), ("CA", "ON")]
_CLIENTS = 30
PARTNER, IN_MONEY, EXEMPT, LEAD, DEACTIVATED = 5, 6, 9, 10, 11


def small_company(install: Install) -> None:
    """Add 30 clients in three countries, and four tax rates, one of them not active any more.

    They are client-01@example.com and so on, with the numbers 1 to 30 and the passwords password-01 and so on. Number 5
    has a discount of 5 %, 6 one of 5.00 on each service; 9 to 11 are exempt from tax, a lead, and deactivated. Client 1
    has a contact, contact@example.com. Rejected, and nothing is added, if the company is there already.
    """
    for number in range(1, _CLIENTS + 1):
        country, state = _PLACES[number % len(_PLACES)]
        install.add_client(
            f"client-{number:02}@example.com",
            client_id=number,
            first="Client",
            last=f"No. {number}",
            company=f"Company {number}" if number % 3 == 0 else "",
            country=country,
            state=state,
            active={LEAD: 2, DEACTIVATED: 0}.get(number, 1),
            password=f"password-{number:02}",
            discount="5.00" if number in {PARTNER, IN_MONEY} else "0",
            discount_type=int(number == IN_MONEY),
        )
    install.exempt(EXEMPT)
    install.add_contact(1, "contact@example.com", "password-contact")
    install.add_rate("VAT", "0.2")
    install.add_rate("GST", "0.05")
    install.add_rate("QST", "0.09975")
    install.add_rate("Old VAT", "0.175", active=False)
