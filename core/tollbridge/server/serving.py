"""Serving the application with uvicorn, in one process or several."""

import os
import tempfile
from pathlib import Path

import uvicorn

from tollbridge.config import ServerSettings
from tollbridge.server.metrics import MULTIPROCESS


def serve(config: Path, settings: ServerSettings, *, workers: int, environment_variable: str) -> None:
    """Serve until told to stop. Several workers share the address, and their metrics are added up."""
    os.environ[environment_variable] = str(config.absolute())
    with tempfile.TemporaryDirectory(prefix="tollbridge-metrics-") as folder:
        if workers > 1:
            os.environ[MULTIPROCESS] = folder
        uvicorn.run(
            "tollbridge.server.app:worker_app",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=workers,
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=10,
        )
