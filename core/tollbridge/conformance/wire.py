"""The adapter's own calls, as they go over the wire: counted, and cut, without the adapter's or the author's help.

Seen are HTTP by httpx (which :mod:`tollbridge.http` is made of) and by Python's own ``http.client`` (which urllib and
requests are made of), and SQL by SQLAlchemy. Whether a call writes is not guessed from its name: it does if the other
side looks different after it.
"""

import functools
import http.client
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal

import attrs
import httpx
import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect

from tollbridge.http import InProcess

Moment = Literal["before", "after"]
Ending = Literal["down", "died", "garbled"]

_READING_METHODS = {"GET", "HEAD", "OPTIONS"}
_WRITING_WORDS = ("insert", "update", "delete", "replace", "merge", "call", "commit")
_REFUSED, _HUNG_UP = "Connection refused", "Server disconnected without sending a response."
_PAGE = b"<html><body>Please wait while your browser is checked.</body></html>"  # a proxy's, before it passes on
_GONE = 2013  # MySQL's and MariaDB's number for a connection that was lost


class Died(BaseException):
    """The process is gone: nothing catches it."""


@attrs.frozen
class Call:
    """One call.

    Attributes:
        words: what it asks, for people.
        same: equal for two calls that ask the same.
        may_write: whether it could change something, by its method or its first word.
        is_sql: whether it is a statement, and no request.
    """

    words: str
    same: Hashable = attrs.field(repr=False)
    may_write: bool
    is_sql: bool = False


@attrs.frozen
class Cut:
    """Where the line is cut: at call number ``at`` (0 is the first), before it is sent or after it was done.

    Attributes:
        ending: ``down``: nothing can be reached from then on; ``died``: the process is gone; ``garbled``: it was done,
            and a page of HTML came in place of its answer, by httpx or :mod:`tollbridge.http` only.
    """

    at: int
    moment: Moment
    ending: Ending

    def is_before(self, number: int) -> bool:
        """Whether this call is not sent any more."""
        if self.ending == "garbled":
            return False
        return number > self.at or (number, self.moment) == (self.at, "before")


@attrs.frozen
class Begun:
    """A call under way, and what there was to see before it."""

    number: int
    call: Call
    before: object = attrs.field(repr=False)


@attrs.define
class Watch:
    """What one use of a hook sends.

    Attributes:
        look: all there is to see on the other side; None: nobody asks which calls write.
        cut: where it goes wrong.
        calls: those that were begun, in order.
        writing: the numbers of those after which the other side looked different.
        mixed: whether another hook was called at the same moment, so that the calls may be another's.
    """

    look: Callable[[], object] | None = None
    cut: Cut | None = None
    calls: list[Call] = attrs.field(factory=list)
    writing: list[int] = attrs.field(factory=list)
    mixed: bool = False
    _lock: Any = attrs.field(factory=threading.RLock, repr=False)

    def begin(self, call: Call, unreached: Callable[[], BaseException]) -> Begun:
        """A call is about to be sent; ``unreached`` makes the error that its library would raise if it cannot be."""
        with self._lock:
            number = len(self.calls)
            self.calls.append(call)
        if self.cut is not None and self.cut.is_before(number):
            raise Died if self.cut.ending == "died" else unreached()
        return Begun(number, call, self._seen() if call.may_write else None)

    def end(self, begun: Begun, lost: Callable[[], BaseException]) -> bool:
        """It was done; ``lost`` makes the error that its library would raise without an answer.

        Returns:
            Whether its answer is to be one that cannot be read.
        """
        if begun.call.may_write and self._seen() != begun.before:
            self.writing.append(begun.number)
        if self.cut is None or begun.number != self.cut.at:
            return False
        if self.cut.ending == "garbled":
            return True
        raise Died if self.cut.ending == "died" else lost()

    def _seen(self) -> object:
        if self.look is None:
            return None
        with unwatched():
            return self.look()

    def asked_twice(self) -> list[str]:
        """What was asked again though nothing could have changed in between."""
        found: list[str] = []
        asked: set[Hashable] = set()
        for call in self.calls:
            if call.may_write:
                asked.clear()
            elif call.same in asked:
                found.append(call.words)
            asked.add(call.same)
        return found


_watches: list[Watch] = []
_lock = threading.Lock()
_unwatched = threading.local()


@contextmanager
def watching(watch: Watch) -> Iterator[Watch]:
    """Within it, every call of this process is seen; of two at once, neither knows which are its own."""
    _install()
    with _lock:
        _watches.append(watch)
        if len(_watches) > 1:
            for each in _watches:
                each.mixed = True
    try:
        yield watch
    finally:
        with _lock:
            _watches.remove(watch)


@contextmanager
def unwatched() -> Iterator[None]:
    """Within it, this thread's calls are the kit's own."""
    before = getattr(_unwatched, "now", False)
    _unwatched.now = True
    try:
        yield
    finally:
        _unwatched.now = before


def current() -> Watch | None:
    """Who watches now: for another side in this process, whose calls go over no wire, to tell of its steps."""
    watches = _watches
    return watches[-1] if watches and not getattr(_unwatched, "now", False) else None


@functools.cache
def _install() -> None:
    """Once in a process: put an ear to every library that is heard."""
    transports: tuple[Any, ...] = (httpx.HTTPTransport, InProcess)
    for transport in transports:
        transport.handle_request = _heard_httpx(transport.handle_request)
    connection: Any = http.client.HTTPConnection
    connection.putrequest = _heard_request(connection.putrequest)
    connection.getresponse = _heard_response(connection.getresponse)
    for event in ("do_execute", "do_executemany"):
        sa.event.listen(sa.Engine, event, _heard_statement(event))
    sa.event.listen(sa.Engine, "do_execute_no_params", _heard_bare_statement)
    dialect: Any = DefaultDialect
    dialect.do_commit = _heard_commit(dialect.do_commit)


def _heard_httpx(send: Callable[[Any, httpx.Request], httpx.Response]) -> Callable[..., httpx.Response]:
    def handle_request(self: Any, request: httpx.Request) -> httpx.Response:
        watch = current()
        if watch is None:
            return send(self, request)
        body = request.read()
        call = Call(
            f"{request.method} {request.url.path}",
            (request.method, str(request.url), body),
            request.method not in _READING_METHODS,
        )

        begun = watch.begin(call, lambda: httpx.ConnectError(_REFUSED, request=request))
        response = send(self, request)
        content = b"".join(response.iter_raw())  # all of it came: what is cut off is the answer, not its end
        response.close()
        if watch.end(begun, lambda: httpx.RemoteProtocolError(_HUNG_UP, request=request)):
            return httpx.Response(200, headers={"Content-Type": "text/html"}, stream=httpx.ByteStream(_PAGE))
        return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(content))

    return handle_request


def _heard_request(put: Callable[..., None]) -> Callable[..., None]:
    def putrequest(self: Any, method: str, url: str, *rest: Any, **more: Any) -> None:
        watch = current()
        if watch is not None:
            writes = method not in _READING_METHODS
            same: Hashable = object() if writes else (method, self.host, self.port, url)
            begun = watch.begin(Call(f"{method} {url}", same, writes), lambda: ConnectionRefusedError(_REFUSED))
            self._tollbridge_begun = watch, begun
        put(self, method, url, *rest, **more)

    return putrequest


def _heard_response(get: Callable[..., Any]) -> Callable[..., Any]:
    def getresponse(self: Any, *rest: Any, **more: Any) -> Any:
        response = get(self, *rest, **more)
        watch, begun = vars(self).pop("_tollbridge_begun", (None, None))
        if watch is not None:
            watch.end(begun, lambda: http.client.RemoteDisconnected(_HUNG_UP))
        return response

    return getresponse


def _heard_statement(event: str) -> Callable[..., bool]:
    def do_execute(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        many = event == "do_executemany"
        send = functools.partial(cursor.executemany if many else cursor.execute, statement, parameters)
        return _executed(context, statement, repr(parameters), send)

    return do_execute


def _heard_bare_statement(cursor: Any, statement: str, context: Any) -> bool:
    return _executed(context, statement, "", lambda: cursor.execute(statement))


def _executed(context: Any, statement: str, parameters: str, send: Callable[[], object]) -> bool:
    """Whether it was done here, so that SQLAlchemy need not do it."""
    watch = current()
    if watch is None:
        return False
    words = " ".join(statement.split())
    if words.lower().startswith("rollback"):  # a connection that is lost rolls back by itself
        return False
    call = Call(words[:60], (words, parameters), words.lower().startswith(_WRITING_WORDS), is_sql=True)
    dbapi, connection = context.dialect.loaded_dbapi, context.root_connection.connection
    broken = functools.partial(_broken, dbapi, connection)
    begun = watch.begin(call, broken)
    send()
    watch.end(begun, broken)
    return True


def _heard_commit(commit: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def do_commit(self: Any, dbapi_connection: Any) -> None:
        watch = current()
        if watch is None:
            commit(self, dbapi_connection)
            return
        broken = functools.partial(_broken, self.loaded_dbapi, dbapi_connection)
        begun = watch.begin(Call("COMMIT", object(), may_write=True, is_sql=True), broken)
        commit(self, dbapi_connection)
        watch.end(begun, broken)

    return do_commit


def _broken(dbapi: Any, connection: Any) -> Exception:
    """What a driver says of a connection that is lost, which it then is; a file's cannot be."""
    if "sqlite" in dbapi.__name__:
        error: Exception = dbapi.OperationalError("disk I/O error")
        return error
    with suppress(Exception):
        connection.driver_connection.close()
    lost: Exception = dbapi.OperationalError(_GONE, "Lost connection to server during query")
    return lost
