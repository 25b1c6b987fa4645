"""How one HostBill differs from another on the wire, as far as its documents leave it open."""

from collections.abc import Iterable
from typing import Any, Literal, get_args

import attrs
from attrs import validators

Errors = Literal["list", "map", "text", "errMsg"]
Empty = Literal["list", "object", "false", "null"]
Methods = Literal["allowed", "all", "keys", "none"]
AutoLoginHash = Literal["md5", "hmac_keyed", "hmac_whole"]
Drafts = Literal["everywhere", "filter", "nowhere"]
Exempt = Literal["rates", "zero", "none"]

_FLAG = validators.instance_of(bool)


def _one_of(kind: object) -> Any:
    return validators.in_(get_args(kind))


def _names(value: Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise TypeError(f"{value!r} is one name, and a list of names is needed")
    return tuple(value)


@attrs.define(kw_only=True)
class Quirks:
    """Every field may be set at any time; a value it cannot have is a ValueError or TypeError.

    Attributes:
        errors: what stands under ``error``: a list, an object or a text; or a text under ``errMsg``.
        error_status: the HTTP status of a no, which the documents do not give.
        numbers: numbers and flags are numbers, and not text.
        empty: what stands for a collection without rows.
        keyed_lists: lists come as objects by id.
        escaped_text: what people typed comes HTML-escaped, and line breaks as spaces.
        first_page: the number of the first page, 0 or 1; what is below it is the first one, too.
        next_page: ``sorterpage`` is the next page, and not the present one.
        oldest_first: lists of invoices begin with the oldest.
        drafts: which lists have them: all, only ``getInvoices`` with its filter, or none, and there is no such filter.
        client_invoices_counted: ``getClientInvoices`` has pages and a ``sorter``; else it is whole, without one.
        whole_answers: ``editInvoiceDetails`` and ``convertInvoice`` answer with the invoice; else with ``info`` alone.
        tax_mode_told: invoices tell the tax settings in ``metadata.taxconfig``.
        exempt_rates: what ``getClientTaxDetails`` tells of a client who is exempt.
        total_less_credit: ``total`` is what is left after credit.
        methods: what ``getAPIMethods`` lists: those that are allowed, all, all as keys; or it is not there.
        forbidden: methods that the API key may not call.
        left_out: keys that stand in no answer.
        key_accepted: the API key is one, and may be used from this address.
        denied: what is said of a key that is none, or may not call something.
        autologin: what the Client Auto Login plugin's hash is made of; the HMAC's text is not documented.
        autologin_on: the plugin is switched on.
        searchable_fields: registration fields that ``getClients`` can be filtered by.
    """

    errors: Errors = attrs.field(default="list", validator=_one_of(Errors))
    error_status: int = attrs.field(default=200, validator=validators.in_(range(200, 600)))
    numbers: bool = attrs.field(default=False, validator=_FLAG)
    empty: Empty = attrs.field(default="list", validator=_one_of(Empty))
    keyed_lists: bool = attrs.field(default=False, validator=_FLAG)
    escaped_text: bool = attrs.field(default=False, validator=_FLAG)
    first_page: int = attrs.field(default=0, validator=validators.in_((0, 1)))
    next_page: bool = attrs.field(default=True, validator=_FLAG)
    oldest_first: bool = attrs.field(default=False, validator=_FLAG)
    drafts: Drafts = attrs.field(default="everywhere", validator=_one_of(Drafts))
    client_invoices_counted: bool = attrs.field(default=True, validator=_FLAG)
    whole_answers: bool = attrs.field(default=True, validator=_FLAG)
    tax_mode_told: bool = attrs.field(default=True, validator=_FLAG)
    exempt_rates: Exempt = attrs.field(default="rates", validator=_one_of(Exempt))
    total_less_credit: bool = attrs.field(default=False, validator=_FLAG)
    methods: Methods = attrs.field(default="allowed", validator=_one_of(Methods))
    forbidden: tuple[str, ...] = attrs.field(default=(), converter=_names)
    left_out: tuple[str, ...] = attrs.field(default=(), converter=_names)
    key_accepted: bool = attrs.field(default=True, validator=_FLAG)
    denied: str = attrs.field(default="API key or IP address not allowed", validator=validators.instance_of(str))
    autologin: AutoLoginHash = attrs.field(default="md5", validator=_one_of(AutoLoginHash))
    autologin_on: bool = attrs.field(default=True, validator=_FLAG)
    searchable_fields: tuple[str, ...] = attrs.field(default=("solusid",), converter=_names)
