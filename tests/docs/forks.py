"""``tollbridge`` for shell scripts, each call a process of its own, but forked from one that has imported everything.

Most of what a command costs is its start, and the documentation has some forty of them. The server is this module, run
with a socket's path; the client is a small script that lends it its arguments, folder, environment and open files.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

_MOST = 1 << 20
_CLIENT = """\
#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({path!r})
    request = {{"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}}
    socket.send_fds(server, [json.dumps(request).encode()], [0, 1, 2])
    sys.exit(int(server.recv(9) or 70))
"""


@cache
def client() -> str:
    """The script, for a file named ``tollbridge``; its server lives as long as this process."""
    folder = tempfile.TemporaryDirectory(prefix="tollbridge-forks-")
    path = Path(folder.name) / "socket"
    server = subprocess.Popen([sys.executable, "-m", "tests.docs.forks", str(path)], cwd=Path(__file__).parents[2])
    atexit.register(folder.cleanup)
    atexit.register(server.wait)
    atexit.register(server.kill)
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, "the server of forks does not start"
        time.sleep(0.02)
    return _CLIENT.format(python=sys.executable, path=str(path))


def _serve(path: Path) -> None:
    from tollbridge import bridge, server  # noqa: F401, PLC0415 - here only, where they are lent to every call
    from tollbridge.cli import main  # noqa: PLC0415

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        unready = path.with_suffix(".new")
        listener.bind(str(unready))
        listener.listen()
        unready.rename(path)
        while True:
            connection, _ = listener.accept()
            with connection:
                if os.fork():
                    continue
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                message, files, _, _ = socket.recv_fds(connection, _MOST, 3)
                for number, file in enumerate(files):
                    os.dup2(file, number)
                request = json.loads(message)
                os.chdir(request["folder"])
                os.environ.clear()
                os.environ.update(request["environment"])
                code = main(request["arguments"])
                sys.stdout.flush()
                sys.stderr.flush()
                connection.sendall(str(code).encode())
                os._exit(0)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
