"""HTTP to other systems: time-outs, retries, TLS and honest outcomes, in one place for the core and for adapters.

httpx is imported here and nowhere else. TLS is always verified; a certificate authority of one's own can be added.
Redirects are not followed, since they would carry credentials to wherever they point; cookies are not kept, since one
customer's log-in must not colour the next request.
"""

import asyncio
import json
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import formatdate, parsedate_to_datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import attrs
import httpx
import stamina
import structlog
from stamina.instrumentation import set_on_retry_hooks

from tollbridge.errors import ConfigError, OutcomeUnknown, Refused, Unavailable
from tollbridge.secret import redact

Value = TypeVar("Value")

_log = structlog.get_logger("tollbridge.http")
set_on_retry_hooks([])  # the log below says more, in words of ours
_LONGEST_RETRY_AFTER = 120.0
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@attrs.frozen
class Retry:
    """How often, and how patiently, a request that may be repeated is repeated. Times are in seconds."""

    attempts: int = 5
    wait_initial: float = 0.5
    wait_max: float = 20.0


@attrs.frozen
class Answer:
    """What came back: any status below 500 except 429 and redirects, left to the caller to read.

    ``date`` is the other side's own time, if its answer tells it.
    """

    service: str
    status: int
    content: bytes
    date: datetime | None = None

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; fractions come as Decimal, never as float.

        Raises:
            Unavailable: the body is not JSON, as when a log-in page or a proxy's error page came instead.
        """
        try:
            return json.loads(self.content, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, ArithmeticError, RecursionError):
            kind = "an HTML page" if self.content.lstrip()[:1] == b"<" else "something that is not JSON"
            raise Unavailable(f"{self.service} answered {self.status} with {kind}: check its address") from None


def try_connection(url: str, *, service: str, timeout: float = 10.0) -> None:
    """Connect to an address, with TLS if it says so, and send nothing.

    Raises:
        Unavailable: nobody is there, or whoever is cannot prove to be it.
    """
    address = urlsplit(url)
    is_tls, host = address.scheme == "https", address.hostname or ""
    try:
        with socket.create_connection((host, address.port or (443 if is_tls else 80)), timeout) as connection:
            if is_tls:
                _tls(None).wrap_socket(connection, server_hostname=host).close()
    except (OSError, ValueError) as error:
        place = f"{address.scheme}://{address.netloc}"
        raise Unavailable(f"{service} cannot be reached: {place}: {redact(str(error))}") from None


AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


class InProcess(httpx.BaseTransport):
    """An ASGI application in this process as the other side, without a socket: for tests against a sandbox.

    One request after the other in each thread; a connection that the application cuts is an answer that never came.
    """

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Call the application, and wait for its answer."""
        request.read()
        status: list[int] = []
        headers: list[tuple[bytes, bytes]] = []
        content: list[bytes] = []
        unread = [request.content]

        async def receive() -> dict[str, Any]:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
                headers.extend(message["headers"])
            else:
                content.append(message.get("body", b""))

        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(_awaited(self._app(_scope(request), receive, send)))
        except ConnectionResetError:
            raise httpx.RemoteProtocolError("the connection was closed without an answer", request=request) from None
        finally:
            loop.close()
        if not any(name.lower() == b"date" for name, _ in headers):  # a server adds it where the application does not
            headers.append((b"date", formatdate(usegmt=True).encode()))
        return httpx.Response(status[0], headers=headers, content=b"".join(content))


async def _awaited(answering: Awaitable[None]) -> None:
    await answering


def _scope(request: httpx.Request) -> dict[str, Any]:
    raw_path, _, query = request.url.raw_path.partition(b"?")
    headers: Iterable[tuple[bytes, bytes]] = request.headers.raw
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in headers],
        "client": ("127.0.0.1", 1),
        "server": (request.url.host, request.url.port),
    }


class Http:
    """Requests to one service below one base address; safe to use from several threads."""

    def __init__(
        self,
        base_url: str,
        *,
        service: str,
        headers: Mapping[str, str] | None = None,
        ca_file: Path | None = None,
        timeout: float = 35.0,
        retry: Retry | None = None,
        transport: InProcess | None = None,
        readable: Callable[[Answer], bool] = lambda _answer: False,
    ) -> None:
        """Connect to nobody yet; the first request does.

        Args:
            base_url: every request goes below it.
            service: the other side's name, in errors.
            headers: sent with every request.
            ca_file: certificates of an authority of one's own, beside the usual ones.
            timeout: seconds for an answer.
            retry: how patiently a request is repeated.
            transport: an application in this process to talk to instead, without a socket.
            readable: whether the caller can read an answer of 500 and above; it is then returned.
        """
        self.service = service
        address = httpx.URL(base_url)
        self._address = f"{address.scheme}://{address.netloc.decode()}"  # without whatever else stands in it
        self._readable = readable
        self._retry = retry or Retry()
        self._client = httpx.Client(
            base_url=base_url.rstrip("/") + "/",
            headers={"Accept": "application/json", "User-Agent": "tollbridge", **(headers or {})},
            timeout=httpx.Timeout(timeout, connect=10.0),
            verify=_tls(ca_file) if transport is None else False,  # nothing leaves this process then
            transport=transport,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    def close(self) -> None:
        """Close the connections kept for re-use."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> Answer:
        """Send one request, again if need be, and return its answer.

        ``repeatable`` says whether doing it twice is the same as doing it once; by default all but POST. What may not
        be repeated is sent once, except after an answer (429) or a failure to connect that proves nothing was done.

        Raises:
            Unavailable: no connection, 5xx or 429 to the end of all attempts.
            Refused: a redirect, or a certificate that cannot be verified.
            OutcomeUnknown: a request that may not be repeated was sent, and it is not known what came of it.
        """
        may_repeat = method != "POST" if repeatable is None else repeatable
        request = self._client.build_request(method, path, params=params, json=json, data=form, headers=headers)
        return self._patiently(lambda: self._answer(self._sent(request, may_repeat=may_repeat), may_repeat=may_repeat))

    def post(self, path: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """Post a body just as it is, by the rules of a request that may not be repeated; errors of :meth:`request`."""
        request = self._client.build_request("POST", path, content=content, headers=headers)
        return self._patiently(lambda: self._answer(self._sent(request, may_repeat=False), may_repeat=False))

    def look(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """Ask for something, and take whatever is answered, redirects and failures, too.

        Raises:
            Unavailable: no answer came, however often it was asked.
            Refused: a certificate that cannot be verified.
        """
        request = self._client.build_request("GET", path, params=params)
        response = self._patiently(lambda: self._sent(request, may_repeat=True))
        return Answer(self.service, response.status_code, response.content, _date(response))

    def _patiently(self, ask: Callable[[], Value]) -> Value:
        """What ``ask`` returns, tried again as long as it is worth it."""
        for attempt in stamina.retry_context(
            on=_backoff,
            attempts=self._retry.attempts,
            timeout=None,
            wait_initial=self._retry.wait_initial,
            wait_max=self._retry.wait_max,
            wait_jitter=self._retry.wait_initial,
        ):
            with attempt:
                return ask()
        raise AssertionError("stamina either returns or raises")

    def _sent(self, request: httpx.Request, *, may_repeat: bool) -> httpx.Response:
        try:
            response = self._client.send(request)
        except _NEVER_SENT as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise Refused(
                    f"{self.service} has a certificate that cannot be verified: give its authority in ca_file"
                ) from None
            raise Unavailable(f"{self.service} cannot be reached: {self._address}: {_reason(error)}") from None
        except httpx.HTTPError as error:
            if may_repeat:
                raise Unavailable(f"{self.service} did not answer: {_reason(error)}") from None
            raise OutcomeUnknown(f"{self.service} was asked and did not answer: {_reason(error)}") from None
        _log.debug(
            "request", service=self.service, method=request.method, path=request.url.path, status=response.status_code
        )
        return response

    def _answer(self, response: httpx.Response, *, may_repeat: bool) -> Answer:
        status, wait = response.status_code, _retry_after(response)
        answer = Answer(self.service, status, response.content, _date(response))
        if status == 429:
            raise Unavailable(f"{self.service} asks us to slow down (429)", retry_after=wait)
        if status >= 500 and not self._readable(answer):
            if may_repeat:
                raise Unavailable(f"{self.service} answered {status}", retry_after=wait)
            raise OutcomeUnknown(f"{self.service} was asked and answered {status}")
        if 300 <= status < 400:
            place = redact(response.headers.get("location", "elsewhere"))
            raise Refused(f"{self.service} sends us to {place}: put its final address into bridge.toml")
        return answer


def _backoff(error: Exception) -> bool | float:
    """Whether to try again, and after how many seconds if the other side named them."""
    if not isinstance(error, Unavailable) or isinstance(error, OutcomeUnknown):
        return False
    return True if error.retry_after is None else min(error.retry_after, _LONGEST_RETRY_AFTER)


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds of a ``Retry-After`` header, which is a number or a date."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _date(response: httpx.Response) -> datetime | None:
    """The time of a ``Date`` header, which is always in UTC."""
    try:
        found = parsedate_to_datetime(response.headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


@cache
def _tls(ca_file: Path | None) -> ssl.SSLContext:
    """One for all connections of this process that trust the same: reading every authority takes its time."""
    context = httpx.create_ssl_context()
    if ca_file is None:
        return context
    try:
        context.load_verify_locations(cafile=ca_file)
    except OSError as error:
        problem = f"it cannot be read as the certificates of an authority (ca_file): {error.strerror or error}"
        raise ConfigError(str(ca_file), [problem]) from None
    return context


def _reason(error: httpx.HTTPError) -> str:
    return redact(str(error)) or type(error).__name__
