"""A SolusIO to try everything against: in memory, with a clock to move and faults to order.

>>> panel = Panel(now=datetime(2026, 7, 1, tzinfo=UTC))
>>> small_company(panel)
>>> with running(panel) as url:  # then talk to f"{url}/api/v1/" with panel.api_token
...     panel.advance(timedelta(days=31))
"""

from tollbridge.sandbox import Fault
from tollbridge.solus.sandbox.app import create_app
from tollbridge.solus.sandbox.company import small_company
from tollbridge.solus.sandbox.memory import in_memory
from tollbridge.solus.sandbox.panel import Panel
from tollbridge.solus.sandbox.problems import PanelError
from tollbridge.solus.sandbox.records import FeedShape, LimitGroup, Plan, Server, User
from tollbridge.solus.sandbox.serving import running, serve

__all__ = [
    "Fault",
    "FeedShape",
    "LimitGroup",
    "Panel",
    "PanelError",
    "Plan",
    "Server",
    "User",
    "create_app",
    "in_memory",
    "running",
    "serve",
    "small_company",
]
