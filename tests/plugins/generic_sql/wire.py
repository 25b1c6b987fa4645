"""A wire between the adapter and its database that can be cut, also just when an answer comes back."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

_CHUNK = 65536
_COMMIT = re.compile(rb"\bCOMMIT\b", re.IGNORECASE)  # and neither AUTOCOMMIT nor READ COMMITTED


class Wire:
    """Forwards connections to a server of this machine.

    Attributes:
        port: where to connect in place of the server's.
        state: ``whole``; ``cut``: every connection is closed at once; ``lossy``: a connection on which COMMIT was sent
            is closed once the server has answered it, and the answer is lost.
    """

    def __init__(self, server_port: int) -> None:
        self.state: Literal["whole", "cut", "lossy"] = "whole"
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def being(self, state: Literal["cut", "lossy"]) -> Iterator[None]:
        """In this state for a while."""
        self.state = state
        if state == "cut":
            for each in [*self._open]:
                _close(each)
        yield
        self.state = "whole"

    def close(self) -> None:
        """Take no more connections, and close those there are."""
        _close(self._listener)
        for each in [*self._open]:
            _close(each)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.state == "cut":
                    _close(client)
                else:
                    threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._server_port))
        self._open |= {client, server}
        committing = threading.Event()
        back = threading.Thread(target=self._backwards, args=(server, client, committing), daemon=True)
        back.start()
        with contextlib.suppress(OSError):
            while data := client.recv(_CHUNK):
                if self.state == "lossy" and _COMMIT.search(data):
                    committing.set()
                server.sendall(data)
        _close(client)
        _close(server)
        self._open -= {client, server}

    @staticmethod
    def _backwards(server: socket.socket, client: socket.socket, committing: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(_CHUNK):
                if committing.is_set():
                    break
                client.sendall(data)
        _close(client)
        _close(server)


def _close(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
