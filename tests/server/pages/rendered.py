"""Pages rendered and read, and the views they are rendered from."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import attrs

from tests.server.pages.reading import Element, read
from tollbridge.ledger.outbox import Mail
from tollbridge.server.pages import samples
from tollbridge.server.pages import views as v
from tollbridge.server.pages.renderer import Renderer
from tollbridge.texts.languages import LANGUAGES

SITE = v.Site(
    "Example Cloud",
    has_logo=True,
    terms_url="https://example.com/terms",
    postpay_terms_url="https://example.com/postpay",
    support_email="help@example.com",
)
BARE = v.Site("Example Cloud", terms_url="https://example.com/terms")
LINK = "https://bridge.example.com/cloud/confirm/abc"


@cache
def renderer(site: v.Site = SITE) -> Renderer:
    return Renderer(site, None)


def page(name: str, view: object = None, language: str = "en", *, logged_in: bool = False) -> Element:
    return read(renderer().page(name, language, view, csrf="a-token", logged_in=logged_in))


def every_page(site: v.Site = SITE) -> Iterator[tuple[str, str, Element]]:
    """Each page in each language, with as little and as much in it as there can be: name, language and elements."""
    for language in LANGUAGES:
        for name, views in samples.PAGES.items():
            for view in views:
                for logged_in in (False, True):
                    html = renderer(site).page(name, language, view, csrf="a-token", logged_in=logged_in)
                    yield name, language, read(html)


def account(**changes: Any) -> v.AccountView:
    """A client's account in which all is well."""
    usage = (v.UsageView("web-1", "", "Small", "2,100", "$2.10", "300"),)
    well = v.AccountView(
        who="Ann Example",
        email="ann@example.com",
        enrolled=True,
        user_status="active",
        month="August 2026",
        usage=usage,
        usage_known=True,
        so_far="$2.10",
        projected="$5.00",
        invoices=(),
        notices=(),
        can_pay=True,
    )
    return attrs.evolve(well, **changes)


def invoice(status: str, *, is_overdue: bool = False) -> v.InvoiceView:
    lines = (v.LineView("web-1: Small, 700 hours, 4900 tokens", "$4.90"),)
    return v.InvoiceView("TB-2026-07-1042", "July 2026", "1 Aug", "15 Aug", status, "$4.90", lines, is_overdue)


def owed(*, pay_url: str = "", **changes: Any) -> v.OwedView:
    """One invoice to pay."""
    view = v.OwedView("$4.90", is_open=True, due="15 August", reference="TB-2026-07-1042", pay_url=pay_url)
    return attrs.evolve(view, **changes)


def plan(hourly: str = "$0.007", monthly: str = "$5.00", **size: str) -> v.PlanView:
    return v.PlanView("Small", hourly, monthly, **size)


def signup(**changes: Any) -> v.SignupView:
    """A form that nobody has filled in, with two countries and two currencies."""
    empty = v.SignupView({"DE": "Germany", "GB": "United Kingdom"}, {"USD": "US Dollar", "EUR": "Euro"})
    return attrs.evolve(empty, **changes)


def landing(*plans: v.PlanView, **changes: Any) -> v.LandingView:
    view = v.LandingView(plans, ("USD", "EUR"), "EUR", can_sign_up=True, can_log_in=True)
    return attrs.evolve(view, **changes)


def signup_mail(language: str = "en", site: v.Site = SITE) -> Mail:
    return renderer(site).mail("signup", language, link=LINK)
