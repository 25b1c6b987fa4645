"""What every sandbox has: faults to order, a journal of requests, controls for both, and a server for tests.

For authors of adapters who simulate their billing system. The application of a sandbox is any ASGI application with
:class:`Recorder` and a :class:`Breaker` of its own around it, and :func:`control_routes` among its routes. One with a
:class:`Simulator` for its memory has them from :func:`simulator_app` and :func:`simulator_routes`.
"""

from tollbridge.sandbox.app import simulator_app
from tollbridge.sandbox.control import control_routes, respond, seed, simulator_routes
from tollbridge.sandbox.faults import KINDS, Fault, Faults, Kind, NamedFaults
from tollbridge.sandbox.journal import Entry, Journal
from tollbridge.sandbox.load import Load
from tollbridge.sandbox.middleware import Breaker, Recorder
from tollbridge.sandbox.serving import running, serve
from tollbridge.sandbox.simulator import Simulator

__all__ = [
    "KINDS",
    "Breaker",
    "Entry",
    "Fault",
    "Faults",
    "Journal",
    "Kind",
    "Load",
    "NamedFaults",
    "Recorder",
    "Simulator",
    "control_routes",
    "respond",
    "running",
    "seed",
    "serve",
    "simulator_app",
    "simulator_routes",
]
