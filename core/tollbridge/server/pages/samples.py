"""Views to try templates with before a customer sees them: of every page the emptiest and the fullest."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from tollbridge.server.pages import views

_PLANS = (views.PlanView("Small", "$0.007", "$5.00"), views.PlanView("Large", "", ""))
_FIELDS = ("form", "first_name", "last_name", "company", "email", "password", "terms", "postpay_terms")
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
    )
    for status in ("draft", "unpaid", "pending", "paid", "cancelled", "refunded")
)
_NOTICES = (
    views.NoticeView("TB-2026-07-1042", "15 August 2026", "$6.00", "22 August 2026", "29 August 2026"),
    views.NoticeView("TB-2026-06-1042", "15 July 2026", "$6.00", is_locked=True),
    views.NoticeView("TB-2026-05-1042", "15 June 2026", "$6.00", is_suspended=True),
)


def _account(*, enrolled: bool, full: bool) -> views.AccountView:
    return views.AccountView(
        who="Ann Example" if full else "",
        email="ann@example.com",
        enrolled=enrolled,
        user_status="suspended" if full else "active",
        month="August 2026",
        usage=(views.UsageView("web-1", "Small, 300 hours", "2,100", "$2.10"),) if full else (),
        usage_known=full,
        so_far="$2.10" if full else "",
        projected="$5.00" if full else "",
        invoices=_INVOICES if full else (),
        notices=_NOTICES if full else (),
        can_pay=full,
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
            views.SignupView(),
            views.SignupView("Ann", "Example", "Example Ltd", "ann@example.com", _PROBLEMS, can_log_in=False),
        ),
        "signup_sent": (None,),
        "confirm": (
            views.ConfirmView("ann@example.com"),
            views.ConfirmView("ann@example.com", needs_name=True, problems=_PROBLEMS, known=True),
        ),
        "welcome": (None,),
        "account": tuple(
            _account(enrolled=enrolled, full=full) for enrolled in (False, True) for full in (False, True)
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
