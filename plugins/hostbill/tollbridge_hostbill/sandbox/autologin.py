"""The Client Auto Login plugin: links into the client area for whoever knows its secret."""

import hashlib
import hmac
import html
import secrets

import attrs
import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tollbridge_hostbill.sandbox.install import Install
from tollbridge_hostbill.sandbox.records import InstallError


@attrs.frozen
class AutoLogin:
    """``index.php?cmd=autologin``."""

    install: Install

    async def __call__(self, request: Request) -> Response:
        """A link for a POST; where the link leads for a GET."""
        if request.method == "GET":
            return self._welcome(request)
        form = await request.form()
        email, duration, sent = (str(form.get(name, "")) for name in ("email", "duration", "hash"))
        try:
            with self.install.lock:
                token = self._token(request, email, duration, sent)
        except InstallError as error:
            return _json({"success": False, "error": [str(error)]})
        link = f"{str(request.base_url).rstrip('/')}/index.php?cmd=autologin&token={token}"
        return _json({"success": True, "login_url": link, "token": token})

    def _token(self, request: Request, email: str, duration: str, sent: str) -> str:
        install = self.install
        if request.query_params.get("cmd") != "autologin" or request.query_params.get("action") != "login":
            raise InstallError("Unknown action")
        if not install.quirks.autologin_on:
            raise InstallError("Plugin is not active")
        if not duration.isdecimal() or not hmac.compare_digest(sent.encode(), self._hash(email, duration).encode()):
            raise InstallError("Hash verification failed")
        for client in install.clients:
            if client.email.casefold() == email.casefold():
                token = secrets.token_hex(16)
                install.issue_link(token, client.id)
                return token
        raise InstallError("Client not found")

    def _hash(self, email: str, duration: str) -> str:
        secret, how = self.install.autologin_secret, self.install.quirks.autologin
        if how == "md5":
            return hashlib.md5(f"{email}{secret}{duration}".encode(), usedforsecurity=False).hexdigest()
        signed = f"{email}{duration}" if how == "hmac_keyed" else f"{email}{secret}{duration}"
        return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()

    def _welcome(self, request: Request) -> Response:
        try:
            client = self.install.redeem_link(request.query_params.get("token", ""))
        except InstallError:
            return HTMLResponse("<!DOCTYPE html><title>Login failed</title><p>This link is used up.", 403)
        return HTMLResponse(f"<!DOCTYPE html><title>Client area</title><p>Logged in as {html.escape(client.email)}.")


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
