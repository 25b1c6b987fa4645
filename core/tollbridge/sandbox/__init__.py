"""What every sandbox has: faults to order, a journal of requests, controls for both, and a server for tests.

For authors of adapters who simulate their billing system. The application of a sandbox is any ASGI application with
:class:`Recorder` and a :class:`Breaker` of its own around it, and :func:`control_routes` among its routes.
"""

from tollbridge.sandbox.control import control_routes
from tollbridge.sandbox.faults import KINDS, Fault, Faults, Kind
from tollbridge.sandbox.journal import Entry, Journal
from tollbridge.sandbox.middleware import Breaker, Recorder
from tollbridge.sandbox.serving import running, serve

__all__ = [
    "KINDS",
    "Breaker",
    "Entry",
    "Fault",
    "Faults",
    "Journal",
    "Kind",
    "Recorder",
    "control_routes",
    "running",
    "serve",
]
