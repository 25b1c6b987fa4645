"""Settings, usage, tasks and the activity log."""

import contextlib
import re
from datetime import datetime

from starlette.responses import Response

from tollbridge.solus.sandbox.api import wire
from tollbridge.solus.sandbox.api.calls import Call, item, listing
from tollbridge.solus.sandbox.api.feeds import usage_feed
from tollbridge.solus.sandbox.api.form import Form
from tollbridge.solus.sandbox.api.users import owned
from tollbridge.solus.sandbox.problems import PanelError

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def get_settings(call: Call) -> Response:
    """All settings, the billing system's token among them."""
    return item(call.panel.settings)


def patch_settings(call: Call) -> Response:
    """Merges what was sent into the settings, at any depth."""
    return item(call.panel.patch_settings(call.body))


def list_usage(call: Call) -> Response:
    """What every user used within ``[from, to)``, in tokens. The shapes are Tollbridge's own ideas."""
    query = dict(call.request.query_params)
    form = Form(query)
    start, end = _moment(form, query, "from"), _moment(form, query, "to")
    if start is not None and end is not None and start >= end:
        form.fail("to", "The to must be a date after from.")
    form.check()
    if start is None or end is None:
        raise PanelError(422, "The given data was invalid.")
    return usage_feed(call, call.panel.usage_rows(start, end))


def _moment(form: Form, query: dict[str, str], name: str) -> datetime | None:
    text = query.get(name)
    if not text:
        form.fail(name, f"The {name} field is required.")
        return None
    with contextlib.suppress(ValueError):
        if _RFC_3339.fullmatch(text):
            return datetime.fromisoformat(text)
    form.fail(name, f"The {name} is not a date with time and zone, such as 2026-07-01T00:00:00Z.")
    return None


def list_tasks(call: Call) -> Response:
    """By ``filter[action]``, ``filter[status]`` and ``filter[compute_resource_vm_id]``."""
    rows = call.matching(
        call.panel.tables.tasks.rows(),
        action=lambda task: task.action,
        status=lambda _task: "done",
        compute_resource_id=lambda _task: 1,
        compute_resource_vm_id=lambda task: task.server_id,
    )
    return listing(call, rows, wire.task)


def get_task(call: Call) -> Response:
    """One task; who is no administrator sees those of their own servers."""
    task = call.panel.tables.tasks.get(call.key())
    owned(call, call.panel.tables.servers.ever(task.server_id).user_id, "task")
    return item(wire.task(task))


def list_activity(call: Call) -> Response:
    """By ``filter[user_id]`` and ``filter[event]``."""
    lines = call.panel.tables.activity.rows()
    rows = call.matching(lines, user_id=lambda line: line.user_id, event=lambda line: line.event)
    return listing(call, rows, wire.activity)
