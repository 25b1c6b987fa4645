"""Ubersmith's API 2.0: one address with the method in it, and every answer in one envelope.

Ubersmith's "API 2.0 Documentation", and what ``uber.method_get`` says of versions 4.6.1 and 5.0.3. Everything goes by
POST, which keeps arguments out of addresses and logs of addresses.
"""

import re
import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NoReturn

from tollbridge import OutcomeUnknown, Refused, Unavailable
from tollbridge.asking import Freshness, Kept
from tollbridge.http import Answer, Http, Retry
from tollbridge.reading import Row, records, text
from tollbridge_ubersmith.settings import UbersmithSettings

_WALKS = 5
_PAGE = 500
_PASSING_SECONDS = 2.0
WRONG_LOGIN = "3"
_YES = {"true", "1"}
_NO = {"false", "0"}
_HOUR = Freshness(seconds=3600.0)
# By what the rows of a list are told apart, and the list is sorted; the first one that a row has.
_IDS = {
    "client.list": ("clientid",),
    "client.contact_list": ("contact_id",),
    "client.invoice_list": ("invid",),
    "client.service_list": ("packid",),
    "client.tax_exemption_list": ("tax_exemption_id", "exemption_id", "id"),
    "uber.tax_rate_list": ("tax_id", "id"),
}
_ORDERS = {
    "client.list": "client_id",
    "client.invoice_list": "invid",
    "client.service_list": "packid",
    "uber.tax_rate_list": "tax_id",
}
# Codes say next to nothing. Words count only if they name what there is none of: a resource of the permissions, or a
# method, that is not found is no empty list.
_THINGS = r"(?:clients?|contacts?|services?|packs?|invoices?|(?:tax )?exemptions?|tax rates?|custom fields?|users?)"
_NONE = re.compile(
    rf"\b(?:{_THINGS}\b[^.,;]{{0,40}}\b(?:not found|does(?: not|n't) exist)|no (?:such |matching |active )?(?:{_THINGS}"
    rf"|records?|results?|rows?)\b|invalid {_THINGS}(?:[ _]id)?\b)",
    re.IGNORECASE,
)
_NO_METHOD = re.compile(r"\bmethod\b", re.IGNORECASE)
_TOKEN_PAGE = re.compile(rb"\A\s*<.*<title>\s*updating token", re.IGNORECASE | re.DOTALL)
_LOGIN = re.compile(r"log[- ]?in|password|token", re.IGNORECASE)
_DENIED = re.compile(
    r"permission|denied|not allowed|not authori[sz]ed|unauthori[sz]ed|privilege|forbidden", re.IGNORECASE
)


class Declined(Refused):
    """Ubersmith understood, and said no.

    Attributes:
        code: its ``error_code``, as text; 1 stands for almost anything, 3 for a wrong password.
        said: its own words.
    """

    def __init__(self, method: str, code: str, said: str) -> None:
        self.code = code
        self.said = said
        super().__init__(f"Ubersmith refused {method}: {said or f'error {code or 0}'}")

    @property
    def is_denied(self) -> bool:
        """Whether the user lacks a permission."""
        return _DENIED.search(self.said) is not None

    @property
    def is_none(self) -> bool:
        """Whether it says that there is no such thing."""
        return not self.is_denied and _NONE.search(self.said) is not None

    @property
    def is_unknown_method(self) -> bool:
        """Whether it says that this version has no such method."""
        return not self.is_denied and not self.is_none and _NO_METHOD.search(self.said) is not None


class Api:
    """Calls of one Ubersmith, safe to make from several threads."""

    def __init__(self, settings: UbersmithSettings, retry: Retry | None = None) -> None:
        self._retry = retry or Retry()
        self._lock = threading.Lock()
        self._parameters: dict[str, Kept[frozenset[str] | None]] = {}
        credentials = b64encode(f"{settings.user}:{settings.token.reveal()}".encode()).decode()
        self.http = Http(
            f"{settings.url.rstrip('/')}/api/2.0",
            service="Ubersmith",
            headers={"Authorization": f"Basic {credentials}"},
            ca_file=settings.ca_file,
            retry=self._retry,
            readable=_is_passing,
        )

    def read(self, method: str, **arguments: Any) -> Any:
        """``data`` of a method that changes nothing; arguments that are None are left out.

        Raises:
            Declined: Ubersmith said no, in its own words.
            Refused: it does not let us in.
            Unavailable: it cannot be reached, or its answer cannot be read.
        """
        return _data(self._send(method, arguments, repeatable=True), method)

    def write(self, method: str, **arguments: Any) -> Any:
        """``data`` of a method that changes something; it is done once.

        Raises:
            Refused: Ubersmith said that it did nothing.
            OutcomeUnknown: there is no answer, or none that can be read.
        """
        answer = self._send(method, arguments, repeatable=False)
        try:
            return _data(answer, method)
        except Unavailable as error:
            raise OutcomeUnknown(f"Ubersmith was sent {method}, and {error}") from None

    def every(self, method: str, **arguments: Any) -> list[Row]:
        """All rows of a list that does not say how many it has, read again if they changed meanwhile.

        Raises:
            Declined: Ubersmith said no.
            Unavailable: they would not hold still.
        """
        for _ in range(_WALKS):
            found = self._walked(method, arguments)
            if found is not None:
                return list(found.values())
        raise Unavailable(
            f"Ubersmith's answers to {method} did not add up {_WALKS} times in a row, so nothing is done with them"
        )

    def _walked(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Row] | None:
        """The rows by their ids; each page begins with the last row of the one before, or something has changed."""
        found: dict[str, Row] = {}
        while True:
            overlap = 1 if found else 0
            page = self._page(method, arguments, len(found) - overlap)
            if len(page.keys() & found.keys()) != overlap:
                return None
            if len(page) == overlap:
                is_end = not found or not self._page(method, arguments, len(found))
                return found if is_end else None
            found |= page

    def _page(self, method: str, arguments: Mapping[str, Any], offset: int) -> dict[str, Row]:
        where = {"order_by": _ORDERS.get(method), "direction": "asc", "offset": offset, "limit": _PAGE}
        try:
            data = self.read(method, **arguments, **where)
        except Declined as error:
            if not error.is_none:
                raise
            return {}
        rows = records(data)
        keys = list(data) if isinstance(data, dict) and len(data) == len(rows) else [""] * len(rows)
        return {_identity(method, key, row): row for key, row in zip(keys, rows, strict=True)}

    def has(self, method: str) -> bool:
        """Whether this version has the method; ``uber.method_get`` is asked once an hour."""
        return self._known(method) is not None

    def takes(self, method: str, parameter: str) -> bool:
        """Whether this version's method has the parameter."""
        return parameter in (self._known(method) or ())

    def named(self, method: str, *names: str) -> str:
        """The one of several names that a parameter has in this version.

        Raises:
            Refused: it has another one.
        """
        found = next((name for name in names if self.takes(method, name)), None)
        if found is None:
            raise Refused(f"Ubersmith's {method} takes none of {', '.join(names)}: this version is not known here")
        return found

    def _known(self, method: str) -> frozenset[str] | None:
        with self._lock:
            kept = self._parameters.setdefault(method, Kept(lambda: self._asked(method), _HOUR))
        return kept.get()

    def _asked(self, method: str) -> frozenset[str] | None:
        try:
            answer = self.read("uber.method_get", method_name=method)
        except Declined as error:
            if error.is_none or error.is_unknown_method:
                return None
            raise
        params = records(answer.get("params")) if isinstance(answer, dict) else []
        return frozenset(text(row, "param") for row in params)

    def _send(self, method: str, arguments: Mapping[str, Any], *, repeatable: bool) -> Answer:
        """The answer; one that says that nothing was done for now is waited out, whatever the method does."""
        form = _nested(arguments)
        for tried in range(self._retry.attempts):
            if tried:
                time.sleep(min(_PASSING_SECONDS, self._retry.wait_max))
            answer = self.http.request("POST", "", params={"method": method}, form=form, repeatable=repeatable)
            if not _is_passing(answer):
                return answer
        raise Unavailable(f"Ubersmith did nothing about {method}: it renews its token, or is down for maintenance")


def _is_passing(answer: Answer) -> bool:
    """Whether the answer says that nothing was done, and to come again.

    It is a page titled "Updating Token", which wants some two seconds, or an error that speaks of maintenance. A web
    server's page may speak of it, too, as Apache's of every 503 does, also if PHP was cut off in the middle of a call:
    that proves nothing.
    """
    if _TOKEN_PAGE.search(answer.content):
        return True
    if answer.content.lstrip()[:1] == b"<" or b"maintenance" not in answer.content.lower():
        return False
    try:
        document = answer.json()
    except Unavailable:
        return False
    is_no = isinstance(document, dict) and str(document.get("status")).lower() in _NO
    return is_no and "maintenance" in text(document, "error_message").lower()


def _data(answer: Answer, method: str) -> Any:
    """``data`` of an answer whose ``status`` is true; errors come with HTTP 200, too."""
    if answer.status == 401:
        raise Refused("Ubersmith does not let us in (401): look at user and token")
    if answer.status == 403:
        raise Refused(f"Ubersmith does not let us call {method} (403): look at user and its permissions")
    document = answer.json()
    status = str(document.get("status")).lower() if isinstance(document, dict) else ""
    if status in _NO:
        _refuse(method, text(document, "error_code"), text(document, "error_message"))
    if status not in _YES or not answer.ok:
        raise Unavailable(f"Ubersmith answered {method} with {answer.status} and no status: check its address")
    if "data" not in document:
        raise Unavailable(f"Ubersmith's answer to {method} has no data in it")
    return document["data"]


def _refuse(method: str, code: str, said: str) -> NoReturn:
    if code == WRONG_LOGIN and method != "uber.check_login" and _LOGIN.search(said):
        raise Refused(f"Ubersmith does not let us in ({said}): look at user and token")
    raise Declined(method, code, said)


def _identity(method: str, key: str, row: Row) -> str:
    found = next((text(row, name) for name in _IDS[method] if text(row, name)), key)
    if not found:
        raise Unavailable(f"Ubersmith's answer to {method} has a row without its id")
    return found


def _nested(arguments: Mapping[str, Any], name: str = "") -> dict[str, Any]:
    """Arguments as PHP takes them in a form: ``include_packs[12]=1``; what is None is left out."""
    flat: dict[str, Any] = {}
    for key, value in arguments.items():
        path = f"{name}[{key}]" if name else str(key)
        if isinstance(value, list | tuple):
            value = dict(enumerate(value))  # noqa: PLW2901 - PHP's arrays are both
        if isinstance(value, Mapping):
            flat |= _nested(value, path)
        elif value is not None:
            flat[path] = int(value) if isinstance(value, bool) else value
    return flat
