"""The image and the compose file keep what docs/operation.md says of them; no image is built here."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from tests.docs.test_documented_commands import accepts
from tests.docs.test_documented_settings import BASE
from tests.docs.walking import as_toml, merged
from tollbridge.bridge import read_settings

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "deploy/docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
OURS = ("serve", "run")


def test_everything_that_the_image_is_made_of_is_there_and_passes_the_ignore_file() -> None:
    passed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    copied = {
        name for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE) for name in line.split()[:-1]
    }
    assert copied == passed
    assert all((ROOT / name).exists() for name in copied)


def test_the_image_runs_a_command_that_there_is_as_a_user_without_rights() -> None:
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["10400:10400"]
    [default] = re.findall(r'^CMD \["(\w+)"\]$', DOCKERFILE, re.MULTILINE)
    accepts([default], "Dockerfile")
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    for version in re.findall(r"^FROM python:3\.(\d+)-slim", DOCKERFILE, re.MULTILINE):
        assert int(version) >= int(wanted.rpartition(".")[2])


def test_no_container_of_ours_can_write_to_its_root_or_gain_privileges() -> None:
    for name in OURS:
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, service in COMPOSE["services"].items() if "ports" in service] == ["proxy"]


def test_every_secret_is_a_file_and_each_volume_is_declared() -> None:
    named = {secret for service in COMPOSE["services"].values() for secret in service.get("secrets", [])}
    assert named == set(COMPOSE["secrets"])
    volumes = {
        volume.partition(":")[0]
        for service in COMPOSE["services"].values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert volumes == set(COMPOSE["volumes"])


def test_what_the_compose_file_wants_in_bridge_toml_is_valid(tmp_path: Path) -> None:
    head = (DOCKER / "compose.yaml").read_text("utf-8").partition("name: tollbridge")[0]
    wanted = "\n".join(re.findall(r"^#   (.*)$", head, re.MULTILINE))
    for secret in COMPOSE["secrets"]:
        (tmp_path / secret).write_text("a-secret", encoding="utf-8")
    path = tmp_path / "bridge.toml"
    tree = as_toml(merged(tomllib.loads(BASE), tomllib.loads(wanted)))
    path.write_text(tree.replace("/run/secrets/", f"{tmp_path}/"), encoding="utf-8")
    settings = read_settings(path)[0]
    assert settings.server.host == "0.0.0.0"  # noqa: S104 - inside of a network of its own
    assert settings.ledger.url.reveal().endswith("@ledger/tollbridge")
