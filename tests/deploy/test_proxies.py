"""The proxies' configurations are valid, and let through what SolusIO and customers call, and nothing else."""

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import trustme

from tests.deploy.programs import needed, wished
from tests.server.asking import form
from tests.world import World
from tollbridge.loopback import running
from tollbridge.server.app import create_app

ROOT = Path(__file__).resolve().parents[2]
NGINX = ROOT / "deploy/nginx/tollbridge.conf"
NAME = "bridge.example.com"
PAGES = """
[pages]
name = "Example Cloud"
secret = "0123456789abcdef0123456789abcdef"
terms_url = "https://example.com/terms"
"""


@contextmanager
def nginx(folder: Path, backend: str) -> Iterator[str]:
    """Nginx with our configuration, before a server at ``backend``; its address."""
    program = needed("nginx", "nginx")
    certificate = trustme.CA().issue_cert(NAME)
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ours = NGINX.read_text(encoding="utf-8").replace("http://127.0.0.1:8400", backend)
    ours = re.sub(r"ssl_certificate .*", f"ssl_certificate {folder}/cert.pem;", ours)
    ours = re.sub(r"ssl_certificate_key .*", f"ssl_certificate_key {folder}/key.pem;", ours)
    ours = ours.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/log; events {{}}\n"
        f"http {{ access_log off; {places}\n{ours} }}\n",
        encoding="utf-8",
    )
    command = [program, "-p", str(folder), "-e", f"{folder}/log", "-c", f"{folder}/nginx.conf"]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    process = subprocess.Popen(command)
    try:
        for _ in range(200):
            with socket.socket() as asking:
                if asking.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"https://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def test_nginx_lets_through_prices_and_pages_and_keeps_the_rest_to_itself(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "nginx"
    folder.mkdir()
    world.more = PAGES
    world.add_client(1042)
    with (
        world.parts() as parts,
        running(create_app(parts)) as backend,
        nginx(folder, backend) as url,
        httpx.Client(base_url=url, verify=False, headers={"Host": NAME}) as client,  # noqa: S501 - our own
    ):
        for address in ("/solusio/api/", "/modules/addons/solusio/api/"):
            assert client.post(address, data=form()).status_code == 200
        assert client.get("/cloud/login").status_code == 200
        for address in ("/metrics", "/readyz", "/healthz", "/", "/solusio/", "/solusio/api/../../metrics"):
            assert client.get(address).status_code == 404, address


@pytest.mark.parametrize("file", ["deploy/caddy/Caddyfile", "deploy/docker/Caddyfile"])
def test_caddy_finds_nothing_wrong_with_its_configuration(file: str, tmp_path: Path) -> None:
    caddy = wished("caddy", "caddy")
    done = subprocess.run(
        [caddy, "validate", "--adapter", "caddyfile", "--config", str(ROOT / file)],
        capture_output=True, text=True, check=False, env={"HOME": str(tmp_path), "PATH": "/usr/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_proxies_let_the_same_addresses_through() -> None:
    nginx_paths = set(re.findall(r"location (?:= )?(\S+) +\{ proxy_pass", NGINX.read_text(encoding="utf-8")))
    for file in ("deploy/caddy/Caddyfile", "deploy/docker/Caddyfile"):
        [paths] = re.findall(r"@called path (.*)", (ROOT / file).read_text(encoding="utf-8"))
        assert {path for path in paths.split() if not path.endswith("*")} == nginx_paths
