"""Serving the application with uvicorn, in one process or several."""

import os
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn
from uvicorn.supervisors import Multiprocess

from tollbridge.config import ServerSettings
from tollbridge.errors import UsageError
from tollbridge.logs import configure_logs
from tollbridge.loopback import listen
from tollbridge.server.app import CONFIG_VARIABLE, WORKERS_VARIABLE
from tollbridge.server.connection import Connection
from tollbridge.server.metrics import MULTIPROCESS


def serve(
    config: Path,
    settings: ServerSettings,
    *,
    workers: int,
    on_listening: Callable[[], None],
) -> None:
    """Serve until told to stop. Several workers share the address, and their metrics are added up.

    Raises:
        UsageError: the address is taken, or is not this machine's.
    """
    try:
        listener = listen(settings.host, settings.port)
    except OSError as error:
        address = f"{settings.host}:{settings.port}"
        raise UsageError(f"cannot listen at {address} (server.host, server.port): {error.strerror}") from None
    on_listening()
    configure_logs(as_json=True)
    os.environ |= {CONFIG_VARIABLE: str(config.absolute()), WORKERS_VARIABLE: str(workers)}
    # SIGTERM ends serving as Ctrl+C does: uvicorn finishes its answers, then the clean-up below is done.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with listener, tempfile.TemporaryDirectory(prefix="tollbridge-metrics-") as folder, suppress(KeyboardInterrupt):
        if workers > 1:
            os.environ[MULTIPROCESS] = folder
        options = uvicorn.Config(
            "tollbridge.server.app:worker_app",
            factory=True,
            workers=workers,
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            forwarded_allow_ips=list(settings.proxies),
            timeout_graceful_shutdown=10,
            http=Connection,
        )
        if workers > 1:
            Multiprocess(options, sockets=[listener]).run()
        else:
            uvicorn.Server(options).run(sockets=[listener])
