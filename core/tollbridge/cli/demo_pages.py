"""What ``tollbridge demo --pages`` serves: a company's pages for customers, to try; e-mails are printed."""

import secrets
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

import typer

from tollbridge.bridge import bridge
from tollbridge.cli.demo import as_operator, command, company, write_configuration
from tollbridge.cli.output import say
from tollbridge.config import MailSettings
from tollbridge.loopback import running as serving
from tollbridge.mail import Delivery, Sender
from tollbridge.mail.message import Message
from tollbridge.model import Signup
from tollbridge.server.app import create_app
from tollbridge.solus.sandbox import Panel, running, small_company

_ADA, _PASSWORD = "ada@example.org", "demo-password"
_PAGES = """
[pages]
name = "Example Cloud"
secret = "{secret}"
terms_url = "https://example.com/terms"
postpay_terms_url = "https://example.com/postpay"

[mail]
host = "127.0.0.1"
security = "none"
sender = "Example Cloud <cloud@example.com>"
"""


def serve_pages(context: typer.Context) -> None:
    """Serve them until Ctrl+C, from a folder of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tollbridge-demo-") as folder, as_operator(Path(folder)):
        solus_port, own_port = write_configuration()
        path = Path("bridge.toml")
        text = path.read_text(encoding="utf-8").replace('# provision = "clients"', 'provision = "signup"')
        path.write_text(text + _PAGES.format(secret=secrets.token_hex(32)), encoding="utf-8")
        panel = Panel(api_token="demo-api-token")  # noqa: S106
        small_company(panel)
        with running(panel, port=solus_port):
            command(context, "generic-sql", "init")
            company()
            _serve(path, own_port)


def _serve(path: Path, port: int) -> None:
    with bridge(path) as parts:
        parts.billing.create_client(
            Signup(_ADA, first_name="Ada", last_name="Example", currency="USD", country="US", password=_PASSWORD)
        )
        mail = MailSettings("127.0.0.1", "Example Cloud <cloud@example.com>", security="none")
        delivery = Delivery(parts.ledger.outbox, _Printer(mail), every_seconds=1)
        delivery.start()
        try:
            with serving(create_app(parts), port=port) as url, suppress(KeyboardInterrupt):
                say(f"\nThe pages: {url}/cloud")
                say(f"Sign up there, or log in as {_ADA} with the password {_PASSWORD}.")
                say("E-mails are printed here instead of being sent. Ctrl+C ends it.")
                threading.Event().wait()
        finally:
            delivery.stop()


class _Printer(Sender):
    """Takes mails as a mail server would, and prints their text."""

    def send(self, message: Message, *, still_ours: Callable[[], bool] = lambda: True) -> None:
        """Print it."""
        if still_ours():
            mail = BytesParser(policy=default).parsebytes(message.content)
            text = mail.get_body(("plain",))
            words = f"\nE-mail to {message.recipient}: {mail['Subject']}\n\n{text.get_content() if text else ''}"
            say(words, wrap=False)  # a link stays in one line

    def close(self) -> None:
        """Nothing is open."""
