"""From the first form over a real mail server into SolusIO, served by the command that operators run."""

import re
import signal
import smtplib
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.mail.servers import MailServer, a_mail_server, free_port
from tests.server.pages.site import NORA, Cloud, a_cloud
from tests.server.process import kill, served
from tollbridge.ledger.schema import mails as mails_table

EMAIL = "nora@example.com"


def the_mail(server: MailServer) -> EmailMessage:
    """The one mail that there is, once it has come."""
    for _ in range(300):
        if server.received:
            [received] = server.received
            return received.message
        time.sleep(0.1)
    raise AssertionError("no mail came")


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    content: Any = found.get_content()
    return str(content)


def configured(cloud: Cloud, port: int) -> Path:
    text = cloud.config.read_text().replace("[server]\n", f"[server]\nport = {port}\n")
    path = cloud.config.with_name("served.toml")
    path.write_text(text)
    return path


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stranger_gets_from_the_form_by_e_mail_into_solusio(tmp_path: Path, workers: str) -> None:
    port = free_port()
    with (
        a_mail_server() as mails,
        a_cloud(tmp_path, smtp=mails.port) as cloud,
        served(configured(cloud, port), port, "--workers", workers),
    ):
        site = f"http://127.0.0.1:{port}"
        browser = cloud.browser(site)
        assert browser.send("/cloud/signup", **NORA, email=EMAIL).status_code == 200
        mail = the_mail(mails)
        assert (mail["To"], mail["From"]) == (EMAIL, "Example Cloud <cloud@example.com>")
        [link] = re.findall(r"http://\S+/cloud/confirm/\S+", part(mail, "plain"))
        assert link in part(mail, "html")
        assert link.startswith(site)
        assert browser.confirm(link).headers["location"] == "/cloud/welcome"
        answer = browser.send("/cloud/account/solusio", on="/cloud/welcome")
        token = answer.headers["location"].rpartition("/")[2]
        [client] = [each for each in cloud.install.clients if each.email == EMAIL]
        user = cloud.panel.redeem(token, for_login=True)
        assert (user.email, user.billing_user_id, user.limit_group_id) == (EMAIL, client.id, 1)
        assert (client.country, client.currency) == ("GB", "USD")
        assert len(mails.received) == 1


def test_a_mail_outlives_a_power_cut(tmp_path: Path) -> None:
    port, smtp = free_port(), free_port()
    with a_cloud(tmp_path, smtp=smtp) as cloud:
        config = configured(cloud, port)
        with served(config, port) as server:  # its mail server is down
            browser = cloud.browser(f"http://127.0.0.1:{port}")
            assert browser.send("/cloud/signup", **NORA, email=EMAIL).status_code == 200
            with pytest.raises(ConnectionRefusedError):
                smtplib.SMTP("127.0.0.1", smtp)
            kill(server)
        with cloud.parts.ledger.database.write() as connection:  # half an hour passes: whoever had claimed it is gone
            earlier = mails_table.c.created_at
            connection.execute(sa.update(mails_table).values(next_attempt_at=earlier, leased_until=earlier))
        with a_mail_server(port=smtp) as mails, served(config, port) as server:
            assert the_mail(mails)["To"] == EMAIL
            server.send_signal(signal.SIGTERM)
            assert server.wait(30) == 0
            assert len(mails.received) == 1
