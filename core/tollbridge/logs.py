"""Structured logs on standard error, with every known secret hidden."""

import logging
import sys
from typing import Any

import structlog

from tollbridge.secret import redact_tree


def configure_logs(*, verbose: bool = False, as_json: bool = False) -> None:
    """Send logs to standard error: one JSON object a line for machines, or plain lines for people.

    With ``as_json`` other libraries' warnings come the same way, uvicorn's tracebacks among them.
    """
    level = logging.DEBUG if verbose else logging.WARNING if not as_json else logging.INFO
    plain = structlog.dev.ConsoleRenderer(colors=False, repr_native_str=True)  # no character of it steers a terminal
    renderer: Any = structlog.processors.JSONRenderer() if as_json else plain
    steps: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _hide_secrets,
    ]
    if as_json:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=steps))
        logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    structlog.configure(
        processors=[*steps, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever it is just then
        cache_logger_on_first_use=False,
    )


def _hide_secrets(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    hidden: dict[str, Any] = redact_tree(dict(event))
    return hidden
