"""A sandbox on loopback, and the bridge's client for it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import attrs

from tests.world import QUICK
from tollbridge.config import SolusSettings
from tollbridge.sandbox import Entry
from tollbridge.secret import Secret
from tollbridge.solus import Solus
from tollbridge.solus.sandbox import Panel, running, small_company

TOKEN = "sandbox-token"


@attrs.frozen
class Bank:
    """The panel, and SolusIO as the jobs see it."""

    panel: Panel
    url: str
    solus: Solus

    def asked(self, method: str = "", path: str = "") -> list[Entry]:
        """The requests that reached the panel."""
        return [
            entry
            for entry in self.panel.journal.list()
            if entry.method.startswith(method) and entry.path.startswith(f"/api/v1/{path}")
        ]


def settings_for(url: str, **more: object) -> SolusSettings:
    """``[solus]`` for a panel at ``url``."""
    values: dict[str, object] = {"url": url, "api_token": Secret(TOKEN), "limit_group": "postpaid", **more}
    return SolusSettings(**values)  # type: ignore[arg-type]


@contextmanager
def a_bank(*, per_page: int = 15, **more: object) -> Iterator[Bank]:
    """A small company's panel on 1 June 2026, and a client with quick retries."""
    panel = Panel(datetime(2026, 6, 1, tzinfo=UTC), per_page=per_page)
    small_company(panel)
    with running(panel) as url, closing(Solus(settings_for(url, **more), QUICK)) as solus:
        yield Bank(panel, url, solus)
