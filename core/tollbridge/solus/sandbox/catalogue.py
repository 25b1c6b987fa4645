"""Plans and projects: what servers are made from and kept in."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from tollbridge.solus.sandbox.plans import plan_details
from tollbridge.solus.sandbox.problems import conflict
from tollbridge.solus.sandbox.records import Plan, Project, User
from tollbridge.solus.sandbox.settings import merged
from tollbridge.solus.sandbox.state import State


class Catalogue(State):
    """The part of the panel that owns plans and projects."""

    def __init__(self, now: datetime | None, per_page: int, *, ids_as_text: bool) -> None:
        super().__init__(now, per_page, ids_as_text=ids_as_text)
        self._default_projects: dict[int, int] = {}
        self._plans_since: dict[int, list[tuple[datetime, Plan]]] = {}

    def add_plan(
        self,
        name: str,
        tokens_per_hour: int,
        tokens_per_month: int,
        *,
        backup_price: Decimal | str | int = "0",
        ip_tokens_per_hour: int = 0,
        ip_tokens_per_month: int = 0,
        id: int | None = None,  # noqa: A002 - the name of the field on the wire
        details: dict[str, Any] | None = None,
    ) -> Plan:
        """Add a plan; ``backup_price`` in percent, the other prices in whole tokens."""
        with self.lock:
            plan = Plan(
                id=self.tables.plans.next_id() if id is None else id,
                name=name,
                tokens_per_hour=tokens_per_hour,
                tokens_per_month=tokens_per_month,
                backup_price=Decimal(backup_price),
                ip_tokens_per_hour=ip_tokens_per_hour,
                ip_tokens_per_month=ip_tokens_per_month,
                details=merged(plan_details(), details or {}),
            )
            if plan.id in self.tables.plans:
                raise conflict(f"There already is a plan {plan.id}.")
            return self._put_plan(plan)

    def update_plan(self, plan_id: int, **changes: Any) -> Plan:
        """Change a plan. Servers on it are metered by its new prices from now on."""
        with self.lock:
            plan = self.tables.plans.get(plan_id)
            details = merged(dict(plan.details), changes.pop("details", {}))
            return self._put_plan(attrs.evolve(plan, details=details, **changes))

    def plans_since(self, plan_id: int) -> list[tuple[datetime, Plan]]:
        """What the plan was like since when, oldest first, deleted or not."""
        with self.lock:
            return [*self._plans_since[plan_id]]

    def _put_plan(self, plan: Plan) -> Plan:
        self._changed()
        earlier = self._plans_since.get(plan.id, [])
        self._plans_since[plan.id] = [*((since, was) for since, was in earlier if since < self.now), (self.now, plan)]
        return self.tables.plans.put(plan)

    def delete_plan(self, plan_id: int) -> None:
        """Delete a plan; 409 while a server uses it."""
        with self.lock:
            if any(server.plan_id == plan_id for server in self.tables.servers):
                raise conflict("The plan is used by servers.")
            self.tables.plans.delete(plan_id)
            self._changed()

    def add_project(self, owner_id: int, name: str, *, description: str = "", is_default: bool = False) -> Project:
        """Add a project of the user's."""
        with self.lock:
            owner = self.tables.users.get(owner_id)
            table = self.tables.projects
            self._changed()
            return table.put(Project(table.next_id(), name, owner.id, description, is_default))

    def update_project(self, project_id: int, **changes: Any) -> Project:
        """Change the name or the description of a project."""
        with self.lock:
            self._changed()
            return self.tables.projects.put(attrs.evolve(self.tables.projects.get(project_id), **changes))

    def delete_project(self, project_id: int) -> None:
        """Delete a project; 409 while there are servers in it."""
        with self.lock:
            if any(server.project_id == project_id for server in self.tables.servers):
                raise conflict("The project has servers.")
            self.tables.projects.delete(project_id)
            self._changed()

    def default_project(self, user: User) -> Project:
        """The project a user's servers are in unless told otherwise, made when it is first needed."""
        known = self._default_projects.get(user.id)
        if known is not None and known in self.tables.projects:
            return self.tables.projects.get(known)
        project = self.add_project(user.id, "Default", is_default=True)
        self._default_projects[user.id] = project.id
        return project
