"""What the bridge does in SolusIO: users, their status, plans, settings and one-time log-ins."""

import secrets
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

import attrs

from tollbridge.config import SolusSettings
from tollbridge.errors import Conflict, Incomplete, NotFound, OutcomeUnknown, Refused
from tollbridge.http import InProcess, Retry
from tollbridge.model import UserStatus
from tollbridge.solus import wire
from tollbridge.solus.panel import Panel, read_twice
from tollbridge.solus.wire import Named, Plan, SolusUser

_CREATE_TRIES = 3
_USUAL_ROLE = "CLIENT"


@attrs.frozen
class Connection:
    """How SolusIO finds its price look-up, and whether people may register in the user area, as it says itself."""

    driver: str
    url: str
    token_set: bool
    registration: bool


class Solus:
    """SolusIO as the jobs see it; ``transport`` is a sandbox in this process to talk to without a socket."""

    def __init__(self, settings: SolusSettings, retry: Retry | None = None, transport: InProcess | None = None) -> None:
        self._settings = settings
        self._retry = retry or Retry()
        self.panel = Panel(settings, retry, transport)

    def close(self) -> None:
        """Close the connections."""
        self.panel.close()

    def try_out(self) -> None:
        """Read one page of users: the cheapest proof that the address, the token and its owner's rights are right."""
        next(self.users(), None)

    def users(self) -> Iterator[SolusUser]:
        """Every user; Incomplete at the end if any is missing."""
        return (wire.user(row) for row in self.panel.rows("users"))

    def read_users(self, keep: Callable[[Iterator[SolusUser]], object]) -> None:
        """Give every user to ``keep``, and prove by a second pass that nobody is missing.

        For whatever hangs on a user's not being there. ``keep`` replaces what it was given before.

        Raises:
            Incomplete: after three tries no two passes had the same users with the same billing ids.
        """
        read_twice(self.users, keep, lambda user: (user.id, user.billing_user_id), "SolusIO's list of users")

    def time(self) -> datetime | None:
        """The panel's own time; None if it does not tell."""
        return self.panel.time()

    def plans(self) -> list[Plan]:
        """Every plan, by its price per hour and month."""
        return self.panel.whole_list("plans", wire.plan)

    def find_user(self, email: str) -> SolusUser | None:
        """The user with exactly this e-mail address, ignoring case; SolusIO's own search also finds look-alikes.

        Raises:
            Conflict: several users have it.
        """
        found = self.panel.whole_list("users", wire.user, {"filter[search]": email})
        exact = [user for user in found if user.email.casefold() == email.casefold()]
        if len(exact) > 1:
            raise Conflict(f"SolusIO has {len(exact)} users with the e-mail address {email}: remove all but one")
        return exact[0] if exact else None

    def ensure_user(self, email: str, client_id: int) -> SolusUser:
        """The SolusIO user of a client, created if there is none, never twice even if an answer is lost.

        SolusIO has no idempotency key, so: search, create, and after any doubt search again.

        Raises:
            Conflict: the e-mail address belongs to another client's user.
            OutcomeUnknown: after several rounds it is still not known whether the user was created.
        """
        doubt: OutcomeUnknown | Refused | None = None
        for attempt in range(_CREATE_TRIES):
            if attempt:
                time.sleep(self._retry.wait_initial)
            user = self.find_user(email)
            if user is not None:
                return self._adopted(user, client_id)
            if isinstance(doubt, Refused):
                raise doubt
            try:
                return self._create(email, client_id)
            except (OutcomeUnknown, Refused) as error:
                doubt = error
        user = self.find_user(email)
        if user is None:
            raise OutcomeUnknown(
                f"it is not known whether SolusIO created a user for {email}; the next run looks again"
            )
        return self._adopted(user, client_id)

    def _create(self, email: str, client_id: int) -> SolusUser:
        body: dict[str, Any] = {
            "email": email,
            "password": secrets.token_urlsafe(24),
            "status": UserStatus.ACTIVE,
            "billing_user_id": client_id,
        }
        if self.role is not None:
            body["roles"] = [self.role.id]
        if self.limit_group is not None:
            body["limit_group_id"] = self.limit_group.id
        data = self.panel.call("POST", "users", body)
        try:
            user_id = wire.identifier(data, "id", "a new user")
        except Incomplete as error:
            raise OutcomeUnknown(str(error)) from error
        return SolusUser(user_id, email, UserStatus.ACTIVE, client_id)

    def _adopted(self, user: SolusUser, client_id: int) -> SolusUser:
        """``user``, linked to the client if it was linked to nobody."""
        if user.is_administrator:
            raise Conflict(f"client {client_id} has the e-mail address {user.email} of an administrator of SolusIO")
        if user.is_administrator is None:
            raise Conflict(
                f"client {client_id} has the e-mail address of SolusIO's user {user.id}, and SolusIO does not say"
                " whether that is an administrator: link it by hand if it is the client's"
            )
        if user.billing_user_id is None:
            self.link(user.id, client_id)
            return attrs.evolve(user, billing_user_id=client_id)
        if user.billing_user_id != client_id:
            raise Conflict(
                f"client {client_id} has the e-mail address {user.email}, but SolusIO's user {user.id} with that"
                f" address belongs to client {user.billing_user_id}"
            )
        return user

    def link(self, user_id: int, client_id: int) -> None:
        """Write the client's id to the user."""
        self.panel.call("PUT", f"users/{user_id}", {"billing_user_id": client_id})

    def set_status(self, user_id: int, status: UserStatus) -> None:
        """Make the user active, locked or suspended."""
        self.panel.call("PUT", f"users/{user_id}", {"status": status})

    def change_email(self, user_id: int, email: str) -> None:
        """Give the user another e-mail address (by PATCH, as official clients do)."""
        self.panel.call("PATCH", f"users/{user_id}", {"email": email})

    def delete_user(self, user_id: int) -> None:
        """Delete the user; one that is gone already counts as deleted."""
        try:
            self.panel.call("DELETE", f"users/{user_id}")
        except NotFound:
            return

    def has_servers(self, user_id: int) -> bool:
        """Whether the user owns any server; a row that does not say whose it is counts as theirs."""
        owners = self.panel.whole_list("servers", wire.owner, {"filter[user_id]": user_id})
        return any(owner in {user_id, None} for owner in owners)

    @cached_property
    def role(self) -> Named | None:
        """The role new users get: bridge.toml's, else CLIENT where the panel has it, else whatever the panel gives."""
        if self._settings.role is not None:
            return self._chosen("roles", "role", self._settings.role)
        there = self.panel.whole_list("roles", wire.named)
        return next((role for role in there if role.name == _USUAL_ROLE), None)

    @cached_property
    def limit_group(self) -> Named | None:
        """The limit group new users get, if bridge.toml names one."""
        wanted = self._settings.limit_group
        return None if wanted is None else self._chosen("limit_groups", "limit_group", wanted)

    def _chosen(self, path: str, key: str, wanted: str | int) -> Named:
        there = self.panel.whole_list(path, wire.named)
        for entry in there:
            if wanted in (entry.id, entry.name):
                return entry
        names = ", ".join(entry.name for entry in there) or "none"
        raise Refused(f"SolusIO has no {path.replace('_', ' ').rstrip('s')} {wanted!r} (solus.{key}); it has: {names}")

    def login_url(self, user_id: int, client_id: int, email: str) -> str:
        """A log-in link for the client's user, good for one use: make it when it is clicked, and never store or log it.

        The user is looked at first, by its address: what the last run found may not hold any more.

        Raises:
            NotFound: nobody has this address; the next run brings address and user together.
            Conflict: the user with this address is another one, another client's, or an administrator of the panel.
        """
        user = self.find_user(email)
        if user is None:
            raise NotFound(
                f"SolusIO has no user with client {client_id}'s address {email}; `tollbridge sync` mends that"
            )
        if (user.id, user.billing_user_id, user.is_administrator) != (user_id, client_id, False):
            raise Conflict(
                f"SolusIO's user {user.id} with the address {email} is not client {client_id}'s user {user_id} any more"
                " or may be an administrator: nobody is logged in as it"
            )
        data = self.panel.call("POST", f"users/{user_id}/tokens", {"is_one_time": True})
        token = wire.text(data, "access_token", "a log-in token")
        area = (self._settings.user_area_url or self._settings.url).rstrip("/")
        return f"{area}/auth/by_token/{quote(token, safe='')}"

    def connect(self, url: str, token: str) -> Connection:
        """Tell SolusIO where its price look-up is, and turn registration in the user area off.

        Settings are read first and sent back with only these changed, whole table by whole table, because it is not
        documented whether SolusIO merges what it is sent. Then they are read again.

        Raises:
            Refused: the settings read back are not what was written.
        """
        before = self.panel.call("GET", "settings")
        integration, features = _table(before, "billing_integration"), _table(before, "features")
        driver = _driver(integration)
        drivers = _table(integration, "drivers")
        wanted = {
            "billing_integration": {
                **integration,
                "type": driver,
                "drivers": {**drivers, driver: {**_table(drivers, driver), "url": url, "token": token}},
            },
            "features": {**features, "allow_registration": False},
        }
        self.panel.call("PATCH", "settings", wanted)
        after = self.panel.call("GET", "settings")
        lost = [f"{name}.{key}" for name in wanted for key in _lost(wanted[name], after.get(name))]
        if lost:
            raise Refused(f"SolusIO did not take these settings: {', '.join(lost)}; set them in the panel by hand")
        return Connection(driver, url, bool(token), _table(after, "features").get("allow_registration") is not False)


def _driver(integration: wire.Row) -> str:
    """The billing driver to fill: a custom one where the panel knows one, else the one it has always had."""
    return next((name for name in _table(integration, "drivers") if "custom" in name.lower()), "whmcs")


def _table(document: wire.Row, key: str) -> dict[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _lost(wanted: dict[str, Any], found: Any) -> Iterator[str]:
    """The keys of ``wanted`` that ``found`` does not hold with the same value."""
    for key, value in wanted.items():
        there = found.get(key) if isinstance(found, dict) else None
        if isinstance(value, dict):
            yield from (f"{key}.{inner}" for inner in _lost(value, there))
        elif there != value:
            yield key
