"""What differs between versions, builds and servers of Blesta, or is not documented."""

from typing import Any, Literal, get_args

import attrs

Booleans = Literal["text", "digit", "number", "json"]
ClientSettings = Literal["values", "objects", "list", "absent"]
SettingsLists = Literal["list", "objects", "values"]
Nesting = Literal["no", "model", "name"]
Credentials = Literal["both", "headers", "basic"]


def _flag(*, default: bool = False) -> Any:
    return attrs.field(default=default, validator=attrs.validators.instance_of(bool))


def _one_of(words: Any) -> Any:
    return attrs.field(default=get_args(words)[0], validator=attrs.validators.in_(get_args(words)))


def _count(_quirks: object, _field: object, count: object) -> None:
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise ValueError(f"{count!r} must be a whole number of at least 1, or None")


@attrs.define
class Quirks:
    """The quirks of one install. All may be changed while it is served; a wrong value is a ValueError or TypeError.

    Attributes:
        errors_with_200: field errors come with HTTP 200 instead of 400.
        nested_errors: as older versions did, the message and errors stand below ``model``, or below the model's name.
        encoded_build: leaving out any optional argument is a 500; the empty text stands for null.
        typed_arrays: the empty text in place of a list is a 500; without it, it stands for no list.
        numbers: ids and decimals are JSON numbers instead of text.
        float_noise: computed amounts are binary fractions that were calculated with, like 110.11000000000001.
        booleans: ``"true"``, ``"1"``, ``1`` or ``true``, in settings.
        client_settings: the settings within a client are ``{key: value}``, ``{key: {"key", "value", "level"}}``,
            a list of such objects, or left out.
        settings_lists: what getSettings answers: a list of such objects, ``{key: {…}}`` or ``{key: value}``.
        lists_without_notes: lists of invoices leave ``note_private`` out.
        without_balance: invoices have neither ``paid`` nor ``due``.
        empty_lists: ``[]`` where there are no rows, instead of ``false``.
        keyed_lists: lists come as objects keyed by id, or by currency code.
        unstable_ties: rows that sort alike come in another order on every second page, as databases may do it.
        open_once_billed: an invoice is open only from its ``date_billed`` on.
        rules_by_place_alone: getTaxRules looks at the client's address, but not whether it is exempt or tax enabled.
        local_timestamps: timestamps without a zone are taken as the company's local time instead of refused.
        unique_emails: a second client with an e-mail address is refused.
        credentials: which are accepted: headers and Basic, or one of them; versions before the headers know Basic
            alone, and PHP as CGI may not see it.
        rewriting: False: addresses need ``index.php/``, and ``/api/`` is the web server's own 404.
        maintenance: every call is a 503.
        max_input_vars: PHP's limit of that name: form fields beyond it are dropped without a word. None: no limit.
    """

    errors_with_200: bool = _flag()
    nested_errors: Nesting = _one_of(Nesting)
    encoded_build: bool = _flag()
    typed_arrays: bool = _flag()
    numbers: bool = _flag()
    float_noise: bool = _flag()
    booleans: Booleans = _one_of(Booleans)
    client_settings: ClientSettings = _one_of(ClientSettings)
    settings_lists: SettingsLists = _one_of(SettingsLists)
    lists_without_notes: bool = _flag()
    without_balance: bool = _flag()
    empty_lists: bool = _flag()
    keyed_lists: bool = _flag()
    unstable_ties: bool = _flag()
    open_once_billed: bool = _flag()
    rules_by_place_alone: bool = _flag()
    local_timestamps: bool = _flag()
    unique_emails: bool = _flag()
    credentials: Credentials = _one_of(Credentials)
    rewriting: bool = _flag(default=True)
    maintenance: bool = _flag()
    max_input_vars: int | None = attrs.field(default=1000, validator=_count)
