"""What one client costs in calls, hook by hook: ``python -m tests.plugins.calls`` prints it for each simulator."""

from collections.abc import Callable
from datetime import date

import attrs

from tests.plugins.blesta.side import BlestaSide
from tests.plugins.hostbill.side import HostBillSide
from tests.plugins.ubersmith.side import UbersmithSide
from tests.plugins.whmcs_like.side import WhmcsSide
from tollbridge.conformance import OtherSide, an_invoice
from tollbridge.conformance.side import MONTH
from tollbridge.model import Client, Invoice
from tollbridge.sandbox import Simulator
from tollbridge_blesta import sandbox as blesta
from tollbridge_blesta.sandbox.records import Line
from tollbridge_hostbill import sandbox as hostbill
from tollbridge_ubersmith import sandbox as ubersmith
from tollbridge_whmcs_like import sandbox as whmcs


@attrs.frozen
class Costs:
    """How many calls each hook makes for one client, calls by name.

    Attributes:
        most_at_once: the highest number of calls at once.
    """

    hooks: dict[str, dict[str, float]]
    most_at_once: int


def costs(side: OtherSide, simulator: Simulator, clients: int, history: Callable[[int], None]) -> Costs:
    """What each hook costs for ``clients`` new clients, to each of whom ``history`` gives older invoices.

    What is asked for once a minute was asked for before.
    """
    made = [side.some_client(id=1042 + number, email=f"c{number}@example.com") for number in range(clients)]
    for client in made:
        history(client.id)
    billing = side.billing()
    first = side.some_client(id=1041, email="first@example.com", country="DE")
    billing.create_invoice(invoice_of(first))
    billing.terms(billing.client(first.id), MONTH)
    billing.currencies()
    hooks: dict[str, Callable[[], object]] = {
        "clients": lambda: list(billing.clients()),
        "currencies": billing.currencies,
        "terms": lambda: [billing.terms(client, MONTH) for client in made],
        "invoices_since": lambda: list(billing.invoices_since(an_invoice(first).issue_date)),
        "create_invoice": lambda: [billing.create_invoice(invoice_of(client)) for client in made],
        "unpaid_invoices": lambda: list(billing.unpaid_invoices()),
        "find_invoice": lambda: [billing.find_invoice(client.id, an_invoice(client).reference) for client in made],
        "invoice": lambda: [billing.invoice(held.client_id, str(held.id), "") for held in side.invoices()[-clients:]],
    }
    found, most_at_once = {}, 0
    for hook, call in hooks.items():
        simulator.load.clear()
        call()
        found[hook] = {name: count / clients for name, count in simulator.load.calls.items()}
        most_at_once = max(most_at_once, simulator.load.most_at_once)
    return Costs(found, most_at_once)


def invoice_of(client: Client) -> Invoice:
    """An invoice without tax."""
    return an_invoice(client, "4.90", "0.10")


def whmcs_costs(clients: int, history: int) -> Costs:
    """Of WHMCS, each client with a history of so many invoices."""
    install = whmcs.Install()

    def older(client_id: int) -> None:
        for _ in range(history):
            install.add_invoice(client_id, [("Domain", "12.00", False)], status="Paid")

    with whmcs.running(install) as url:
        return costs(WhmcsSide(install, url), install, clients, older)


def blesta_costs(clients: int, history: int) -> Costs:
    """Of Blesta, each client with a history of so many invoices."""
    install = blesta.Install()

    def older(client_id: int) -> None:
        for _ in range(history):
            install.pay(install.add_invoice(client_id, [Line("Domain", "12.00")]))

    with blesta.running(install) as url:
        return costs(BlestaSide(install, url), install, clients, older)


def hostbill_costs(clients: int, history: int) -> Costs:
    """Of HostBill, each client with a history of so many invoices."""
    install = hostbill.Install()

    def older(client_id: int) -> None:
        for _ in range(history):
            install.add_invoice(client_id, [("Domain", "12.00", False)], status="Paid", date=date(2024, 1, 1))

    with hostbill.running(install) as url:
        return costs(HostBillSide(install, url), install, clients, older)


def ubersmith_costs(clients: int, history: int) -> Costs:
    """Of Ubersmith, each client with a history of so many invoices."""
    install = ubersmith.Install()

    def older(client_id: int) -> None:
        for _ in range(history):
            install.add_service(client_id, "Domain", "12.00", period=0)
            install.pay(install.generate(client_id).id)

    with ubersmith.running(install) as url:
        return costs(UbersmithSide(install, url), install, clients, older)


def main() -> None:
    """Print them."""
    measures = {"WHMCS": whmcs_costs, "Blesta": blesta_costs, "HostBill": hostbill_costs, "Ubersmith": ubersmith_costs}
    for name, measure in measures.items():
        print(f"{name}, calls a client, 20 clients with 120 older invoices each")
        for hook, calls in measure(20, 120).hooks.items():
            print(f"  {hook:16}", ", ".join(f"{call} {count:g}" for call, count in calls.items()) or "none")


if __name__ == "__main__":
    main()
