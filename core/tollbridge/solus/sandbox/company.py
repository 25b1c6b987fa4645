"""Ready-made contents for a panel."""

from tollbridge.solus.sandbox.panel import Panel
from tollbridge.solus.sandbox.plans import GIB

# Name, cores, GiB of memory, tokens per hour and per month, as step 2 of the custom billing guide has them.
_GUIDE = [
    ("1 Core, 1 GB RAM", 1, 1, 7, 5_000),
    ("1 Core, 2 GB RAM", 1, 2, 14, 10_000),
    ("2 Cores, 2 GB RAM", 2, 2, 21, 15_000),
    ("2 Cores, 4 GB RAM", 2, 4, 28, 20_000),
]


def small_company(panel: Panel) -> None:
    """Add the guide's four plans, with backups at 10 %, and the limit groups "postpaid" and "trial"."""
    for name, vcpu, ram, per_hour, per_month in _GUIDE:
        params = {"params": {"vcpu": vcpu, "ram": ram * GIB}}
        panel.add_plan(name, per_hour, per_month, backup_price="10", details=params)
    panel.add_limit_group("postpaid")
    panel.add_limit_group("trial")
