"""The ``stats`` of ``GetClientsDetails``: counts, and money written for people."""

from decimal import Decimal

from tollbridge_whmcs_like.sandbox.install import Install
from tollbridge_whmcs_like.sandbox.records import Client, Invoice
from tollbridge_whmcs_like.sandbox.wire import Document, Flag

_BY_STATUS = {
    "Draft": ("numDraftInvoices", "draftInvoicesBalance"),
    "Unpaid": ("numunpaidinvoices", "unpaidinvoicesamount"),
    "Paid": ("numpaidinvoices", "paidinvoicesamount"),
    "Cancelled": ("numcancelledinvoices", "cancelledinvoicesamount"),
    "Refunded": ("numrefundedinvoices", "refundedinvoicesamount"),
    "Collections": ("numcollectionsinvoices", "collectionsinvoicesamount"),
    "Payment Pending": ("numpaymentpendinginvoices", "paymentpendinginvoicesamount"),
}
_NOT_SIMULATED = (
    "productsnumactivehosting", "productsnumhosting", "productsnumactivereseller", "productsnumreseller",
    "productsnumactiveservers", "productsnumservers", "productsnumactiveother", "productsnumother",
    "productsnumactive", "productsnumtotal", "numactivedomains", "numdomains", "numacceptedquotes", "numquotes",
    "numtickets", "numactivetickets", "numaffiliatesignups",
)  # fmt: skip


def statistics(install: Install, client: Client) -> Document:
    """What the client owes and has paid, and nothing of products, domains and tickets."""
    currency = install.currency(client.currency)
    invoices = install.invoices(client.id)

    def shown(amount: Decimal) -> str:
        return f"{currency.prefix}{amount:.2f}{currency.suffix}"

    def summed(some: list[Invoice]) -> str:
        return shown(sum((invoice.total for invoice in some), Decimal(0)))

    due = [invoice for invoice in invoices if invoice.status == "Unpaid"]
    overdue = [invoice for invoice in invoices if install.is_overdue(invoice)]
    stats: Document = {
        "numdueinvoices": len(due),
        "dueinvoicesbalance": summed(due),
        "incredit": Flag(client.credit > 0),
        "creditbalance": shown(client.credit),
        "grossRevenue": shown(Decimal(0)),
        "expenses": shown(Decimal(0)),
        "income": shown(Decimal(0)),
        "numoverdueinvoices": len(overdue),
        "overdueinvoicesbalance": summed(overdue),
    }
    for status, (count, amount) in _BY_STATUS.items():
        some = [invoice for invoice in invoices if invoice.status == status]
        stats[count], stats[amount] = len(some), summed(some)
    return {**stats, **dict.fromkeys(_NOT_SIMULATED, 0), "isAffiliate": Flag(False)}
