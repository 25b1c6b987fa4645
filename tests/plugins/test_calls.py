"""Few calls: what one client costs at month end, whatever its history."""

from collections.abc import Callable

import pytest

from tests.plugins.calls import Costs, blesta_costs, hostbill_costs, ubersmith_costs, whmcs_costs

CLIENTS = 12


def per_client(costs: Costs, *hooks: str) -> dict[str, int]:
    """The calls that are made for every client."""
    found = [item for hook in hooks for item in costs.hooks[hook].items()]
    return {name: int(count) for name, count in found if count >= 1}


@pytest.mark.parametrize("history", [0, 120])
def test_an_invoice_in_whmcs_costs_three_calls_whatever_the_clients_history(history: int) -> None:
    costs = whmcs_costs(CLIENTS, history)
    assert per_client(costs, "clients", "terms", "create_invoice", "unpaid_invoices") == {
        "GetClientsDetails": 1,
        "CreateInvoice": 1,
        "GetInvoices": 1,
    }
    assert per_client(costs, "invoice") == {"GetInvoice": 1}
    assert costs.hooks["currencies"] == {}, "they are asked for once a minute"
    assert costs.most_at_once <= 8


@pytest.mark.parametrize("history", [0, 120])
def test_an_invoice_in_blesta_costs_four_calls_whatever_the_clients_history(history: int) -> None:
    costs = blesta_costs(CLIENTS, history)
    assert per_client(costs, "clients", "terms", "create_invoice", "unpaid_invoices") == {
        "clients/get": 1,
        "invoices/getTaxRules": 1,
        "invoices/add": 1,
        "invoices/get": 1,
    }
    assert per_client(costs, "invoice") == {"invoices/get": 1}
    assert costs.hooks["currencies"] == {}, "they are asked for once a minute"
    assert costs.most_at_once <= 8


@pytest.mark.parametrize("history", [0, 120])
def test_an_invoice_of_two_lines_in_hostbill_costs_seven_calls_whatever_the_clients_history(history: int) -> None:
    costs = hostbill_costs(CLIENTS, history)
    assert per_client(costs, "clients", "terms", "create_invoice", "unpaid_invoices") == {
        "getClientDetails": 1,
        "getClientTaxDetails": 1,
        "addInvoice": 1,
        "addInvoiceItem": 2,
        "editInvoiceDetails": 1,
        "convertInvoice": 1,
    }
    assert per_client(costs, "invoice") == {"getInvoiceDetails": 1}
    assert costs.hooks["currencies"] == {}, "they are asked for once a minute"
    assert costs.most_at_once <= 8


@pytest.mark.parametrize("history", [0, 30])
def test_an_invoice_of_two_lines_in_ubersmith_costs_five_calls_whatever_the_clients_history(history: int) -> None:
    costs = ubersmith_costs(CLIENTS, history)
    assert per_client(costs, "clients", "terms", "create_invoice", "unpaid_invoices") == {
        "client.service_list": 1,
        "client.service_add": 2,
        "client.invoice_generate": 1,
        "client.invoice_get": 1,
    }
    assert per_client(costs, "invoice") == {"client.invoice_get": 1}
    assert costs.hooks["currencies"] == {}, "it is not asked for"
    assert costs.most_at_once <= 8


@pytest.mark.parametrize("costs_of", [whmcs_costs, blesta_costs, ubersmith_costs])
def test_those_made_since_a_day_are_a_few_pages_however_many_clients_there_are(
    costs_of: Callable[[int, int], Costs],
) -> None:
    assert all(count < 1 for count in costs_of(CLIENTS, 0).hooks["invoices_since"].values())
