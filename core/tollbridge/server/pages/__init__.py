"""The customers' pages: what is offered, signing up, logging in, and each client's own account."""

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from tollbridge.config import PagesSettings
from tollbridge.jobs.parts import Parts
from tollbridge.jobs.price_lists import RunningPrices
from tollbridge.mail import Delivery, Sender
from tollbridge.server.pages.account import AccountPage
from tollbridge.server.pages.downloads import Downloads
from tollbridge.server.pages.landing import Landing
from tollbridge.server.pages.log_in import ACCOUNT, DESTINATIONS, LogIn
from tollbridge.server.pages.sign_up import SignUp
from tollbridge.server.pages.web import ROOT, Web

__all__ = ["DESTINATIONS", "Pages", "pages_of"]


class Pages:
    """Everything below ``/cloud``.

    Attributes:
        routes: for Starlette.
        delivery: sends the e-mails once it is started; None if nobody can sign up.
    """

    def __init__(self, parts: Parts, settings: PagesSettings, prices: RunningPrices) -> None:
        """ConfigError if one of the operator's own templates is broken."""
        self._web = Web(parts, settings, prices)
        mail = parts.settings.mail
        self.delivery = Delivery(parts.ledger.outbox, Sender(mail)) if mail and self._web.can_sign_up else None
        self.routes = [*self._files(settings), *self._pages()]

    @property
    def offers(self) -> dict[str, bool]:
        """What customers can do for themselves; that depends on the billing system, and on ``[mail]``."""
        web = self._web
        can_pay = any(web.parts.billing.can(hook) for hook in ("portal_login_url", "invoice_url"))
        return {"sign-up": web.can_sign_up, "log-in": web.can_log_in, "payment": can_pay}

    def entry_url(self, client_id: int, destination: str = ACCOUNT) -> str:
        """A link that logs a client in: good once, and for a minute; ``destination`` is one of ``DESTINATIONS``."""
        return f"{self._web.public_url}{ROOT}/enter/{self._web.signing.entry(client_id, destination)}"

    async def is_enrolled(self, client_id: int) -> bool:
        """Whether the client has a SolusIO user."""
        return await self._web.in_ledger(self._web.account, client_id) is not None

    def _pages(self) -> list[Route]:
        web = self._web
        landing, log_in, account, downloads = Landing(web), LogIn(web), AccountPage(web), Downloads(web)
        pages = [
            ("GET", "", landing.show),
            ("GET", "/login", log_in.show),
            ("POST", "/login", log_in.log_in),
            ("POST", "/logout", log_in.log_out),
            ("GET", "/enter/{token}", log_in.enter),
            ("GET", "/account", account.show),
            ("GET", "/account/invoices.csv", downloads.invoices),
            ("GET", "/account/usage.csv", downloads.usage),
            ("POST", "/account/solusio", account.to_solus),
            ("POST", "/account/pay", account.to_payment),
            ("POST", "/account/enrol", account.enrol),
        ]
        if self.delivery is not None:
            sign_up = SignUp(web, self.delivery)
            pages += [
                ("GET", "/signup", sign_up.show),
                ("POST", "/signup", sign_up.begin),
                ("GET", "/confirm/{token}", sign_up.show_terms),
                ("POST", "/confirm/{token}", sign_up.confirm),
                ("GET", "/welcome", sign_up.welcome),
            ]
        else:
            pages += [("GET", "/signup", web.closed), ("GET", "/confirm/{token}", web.closed)]
        pages.append(("GET", "/{anything:path}", web.nowhere))
        return [Route(f"{ROOT}{path}", web.endpoint(handle), methods=[method]) for method, path, handle in pages]

    def _files(self, settings: PagesSettings) -> list[Route]:
        renderer = self._web.renderer
        safe = {"X-Content-Type-Options": "nosniff"}

        async def show_style(request: Request) -> Response:
            named = request.query_params.get("v") == renderer.style_version
            kept = "public, max-age=31536000, immutable" if named else "public, max-age=3600"
            return Response(renderer.style, media_type="text/css", headers={**safe, "Cache-Control": kept})

        async def show_logo(_request: Request) -> Response:
            headers = {**safe, "Cache-Control": "public, max-age=3600", "Content-Security-Policy": "default-src 'none'"}
            return FileResponse(settings.logo, headers=headers) if settings.logo else Response(status_code=404)

        return [Route(f"{ROOT}/static/style.css", show_style), Route(f"{ROOT}/static/logo", show_logo)]


def pages_of(parts: Parts, prices: RunningPrices) -> Pages | None:
    """The pages, if bridge.toml has ``[pages]``."""
    return None if parts.settings.pages is None else Pages(parts, parts.settings.pages, prices)
