"""Servers: what can be done to them, and when they ran."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address
from typing import Any

import attrs

from tollbridge.solus.sandbox.catalogue import Catalogue
from tollbridge.solus.sandbox.problems import conflict
from tollbridge.solus.sandbox.records import Address, Server, Task, Uptime

_FIRST_ADDRESS = int(IPv4Address("10.0.0.0"))


class Machines(Catalogue):
    """The part of the panel that owns servers."""

    def __init__(self, now: datetime | None, per_page: int, *, ids_as_text: bool) -> None:
        super().__init__(now, per_page, ids_as_text=ids_as_text)
        self._addresses = 0

    @property
    def servers(self) -> list[Server]:
        """A snapshot of all servers, deleted ones left out."""
        with self.lock:
            return self.tables.servers.rows()

    def create_server(
        self,
        user_id: int,
        plan_id: int,
        name: str,
        *,
        backups: bool = False,
        additional_ips: int = 0,
        started: bool = True,
        project_id: int | None = None,
        description: str = "",
        fqdns: Sequence[str] = (),
        boot_mode: str = "disk",
    ) -> Server:
        """Create a server, running from now on unless told otherwise or its user is suspended."""
        with self.lock:
            user = self.tables.users.get(user_id)
            plan = self.tables.plans.get(plan_id)
            project = self.default_project(user) if project_id is None else self.tables.projects.get(project_id)
            number = self.tables.servers.next_id()
            server = Server(
                id=number,
                uuid=uuid.uuid5(uuid.NAMESPACE_URL, f"tollbridge-sandbox/servers/{number}"),
                name=name,
                user_id=user.id,
                plan_id=plan.id,
                project_id=project.id,
                created_at=self.now,
                address=self._address(),
                description=description,
                backups=backups,
                fqdns=tuple(fqdns),
                boot_mode=boot_mode,
            )
            self._put(server)
            self._log("compute_resource_vm_created", user, id=number, name=name)
            self.add_task("vm-create", server)
            self.add_ips(number, additional_ips)
            return self.start_server(number) if started and user.status != "suspended" else self.server(number)

    def server(self, server_id: int) -> Server:
        """The server; 404 if there is none."""
        with self.lock:
            return self.tables.servers.get(server_id)

    def is_suspended(self, server: Server) -> bool:
        """Whether the server may not be started, for its own or for its user's sake."""
        return server.is_suspended or self.tables.users.ever(server.user_id).status == "suspended"

    def start_server(self, id: int) -> Server:  # noqa: A002 - the name of the field on the wire
        """Start the server; nothing happens if it runs, 409 if it or its user is suspended."""
        with self.lock:
            server = self.tables.servers.get(id)
            if self.is_suspended(server):
                raise conflict("The server is suspended.")
            if server.is_running:
                return server
            return self._put(attrs.evolve(server, uptime=(*server.uptime, Uptime(self.now))))

    def stop_server(self, id: int) -> Server:  # noqa: A002 - the name of the field on the wire
        """Stop the server; nothing happens if it is stopped."""
        with self.lock:
            return self._put(_stopped(self.tables.servers.get(id), self.now))

    def suspend_server(self, server_id: int) -> Server:
        """Stop this one server and do not let it be started."""
        with self.lock:
            return self._put(attrs.evolve(self.stop_server(server_id), is_suspended=True))

    def resume_server(self, server_id: int) -> Server:
        """Let the server be started again; it stays stopped."""
        with self.lock:
            return self._put(attrs.evolve(self.tables.servers.get(server_id), is_suspended=False))

    def resize_server(self, server_id: int, plan_id: int) -> Server:
        """Put the server on another plan, by which its uptime is metered from now on."""
        with self.lock:
            plan = self.tables.plans.get(plan_id)
            return self._put(attrs.evolve(self.tables.servers.get(server_id), plan_id=plan.id))

    def move_server(self, server_id: int, user_id: int) -> Server:
        """Make the server another user's, who pays for it from now on."""
        with self.lock:
            server, user = self.tables.servers.get(server_id), self.tables.users.get(user_id)
            project = self.default_project(user)
            return self._put(attrs.evolve(server, user_id=user.id, project_id=project.id))

    def update_server(self, server_id: int, **changes: Any) -> Server:
        """Change ``name``, ``description``, ``backups``, ``fqdns`` or ``boot_mode``."""
        with self.lock:
            return self._put(attrs.evolve(self.tables.servers.get(server_id), **changes))

    def add_ips(self, server_id: int, count: int) -> Server:
        """Give the server ``count`` more addresses."""
        with self.lock:
            server = self.tables.servers.get(server_id)
            new = tuple(self._address() for _ in range(count))
            for address in new:
                self._log("additional_ip_created", self.tables.users.get(server.user_id), ip=address.ip)
            return self._put(attrs.evolve(server, additional_ips=server.additional_ips + new))

    def remove_ips(self, server_id: int, ids: list[int]) -> Server:
        """Take additional addresses away; ids it does not have are passed over."""
        with self.lock:
            server = self.tables.servers.get(server_id)
            kept = tuple(address for address in server.additional_ips if address.id not in ids)
            for address in set(server.additional_ips) - set(kept):
                self._log("additional_ip_deleted", self.tables.users.get(server.user_id), ip=address.ip)
            return self._put(attrs.evolve(server, additional_ips=kept))

    def delete_server(self, id: int) -> Server:  # noqa: A002 - the name of the field on the wire
        """Delete the server for good; what it ran is metered all the same."""
        with self.lock:
            server = self._put(attrs.evolve(self.stop_server(id), deleted_at=self.now))
            user = self.tables.users.get(server.user_id)
            self._log("compute_resource_vm_delete_requested", user, id=server.id, name=server.name)
            return self.tables.servers.delete(id)

    def add_task(self, action: str, server: Server) -> Task:
        """Note that something was done to the server."""
        with self.lock:
            table = self.tables.tasks
            return table.put(Task(table.next_id(), action, server.id, self.now))

    def _put(self, server: Server) -> Server:
        self._changed()
        return self.tables.servers.put(server.as_of(self.now))

    def _address(self) -> Address:
        self._addresses += 1
        return Address(self._addresses, str(IPv4Address(_FIRST_ADDRESS + self._addresses)))


def _stopped(server: Server, now: datetime) -> Server:
    if not server.is_running:
        return server
    *earlier, last = server.uptime
    ran = (Uptime(last.started, now),) if last.started < now else ()
    return attrs.evolve(server, uptime=(*earlier, *ran))
