"""Users, what they may do, and the tokens they do it with."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import attrs

from tollbridge.solus.sandbox.machines import Machines
from tollbridge.solus.sandbox.problems import PanelError, conflict, invalid, unauthenticated
from tollbridge.solus.sandbox.records import LimitGroup, Role, Token, User

STATUSES = ("active", "locked", "suspended")


class Accounts(Machines):
    """The part of the panel that owns users, roles, limit groups and tokens."""

    def __init__(self, now: datetime | None, per_page: int, *, ids_as_text: bool) -> None:
        super().__init__(now, per_page, ids_as_text=ids_as_text)
        self._ids_by_email: dict[str, int] = {}
        self._tokens: dict[str, Token] = {}
        self._token_ids = 0

    @property
    def users(self) -> list[User]:
        """A snapshot of all users, the panel's administrator (id 1) among them."""
        with self.lock:
            return self.tables.users.rows()

    def user(self, user_id: int) -> User:
        """The user; 404 if there is none."""
        with self.lock:
            return self.tables.users.get(user_id)

    def user_by_email(self, email: str) -> User | None:
        """The user with this address, whatever its case."""
        with self.lock:
            user_id = self._ids_by_email.get(email.casefold())
            return None if user_id is None else self.tables.users.get(user_id)

    def users_with(self, part: str) -> list[User]:
        """The users whose address contains this, whatever its case; empty text is in every address."""
        part = part.casefold()
        with self.lock:
            if not part:
                return self.tables.users.rows()
            found = sorted(user_id for email, user_id in self._ids_by_email.items() if part in email)
            return [self.tables.users.get(user_id) for user_id in found]

    def add_user(
        self,
        email: str,
        *,
        billing_user_id: int | None = None,
        status: str = "active",
        roles: Sequence[str | int] = ("CLIENT",),
        password: str | None = None,
        limit_group_id: int | None = None,
        billing_token: str = "",
        language_id: int = 1,
    ) -> User:
        """Add a user; ``roles`` by name or id. 422 if somebody has the address already."""
        with self.lock:
            self._free(email)
            default_group = self._settings["limit_group"] or {}
            user = User(
                id=self.tables.users.next_id(),
                email=email,
                created_at=self.now,
                status=_status(status),
                role_ids=tuple(self._role_ids(roles)),
                billing_user_id=billing_user_id,
                billing_token=billing_token,
                language_id=language_id,
                limit_group_id=default_group.get("id") if limit_group_id is None else limit_group_id,
                password_hash=None if password is None else _hashed(password),
            )
            self._ids_by_email[email.casefold()] = user.id
            self._log("user_created", user)
            self._changed()
            return self.tables.users.put(user)

    def update_user(self, user_id: int, *, password: str | None = None, **changes: Any) -> User:
        """Change a user. Suspending one stops the servers; activating does not start them again."""
        with self.lock:
            user = self.tables.users.get(user_id)
            _status(changes.get("status", user.status))
            if "email" in changes:
                self._free(changes["email"], but_for=user)
                del self._ids_by_email[user.email.casefold()]
                self._ids_by_email[changes["email"].casefold()] = user.id
            if password is not None:
                changes["password_hash"] = _hashed(password)
            user = self.tables.users.put(attrs.evolve(user, **changes))
            self._changed()
            if user.status == "suspended":
                for server in self.tables.servers:
                    if server.user_id == user.id:
                        self.stop_server(server.id)
            return user

    def delete_user(self, user_id: int) -> None:
        """Delete a user without servers; 409 if there are some. The usage of earlier servers remains."""
        with self.lock:
            user = self.tables.users.get(user_id)
            if any(server.user_id == user_id for server in self.tables.servers):
                raise conflict("The user has servers.")
            for project in self.tables.projects:
                if project.owner_id == user_id:
                    self.tables.projects.delete(project.id)
            self.tables.users.delete(user_id)
            del self._ids_by_email[user.email.casefold()]
            self._tokens = {value: token for value, token in self._tokens.items() if token.user_id != user_id}
            self._log("user_deleted", user)
            self._changed()

    def add_role(self, name: str) -> Role:
        """Add a role; the sandbox knows no permissions but an administrator's."""
        with self.lock:
            self._changed()
            return self.tables.roles.put(Role(self.tables.roles.next_id(), name))

    def add_limit_group(self, name: str, limits: dict[str, Any] | None = None) -> LimitGroup:
        """Add a limit group."""
        with self.lock:
            self._changed()
            table = self.tables.limit_groups
            return table.put(LimitGroup(table.next_id(), name, self.now, limits or {}))

    def issue_token(
        self, user_id: int, *, name: str = "", is_one_time: bool = False, value: str | None = None
    ) -> Token:
        """Give the user a token."""
        with self.lock:
            user = self.tables.users.get(user_id)
            self._token_ids += 1
            token = Token(self._token_ids, user.id, value or secrets.token_urlsafe(30), self.now, name, is_one_time)
            self._tokens[token.value] = token
            return token

    def redeem(self, value: str, *, for_login: bool = False) -> User:
        """Whose token this is; a one-time token is used up by it. 401 for an unknown or used one.

        Only a one-time token is good ``for_login``, which is 404 otherwise.
        """
        with self.lock:
            token = self._tokens.get(value)
            if token is None or (for_login and not token.is_one_time):
                raise PanelError(404, "This link has expired.") if for_login else unauthenticated()
            if token.is_one_time:
                del self._tokens[value]
            return self.tables.users.get(token.user_id)

    def login(self, email: str, password: str) -> User:
        """The user with this address and password; 422 if there is none."""
        with self.lock:
            user = self.user_by_email(email)
            if user is None or user.password_hash is None or not _is_password(password, user.password_hash):
                raise invalid(email="These credentials do not match our records.")
            return user

    def _role_ids(self, roles: Iterable[str | int]) -> list[int]:
        by_name = {role.name: role.id for role in self.tables.roles}
        ids = [role if isinstance(role, int) else by_name.get(role, 0) for role in roles]
        if not all(role in self.tables.roles for role in ids):
            raise invalid(roles="The selected roles is invalid.")
        return ids

    def _free(self, email: str, but_for: User | None = None) -> None:
        holder = self._ids_by_email.get(email.casefold())
        if holder is not None and (but_for is None or holder != but_for.id):
            raise invalid(email="The email has already been taken.")


def _status(status: str) -> str:
    if status not in STATUSES:
        raise invalid(status="The selected status is invalid.")
    return status


def _hashed(password: str, salt: bytes | None = None) -> bytes:
    # Cheap, so that ten thousand users are made in seconds; it lives no longer than the process.
    salt = salt or secrets.token_bytes(16)
    return salt + hashlib.scrypt(password.encode(), salt=salt, n=2**8, r=8, p=1)


def _is_password(password: str, hashed: bytes) -> bool:
    return hmac.compare_digest(_hashed(password, hashed[:16]), hashed)
