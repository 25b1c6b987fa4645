"""``tollbridge check`` looks at the pages and the mail server, too."""

import json
from pathlib import Path

import pytest

from tests.mail.servers import a_mail_server, free_port
from tests.server.pages.site import Cloud, a_cloud
from tollbridge.cli import main

PUBLIC = "https://bridge.example.com"


def checked(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, tuple[bool, str]]]:
    """The exit code, and each check's finding by its name."""
    capsys.readouterr()
    code = main(["--config", str(cloud.config), "check", "--json"])
    checks = json.loads(capsys.readouterr().out)["checks"]
    return code, {each["name"]: (each["ok"], each["detail"]) for each in checks}


def test_what_customers_can_do_is_told_and_the_mail_server_is_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_mail_server() as mails, a_cloud(tmp_path, smtp=mails.port, public_url=PUBLIC) as cloud:
        code, checks = checked(cloud, capsys)
        assert code == 0
        assert checks["pages"] == (True, "sign-up: yes, log-in: yes, payment: yes")
        assert checks["mail server"] == (True, f"127.0.0.1:{mails.port} lets us in")
        assert mails.received == []


def test_mails_need_an_address_that_customers_can_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with a_mail_server() as mails, a_cloud(tmp_path, smtp=mails.port) as cloud:
        code, checks = checked(cloud, capsys)
        assert code == 2
        assert checks["server.public_url"] == (
            False, "not set; `tollbridge connect` needs it, and so do the links in e-mails",
        )  # fmt: skip


def test_a_mail_server_that_is_down_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with a_cloud(tmp_path, smtp=port, public_url=PUBLIC) as cloud:
        code, checks = checked(cloud, capsys)
        assert code == 3
        ok, detail = checks["mail server"]
        assert not ok
        assert f"the mail server 127.0.0.1:{port} cannot be used" in detail


def test_a_broken_template_is_told_with_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with a_mail_server() as mails, a_cloud(tmp_path, smtp=mails.port, pages='templates = "own"') as cloud:
        (tmp_path / "own" / "login.html").write_text("{% extends 'base.html' %}{% block main %}")
        code, checks = checked(cloud, capsys)
        assert code == 2
        ok, detail = checks["pages"]
        assert not ok
        assert "login.html" in detail
