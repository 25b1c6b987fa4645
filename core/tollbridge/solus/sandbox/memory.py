"""A panel without a socket: the same API, called in this process."""

from tollbridge.config import SolusSettings
from tollbridge.http import InProcess, Retry
from tollbridge.secret import Secret
from tollbridge.solus.client import Solus
from tollbridge.solus.sandbox.app import create_app
from tollbridge.solus.sandbox.panel import Panel

_QUICK = Retry(attempts=3, wait_initial=0.001, wait_max=0.002)


def in_memory(panel: Panel, settings: SolusSettings | None = None, retry: Retry = _QUICK) -> Solus:
    """SolusIO as the bridge sees it, with ``panel`` behind it and no server: quick enough for every test.

    Faults and the journal work as over HTTP.
    """
    made_up = SolusSettings(url="http://127.0.0.1", api_token=Secret(panel.api_token))
    return Solus(settings or made_up, retry, InProcess(create_app(panel)))
