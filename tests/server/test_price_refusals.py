"""Who is refused a price, and how."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.server.asking import ADDRESS, ask, counting, endpoint, form, metric, raw
from tests.world import World
from tollbridge.server import forms

URLENCODED = {"content-type": "application/x-www-form-urlencoded"}
GOOD = b"action=GetTokenPricing&userid=1042&token=bridge-token"


@pytest.fixture
def url(world: World) -> Iterator[str]:
    """An endpoint that knows client 1042."""
    world.add_client(1042)
    with endpoint(world) as found:
        yield found


def refused(answer: httpx.Response, status: int, *words: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert document.keys() == {"result", "message"}
    assert document["result"] == "error"
    for word in words:
        assert word in document["message"]


def post(url: str, body: bytes, **headers: str) -> httpx.Response:
    return httpx.post(url + ADDRESS, content=body, headers={**URLENCODED, **headers})


@pytest.mark.parametrize(
    "userid",
    [
        "",
        "abc",
        "-1",
        "1e3",
        "٣",
        "१०४२",
        " 1042 ",
        "1042 ",
        "+1042",
        "1042.0",
        "0x412",
        "1_042",
        "1042\x00",
        "9" * 19,
        "1042,1043",
    ],
)
def test_a_user_id_that_is_no_plain_whole_number_is_refused(url: str, userid: str) -> None:
    refused(ask(url, userid), 400, "userid")


def test_a_missing_user_id_is_refused(url: str) -> None:
    refused(post(url, b"action=GetTokenPricing&token=bridge-token"), 400, "userid is missing")


def test_leading_zeros_name_the_same_client(url: str) -> None:
    assert ask(url, "0001042").content == ask(url, 1042).content


@pytest.mark.parametrize("action", ["", "gettokenpricing", "GetTokenPricing ", "DeleteClient"])
def test_any_other_action_is_refused(url: str, action: str) -> None:
    refused(ask(url, action=action), 400, "action")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"just words",
        b"action=GetTokenPricing&userid=1042&token=%ff%fe",
        "action=GetTokenPricing&userid=1042&token=bridge-tökén".encode(),
        b"&".join(b"f%d=1" % number for number in range(30)) + b"&" + GOOD,
    ],
    ids=["empty", "no pairs", "not UTF-8", "not ASCII", "too many fields"],
)
def test_a_form_that_cannot_be_read_is_no_price(url: str, body: bytes) -> None:
    answer = post(url, body)
    assert answer.status_code in ({401} if not body else {400})
    assert answer.json()["result"] == "error"


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/xml", "multipart/mixed; boundary=x"])
def test_another_content_type_is_refused(url: str, kind: str) -> None:
    refused(post(url, GOOD, **{"content-type": kind}), 400, "form")


def test_a_form_without_a_content_type_is_read_as_a_form(url: str) -> None:
    request = b"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
    assert raw(url, request % (ADDRESS.encode(), len(GOOD), GOOD)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "token", ["", "wrong", "bridge-token ", "Bridge-Token", "bridge-toke", "bridge-token\x00", "ключ"]
)
def test_a_wrong_token_is_refused(url: str, token: str) -> None:
    refused(ask(url, token=token), 401, "token")


def test_a_missing_token_is_refused(url: str) -> None:
    refused(post(url, b"action=GetTokenPricing&userid=1042"), 401, "token")


def test_of_two_tokens_the_last_counts_wherever_the_right_one_stands(url: str) -> None:
    refused(post(url, GOOD + b"&token=wrong"), 401)
    assert post(url, b"token=wrong&" + GOOD).status_code == 200


def test_a_stranger_learns_nothing_but_that_the_token_is_wrong(url: str) -> None:
    """The token is looked at before anything that could tell which clients or actions there are."""
    answers = [ask(url, 1042, token="x"), ask(url, 9999, token="x"), ask(url, "no", token="x", action="none")]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


def test_an_unknown_client_is_not_found(url: str) -> None:
    refused(ask(url, 7), 404, "7")
    refused(ask(url, "0"), 404, "0")
    refused(ask(url, "9" * 18), 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_post_is_taken(url: str, method: str) -> None:
    answer = httpx.request(method, url + ADDRESS, params=form())
    refused(answer, 405, "POST")
    assert answer.headers["allow"] == "POST"


def test_a_body_declared_too_long_is_refused_before_it_is_sent(url: str) -> None:
    request = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"
    answer = raw(url, request % ADDRESS.encode())
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'{"result":"error"' in answer


def test_a_body_that_grows_too_long_is_refused_while_it_comes(url: str) -> None:
    def endless() -> Iterator[bytes]:
        yield GOOD
        for _ in range(40):
            yield b"&note=" + b"x" * 1000

    refused(post_stream(url, endless()), 413, "16 KiB")


def post_stream(url: str, chunks: Iterator[bytes]) -> httpx.Response:
    return httpx.post(url + ADDRESS, content=chunks, headers=URLENCODED)


def test_sixteen_kibibytes_are_read_and_one_byte_more_is_not(url: str) -> None:
    padding = b"&note=" + b"x" * (16 * 1024 - len(GOOD) - 6)
    assert post(url, GOOD + padding).status_code == 200
    refused(post(url, GOOD + padding + b"x"), 413)


def test_a_body_that_never_ends_is_not_waited_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "_BODY_SECONDS", 0.05)
    request = b"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 200\r\n\r\naction=Get"
    answer = raw(url, request % ADDRESS.encode())
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"in time" in answer


def test_a_caller_that_hangs_up_half_way_disturbs_nobody(url: str) -> None:
    parts = urlsplit(url)
    for _ in range(20):
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
            connection.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\naction=" % ADDRESS.encode())
    assert ask(url).status_code == 200
    assert metric(url, "tollbridge_price_lookups_total", status="200") == 1


def test_line_breaks_in_a_field_never_reach_the_headers(url: str) -> None:
    answer = ask(url, "1\r\nX-Evil: yes")
    refused(answer, 400)
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("charset", ["unicode_escape", "raw_unicode_escape", "utf-7", "rot13", "idna", "no-such\x00"])
def test_a_multipart_form_in_a_strange_charset_is_refused_and_breaks_nothing(url: str, charset: str) -> None:
    body = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {**form(), "token": r"\ud800+2AA-"}.items()
    )
    answer = raw(
        url,
        f"POST {ADDRESS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body) + 7}\r\n"
        f"Content-Type: multipart/form-data; charset={charset}; boundary=b\r\n\r\n{body}--b--\r\n".encode(),
    )
    assert answer[9:12] in {b"400", b"401"}


@pytest.mark.parametrize(
    "body",
    [
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\nno header at all\r\n\r\nx\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="token"; filename="t"\r\n\r\nbridge-token\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' * 40 + b"--b--\r\n",
    ],
    ids=["no name", "no header", "a file", "too many fields"],
)
def test_a_broken_multipart_form_is_refused(url: str, body: bytes) -> None:
    answer = post(url, body, **{"content-type": "multipart/form-data; boundary=b"})
    refused(answer, 400, "form")


def test_a_multipart_form_without_a_boundary_is_refused(url: str) -> None:
    refused(post(url, GOOD, **{"content-type": "multipart/form-data"}), 400, "form")


def test_a_form_cut_off_by_its_own_declared_length_is_no_price(url: str) -> None:
    refused(post(url, GOOD[:-3]), 401)


def test_without_a_configured_token_none_is_asked_for(world: World) -> None:
    with counting(world, token=None) as (url, _):
        assert post(url, b"action=GetTokenPricing&userid=1042").status_code == 200


def test_the_bridge_tells_json_clients_that_an_address_is_wrong(url: str) -> None:
    refused(httpx.post(f"{url}/nothing/here"), 404)
    refused(httpx.post(f"{url}/healthz"), 405)


def test_every_answer_is_counted_by_its_status(url: str) -> None:
    ask(url)
    ask(url, token="x")
    ask(url, 7)
    counts = {status: metric(url, "tollbridge_price_lookups_total", status=status) for status in ("200", "401", "404")}
    assert counts == {"200": 1, "401": 1, "404": 1}
