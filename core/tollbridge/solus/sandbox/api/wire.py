"""How the panel's records look on the wire: every key always there, ids and tokens as JSON integers."""

from collections import Counter
from datetime import datetime
from typing import Any

from tollbridge.solus.sandbox.panel import Panel
from tollbridge.solus.sandbox.records import (
    Activity,
    Address,
    LimitGroup,
    Plan,
    Project,
    Role,
    Server,
    Task,
    User,
)

Json = dict[str, Any]

ICON = {"id": 1, "name": "Sandbox", "url": "https://panel.example/icon.png", "type": "flags"}
LOCATION: Json = {
    "id": 1,
    "name": "Sandbox",
    "description": "",
    "icon": ICON,
    "is_default": True,
    "is_visible": True,
    "compute_resources": [{"id": 1}],
    "available_plans": [],
}
OS_IMAGE: Json = {
    "id": 1,
    "name": "Debian",
    "icon": {**ICON, "type": "os"},
    "is_default": True,
    "is_visible": True,
    "position": 1,
    "versions": [
        {
            "id": 1,
            "virtualization_type": "kvm",
            "position": 1,
            "version": "12",
            "url": "https://panel.example/os.qcow2",
            "os_image_id": 1,
            "cloud_init_version": "v2",
            "is_visible": True,
            "is_ssh_keys_supported": True,
            "available_plans": [],
        }
    ],
}
OS_IMAGE_VERSIONS = {1: "Debian 12"}
# What a plan is available for: the ids that may be sent, and the names that are shown with them.
AVAILABLE: dict[str, dict[int, str]] = {
    "available_locations": {1: "Sandbox"},
    "available_os_image_versions": OS_IMAGE_VERSIONS,
    "available_applications": {},
}
_NO_PRICE: Json = {
    "per_hour": "0",
    "per_month": "0",
    "additional_ips_per_hour": "0",
    "additional_ips_per_month": "0",
    "total_price": "0",
    "total_price_without_backups": "0",
    "backup_price": "0",
    "currency_code": "",
    "taxes_inclusive": False,
    "taxes": [],
}
_UNLIMITED = {"limit": 0, "is_enabled": False}


def date(moment: datetime) -> str:
    """UTC with microseconds: ``2019-08-27T13:04:39.000000Z``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def role(panel: Panel, row: Role) -> Json:
    """A role and how many users have it."""
    counts = panel.kept("users_by_role", lambda: Counter(id_ for user in panel.users for id_ in user.role_ids))
    return {"id": row.id, "name": row.name, "is_default": row.is_default, "users_count": counts[row.id]}


def user(panel: Panel, row: User) -> Json:
    """A user. The password is never sent; its key is, empty."""
    return {
        "id": row.id,
        "email": row.email,
        "password": "",
        "created_at": date(row.created_at),
        "status": row.status,
        "roles": [role(panel, panel.tables.roles.get(role_id)) for role_id in row.role_ids],
        "language": {"id": row.language_id, "name": "English", "icon": ICON},
        "billing_user_id": panel.billing_id(row),
        "billing_token": row.billing_token,
    }


def limit_group(row: LimitGroup) -> Json:
    """A limit group; a limit nobody set is switched off."""
    limits = {name: {**_UNLIMITED, **row.limits.get(name, {})} for name in ("vms", "running_vms", "additional_ips")}
    return {
        "id": row.id,
        "name": row.name,
        "created_at": date(row.created_at),
        "updated_at": date(row.created_at),
        **limits,
    }


def plan(row: Plan) -> Json:
    """A plan. Its ``price`` is empty: the sandbox does not ask the billing system what a token costs."""
    available = {
        field: [{"id": key, "name": names[key]} for key in row.details.get(field, [])]
        for field, names in AVAILABLE.items()
    }
    return {
        **row.details,
        **available,
        "id": row.id,
        "name": row.name,
        "tokens_per_hour": row.tokens_per_hour,
        "tokens_per_month": row.tokens_per_month,
        "ip_tokens_per_hour": row.ip_tokens_per_hour,
        "ip_tokens_per_month": row.ip_tokens_per_month,
        "backup_price": row.backup_price,
        "price": _NO_PRICE,
    }


def project(panel: Panel, row: Project, reader: User) -> Json:
    """A project as ``reader`` sees it."""
    counts = panel.kept("servers_by_project", lambda: Counter(server.project_id for server in panel.servers))
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "members": 1,
        "is_owner": row.owner_id == reader.id,
        "is_default": row.is_default,
        "owner": user(panel, panel.tables.users.ever(row.owner_id)),
        "servers": counts[row.id],
    }


def _address(row: Address, *, is_primary: bool) -> Json:
    return {"id": row.id, "ip": row.ip, "is_primary": is_primary}


def server(panel: Panel, row: Server, reader: User) -> Json:
    """A server with its plan, user and project in full."""
    server_plan = plan(panel.tables.plans.get(row.plan_id))
    parameters = server_plan["params"]
    addresses = [
        _address(row.address, is_primary=True),
        *(_address(address, is_primary=False) for address in row.additional_ips),
    ]
    return {
        "id": row.id,
        "uuid": str(row.uuid),
        "name": row.name,
        "description": row.description,
        "status": row.status,
        "real_status": row.status,
        "is_suspended": panel.is_suspended(row),
        "is_processing": False,
        "created_at": date(row.created_at),
        "virtualization_type": server_plan["virtualization_type"],
        "boot_mode": row.boot_mode,
        "specifications": {name: parameters[name] for name in ("disk", "ram", "vcpu")},
        "plan": server_plan,
        "user": user(panel, panel.tables.users.get(row.user_id)),
        "project": project(panel, panel.tables.projects.ever(row.project_id), reader),
        "location": LOCATION,
        "ips": [{"id": address["id"], "ip": address["ip"]} for address in addresses],
        "ip_addresses": {"ipv4": addresses, "ipv6": []},
        "usage": {"cpu": 0, "network": {"incoming": {"value": 0}, "outgoing": {"value": 0}}},
        "backup_settings": {
            "enabled": row.backups,
            "schedule": {"type": "monthly", "time": {"hour": 0, "minutes": 0}, "days": [1]},
            "limit": {"is_enabled": False, "limit": 1, "unit": "units"},
        },
        "next_scheduled_backup_at": None,
        "ssh_keys": [],
        "fqdns": list(row.fqdns),
        "settings": {},
    }


def task(row: Task) -> Json:
    """A task, which is always done."""
    return {
        "id": row.id,
        "compute_resource_id": 1,
        "compute_resource_vm_id": row.server_id,
        "queue": "sandbox",
        "action": row.action,
        "status": "done",
        "output": "",
        "progress": 100,
        "duration": 0,
        "created_at": date(row.created_at),
    }


def activity(row: Activity) -> Json:
    """A line of the activity log."""
    return {
        "id": row.id,
        "event": row.event,
        "user_email": row.user_email,
        "created_at": date(row.created_at),
        "data": dict(row.data),
    }
