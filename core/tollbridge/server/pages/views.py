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
    """What is the same on every page: the operator's branding, and what visitors can do; ``colour`` is ``#rrggbb``."""

    name: str
    colour: str = "#1a5fb4"
    has_logo: bool = False
    terms_url: str = ""
    postpay_terms_url: str | None = None
    support_email: str | None = None
    can_sign_up: bool = False
    can_log_in: bool = False
    password_url: str | None = None
    privacy_url: str | None = None
    imprint_url: str | None = None


@attrs.frozen
class PlanView:
    """A plan's prices; ``monthly`` is empty if nothing caps a month, ``hourly`` if there is only a monthly price.

    ``processors``, ``memory`` and ``disk`` are empty if the panel does not tell them.
    """

    name: str
    hourly: str
    monthly: str
    processors: str = ""
    memory: str = ""
    disk: str = ""


@attrs.frozen
class LandingView:
    """``tax`` is ``included``, ``added`` or empty to say nothing of it.

    It is ``within`` where prices hold what is due in ``country``, by the names of ``taxes``, and ``none`` where nothing
    is due there.
    """

    plans: tuple[PlanView, ...]
    currencies: tuple[str, ...]
    currency: str
    can_sign_up: bool
    can_log_in: bool
    tax: str = ""
    taxes: str = ""
    country: str = ""


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

    ``detail`` is a server's plan, or SolusIO's own word for a kind that we have no text for. ``hours`` and ``hourly``,
    the price of one, are a server's; ``monthly`` is the most it costs in a month, ``is_at_most`` whether it does so by
    now. ``is_gone``: it was deleted. Amounts are empty if the client's price is not known.
    """

    name: str
    kind: str
    detail: str
    tokens: str
    amount: str
    hours: str = ""
    hourly: str = ""
    monthly: str = ""
    is_at_most: bool = False
    is_gone: bool = False


@attrs.frozen
class BarView:
    """One bar: what it stands for in short and in words, its amount, and its length in thousandths of the longest."""

    label: str
    name: str
    amount: str
    length: int


@attrs.frozen
class ChartView:
    """The month so far, ``by`` the ``days`` or the ``servers`` that it came from.

    ``slots``: how many bars there is room for; of days, as many as the month has. ``most`` is the longest bar.
    """

    by: str
    bars: tuple[BarView, ...]
    slots: int
    most: BarView


@attrs.frozen
class LineView:
    """One line of an invoice."""

    description: str
    amount: str


@attrs.frozen
class TaxView:
    """One tax with its rate, which are empty if the billing system charged another sum than these make."""

    name: str
    rate: str
    amount: str


@attrs.frozen
class InvoiceView:
    """``status`` is the value of a ``tollbridge.model.InvoiceStatus``.

    ``number`` is the one that the billing system prints, if it is known. ``subtotal`` is empty without tax on top;
    ``taxes`` are then what the total holds, if anything. ``pay_url`` is where this one is paid, if there is such a
    place and it is unpaid. ``left`` is what is still to be paid, if a part was.
    """

    reference: str
    month: str
    issued: str
    due: str
    status: str
    total: str
    lines: tuple[LineView, ...]
    is_overdue: bool
    number: str = ""
    subtotal: str = ""
    taxes: tuple[TaxView, ...] = ()
    pay_url: str = ""
    left: str = ""

    @property
    def name(self) -> str:
        """What it is called: by its number, else by our reference."""
        return self.number or self.reference


@attrs.frozen
class OwedView:
    """What is to be paid: all of it, what of that is overdue, if not all is, and when the rest is due.

    ``is_open`` is False if there is nothing. ``reference`` is the invoice to pay first, ``name`` what it is called,
    ``pay_url`` where, if there is such a place. ``is_fresh`` is False if payments since the last run may be missing.
    """

    total: str
    is_open: bool
    overdue: str = ""
    due: str = ""
    reference: str = ""
    pay_url: str = ""
    name: str = ""
    is_fresh: bool = True


@attrs.frozen
class NoticeView:
    """An overdue invoice; ``lock_on`` and ``suspend_on`` are days to come, empty if there is none.

    ``total`` is what is left to pay of it, which ``is_part`` if some was paid; ``name`` what the invoice is called.
    """

    reference: str
    due: str
    total: str
    lock_on: str = ""
    suspend_on: str = ""
    is_locked: bool = False
    is_suspended: bool = False
    pay_url: str = ""
    name: str = ""
    is_part: bool = False


@attrs.frozen
class AccountView:
    """The dashboard; ``user_status`` is the value of a ``tollbridge.model.UserStatus``.

    ``with_tax``: the amounts of usage hold tax. ``as_of``: the moment they are of, empty if they are not known.

    ``problems`` are those of the form with which a client who is not enrolled accepts the terms. Whoever ``can_enrol``
    is invited to; a closed client is not.

    Attributes:
        is_partial: the billing system does not answer, so what only it knows is missing.
        is_released_soon: nothing overdue is left of what the user was locked for, and the next run lets it in again.
        last_month: what the month before was invoiced with, if it was.
        carried: what earlier months came to that no invoice has yet.
        next_invoice: the first day on which the running month may be invoiced, empty if it is not known.
        next_due: when it is due then.
        years: of which there are invoices, if of several; ``year`` is the chosen one, None: the newest are shown.
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
    owed: OwedView | None = None
    chart: ChartView | None = None
    problems: Problems = attrs.field(factory=dict)
    is_partial: bool = False
    is_released_soon: bool = False
    last_month: str = ""
    carried: str = ""
    next_invoice: str = ""
    next_due: str = ""
    years: tuple[int, ...] = ()
    year: int | None = None


@attrs.frozen
class MessageView:
    """``title``, ``text`` and ``link_text`` are text keys, ``link`` an address of ours."""

    title: str
    text: str
    link: str = ""
    link_text: str = ""
