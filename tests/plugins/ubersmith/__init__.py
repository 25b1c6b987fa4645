"""What the tests of Ubersmith share: a caller of the sandbox who knows nothing but Ubersmith's documentation."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import httpx

from tests.plugins import TLS
from tollbridge_ubersmith.sandbox import Install, running


@attrs.frozen
class Api:
    """An install, and its API over HTTP."""

    install: Install
    http: httpx.Client

    def call(self, method: str, /, **fields: Any) -> httpx.Response:
        """All of an answer; the names of fields are as they are sent, brackets and all."""
        return self.http.post("/api/2.0/", params={"method": method}, data=fields)

    def get(self, method: str, /, **fields: Any) -> Any:
        """The data of an answer that says yes."""
        answer = self.call(method, **fields)
        assert answer.status_code == 200, answer.text
        document = answer.json()
        assert (document["status"], document["error_code"]) == (True, None), document
        return document["data"]

    def refused(self, method: str, /, **fields: Any) -> str:
        """The words of an answer that says no."""
        document = self.call(method, **fields).json()
        assert document["status"] is False, document
        return str(document["error_message"])


@contextmanager
def served(install: Install) -> Iterator[Api]:
    """The install over HTTP."""
    with (
        running(install) as url,
        httpx.Client(verify=TLS, base_url=url, auth=(install.user, install.token)) as http,
    ):
        yield Api(install, http)
