"""One request to a page, and how it may end early."""

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

import attrs
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from tollbridge.server.pages.signatures import Session
from tollbridge.texts.languages import Language

SESSION_COOKIE = "tollbridge_session"


def host_of(address: str) -> str:
    """The host and, if it is not the scheme's own, the port of an address, in lower case; "" if it has none."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return ""
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.hostname or ''}{f':{port}' if port not in {None, usual} else ''}"


def is_foreign(headers: Headers, public_url: str) -> bool:
    """Whether the browser says that another site sent the form."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    here = {host_of(public_url), host_of(f"//{headers.get('host', '')}")} - {""}
    return "origin" in headers and host_of(headers["origin"]) not in here


def address_of(request: Request) -> str:
    """Where a request comes from; of an IPv6 address the network, for one customer has all of it."""
    try:
        given = ip_address(request.client.host if request.client else "")
        found = getattr(given, "ipv4_mapped", None) or given
    except ValueError:
        return "unknown"
    return str(found) if found.version == 4 else str(ip_network((int(found), 64), strict=False))


class Stop(Exception):
    """A request ends here, with this answer."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__()


@attrs.frozen
class Visit:
    """One request to a page: whose browser it is, in which language, and which client is logged in."""

    request: Request
    cookie: str
    language: Language
    session: Session | None

    @property
    def address(self) -> str:
        """Where it comes from, as limits count."""
        return address_of(self.request)

    @property
    def session_ended(self) -> bool:
        """Whether the browser comes with a session that is none any more."""
        return self.session is None and any(name.endswith(SESSION_COOKIE) for name in self.request.cookies)
