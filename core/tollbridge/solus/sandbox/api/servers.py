"""Servers and what can be done to them."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from tollbridge.solus.sandbox.api import wire
from tollbridge.solus.sandbox.api.calls import Call, Handler, Json, item, listing, no_content
from tollbridge.solus.sandbox.api.form import Form
from tollbridge.solus.sandbox.api.users import may_create, owned
from tollbridge.solus.sandbox.problems import PanelError, invalid
from tollbridge.solus.sandbox.records import Server

BOOT_MODES = ("disk", "rescue")


def _own(call: Call) -> Server:
    server = call.panel.server(call.key())
    owned(call, server.user_id, "server")
    return server


def _shown(call: Call, server: Server, status: int = 200) -> Response:
    return item(wire.server(call.panel, server, call.actor), status)


def _list(call: Call, servers: list[Server]) -> Response:
    rows = call.matching(
        servers if call.actor.is_admin else [server for server in servers if server.user_id == call.actor.id],
        user_id=lambda server: server.user_id,
        status=lambda server: server.status,
        virtualization_type=lambda _server: "kvm",
        compute_resource_id=lambda _server: 1,
        search=lambda server: server.name,
    )
    return listing(call, rows, lambda row: wire.server(call.panel, row, call.actor))


def list_servers(call: Call) -> Response:
    """By ``filter[user_id]``, ``filter[status]`` and part of the name; clients see their own."""
    return _list(call, call.panel.servers)


def list_project_servers(call: Call) -> Response:
    """The servers of one project."""
    project = call.panel.tables.projects.get(call.key())
    owned(call, project.owner_id, "project")
    return _list(call, [server for server in call.panel.servers if server.project_id == project.id])


def get_server(call: Call) -> Response:
    """One server; 404 once it is deleted."""
    return _shown(call, _own(call))


def create_server(call: Call) -> Response:
    """Creates and starts a server; an administrator may name its ``user``."""
    form = Form(call.body)
    may_create(call, "servers")
    plan_id = form.existing("plan", call.panel.tables.plans, required=True)
    owner_id = form.existing("user", call.panel.tables.users) if call.actor.is_admin else call.actor.id
    form.existing("location", {wire.LOCATION["id"]})
    form.existing("os", wire.OS_IMAGE_VERSIONS)
    form.existing("application", ())
    project_id = form.existing("project", call.panel.tables.projects)
    return _created(call, form, plan_id, owner_id, project_id)


def create_project_server(call: Call) -> Response:
    """Creates and starts a server in a project. Its fields are named otherwise than those of ``POST servers``."""
    form = Form(call.body)
    may_create(call, "servers")
    project = call.panel.tables.projects.get(call.key())
    plan_id = form.existing("plan_id", call.panel.tables.plans, required=True)
    form.existing("location_id", {wire.LOCATION["id"]}, required=True)
    form.existing("os_image_version_id", wire.OS_IMAGE_VERSIONS)
    form.existing("application_id", ())
    return _created(call, form, plan_id, None if call.actor.is_admin else call.actor.id, project.id)


def _created(call: Call, form: Form, plan_id: int | None, owner_id: int | None, project_id: int | None) -> Response:
    """The server, once the fields that both ways of ordering one have in common were read, too."""
    settings: dict[str, Any] = {
        "backups": form.object("backup_settings").flag("enabled"),
        "additional_ips": form.whole("additional_ip_count"),
        "description": form.text("description", maximum=10_000),
        "fqdns": form.texts("fqdns"),
        "boot_mode": form.choice("boot_mode", BOOT_MODES),
    }
    name = form.text("name")
    form.check()
    if project_id is not None:
        project = call.panel.tables.projects.get(project_id)
        owned(call, project.owner_id, "project")
        owner_id = owner_id or project.owner_id
    present = {key: value for key, value in settings.items() if value is not None}
    server = call.panel.create_server(
        owner_id or call.actor.id, plan_id or 0, name or "server", project_id=project_id, **present
    )
    return _shown(call, server, 201)


def patch_server(call: Call) -> Response:
    """Changes the name, the description, names in the DNS, the boot mode, or whether there are paid backups."""
    server, form = _own(call), Form(call.body)
    backups = form.object("backup_settings").flag("enabled")
    fqdns = form.texts("fqdns")
    changes: dict[str, Any] = {
        "name": form.text("name"),
        "description": form.text("description", maximum=10_000),
        "backups": backups,
        "fqdns": None if fqdns is None else tuple(fqdns),
        "boot_mode": form.choice("boot_mode", BOOT_MODES),
    }
    form.check()
    present = {name: value for name, value in changes.items() if value is not None}
    return _shown(call, call.panel.update_server(server.id, **present))


def _action(action: str, do: Callable[[Call, Server], Server]) -> Handler:
    """A handler that does something to a server and answers with the task, already done."""

    def handle(call: Call) -> Response:
        return item(wire.task(call.panel.add_task(action, do(call, _own(call)))))

    return handle


def _resized(call: Call, server: Server) -> Server:
    form = Form(call.body)
    plan_id = form.existing("plan_id", call.panel.tables.plans, required=True)
    backups = form.object("backup_settings").flag("enabled")
    form.check()
    if backups is not None:
        call.panel.update_server(server.id, backups=backups)
    return call.panel.resize_server(server.id, plan_id or 0)


def _by_admin(do: Callable[[Call, Server], Server]) -> Callable[[Call, Server], Server]:
    def guarded(call: Call, server: Server) -> Server:
        if not call.actor.is_admin:
            raise PanelError(403, "This action is unauthorized.")
        return do(call, server)

    return guarded


start_server = _action("vm-start", lambda call, server: call.panel.start_server(server.id))
stop_server = _action("vm-stop", lambda call, server: call.panel.stop_server(server.id))
restart_server = _action("vm-restart", lambda call, server: call.panel.start_server(server.id))
resize_server = _action("vm-resize", _resized)
suspend_server = _action("vm-suspend", _by_admin(lambda call, server: call.panel.suspend_server(server.id)))
resume_server = _action("vm-resume", _by_admin(lambda call, server: call.panel.resume_server(server.id)))
delete_server = _action("vm-delete", lambda call, server: call.panel.delete_server(server.id))


def add_ips(call: Call) -> Response:
    """Adds ``count`` addresses and answers with the server."""
    server, form = _own(call), Form(call.body)
    count = form.whole("count", required=True, minimum=1)
    form.check()
    return _shown(call, call.panel.add_ips(server.id, count or 0), 201)


def remove_ips(call: Call) -> Response:
    """Takes the addresses in ``ids`` away; the first one stays."""
    server, form = _own(call), Form(call.body)
    ids = form.ids("ids") or []
    if server.address.id in ids:
        raise invalid(ids="The primary address cannot be removed.")
    form.check()
    call.panel.remove_ips(server.id, ids)
    return no_content()


def create_backup(call: Call) -> Response:
    """Answers with a finished backup, which is not kept."""
    server = _own(call)
    task = call.panel.add_task("backup-create", server)
    backup: Json = {
        "id": task.id,
        "type": "full",
        "creation_method": "manual",
        "status": "created",
        "size": 0,
        "compute_resource_vm": wire.server(call.panel, server, call.actor),
        "backup_node": None,
        "creator": wire.user(call.panel, call.actor),
        "created_at": wire.date(task.created_at),
        "backup_progress": 100,
        "backup_fail_reason": None,
        "disk": 0,
    }
    return item(backup, 201)


def create_snapshot(call: Call) -> Response:
    """Answers with a finished snapshot, which is not kept."""
    server, form = _own(call), Form(call.body)
    name = form.text("name")
    form.check()
    task = call.panel.add_task("snapshot-create", server)
    snapshot: Json = {
        "id": task.id,
        "name": name or "snapshot",
        "size": 0,
        "status": "available",
        "created_at": wire.date(task.created_at),
    }
    return item(snapshot, 201)
