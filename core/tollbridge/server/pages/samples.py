"""Views to try templates with before a customer sees them: of every page the emptiest and the fullest."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from tollbridge.server.pages import views

_PLANS = (views.PlanView("Small", "$0.007", "$5.00"), views.PlanView("Large", "", ""))
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
        subtotal="$5.00" if status == "paid" else "",
        tax="$1.00" if status == "paid" else "",
    )
    for status in ("draft", "unpaid", "pending", "paid", "cancelled", "refunded")
)
_USAGE = (
    views.UsageView("web-1", "", "Small", "2,100", "$2.10"),
    views.UsageView("web-1", "item.backup", "", "210", "$0.21"),
)
_NOTICES = (
    views.NoticeView("TB-2026-07-1042", "15 August 2026", "$6.00", "22 August 2026", "29 August 2026"),
    views.NoticeView("TB-2026-06-1042", "15 July 2026", "$6.00", is_locked=True),
    views.NoticeView("TB-2026-05-1042", "15 June 2026", "$6.00", is_suspended=True),
)


def _account(*, enrolled: bool, full: bool, can_enrol: bool = True) -> views.AccountView:
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
        problems=_PROBLEMS if full else {},
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
            _account(enrolled=True, full=False),
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
