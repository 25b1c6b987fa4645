"""Reading a form from a request that may come from anybody: small, in time, and nothing but text."""

import asyncio
from collections.abc import AsyncGenerator
from itertools import chain
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Message, Receive, Scope

_LARGEST_BODY = 16 * 1024
_MOST_FIELDS = 20
_BODY_SECONDS = 10.0


class FormRefused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


class CallerGone(Exception):
    """The caller left before its request was complete: there is nobody to answer."""


async def read_form(scope: Scope, receive: Receive) -> dict[str, str]:
    """The form's fields, from a body that is small and readable; of fields given twice the last counts, as in PHP."""
    kind, length = b"", b""
    for name, value in scope["headers"]:
        if name == b"content-type":
            kind = value
        elif name == b"content-length":
            length = value
    if length.isdigit() and int(length) > _LARGEST_BODY:
        raise FormRefused(413, "the body is larger than 16 KiB")
    body = await _body(receive)
    kind = kind.partition(b";")[0].strip().lower()
    if kind == b"multipart/form-data":
        return await _multipart(scope, body)
    if kind not in {b"application/x-www-form-urlencoded", b""}:
        raise FormRefused(400, "the form cannot be read: it must be application/x-www-form-urlencoded")
    try:
        text = body.decode("ascii")
        return dict(parse_qsl(text, True, bool(body), errors="strict", max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise FormRefused(400, "the form cannot be read") from None


async def _body(receive: Receive) -> bytes:
    """The body, read no further than it may be long, and no longer than it may take.

    A look-up comes in one piece, so only what comes in several is timed: a timer costs as much as the answer.
    """
    message = await receive()
    body = _chunk(message)
    if message.get("more_body"):
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while message.get("more_body"):
                    message = await receive()
                    body += _chunk(message)
                    if len(body) > _LARGEST_BODY:
                        break
        except TimeoutError:
            raise FormRefused(400, "the form cannot be read: it did not arrive in time") from None
    if len(body) > _LARGEST_BODY:
        raise FormRefused(413, "the body is larger than 16 KiB")
    return body


def _chunk(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise CallerGone
    chunk: bytes = message.get("body", b"")
    return chunk


async def _multipart(scope: Scope, body: bytes) -> dict[str, str]:
    async def whole() -> AsyncGenerator[bytes]:
        yield body

    try:
        parser = MultiPartParser(Headers(scope=scope), whole(), max_files=0, max_fields=_MOST_FIELDS)
        form = await parser.parse()
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        "".join(chain(*fields.items())).encode()  # what a sender's own charset made of it may be no text
    except (MultiPartException, KeyError, ValueError, LookupError):
        raise FormRefused(400, "the form cannot be read") from None
    return fields
