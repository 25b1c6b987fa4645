"""What the pages show: everything is already formatted for people, except text keys.

A text key names a sentence of the catalogues in ``texts/``. Problems of a form are keyed by the field's name, or by
``form`` for what concerns no single field.
"""

from collections.abc import Mapping
from types import MappingProxyType

import attrs

PASSWORD_SHORTEST, PASSWORD_LONGEST = 10, 200
FIELD_LONGEST: Mapping[str, int] = MappingProxyType({"first_name": 100, "last_name": 100, "company": 200, "email": 254})

Problems = Mapping[str, str]


@attrs.frozen
class Site:
    """The operator's branding, the same on every page; ``colour`` is ``#rrggbb``."""

    name: str
    colour: str = "#1a5fb4"
    has_logo: bool = False
    terms_url: str = ""
    postpay_terms_url: str | None = None
    support_email: str | None = None


@attrs.frozen
class PlanView:
    """A plan's prices; ``monthly`` is empty if nothing caps a month, ``hourly`` if there is only a monthly price."""

    name: str
    hourly: str
    monthly: str


@attrs.frozen
class LandingView:
    """``tax`` is ``included``, ``added`` or empty to say nothing of it."""

    plans: tuple[PlanView, ...]
    currencies: tuple[str, ...]
    currency: str
    can_sign_up: bool
    can_log_in: bool
    tax: str = ""


@attrs.frozen
class LoginView:
    """``problem`` is a text key such as ``login.wrong``, or empty."""

    email: str = ""
    problem: str = ""
    can_sign_up: bool = True


@attrs.frozen
class SignupView:
    """What was typed or chosen, what there is to choose from, and what is wrong.

    ``countries`` and ``currencies``: names by code; with only one currency there is nothing to choose.
    """

    countries: Mapping[str, str]
    currencies: Mapping[str, str]
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    country: str = ""
    currency: str = ""
    problems: Problems = attrs.field(factory=dict)
    can_log_in: bool = True


@attrs.frozen
class ConfirmView:
    """The page of an e-mailed link: terms to accept and a password.

    ``known``: the address is a client's already, who is asked for the password they have instead of a new one.
    """

    email: str
    name: str
    company: str = ""
    problems: Problems = attrs.field(factory=dict)
    known: bool = False


@attrs.frozen
class UsageView:
    """One server, backup or address in the running month; ``kind`` is the text key of what it is, if it is no server.

    ``detail`` is a server's plan, or SolusIO's own word for a kind that we have no text for.
    """

    name: str
    kind: str
    detail: str
    tokens: str
    amount: str


@attrs.frozen
class LineView:
    """One line of an invoice."""

    description: str
    amount: str


@attrs.frozen
class InvoiceView:
    """``status`` is the value of a ``tollbridge.model.InvoiceStatus``; without tax, two of the sums are empty.

    ``pay_url`` is where this one is paid, if there is such a place and it is unpaid.
    """

    reference: str
    month: str
    issued: str
    due: str
    status: str
    total: str
    lines: tuple[LineView, ...]
    is_overdue: bool
    subtotal: str = ""
    tax: str = ""
    pay_url: str = ""


@attrs.frozen
class NoticeView:
    """An overdue invoice; ``lock_on`` and ``suspend_on`` are days to come, empty if there is none."""

    reference: str
    due: str
    total: str
    lock_on: str = ""
    suspend_on: str = ""
    is_locked: bool = False
    is_suspended: bool = False
    pay_url: str = ""


@attrs.frozen
class AccountView:
    """The dashboard; ``user_status`` is the value of a ``tollbridge.model.UserStatus``.

    ``with_tax``: the amounts of usage hold tax. ``as_of``: the moment they are of, empty if they are not known.

    ``problems`` are those of the form with which a client who is not enrolled accepts the terms. Whoever ``can_enrol``
    is invited to; a closed client is not.
    """

    who: str
    email: str
    enrolled: bool
    user_status: str
    month: str
    usage: tuple[UsageView, ...]
    usage_known: bool
    so_far: str
    projected: str
    invoices: tuple[InvoiceView, ...]
    notices: tuple[NoticeView, ...]
    can_pay: bool
    can_enrol: bool = True
    with_tax: bool = False
    as_of: str = ""
    problems: Problems = attrs.field(factory=dict)


@attrs.frozen
class MessageView:
    """``title``, ``text`` and ``link_text`` are text keys, ``link`` an address of ours."""

    title: str
    text: str
    link: str = ""
    link_text: str = ""
