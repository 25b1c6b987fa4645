"""HTTP to other systems: what is repeated, what is not, and what is believed."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trustme
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.world import QUICK
from tollbridge.errors import ConfigError, OutcomeUnknown, Refused, TollbridgeError, Unavailable
from tollbridge.http import Answer, Http, Retry, _backoff, _retry_after
from tollbridge.loopback import listen, running
from tollbridge.sandbox import Kind
from tollbridge.secret import hide
from tollbridge.solus.sandbox import Fault, Panel
from tollbridge.solus.sandbox import running as a_panel

ONCE: list[Kind] = ["500", "503", "cut", "lost"]


@attrs.frozen
class Service:
    """A panel whose requests are counted, and a client for it."""

    panel: Panel
    http: Http

    @property
    def asked(self) -> int:
        return len(self.panel.journal.list())


@pytest.fixture
def service() -> Iterator[Service]:
    panel = Panel()
    with a_panel(panel) as url, Http(f"{url}/api/v1", service="Acme", headers=_bearer(panel), retry=QUICK) as http:
        yield Service(panel, http)


def _bearer(panel: Panel) -> dict[str, str]:
    return {"Authorization": f"Bearer {panel.api_token}"}


def _users(service: Service) -> int:
    return len(service.panel.users) - 1


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", [*ONCE, "429"])
def test_what_may_be_repeated_is_repeated_until_it_is_answered(service: Service, kind: Kind, times: int) -> None:
    service.panel.faults.add(Fault(kind, times=times))
    assert service.http.request("GET", "users").ok
    assert service.asked == times + 1


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("500", "answered 500"),
        ("503", "answered 503"),
        ("cut", "did not answer"),
        ("lost", "did not answer"),
        ("429", "asks us to slow down"),
    ],
)
def test_attempts_come_to_an_end_and_say_why(service: Service, kind: Kind, words: str) -> None:
    service.panel.faults.add(Fault(kind, times=None))
    with pytest.raises(Unavailable, match=f"Acme {words}") as caught:
        service.http.request("GET", "users")
    assert not isinstance(caught.value, OutcomeUnknown)
    assert service.asked == QUICK.attempts


@pytest.mark.parametrize("kind", ONCE)
def test_a_post_whose_answer_is_lost_is_sent_once_and_its_outcome_is_unknown(service: Service, kind: Kind) -> None:
    service.panel.faults.add(Fault(kind, "POST"))
    with pytest.raises(OutcomeUnknown, match="Acme was asked and"):
        service.http.request("POST", "users", json={"email": "ada@example.com"})
    assert service.asked == 1
    assert _users(service) == (kind == "lost")


def test_a_post_that_was_turned_away_is_repeated_for_nothing_was_done(service: Service) -> None:
    service.panel.faults.add(Fault("429", "POST"))
    assert service.http.request("POST", "users", json={"email": "ada@example.com"}).status == 201
    assert (service.asked, _users(service)) == (2, 1)


@pytest.mark.parametrize(("method", "repeatable", "asked"), [("POST", True, 2), ("PUT", False, 1), ("PUT", None, 2)])
def test_who_calls_says_what_may_be_repeated(
    service: Service, method: str, repeatable: bool | None, asked: int
) -> None:
    service.panel.faults.add(Fault("cut"))
    try:
        service.http.request(method, "users/1", json={}, repeatable=repeatable)
    except OutcomeUnknown:
        assert asked == 1
    assert service.asked == asked


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_cannot_be_reached_was_never_asked_and_may_be_asked_again(method: str) -> None:
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    listener.close()
    with (
        Http(f"http://127.0.0.1:{port}", service="Acme", retry=Retry(attempts=2, wait_initial=0.01)) as http,
        pytest.raises(Unavailable, match="Acme cannot be reached") as caught,
    ):
        http.request(method, "users")
    assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize("path", ["users/99", "users?x", "nowhere"])
def test_a_refusal_is_an_answer_and_is_not_repeated(service: Service, path: str) -> None:
    answer = service.http.request("GET", path, headers={"Authorization": "Bearer wrong"})
    assert (answer.ok, answer.status in {401, 404}, service.asked) == (False, True, 1)


def test_retry_after_reaches_whoever_gives_up(service: Service) -> None:
    http = Http(str(service.http._client.base_url), service="Acme", headers=_bearer(service.panel), retry=Retry(1))
    service.panel.faults.add(Fault("503", seconds=30))
    service.panel.faults.add(Fault("429", seconds=7))
    service.panel.faults.add(Fault("500"))
    waits = []
    for _ in range(3):
        with pytest.raises(Unavailable) as caught:
            http.request("GET", "users")
        waits.append(caught.value.retry_after)
    http.close()
    assert waits == [30, 7, None]


@pytest.mark.parametrize(
    ("error", "decision"),
    [
        (Unavailable("x"), True),
        (Unavailable("x", retry_after=7.0), 7.0),
        (Unavailable("x", retry_after=9e9), 120.0),
        (Unavailable("x", retry_after=0.0), 0.0),
        (OutcomeUnknown("x"), False),
        (Refused("x"), False),
        (ValueError(), False),
    ],
)
def test_only_the_unavailable_is_asked_again_after_as_long_as_it_wishes_but_not_for_ever(
    error: Exception, decision: bool | float
) -> None:
    assert _backoff(error) == decision
    assert isinstance(_backoff(error), type(decision))


@pytest.mark.parametrize("value", ["Wed, 21 Oct 2015 07:28:00 GMT", "0"])
def test_a_retry_after_in_the_past_is_now(value: str) -> None:
    assert _retry_after(httpx.Response(503, headers={"Retry-After": value})) == 0


@example("Fri, 31 Dec 99999999999 00:00:00 GMT")
@example("Fri, 31 Dec 2026 00:00:00")
@example("9" * 400)
@example("-5")
@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=60))
def test_whatever_retry_after_says_it_is_a_time_to_wait_or_nothing(value: str) -> None:
    wait = _retry_after(httpx.Response(503, headers={"Retry-After": value}))
    assert wait is None or wait >= 0


@pytest.mark.parametrize("location", ["https://elsewhere.example.com/", "/login"])
def test_a_redirect_is_not_followed_and_takes_no_credentials_along(location: str) -> None:
    seen = []

    def moved(request: Request) -> Response:
        seen.append(request.url.path)
        return Response(status_code=302, headers={"Location": location})

    app = Starlette(routes=[Route("/{path:path}", moved)])
    with (
        running(app) as url,
        Http(url, service="Acme", retry=QUICK) as http,
        pytest.raises(Refused, match=f"Acme sends us to {location}: put its final address"),
    ):
        http.request("GET", "users")
    assert seen == ["/users"]


@pytest.mark.parametrize(("content", "words"), [(b" <html>", "an HTML page"), (b"", "something that is not JSON"),
                                                (b"{", "something that is not JSON"), (b"\xff", "not JSON"),
                                                (b"[NaN]", "not JSON"), (b'{"a": -Infinity}', "not JSON"),
                                                (b"[" * 100_000, "not JSON")])  # fmt: skip
def test_what_is_no_json_is_no_answer(content: bytes, words: str) -> None:
    with pytest.raises(Unavailable, match=f"Acme answered 200 with .*{words}: check its address"):
        Answer("Acme", 200, content).json()


@example(b"1e99999999999999999999")
@example(b"9" * 5_000)
@example(b"\xef\xbb\xbf{}")
@given(st.binary() | st.from_regex(rb"-?[0-9]{1,5}(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,25})?", fullmatch=True))
def test_any_body_is_json_without_floats_or_unavailable(content: bytes) -> None:
    try:
        value = Answer("Acme", 200, content).json()
    except Unavailable:
        return
    assert not isinstance(value, float)


@given(st.decimals(-(10**9), 10**9, places=7))
def test_a_price_in_json_keeps_every_digit(price: Decimal) -> None:
    assert Answer("Acme", 200, f'{{"price": {price:f}}}'.encode()).json() == {"price": price}


def test_form_json_and_parameters_are_sent_as_such() -> None:
    seen: list[Any] = []

    async def echo(request: Request) -> Response:
        seen.append((request.method, str(request.url.query), await request.body(), request.headers["accept"]))
        return Response(b"{}")

    app = Starlette(routes=[Route("/base/x", echo, methods=["GET", "POST"])])
    with running(app) as url, Http(f"{url}/base/", service="Acme", retry=QUICK) as http:
        http.request("GET", "x", params={"filter[search]": "a+b&c"})
        http.request("POST", "/x", form={"action": "GetClients"})
        http.request("POST", "x", json={"a": 1})
    assert [(method, query) for method, query, _, _ in seen] == [
        ("GET", "filter%5Bsearch%5D=a%2Bb%26c"), ("POST", ""), ("POST", "")
    ]  # fmt: skip
    assert seen[1][2] == b"action=GetClients"
    assert json.loads(seen[2][2]) == {"a": 1}
    assert {accept for *_, accept in seen} == {"application/json"}


def test_an_error_never_shows_a_secret_that_is_in_the_address() -> None:
    hide("Vx8-key-in-the-path")
    with (
        running(
            Starlette(
                routes=[Route("/x", lambda _: Response(status_code=301, headers={"Location": "/Vx8-key-in-the-path"}))]
            )
        ) as url,
        Http(url, service="Acme", retry=QUICK) as http,
        pytest.raises(TollbridgeError) as caught,
    ):
        http.request("GET", "x")
    assert "Vx8" not in str(caught.value)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority of one's own; beside it the certificate it gave to 127.0.0.1, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "own-ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    return folder / "own-ca.pem"


def _tls(app: Any, certificate: Path) -> Any:
    return running(app, ssl_certfile=certificate.with_name("server.pem"))


HELLO = Starlette(routes=[Route("/x", lambda _: Response(b'"hello"'))])


def test_a_certificate_nobody_vouches_for_is_refused_with_the_key_that_helps(certificate: Path) -> None:
    with _tls(HELLO, certificate) as url, Http(url, service="Acme", retry=QUICK) as http:
        assert url.startswith("http://")
        https = Http(url.replace("http:", "https:"), service="Acme", retry=QUICK)
        with pytest.raises(Refused, match=r"Acme has a certificate that cannot be verified: .* ca_file"):
            https.request("GET", "x")
        https.close()
        with pytest.raises(Unavailable):
            http.request("GET", "x")


def test_ones_own_authority_is_trusted_once_it_is_named(certificate: Path) -> None:
    with (
        _tls(HELLO, certificate) as url,
        Http(url.replace("http:", "https:"), service="Acme", ca_file=certificate, retry=QUICK) as http,
    ):
        assert http.request("GET", "x").json() == "hello"


def test_ones_own_authority_does_not_vouch_for_another_name(certificate: Path) -> None:
    with _tls(HELLO, certificate) as url:
        address = url.replace("http://127.0.0.1", "https://localhost")
        with (
            Http(address, service="Acme", ca_file=certificate, retry=QUICK) as http,
            pytest.raises(Refused, match="cannot be verified"),
        ):
            http.request("GET", "x")


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_ca_file_that_is_none_is_a_mistake_in_the_configuration(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "own-ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"own-ca.pem cannot be used:\n .*ca_file"):
        Http("https://acme.example.com", service="Acme", ca_file=path)


@settings(deadline=None, max_examples=40)
@given(status=st.integers(200, 599), method=st.sampled_from(["GET", "PUT", "DELETE", "POST"]))
def test_every_status_is_an_answer_a_refusal_or_a_reason_to_wait(
    statuses: tuple[dict[str, int], Http], status: int, method: str
) -> None:
    answers, http = statuses
    answers.update(status=status, asked=0)
    try:
        outcome: Any = http.request(method, "x").status
    except TollbridgeError as error:
        outcome = type(error)
    if status == 429:
        expected: tuple[Any, int] = (Unavailable, QUICK.attempts)
    elif status >= 500:
        expected = (OutcomeUnknown, 1) if method == "POST" else (Unavailable, QUICK.attempts)
    else:
        expected = (Refused if 300 <= status < 400 else status, 1)
    assert (outcome, answers["asked"]) == expected


@pytest.fixture(scope="module")
def statuses() -> Iterator[tuple[dict[str, int], Http]]:
    answers = {"status": 200, "asked": 0}

    def answer(_request: Request) -> Response:
        answers["asked"] += 1
        return Response(status_code=answers["status"])

    app = Starlette(routes=[Route("/x", answer, methods=["GET", "PUT", "DELETE", "POST"])])
    with running(app) as url, Http(url, service="Acme", retry=QUICK) as http:
        yield answers, http


def test_a_cookie_of_one_answer_is_not_sent_with_the_next_request() -> None:
    """A billing system that logs a customer in, to check a password, must not take what follows for that customer's."""
    seen: list[str] = []

    async def answer(request: Request) -> Response:
        seen.append(request.headers.get("cookie", ""))
        return Response("{}", headers={"Set-Cookie": "session=adas; Path=/"})

    app = Starlette(routes=[Route("/", answer, methods=["GET", "POST"])])
    with running(app) as url, Http(url, service="Acme") as http:
        http.request("POST", "/")
        http.request("GET", "/")
    assert seen == ["", ""]
