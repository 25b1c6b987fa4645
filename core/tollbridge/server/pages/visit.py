"""One request to a page, and how it may end early."""

from ipaddress import ip_address, ip_network

import attrs
from starlette.requests import Request
from starlette.responses import Response

from tollbridge.server.pages.signing import Session

SESSION_COOKIE = "tollbridge_session"


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
    language: str
    session: Session | None

    @property
    def address(self) -> str:
        """Where it comes from; of an IPv6 address the network, for one customer has all of it."""
        try:
            found = ip_address(self.request.client.host if self.request.client else "")
        except ValueError:
            return "unknown"
        return str(found) if found.version == 4 else str(ip_network((int(found), 64), strict=False))

    @property
    def session_ended(self) -> bool:
        """Whether the browser comes with a session that is none any more."""
        return self.session is None and any(name.endswith(SESSION_COOKIE) for name in self.request.cookies)
