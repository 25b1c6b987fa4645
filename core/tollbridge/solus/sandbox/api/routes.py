"""Which call is answered by what, and who may make it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tollbridge.solus.sandbox.api import catalogue, records, servers, users
from tollbridge.solus.sandbox.api.calls import Call, Handler, problem, read_body
from tollbridge.solus.sandbox.panel import Panel
from tollbridge.solus.sandbox.problems import PanelError, unauthenticated
from tollbridge.solus.sandbox.records import User

_NOBODY = User(id=0, email="", created_at=datetime.fromtimestamp(0, UTC), role_ids=())

_PUBLIC: list[tuple[str, str, Handler]] = [("POST", "auth/login", users.login)]

_EVERYBODY: list[tuple[str, str, Handler]] = [
    ("GET", "account", users.get_account),
    ("POST", "account/tokens", users.create_account_token),
    ("GET", "plans", catalogue.list_plans),
    ("GET", "plans/{id:int}", catalogue.get_plan),
    ("GET", "tasks/{id:int}", records.get_task),
    ("GET", "locations", catalogue.list_locations),
    ("GET", "os_images", catalogue.list_os_images),
    ("GET", "applications", catalogue.list_applications),
    ("GET", "projects", catalogue.list_projects),
    ("POST", "projects", catalogue.create_project),
    ("GET", "projects/{id:int}", catalogue.get_project),
    ("PUT", "projects/{id:int}", catalogue.update_project),
    ("DELETE", "projects/{id:int}", catalogue.delete_project),
    ("GET", "projects/{id:int}/servers", servers.list_project_servers),
    ("POST", "projects/{id:int}/servers", servers.create_project_server),
    ("GET", "servers", servers.list_servers),
    ("POST", "servers", servers.create_server),
    ("GET", "servers/{id:int}", servers.get_server),
    ("PATCH", "servers/{id:int}", servers.patch_server),
    ("DELETE", "servers/{id:int}", servers.delete_server),
    ("POST", "servers/{id:int}/start", servers.start_server),
    ("POST", "servers/{id:int}/stop", servers.stop_server),
    ("POST", "servers/{id:int}/restart", servers.restart_server),
    ("POST", "servers/{id:int}/resize", servers.resize_server),
    ("POST", "servers/{id:int}/suspend", servers.suspend_server),
    ("POST", "servers/{id:int}/resume", servers.resume_server),
    ("POST", "servers/{id:int}/ips", servers.add_ips),
    ("DELETE", "servers/{id:int}/ips", servers.remove_ips),
    ("POST", "servers/{id:int}/backups", servers.create_backup),
    ("POST", "servers/{id:int}/snapshots", servers.create_snapshot),
]

_ADMINISTRATORS: list[tuple[str, str, Handler]] = [
    ("GET", "users", users.list_users),
    ("POST", "users", users.create_user),
    ("GET", "users/{id:int}", users.get_user),
    ("PUT", "users/{id:int}", users.put_user),
    ("PATCH", "users/{id:int}", users.patch_user),
    ("DELETE", "users/{id:int}", users.delete_user),
    ("POST", "users/{id:int}/tokens", users.create_user_token),
    ("GET", "roles", catalogue.list_roles),
    ("POST", "roles", catalogue.create_role),
    ("GET", "roles/{id:int}", catalogue.get_role),
    ("GET", "permissions", catalogue.list_permissions),
    ("GET", "limit_groups", catalogue.list_limit_groups),
    ("POST", "limit_groups", catalogue.create_limit_group),
    ("POST", "plans", catalogue.create_plan),
    ("PUT", "plans/{id:int}", catalogue.update_plan),
    ("PATCH", "plans/{id:int}", catalogue.update_plan),
    ("DELETE", "plans/{id:int}", catalogue.delete_plan),
    ("GET", "settings", records.get_settings),
    ("PATCH", "settings", records.patch_settings),
    ("GET", "usage", records.list_usage),
    ("GET", "tasks", records.list_tasks),
    ("GET", "activity_logs", records.list_activity),
]


def api_routes(panel: Panel) -> list[Route]:
    """The routes below ``/api/v1/``."""

    def nobody(_request: Request) -> User:
        return _NOBODY

    def anybody(request: Request) -> User:
        return _caller(panel, request)

    def administrator(request: Request) -> User:
        user = _caller(panel, request)
        if not user.is_admin:
            raise PanelError(403, "This action is unauthorized.")
        return user

    tables = ((_PUBLIC, nobody), (_EVERYBODY, anybody), (_ADMINISTRATORS, administrator))
    return [
        Route(f"/api/v1/{path}", _endpoint(panel, handler, admit), methods=[method])
        for table, admit in tables
        for method, path, handler in table
    ]


def _caller(panel: Panel, request: Request) -> User:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise unauthenticated()
    return panel.redeem(value.strip())


def _endpoint(
    panel: Panel, handler: Handler, admit: Callable[[Request], User]
) -> Callable[[Request], Awaitable[Response]]:
    """The handler as an ASGI endpoint. The panel is locked for the whole call, so calls never overlap."""

    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        try:
            with panel.lock:
                actor = admit(request)
                return handler(Call(panel, request, read_body(raw), actor))
        except PanelError as error:
            return problem(error)

    return endpoint
