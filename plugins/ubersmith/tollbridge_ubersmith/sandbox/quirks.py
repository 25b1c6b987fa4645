"""What differs between versions of Ubersmith, or is not documented."""

from typing import Any, Literal, get_args

import attrs

Version = Literal["5.0.3", "4.6.1"]
Lists = Literal["maps", "lists"]
Metadata = Literal["values", "fields", "prefixed", "plain"]
Details = Literal["services", "packs", "numbers", "absent"]
Rounding = Literal["invoice", "line"]
TwoFactor = Literal["flag", "object"]


def _flag(*, default: bool = False) -> Any:
    return attrs.field(default=default, validator=attrs.validators.instance_of(bool))


def _one_of(words: Any) -> Any:
    return attrs.field(default=get_args(words)[0], validator=attrs.validators.in_(get_args(words)))


def _count(_quirks: object, field: "attrs.Attribute[Any]", count: object) -> None:
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
        raise ValueError(f"{field.name} must be a whole number that is not negative, not {count!r}")


@attrs.frozen
class Quirks:
    """The quirks of one install. All may be changed while it is served; a wrong value is a ValueError or TypeError.

    Attributes:
        version: which methods and parameters there are, and how ``taxes`` of a service are read.
        numbers: ids and money are JSON numbers instead of text.
        lists: lists come as maps by id, or as lists of rows. An empty one is ``[]`` in any case.
        shuffled: the rows of a page are in no order.
        none_is_error: a list without rows is an error.
        most_rows: rows on a page, whatever limit is asked for. None: as many as are asked for.
        short_rows: ``client.list`` leaves out discount, place and company.
        metadata: custom fields come as ``{variable: value}``, as records by number, or beside the others, with
            ``meta_`` before their names or without.
        keeps_fields: False: services without a plan keep no custom fields.
        metadata_filter: False: lists are not limited by custom fields.
        services_details: what ``invoice_list`` shows of services: under this name, only numbers, or nothing.
        escaped_text: text is HTML, as in ``&amp;``.
        description_length: longer descriptions of services are cut off.
        inherited_discount: a service without a discount of its own has its client's.
        billed_flag: False: services never say that they are billed.
        tax_rounding: each tax is rounded once for the invoice, or for each line.
        refuse_unknown: a parameter that the method does not have is an error.
        fails_after_generate: ``invoice_generate`` is an error, though it makes the invoice.
        two_factor: ``check_user_twofactor`` answers 1 or 0, or an object.
        denied_status: the HTTP status of a missing permission.
        login_status: the HTTP status where user or token are wrong.
        forbidden: methods that the user may not call.
        updating_token: so many calls are answered by the page "Updating Token", which does nothing.
        maintenance: every call is an error that says so.
    """

    version: Version = _one_of(Version)
    numbers: bool = _flag()
    lists: Lists = _one_of(Lists)
    shuffled: bool = _flag()
    none_is_error: bool = _flag()
    most_rows: int | None = attrs.field(default=None, validator=_count)
    short_rows: bool = _flag()
    metadata: Metadata = _one_of(Metadata)
    keeps_fields: bool = _flag(default=True)
    metadata_filter: bool = _flag(default=True)
    services_details: Details = _one_of(Details)
    escaped_text: bool = _flag()
    description_length: int | None = attrs.field(default=None, validator=_count)
    inherited_discount: bool = _flag(default=True)
    billed_flag: bool = _flag(default=True)
    tax_rounding: Rounding = _one_of(Rounding)
    refuse_unknown: bool = _flag()
    fails_after_generate: bool = _flag()
    two_factor: TwoFactor = _one_of(TwoFactor)
    denied_status: int = attrs.field(default=200, validator=attrs.validators.in_((200, 403)))
    login_status: int = attrs.field(default=401, validator=attrs.validators.in_((200, 401)))
    forbidden: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    updating_token: int = attrs.field(default=0, validator=_count)
    maintenance: bool = _flag()
