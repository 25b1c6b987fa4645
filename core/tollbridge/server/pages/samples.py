"""Views to try templates with before a customer sees them: of every page the emptiest and the fullest."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import attrs

from tollbridge.server.pages import views

_PLANS = (views.PlanView("Small", "$0.007", "$5.00", "1", "1 GB", "25 GB"), views.PlanView("Large", "", ""))
_FIELDS = (
    "form",
    "first_name",
    "last_name",
    "company",
    "email",
    "country",
    "currency",
    "password",
    "terms",
    "postpay_terms",
)
_PROBLEMS = dict.fromkeys(_FIELDS, "problem.required")
_TAXES = {
    "paid": (views.TaxView("VAT", "20", "$1.00"),),
    "unpaid": (views.TaxView("", "", "$1.00"),),
    "pending": (views.TaxView("VAT", "20", "$1.00"), views.TaxView("Duty", "2", "$0.10")),
}
_INVOICES = tuple(
    views.InvoiceView(
        reference="TB-2026-07-1042",
        month="July 2026",
        issued="1 August 2026",
        due="15 August 2026",
        status=status,
        total="$6.00",
        lines=(views.LineView("web-1: Small, 700 hours, 4900 tokens", "$4.90"),) if status != "draft" else (),
        is_overdue=status == "unpaid",
        number="10042" if status != "draft" else "",
        subtotal="$5.00" if status == "paid" else "",
        left="$2.00" if status == "unpaid" else "",
        taxes=_TAXES.get(status, ()),
    )
    for status in ("draft", "unpaid", "pending", "paid", "cancelled", "refunded")
)
_USAGE = (
    views.UsageView("web-1", "", "Small", "2,100", "$2.10", "300", "$0.007", "$5.00"),
    views.UsageView("web-2", "", "Small", "5,000", "$5.00", "720", "$0.007", "$5.00", is_at_most=True),
    views.UsageView("web-3", "", "Flat", "5,000", "$5.00", "720", "", "$5.00", is_gone=True),
    views.UsageView("web-1", "item.backup", "", "210", "$0.21"),
)
_NOTICES = (
    views.NoticeView("TB-2026-07-1042", "15 August 2026", "$6.00", "22 August 2026", "29 August 2026"),
    views.NoticeView("TB-2026-06-1042", "15 July 2026", "$6.00", is_locked=True, name="10042", is_part=True),
    views.NoticeView("TB-2026-05-1042", "15 June 2026", "$6.00", is_suspended=True),
)
_BARS = (views.BarView("1", "1 August", "$0.17", 1000), views.BarView("2", "2 August", "$0.00", 0))


def _account(*, enrolled: bool, full: bool, can_enrol: bool = True, by: str = "days") -> views.AccountView:
    return views.AccountView(
        who="Ann Example" if full else "",
        email="ann@example.com",
        enrolled=enrolled,
        user_status="suspended" if full else "active",
        month="August 2026",
        usage=_USAGE if full else (),
        usage_known=full,
        so_far="$2.10" if full else "",
        projected="$5.00" if full else "",
        invoices=_INVOICES if full else (),
        notices=_NOTICES if full else (),
        can_pay=full,
        can_enrol=can_enrol,
        with_tax=full,
        as_of="8/9/26, 10:15 AM" if full else "",
        owed=views.OwedView("$24.00", True, "$18.00", "15 September 2026", "TB-2026-05-1042", name="10041")
        if full
        else None,
        chart=views.ChartView(by, _BARS, 31 if by == "days" else 2, _BARS[0]) if full else None,
        problems=_PROBLEMS if full else {},
        last_month="$6.00" if full else "",
        carried="$0.80" if full else "",
        next_invoice="1 September 2026" if full else "",
        next_due="15 September 2026" if full else "",
        years=(2026, 2025) if full else (),
        year=2025 if full else None,
    )


PAGES: Mapping[str, Sequence[object]] = MappingProxyType(
    {
        "landing": (
            views.LandingView((), (), "", can_sign_up=False, can_log_in=False),
            views.LandingView(_PLANS, ("USD", "EUR"), "USD", can_sign_up=True, can_log_in=True, tax="added"),
        ),
        "login": (views.LoginView(), views.LoginView("ann@example.com", "login.wrong")),
        "signup": (
            views.SignupView({"DE": "Germany"}, {"USD": "US Dollar"}),
            views.SignupView(
                {"DE": "Germany", "GB": "United Kingdom"},
                {"USD": "US Dollar", "EUR": "Euro"},
                first_name="Ann",
                last_name="Example",
                company="Example Ltd",
                email="ann@example.com",
                country="GB",
                currency="EUR",
                problems=_PROBLEMS,
                can_log_in=False,
            ),
        ),
        "signup_sent": (None,),
        "confirm": (
            views.ConfirmView("ann@example.com", "Ann Example"),
            views.ConfirmView("ann@example.com", "Ann Example", "Example Ltd", _PROBLEMS, known=True),
        ),
        "welcome": (None,),
        "account": (
            _account(enrolled=False, full=False),
            _account(enrolled=False, full=False, can_enrol=False),
            _account(enrolled=False, full=True),
            attrs.evolve(_account(enrolled=True, full=False), owed=views.OwedView("$0.00", False)),
            attrs.evolve(
                _account(enrolled=True, full=True, by="servers"),
                notices=(),
                can_pay=False,
                owed=views.OwedView(
                    "$6.00",
                    True,
                    due="15 August 2026",
                    reference="TB-1",
                    pay_url="https://example.com/",
                    is_fresh=False,
                ),
                is_partial=True,
                is_released_soon=True,
            ),
            _account(enrolled=True, full=True),
        ),
        "message": (
            views.MessageView("message.fault_title", "message.fault"),
            views.MessageView("message.link_used_title", "message.link_used", "/cloud/login", "common.login"),
        ),
    }
)

MAILS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {"signup": {"link": "https://bridge.example.com/cloud/confirm/sample"}}
)
