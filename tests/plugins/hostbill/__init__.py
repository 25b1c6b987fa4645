"""What the tests of the sandbox share: a caller who knows nothing but HostBill's documents."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import httpx

from tests.plugins import TLS
from tollbridge_hostbill.sandbox import Install, running


@attrs.frozen
class Api:
    """An install, and its API over HTTP."""

    install: Install
    url: str
    http: httpx.Client

    def post(self, data: dict[str, str]) -> httpx.Response:
        """Send these fields and nothing else."""
        return self.http.post("/admin/api.php", data=data)

    def fields(self, call: str, **fields: object) -> dict[str, str]:
        """The fields of a call; a name's double underscore stands for a bracket: ``filter__email``."""
        own = {_bracketed(name): str(value) for name, value in fields.items()}
        return {"api_id": self.install.api_id, "api_key": self.install.api_key, "call": call, **own}

    def __call__(self, call: str, **fields: object) -> dict[str, Any]:
        """Make a call and read its JSON, whatever it says."""
        document: dict[str, Any] = self.post(self.fields(call, **fields)).json()
        return document

    def refusal(self, call: str, **fields: object) -> str:
        """The words of a call that is answered with a no."""
        document = self(call, **fields)
        assert document["success"] is False
        [said] = document["error"]
        return str(said)


def _bracketed(name: str) -> str:
    outer, found, inner = name.partition("__")
    return f"{outer}[{inner}]" if found else name


@contextmanager
def served(install: Install) -> Iterator[Api]:
    """The install over HTTP."""
    with running(install) as url, httpx.Client(verify=TLS, base_url=url) as http:
        yield Api(install, url, http)
