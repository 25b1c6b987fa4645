"""``tollbridge demo --pages``: signing up and logging in on embedded parts, with nothing but a browser."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import httpx
import pytest

from tests.server.pages.site import NORA, PASSWORD, Browser


class Demo:
    """The command, and what it prints."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "tollbridge", "demo", "--pages"],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ},
        )  # fmt: skip
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as printed:
            for line in printed:
                self._lines.put(line)

    def end(self) -> None:
        """As a lost terminal ends it."""
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def prints(self, pattern: str) -> re.Match[str]:
        """The next line with this in it."""
        while True:
            line = self._lines.get(timeout=60)
            if found := re.search(pattern, line):
                return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    started = Demo(tmp_path)
    yield started
    started.end()


def test_the_demo_serves_pages_to_sign_up_and_log_in_at(demo: Demo, tmp_path: Path) -> None:
    url = demo.prints(r"The pages: (http://\S+)/cloud")[1]
    email, password = demo.prints(r"log in as (\S+) with the password (\S+)\.").groups()
    browsers = [Browser(httpx.Client(base_url=url, timeout=30)) for _ in range(2)]
    try:
        assert browsers[0].log_in(email, password).headers["location"] == "/cloud/account"
        account = browsers[0].get("/cloud/account").text
        assert "An invoice is overdue" in account
        assert "Cost by day" in account
        assert [len(re.findall(f">{status}<", account)) for status in ("Overdue", "Unpaid", "Paid")] == [1, 1, 1]
        assert "With USt 19%, as paid in Germany." in browsers[1].get("/cloud").text
        browsers[1].send("/cloud/signup", **NORA, email="nora@example.com")
        demo.prints("E-mail to nora@example.com")
        link = demo.prints(r"http://\S+(/cloud/confirm/\S+)")[1]
        assert browsers[1].confirm(link, PASSWORD).headers["location"] == "/cloud/welcome"
        to = browsers[1].send("/cloud/account/solusio", on="/cloud/account").headers["location"]
        assert "Logged in as nora@example.com" in httpx.get(to).text
    finally:
        for browser in browsers:
            browser.http.close()
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(30) == 0
    assert list(tmp_path.iterdir()) == []
