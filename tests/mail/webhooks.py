"""A webhook on loopback, and what it was given."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import attrs

SECRET = "0123456789abcdef0123456789abcdef"


@attrs.define
class Hook:
    """Takes every notice, unless ``answers`` has other statuses to begin with."""

    url: str = ""
    answers: list[int] = attrs.Factory(list)
    received: list[tuple[str, dict[str, str], bytes]] = attrs.Factory(list)

    @property
    def bodies(self) -> list[bytes]:
        """What came."""
        return [body for _, _, body in self.received]


@contextmanager
def a_webhook() -> Iterator[Hook]:
    """One that runs."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.received.append((self.path, dict(self.headers.items()), body))
            self.send_response(hook.answers.pop(0) if hook.answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hook.url = f"http://127.0.0.1:{server.server_address[1]}/tollbridge"
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
