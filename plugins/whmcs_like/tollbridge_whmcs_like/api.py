"""The classic API: one POST per call, credentials in its body, and success only where the answer proves it.

WHMCS's API reference: getting started, authentication, access control and response types. What it does not say is
taken in every form that has been seen.
"""

import json
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from tollbridge import NotFound, OutcomeUnknown, Refused, Unavailable
from tollbridge.http import Answer, Http, Retry
from tollbridge.reading import Row, records, text, whole
from tollbridge_whmcs_like.settings import WhmcsSettings

PAGE = 100
_WALKS = 5
_ABSENT = re.compile(r"(client|user|invoice)( id)? not found\.?", re.IGNORECASE)
_DENIED = re.compile(
    r"authentication failed|invalid ip|access key|access denied|invalid permissions|not allowed", re.IGNORECASE
)


class Denied(Refused):
    """The credentials may not call an action, or nothing at all."""


class Api:
    """Calls of one WHMCS, safe to make from several threads."""

    def __init__(self, settings: WhmcsSettings, retry: Retry | None = None) -> None:
        root = settings.url.rstrip("/")
        self.http = Http(f"{root}/includes", service="WHMCS", ca_file=settings.ca_file, retry=retry, readable=_is_a_no)
        self._credentials = {
            "identifier": settings.identifier.reveal(),
            "secret": settings.secret.reveal(),
            "responsetype": "json",
        }
        if settings.access_key:
            self._credentials["accesskey"] = settings.access_key.reveal()

    def read(self, action: str, **fields: Any) -> dict[str, Any]:
        """A call that changes nothing, repeated if need be.

        Raises:
            NotFound: there is no such client or invoice.
            Refused: WHMCS said no, in its own words.
            Unavailable: it cannot be reached, or its answer cannot be read.
        """
        return _document(self._post(action, fields, repeatable=True), action)

    def write(self, action: str, proof: str, **fields: Any) -> dict[str, Any]:
        """A call that changes something, sent once; ``proof`` is the key that comes back only if it was done.

        Raises:
            Refused, NotFound: WHMCS said that it did nothing.
            OutcomeUnknown: there is no answer, or none that says what was done.
        """
        answer = self._post(action, fields, repeatable=False)
        if answer.status >= 500:
            raise OutcomeUnknown(f"WHMCS was sent {action} and answered {answer.status}")
        try:
            document = _document(answer, action)
        except OutcomeUnknown:
            raise
        except Unavailable as error:
            raise OutcomeUnknown(f"WHMCS was sent {action}, and {error}") from None
        if not text(document, proof):
            said = text(document, "warning") or text(document, "message") or "no reason"
            raise OutcomeUnknown(f"WHMCS answered {action} without {proof}: {said}")
        return document

    def every(
        self, action: str, outer: str, inner: str, *, until: Callable[[Row], bool] | None = None, **fields: Any
    ) -> list[dict[str, Any]]:
        """All rows of a list, each once, read again from the beginning if it changed on the way.

        Of a list by falling id no further pages are read after one whose last row is ``until`` where to stop.

        Raises:
            Unavailable: it would not hold still, or the answers do not add up.
        """
        for _ in range(_WALKS):
            found = self._walk(action, outer, inner, fields, until)
            if found is not None:
                return found
        raise Unavailable(f"WHMCS's list of {outer} did not add up {_WALKS} times in a row, so nothing is done with it")

    def _walk(
        self, action: str, outer: str, inner: str, fields: Mapping[str, Any], until: Callable[[Row], bool] | None
    ) -> list[dict[str, Any]] | None:
        found: dict[int, dict[str, Any]] = {}
        total = None
        read = 0
        while total is None or read < total:
            page = self.read(action, limitstart=read, limitnum=PAGE, **fields)
            before, total = total, _total(page, action)
            rows = records(page.get(outer), inner)
            read += len(rows)
            for row in rows:
                found[whole(row, "id", f"a row of {action}")] = row
            if before not in {None, total} or len(found) != read or (not rows and read < total):
                return None
            if until and rows and until(rows[-1]) and all(later > earlier for later, earlier in pairwise(found)):
                return list(found.values())
        return list(found.values()) if read == total else None

    def _post(self, action: str, fields: Mapping[str, Any], *, repeatable: bool) -> Answer:
        form = {"action": action, **self._credentials, **fields}
        return self.http.request("POST", "api.php", form=form, repeatable=repeatable)


def _is_a_no(answer: Answer) -> bool:
    """Whether a 5xx says in WHMCS's own form that it failed: then asking again does not help."""
    try:
        document = json.loads(answer.content)
    except ValueError:
        return False
    return isinstance(document, dict) and "error" in {document.get("result"), document.get("status")}


def _total(page: Row, action: str) -> int:
    try:
        return whole(page, "totalresults", action)
    except Refused:
        raise Unavailable(f"WHMCS's answer to {action} does not say how many rows there are") from None


def _document(answer: Answer, action: str) -> dict[str, Any]:
    """The answer, if it is not an error. Errors come as ``result`` or ``status``, and with any HTTP status."""
    document = answer.json()
    if not isinstance(document, dict):
        raise Unavailable(f"WHMCS answered {action} with JSON that is not an object")
    said = text(document, "message")
    failed = "error" in {text(document, "result").lower(), text(document, "status").lower()}
    if not failed and answer.ok:
        return document
    if answer.status in {401, 403} or _DENIED.search(said):
        raise Denied(
            f"WHMCS does not let us call {action}: {said or answer.status} (look at identifier and secret, the API"
            f" role's permissions, and the address allow-list, which access_key passes)"
        )
    if _ABSENT.fullmatch(said):
        raise NotFound(f"WHMCS: {said}")
    raise Refused(f"WHMCS refused {action}: {said or f'HTTP {answer.status} without a reason'}")
