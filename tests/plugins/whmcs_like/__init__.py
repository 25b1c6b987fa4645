"""Talking to the simulated WHMCS as any HTTP client does."""

from typing import Any

import attrs
import httpx

from tollbridge_whmcs_like.sandbox import Install


@attrs.frozen
class Api:
    """The API of a running install, with its credentials."""

    root: str
    install: Install
    http: httpx.Client

    def post(self, data: dict[str, str], **options: Any) -> httpx.Response:
        """Send these fields and nothing else."""
        return self.http.post(f"{self.root}/includes/api.php", data=data, **options)

    def fields(self, action: str, **fields: object) -> dict[str, str]:
        """The fields of a call; a name's double underscore stands for a bracket: ``item__7`` is ``item[7]``."""
        always = {"identifier": self.install.identifier, "secret": self.install.secret, "responsetype": "json"}
        own = {_bracketed(name): str(value) for name, value in fields.items()}
        return {**always, "action": action, **own}

    def __call__(self, action: str, **fields: object) -> dict[str, Any]:
        """Call an action and read its JSON, whatever it says."""
        answer = self.post(self.fields(action, **fields))
        document: dict[str, Any] = answer.json()
        assert answer.status_code == 200, document
        return document

    def refusal(self, action: str, **fields: object) -> str:
        """The message of an action that answers an error."""
        document = self(action, **fields)
        assert document.keys() == {"result", "message"}
        assert document["result"] == "error"
        return str(document["message"])


def _bracketed(name: str) -> str:
    outer, found, inner = name.partition("__")
    return f"{outer}[{inner}]" if found else name
