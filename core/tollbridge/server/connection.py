"""One HTTP connection that needs no proxy before it: a sender makes the server keep little, and not for long."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_LARGEST_HEAD = 32 * 1024
_HEAD_SECONDS = 10.0
_ANSWER = b"the request's headers are larger than 32 KiB"
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s" % (len(_ANSWER), _ANSWER)
)


class _TooLarge(Exception):
    """The request's head is larger than it may be."""


class Connection(HttpToolsProtocol):
    """Refuses a head larger than 32 KiB, and ends a connection on which none is complete within ten seconds.

    The same holds for a line of a chunked body and for its trailers. Bodies themselves are read by the application,
    which bounds their size and their time.
    """

    _unread = 0  # bytes since the last head, or the last piece of a body
    _too_slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._unread += len(data)
        super().data_received(data)
        if self._unread > _LARGEST_HEAD:
            self._refuse()
        elif self._is_idle() and self._too_slow is None:
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        """A head that was read in one piece may be too large, too."""
        if self._unread > _LARGEST_HEAD:
            size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if size > _LARGEST_HEAD:
                raise _TooLarge
        self._unread = 0
        if self._too_slow is not None:
            self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._unread = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """What cannot be parsed, or was refused while it was."""
        if self._unread > _LARGEST_HEAD:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _is_idle(self) -> bool:
        """Whether there is no request that is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _refuse(self) -> None:
        if self.transport.is_closing():
            return
        if self._is_idle():
            self.transport.write(_TOO_LARGE)
        self.transport.close()

    def _wait_for_head(self) -> None:
        self._too_slow = self.loop.call_later(_HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._too_slow is not None:
            self._too_slow.cancel()
            self._too_slow = None
