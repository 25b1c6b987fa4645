"""What the systems' own pages say of the forms that answers may take, of which nobody knows the right one."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from typing import Any

import attrs
import pytest

from tests.plugins.blesta.side import BlestaSide
from tests.plugins.hostbill.side import HostBillSide
from tests.plugins.ubersmith.side import UbersmithSide
from tests.plugins.whmcs_like.side import WhmcsSide
from tollbridge import OutcomeUnknown, Refused, Unavailable
from tollbridge.conformance import an_invoice
from tollbridge.conformance.side import MONTH
from tollbridge_blesta import sandbox as blesta
from tollbridge_hostbill import sandbox as hostbill
from tollbridge_ubersmith import sandbox as ubersmith
from tollbridge_whmcs_like import sandbox as whmcs

Form = dict[str, Any]
Side = WhmcsSide | BlestaSide | HostBillSide | UbersmithSide

BILLED: dict[str, list[Form]] = {
    "whmcs_like": [
        *({"version": version} for version in ("7.10", "8.0", "9.0")),
        *({"booleans": words} for words in ("json", "number", "text", "on", "word")),
        *({"ids": kind} for kind in ("text", "number")),
        *({"empty": kind} for kind in ("missing", "text", "list", "object")),
        {"money": "number"}, {"single_row_as_object": True}, {"flat_currencies": True}, {"escaped_text": True},
        {"client_at_top_level": False}, {"status_on_errors": True}, {"error_status": 400}, {"denied_status": 200},
        {"extra_warning": True}, {"byte_order_mark": True}, {"refuse_unknown_fields": True},
        {"validates_updates": True},
    ],
    "blesta": [
        *({"nested_errors": where} for where in ("model", "name")),
        *({"booleans": words} for words in ("digit", "number", "json")),
        *({"client_settings": shape} for shape in ("objects", "list", "absent")),
        *({"settings_lists": shape} for shape in ("objects", "values")),
        {"errors_with_200": True}, {"encoded_build": True}, {"typed_arrays": True}, {"numbers": True},
        {"float_noise": True}, {"numbers": True, "float_noise": True}, {"lists_without_notes": True},
        {"without_balance": True}, {"empty_lists": True}, {"keyed_lists": True}, {"unstable_ties": True},
        {"open_once_billed": True}, {"rules_by_place_alone": True}, {"local_timestamps": True},
        {"unique_emails": True}, {"credentials": "headers"}, {"rewriting": False},
    ],
    "hostbill": [
        *({"errors": shape} for shape in ("map", "text", "errMsg")),
        *({"empty": kind} for kind in ("object", "false", "null")),
        *({"drafts": where} for where in ("filter", "nowhere")),
        *({"exempt_rates": what} for what in ("zero", "none")),
        *({"methods": what} for what in ("all", "keys", "none")),
        *({"autologin": what} for what in ("hmac_keyed", "hmac_whole")),
        {"error_status": 403}, {"numbers": True}, {"keyed_lists": True}, {"escaped_text": True}, {"first_page": 1},
        {"next_page": False}, {"first_page": 1, "next_page": False}, {"oldest_first": True},
        {"client_invoices_counted": False}, {"whole_answers": False}, {"tax_mode_told": False},
        {"total_less_credit": True}, {"autologin_on": False}, {"searchable_fields": ()},
    ],
    "ubersmith": [
        *({"metadata": form} for form in ("fields", "prefixed", "plain")),
        *({"services_details": form} for form in ("packs", "numbers", "absent")),
        *({name: True} for name in ("numbers", "shuffled", "none_is_error", "short_rows", "escaped_text")),
        {"version": "4.6.1"}, {"lists": "lists"}, {"most_rows": 3}, {"metadata_filter": False},
        {"description_length": 60}, {"inherited_discount": False}, {"billed_flag": False}, {"tax_rounding": "line"},
        {"refuse_unknown": True}, {"two_factor": "object"}, {"updating_token": 1},
    ],
}  # fmt: skip
OTHER_TOTAL: dict[str, list[Form]] = {
    "whmcs_like": [{"group_discount_on_lines": True}, {"max_input_vars": 14}],
    "blesta": [{"max_input_vars": 10}],
    "hostbill": [],
}
STOPPED: dict[str, list[tuple[Form, type[Exception]]]] = {
    "whmcs_like": [
        ({"php_notice": True}, Unavailable),
        ({"warning_only": True}, OutcomeUnknown),
        ({"forbidden_actions": ("CreateInvoice",)}, Refused),
    ],
    "blesta": [({"maintenance": True}, Unavailable), ({"credentials": "basic"}, Unavailable)],
    "hostbill": [
        ({"key_accepted": False, "denied": "No"}, Unavailable),
        ({"forbidden": ("convertInvoice",)}, Refused),
        ({"left_out": ("invoice_id",)}, OutcomeUnknown),
    ],
    "ubersmith": [
        ({"maintenance": True}, Unavailable),
        ({"updating_token": 99}, Unavailable),
        ({"fails_after_generate": True}, OutcomeUnknown),
        ({"keeps_fields": False}, Refused),
        ({"forbidden": ("client.invoice_generate",)}, Refused),
        ({"forbidden": ("client.service_add",), "denied_status": 403}, Refused),
        ({"forbidden": ("client.list",), "login_status": 200}, Unavailable),
    ],
}


@contextmanager
def a_side(name: str, form: Form) -> Iterator[Side]:
    """A billing system that answers in this form, with more clients than fit on a page, in a zone east of UTC."""
    if name == "blesta":
        install = blesta.Install(page_size=5, timezone="Europe/Berlin")
        install.change_quirks(**form)
        install.add_tax("USt", "19", country="DE")
        with blesta.running(install) as url:
            yield BlestaSide(install, url)
    elif name == "hostbill":
        third = hostbill.Install(page_size=5)
        third.change_quirks(**form)
        third.add_tax("USt", "19", country="DE")
        with hostbill.running(third) as url:
            yield HostBillSide(third, url)
    elif name == "ubersmith":
        fourth = ubersmith.Install()
        fourth.change_quirks(**{"most_rows": 5, **form})
        with ubersmith.running(fourth) as url:
            yield UbersmithSide(fourth, url)
    else:
        other = whmcs.Install(page_limit=5)
        other.quirks = attrs.evolve(other.quirks, **form)
        other.add_group("Partners", "5.00")
        with whmcs.running(other) as url:
            yield WhmcsSide(other, url)


def every(forms: dict[str, list[Any]]) -> pytest.MarkDecorator:
    """All forms of all systems, as parameters."""
    return pytest.mark.parametrize(
        ("name", "form"), [(name, form) for name, each in forms.items() for form in each], ids=str
    )


def difference(side: Side) -> Any:
    """Bill, find and list an invoice; what it comes to beyond what the customer was shown."""
    for number in range(6):
        side.some_client(id=1042 + number, email=f"client{number}@example.com", country="DE")
    billing = side.billing()
    listed = list(billing.clients())
    for each in listed:
        if isinstance(each, Refused):
            raise each
    assert len(listed) == 6
    if isinstance(side, WhmcsSide):
        side.install.set_client(1042, group_id=1)
    client = billing.client(1042)
    terms = billing.terms(client, MONTH)
    assert terms is not None
    invoice = an_invoice(client, "4.90", "1.10", taxes=terms.taxes or ())
    receipt = billing.create_invoice(invoice)
    assert billing.find_invoice(client.id, invoice.reference) is not None
    [unpaid] = billing.unpaid_invoices()
    assert not isinstance(unpaid, Refused)
    assert (unpaid.reference, unpaid.due_date) == (invoice.reference, invoice.due_date)
    billing.remember_user(client.id, 7)
    return abs(receipt.total - invoice.total)


@every(BILLED)
def test_a_form_that_is_read_bills_what_was_shown(name: str, form: Form) -> None:
    with a_side(name, form) as side:
        assert difference(side) < 0.001
        assert [check for check in side.billing().check() if check.ok is False] == []


@every(OTHER_TOTAL)
def test_lines_that_are_lost_or_discounted_twice_come_to_another_total(name: str, form: Form) -> None:
    with a_side(name, form) as side:
        assert difference(side) >= 0.01


@every(STOPPED)
def test_a_form_that_cannot_be_read_stops_the_billing(name: str, form: tuple[Form, type[Exception]]) -> None:
    with a_side(name, form[0]) as side, pytest.raises(form[1]):
        difference(side)


def test_an_encoded_build_that_takes_no_empty_text_for_a_list_fails_the_check_of_a_custom_field() -> None:
    with a_side("blesta", {"encoded_build": True, "typed_arrays": True}) as side, pytest.raises(Unavailable):
        side.billing().check()


def test_an_invoice_that_blesta_does_not_list_before_noon_is_found_by_its_reference() -> None:
    with a_side("blesta", {"open_once_billed": True}) as side:
        assert isinstance(side, BlestaSide)
        invoice = an_invoice(side.some_client())
        side.install.clock = lambda: datetime.combine(invoice.issue_date, time(6), UTC)
        billing = side.billing()
        billing.create_invoice(invoice)
        assert list(billing.unpaid_invoices()) == []
        assert billing.find_invoice(invoice.client_id, invoice.reference) is not None


def test_no_form_is_forgotten() -> None:
    for name, sandbox in (("whmcs_like", whmcs), ("blesta", blesta), ("hostbill", hostbill), ("ubersmith", ubersmith)):
        forms = itertools.chain(BILLED[name], OTHER_TOTAL.get(name, []), (form for form, _ in STOPPED[name]))
        assert {key for form in forms for key in form} == {field.name for field in attrs.fields(sandbox.Quirks)}
