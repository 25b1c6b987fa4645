"""What a sender may make the server keep, or wait for, without a proxy before it."""

import socket
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.server.asking import raw
from tollbridge.loopback import running
from tollbridge.server import connection

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"Connection: close\r\n\r\n"


async def echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
def url() -> Iterator[str]:
    app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"])])
    with running(app, http=connection.Connection, timeout_keep_alive=60) as url:
        yield url


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_HEAD_SECONDS", 0.05)


def address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


def status(answer: bytes) -> int:
    return int(answer.split()[1])


def test_a_request_with_headers_of_a_usual_size_is_answered(url: str) -> None:
    assert status(raw(url, GET + b"Cookie: " + b"x" * 16_000 + b"\r\n" + LAST)) == 200


@pytest.mark.parametrize(
    "headers",
    [b"Cookie: " + b"x" * 40_000 + b"\r\n", b"".join(b"X-%d: y\r\n" % number for number in range(8_000))],
    ids=["one", "many"],
)
def test_headers_larger_than_32_kib_are_refused(url: str, headers: bytes) -> None:
    assert status(raw(url, GET + headers + LAST)) == 431


def test_so_is_an_address_larger_than_that(url: str) -> None:
    assert status(raw(url, b"GET /?" + b"x" * 40_000 + b" HTTP/1.1\r\n" + LAST)) == 431


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (GET, b"X-More: " + b"y" * 1000 + b"\r\n"),
        (GET + b"X: ", b"x" * 1000),
        (b"", b"\r\n" * 500),
        (POST + b"1\r\nx\r\n0\r\n", b"X-More: y\r\n" * 100),
        (POST + b"1;", b"x" * 1000),
    ],
    ids=["headers", "one header", "empty lines", "trailers", "one line of a body"],
)
def test_what_has_no_end_is_read_no_further(url: str, start: bytes, piece: bytes) -> None:
    """Whoever goes on sending finds the connection ended, long before what it sends amounts to anything."""
    with socket.create_connection(address(url), timeout=30) as sender:
        sender.sendall(start)
        with pytest.raises(OSError):  # noqa: PT011 - a reset or a broken pipe
            sender.sendall(piece * 100_000)


def test_a_body_may_be_as_large_as_the_application_takes_it(url: str) -> None:
    sent = b"".join(b"%x\r\n%s\r\n" % (50_000, b"x" * 50_000) for _ in range(4))
    assert raw(url, POST.replace(b"Host", b"Connection: close\r\nHost") + sent + b"0\r\n\r\n").endswith(b"200000")


@pytest.mark.parametrize("half", [b"", b"GET", GET, b"\r\n"], ids=["nothing", "a word", "a line", "an empty line"])
def test_half_a_head_does_not_keep_a_connection_for_ever(url: str, impatient: None, half: bytes) -> None:
    assert raw(url, half) == b""


@pytest.mark.parametrize("half", [b"GET", b"\r\n"], ids=["a word", "an empty line"])
def test_nor_does_half_a_head_that_follows_a_request(url: str, impatient: None, half: bytes) -> None:
    with socket.create_connection(address(url), timeout=30) as sender:
        sender.sendall(GET + b"\r\n")
        answer = sender.recv(65536)
        assert status(answer) == 200
        sender.sendall(half)
        while sender.recv(65536):
            pass


def test_one_connection_takes_several_requests(url: str) -> None:
    assert raw(url, (GET + b"\r\n") * 2 + GET + LAST).count(b"200 OK") == 3
