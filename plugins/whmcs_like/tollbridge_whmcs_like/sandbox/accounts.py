"""Clients, and the users who log in for them."""

import hmac
import uuid
from typing import Any

import attrs

from tollbridge_whmcs_like.sandbox.administration import Administration
from tollbridge_whmcs_like.sandbox.problems import InstallError
from tollbridge_whmcs_like.sandbox.records import Client, User

FIRST_USER = 501
SET_APART = ("id", "uuid", "owner_id", "created_at", "custom_fields")


class Accounts(Administration):
    """The part of the install that owns clients and users."""

    def __init__(self, actions: tuple[str, ...]) -> None:
        super().__init__(actions)
        self._clients: dict[int, Client] = {}
        self._users: dict[int, User] = {}
        self._client_ids: dict[str, int] = {}
        self._user_ids: dict[str, int] = {}
        self._next_client = 1
        self._next_user = FIRST_USER

    @property
    def clients(self) -> list[Client]:
        """The clients, by id."""
        with self.lock:
            return [self._clients[key] for key in sorted(self._clients)]

    @property
    def users(self) -> list[User]:
        """The users, by id."""
        with self.lock:
            return [*self._users.values()]

    def add_user(
        self, email: str, password: str, two_factor: bool = False, *, first_name: str = "", last_name: str = ""
    ) -> int:
        """Add somebody who logs in. Ids begin at 501, and no client gets one of them by chance."""
        with self.lock:
            if email.casefold() in self._user_ids:
                raise InstallError("A user already exists with that email address")
            while self._next_user in self._users or self._next_user in self._clients:
                self._next_user += 1
            key = self._next_user
            self._users[key] = User(key, email, self.now, password, first_name, last_name, two_factor=two_factor)
            self._user_ids[email.casefold()] = key
            return key

    def user(self, user_id: int) -> User:
        """The user with this id."""
        with self.lock:
            if user_id not in self._users:
                raise InstallError("Invalid user_id")
            return self._users[user_id]

    def login(self, email: str, password: str) -> User:
        """The user with this address and password, whose last login is now."""
        with self.lock:
            user = self._users.get(self._user_ids.get(email.casefold(), 0))
            if user is None or not user.password or not _same(password, user.password):
                raise InstallError("Email or Password Invalid")
            self._users[user.id] = attrs.evolve(user, last_login=self.now)
            return self._users[user.id]

    def add_client(
        self,
        email: str,
        *,
        currency: str = "USD",
        first_name: str = "",
        last_name: str = "",
        company: str = "",
        status: str = "Active",
        group_id: int = 0,
        country: str = "US",
        state: str = "",
        tax_exempt: bool = False,
        password: str = "",
        user_id: int | None = None,
        client_id: int | None = None,
        **details: Any,
    ) -> int:
        """Add a client; ``user_id`` owns it.

        Without one it is the user with this address, or a new user with it and ``password``. ``details`` are further
        fields of :class:`Client`.
        """
        with self.lock:
            if client_id is not None and client_id in self._clients:
                raise InstallError(f"There already is a client {client_id}")
            self._check(email=email, currency=currency, group_id=group_id)
            if user_id is None:
                user_id = self._user_ids.get(email.casefold())
            client = Client(
                id=self._new_client_id() if client_id is None else client_id,
                uuid=str(uuid.uuid4()),
                email=email,
                currency=currency,
                owner_id=0 if user_id is None else self.user(user_id).id,
                created_at=self.now,
                first_name=first_name,
                last_name=last_name,
                company=company,
                status=status,
                group_id=group_id,
                country=country,
                state=state,
                tax_exempt=tax_exempt,
                **details,
            )
            self._clients[client.id] = client
            self._client_ids[email.casefold()] = client.id
            if user_id is None:
                owner = self.add_user(email, password, first_name=first_name, last_name=last_name)
                self._clients[client.id] = attrs.evolve(client, owner_id=owner)
            return client.id

    def client(self, client_id: int) -> Client:
        """The client with this id."""
        with self.lock:
            if client_id not in self._clients:
                raise InstallError("Client Not Found")
            return self._clients[client_id]

    def client_by_email(self, email: str) -> Client:
        """The client with this address, whatever its case."""
        with self.lock:
            return self.client(self._client_ids.get(email.casefold(), 0))

    def clients_of(self, user_id: int) -> list[Client]:
        """The clients this user owns."""
        with self.lock:
            return [client for client in self.clients if client.owner_id == user_id]

    def set_client(self, client_id: int, **changes: Any) -> None:
        """Change fields of :class:`Client`, such as ``status="Closed"`` or ``single_sign_on=False``."""
        with self.lock:
            client = self.client(client_id)
            if fixed := [name for name in changes if name in SET_APART]:
                raise InstallError(f"{', '.join(fixed)} of a client cannot be set")
            changed = attrs.evolve(client, **changes)
            self._check(**{name: changes[name] for name in ("currency", "group_id") if name in changes})
            if changed.email.casefold() != client.email.casefold():
                self._check(email=changed.email)
                del self._client_ids[client.email.casefold()]
                self._client_ids[changed.email.casefold()] = client_id
            self._clients[client_id] = changed

    def custom_field(self, client_id: int, field_id: int) -> str:
        """What the client's custom field holds; "" if nothing."""
        return self.client(client_id).custom_fields.get(field_id, "")

    def set_custom_fields(self, client_id: int, values: dict[int, str]) -> None:
        """Set those custom fields that exist. WHMCS says nothing of the others, and has no action to add one."""
        with self.lock:
            client = self.client(client_id)
            known = {key: value for key, value in values.items() if key in self.custom_fields}
            self._clients[client_id] = attrs.evolve(client, custom_fields={**client.custom_fields, **known})

    def _check(self, *, email: str | None = None, currency: str | None = None, group_id: int = 0) -> None:
        if email is not None and email.casefold() in self._client_ids:
            raise InstallError("Duplicate Email Address")
        if currency is not None:
            self.currency(currency)
        if group_id and group_id not in self._groups:
            raise InstallError(f"There is no client group {group_id}")

    def _new_client_id(self) -> int:
        while self._next_client in self._clients or self._next_client in self._users:
            self._next_client += 1
        return self._next_client


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
