"""Plans, projects, roles, limit groups, and what else a server is ordered from."""

from decimal import Decimal
from operator import itemgetter
from typing import Any

from starlette.responses import Response

from tollbridge.solus.sandbox.api import wire
from tollbridge.solus.sandbox.api.calls import Call, item, listing, no_content
from tollbridge.solus.sandbox.api.form import Form
from tollbridge.solus.sandbox.api.users import may_create, owned
from tollbridge.solus.sandbox.plans import plan_details
from tollbridge.solus.sandbox.records import Project


def list_plans(call: Call) -> Response:
    """By part of the name, ``filter[storage_type]``, ``filter[image_format]`` and ``filter[disk]``."""
    rows = call.matching(
        call.panel.tables.plans.rows(),
        storage_type=lambda plan: plan.details["storage_type"],
        image_format=lambda plan: plan.details["image_format"],
        disk=lambda plan: plan.details["params"]["disk"],
        search=lambda plan: plan.name,
    )
    return listing(call, rows, wire.plan)


def get_plan(call: Call) -> Response:
    """One plan."""
    return item(wire.plan(call.panel.tables.plans.get(call.key())))


def create_plan(call: Call) -> Response:
    """Prices that are not sent are 0."""
    fields = _plan_fields(call, name_required=True)
    prices: dict[str, Any] = {"tokens_per_hour": 0, "tokens_per_month": 0, "backup_price": Decimal(0)}
    return item(wire.plan(call.panel.add_plan(**{**prices, **fields})), 201)


def update_plan(call: Call) -> Response:
    """PUT and PATCH alike change what was sent."""
    call.panel.tables.plans.get(call.key())
    return item(wire.plan(call.panel.update_plan(call.key(), **_plan_fields(call, name_required=False))))


def _plan_fields(call: Call, *, name_required: bool) -> dict[str, Any]:
    form = Form(call.body)
    whole = ("tokens_per_hour", "tokens_per_month", "ip_tokens_per_hour", "ip_tokens_per_month")
    fields: dict[str, Any] = {
        "name": form.text("name", required=name_required),
        **{name: form.whole(name) for name in whole},
        "backup_price": form.percent("backup_price"),
        "details": {name: call.body[name] for name in plan_details() if call.body.get(name) is not None},
    }
    for name, known in wire.AVAILABLE.items():
        form.ids(name, known)
    form.check()
    return {name: value for name, value in fields.items() if value is not None}


def delete_plan(call: Call) -> Response:
    """409 while servers use it."""
    call.panel.delete_plan(call.key())
    return no_content()


def _own(call: Call) -> Project:
    project = call.panel.tables.projects.get(call.key())
    owned(call, project.owner_id, "project")
    return project


def list_projects(call: Call) -> Response:
    """By part of the name; who is no administrator sees their own."""
    projects = call.panel.tables.projects.rows()
    own = [project for project in projects if call.actor.is_admin or project.owner_id == call.actor.id]
    rows = call.matching(own, search=lambda project: project.name)
    return listing(call, rows, lambda row: wire.project(call.panel, row, call.actor))


def get_project(call: Call) -> Response:
    """One project."""
    return item(wire.project(call.panel, _own(call), call.actor))


def create_project(call: Call) -> Response:
    """A project of the caller's own."""
    may_create(call, "projects")
    form = Form(call.body)
    name, description = form.text("name", required=True), form.text("description")
    form.check()
    project = call.panel.add_project(call.actor.id, name or "", description=description or "")
    return item(wire.project(call.panel, project, call.actor), 201)


def update_project(call: Call) -> Response:
    """Changes the name and the description."""
    project, form = _own(call), Form(call.body)
    changes = {"name": form.text("name"), "description": form.text("description")}
    form.check()
    present = {name: value for name, value in changes.items() if value is not None}
    if form.has("description"):
        present["description"] = changes["description"] or ""
    return item(wire.project(call.panel, call.panel.update_project(project.id, **present), call.actor))


def delete_project(call: Call) -> Response:
    """409 while there are servers in it."""
    call.panel.delete_project(_own(call).id)
    return no_content()


def list_roles(call: Call) -> Response:
    """All roles."""
    return listing(call, call.panel.tables.roles.rows(), lambda row: wire.role(call.panel, row))


def get_role(call: Call) -> Response:
    """One role."""
    return item(wire.role(call.panel, call.panel.tables.roles.get(call.key())))


def create_role(call: Call) -> Response:
    """A role; its permissions are not kept."""
    form = Form(call.body)
    name = form.text("name", required=True)
    form.check()
    return item(wire.role(call.panel, call.panel.add_role(name or "")), 201)


def list_permissions(call: Call) -> Response:
    """The sandbox knows one."""
    return listing(call, [{"id": 1, "name": "manage own servers"}], dict)


def list_limit_groups(call: Call) -> Response:
    """All limit groups."""
    return listing(call, call.panel.tables.limit_groups.rows(), wire.limit_group)


def create_limit_group(call: Call) -> Response:
    """A name, and as many of the three limits as there should be."""
    form = Form(call.body)
    name = form.text("name", required=True)
    limits: dict[str, Any] = {
        kind: call.body[kind] for kind in ("vms", "running_vms", "additional_ips") if kind in call.body
    }
    for kind in limits:
        form.object(kind)
    form.check()
    return item(wire.limit_group(call.panel.add_limit_group(name or "", limits)), 201)


def list_locations(call: Call) -> Response:
    """The one location, unless part of another name is looked for."""
    return listing(call, call.matching([wire.LOCATION], search=itemgetter("name")), dict)


def list_os_images(call: Call) -> Response:
    """The one operating system, unless part of another name is looked for."""
    return listing(call, call.matching([wire.OS_IMAGE], search=itemgetter("name")), dict)


def list_applications(call: Call) -> Response:
    """None."""
    return listing(call, [], dict)
