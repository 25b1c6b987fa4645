"""How one install of WHMCS differs from another on the wire."""

from collections.abc import Iterable
from typing import Any, Literal

import attrs
from attrs import validators

Booleans = Literal["documented", "json", "number", "text", "on", "word"]
Ids = Literal["documented", "text", "number"]
Empty = Literal["nested", "missing", "text", "list", "object"]

_FLAG = validators.instance_of(bool)


def _whole(minimum: int, maximum: int) -> Any:
    return validators.and_(validators.instance_of(int), validators.ge(minimum), validators.le(maximum))


def _names(value: Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise TypeError(f"{value!r} is one name, and a list of names is needed")
    return tuple(value)


@attrs.define(kw_only=True)
class Quirks:
    """Every field may be set at any time; a value it cannot have is a ValueError or TypeError.

    Attributes:
        version: decides what there is: users, and times at which invoices were made, since 8.0, ``GetUsers`` since
            8.1, ``orderby`` of clients since 8.2. That older ones do not tell the times is a guess.
        booleans: ``documented`` mixes them as the API reference does; the others write all of them as true, 1, "1",
            "on" or "true", and false as false, 0, "0", "" or "false".
        ids: ``documented`` has them, and counts, as numbers, and as text after a write.
        money: ``number`` writes amounts and rates as JSON numbers, which the reference calls them, without the
            zeros at their end.
        empty: what stands for a collection without rows: ``nested`` is ``{"client": []}``, except for an invoice's
            transactions, which the reference has as "".
        single_row_as_object: a collection's only row comes without a list around it.
        flat_currencies: keys like ``currencies[currency][0][code]``, as the reference prints them.
        escaped_text: text comes HTML-escaped.
        client_at_top_level: ``GetClientsDetails`` repeats the client's keys beside ``client``, ``status`` among them.
        status_on_errors: errors have ``status`` where ``result`` should be.
        error_status: the HTTP status of errors, which the reference does not give.
        denied_status: the HTTP status of refused credentials, addresses and actions.
        warning_only: creating something answers success with a ``warning`` and no id, and nothing was done.
        extra_warning: every write that succeeds has a ``warning`` about something deprecated, too.
        forbidden_actions: what the credentials' API role does not allow, such as ``GetConfigurationValue``.
        validates_updates: ``UpdateClient`` asks for all required fields, too, unless ``skipvalidation`` is sent; the
            reference only says that this parameter ignores them.
        group_discount_on_lines: the client group's discount is taken off lines sent by ``CreateInvoice``, too.
        max_input_vars: PHP drops the form fields beyond so many, and says nothing; 1000 is its default.
        php_notice: a PHP notice stands before the JSON.
        byte_order_mark: a byte order mark stands before the JSON, as when a PHP file was saved with one.
        refuse_unknown_fields: no quirk of WHMCS's, which ignores them: finds misspelt form fields.
    """

    version: str = attrs.field(default="8.13", validator=validators.matches_re(r"[0-9]+\.[0-9]+"))
    booleans: Booleans = attrs.field(
        default="documented", validator=validators.in_(("documented", "json", "number", "text", "on", "word"))
    )
    ids: Ids = attrs.field(default="documented", validator=validators.in_(("documented", "text", "number")))
    money: Literal["text", "number"] = attrs.field(default="text", validator=validators.in_(("text", "number")))
    empty: Empty = attrs.field(
        default="nested", validator=validators.in_(("nested", "missing", "text", "list", "object"))
    )
    single_row_as_object: bool = attrs.field(default=False, validator=_FLAG)
    flat_currencies: bool = attrs.field(default=False, validator=_FLAG)
    escaped_text: bool = attrs.field(default=False, validator=_FLAG)
    client_at_top_level: bool = attrs.field(default=True, validator=_FLAG)
    status_on_errors: bool = attrs.field(default=False, validator=_FLAG)
    error_status: int = attrs.field(default=200, validator=_whole(200, 599))
    denied_status: int = attrs.field(default=403, validator=_whole(200, 599))
    warning_only: bool = attrs.field(default=False, validator=_FLAG)
    extra_warning: bool = attrs.field(default=False, validator=_FLAG)
    forbidden_actions: tuple[str, ...] = attrs.field(
        default=(),
        converter=_names,
        validator=validators.deep_iterable(validators.instance_of(str)),
    )
    validates_updates: bool = attrs.field(default=False, validator=_FLAG)
    group_discount_on_lines: bool = attrs.field(default=False, validator=_FLAG)
    max_input_vars: int = attrs.field(default=1000, validator=_whole(1, 1_000_000))
    php_notice: bool = attrs.field(default=False, validator=_FLAG)
    byte_order_mark: bool = attrs.field(default=False, validator=_FLAG)
    refuse_unknown_fields: bool = attrs.field(default=False, validator=_FLAG)

    def since(self, major: int, minor: int) -> bool:
        """Whether the install is of this version or a later one."""
        return tuple(int(part) for part in self.version.split(".")) >= (major, minor)

    def forbids(self, action: str) -> bool:
        """Whether the API role does not allow the action."""
        return action.casefold() in {name.casefold() for name in self.forbidden_actions}
