"""Who there is: currencies, client groups, users, clients and their settings."""

from collections.abc import Container
from collections.abc import Set as AbstractSet
from typing import Any

import attrs

from tollbridge_blesta.sandbox.passwords import hashed
from tollbridge_blesta.sandbox.problems import Complaints, rejected
from tollbridge_blesta.sandbox.records import Client, Contact, Currency, CustomField, Group, User
from tollbridge_blesta.sandbox.state import State

STATUSES = ("active", "inactive", "fraud")
_CONTACT = {field.name for field in attrs.fields(Contact)} - {"id"}
_CHECKED = {"currency", "status", "group_id"}
_SETTINGS = {"currency": "default_currency", "tax_exempt": "tax_exempt"}


class Directory(State):
    """The part of an install that owns people and what they are counted in."""

    def __init__(self, timezone: str) -> None:
        super().__init__(timezone)
        self._currencies: dict[str, Currency] = {}
        self._groups: dict[int, Group] = {}
        self._users: dict[int, User] = {}
        self._user_ids: dict[str, int] = {}
        self._clients: dict[int, Client] = {}
        self._fields: dict[int, CustomField] = {}
        self._settings_of_groups: dict[int, dict[str, str]] = {}
        self._settings_of_clients: dict[int, dict[str, str]] = {}
        self._values: dict[tuple[int, int], str] = {}
        # Far apart, so that an id of one kind is not one of another kind by accident.
        self._next = {"client": 1, "number": 1500, "user": 50_001, "contact": 90_001}

    @property
    def currencies(self) -> list[Currency]:
        """All currencies of the company."""
        with self.lock:
            return [*self._currencies.values()]

    @property
    def groups(self) -> list[Group]:
        """All client groups; the first is the default one."""
        with self.lock:
            return [*self._groups.values()]

    @property
    def users(self) -> list[User]:
        """Everybody who can log in, staff among them."""
        with self.lock:
            return [*self._users.values()]

    @property
    def clients(self) -> list[Client]:
        """All clients, by id."""
        with self.lock:
            return [self._clients[client_id] for client_id in sorted(self._clients)]

    @property
    def custom_fields(self) -> list[CustomField]:
        """All custom fields of clients."""
        with self.lock:
            return [*self._fields.values()]

    def client(self, client_id: int) -> Client | None:
        """The client with this id."""
        with self.lock:
            return self._clients.get(client_id)

    def user_with_id(self, user_id: int) -> User | None:
        """The user with this id."""
        with self.lock:
            return self._users.get(user_id)

    def user_of(self, client: Client) -> User:
        """The user a client logs in with."""
        with self.lock:
            return self._users[client.user_id]

    def user_by_name(self, username: str) -> User | None:
        """The user with this username, whatever its case."""
        with self.lock:
            return self._users.get(self._user_ids.get(username.casefold(), 0))

    def add_currency(
        self,
        code: str,
        precision: int = 2,
        prefix: str = "",
        suffix: str = "",
        format: str = "#,###.##",  # noqa: A002 - the name of the field on the wire
    ) -> None:
        """Add a currency, or replace the one with this code."""
        if not 0 <= precision <= 4:
            raise rejected("precision", "format", "A currency has between 0 and 4 decimals.")
        with self.lock:
            self._currencies[code] = Currency(code, precision, prefix, suffix, format)

    def add_group(self, name: str) -> int:
        """Add a client group."""
        with self.lock:
            group_id = len(self._groups) + 1
            self._groups[group_id] = Group(group_id, name)
            return group_id

    def set_group_setting(self, group_id: int, key: str, value: str) -> None:
        """Set what the group's clients inherit."""
        with self.lock:
            self._settings_of_groups.setdefault(group_id, {})[key] = value

    def add_custom_field(self, name: str, *, group_id: int | None = None) -> int:
        """Add a custom field."""
        with self.lock:
            field_id = len(self._fields) + 1
            self._fields[field_id] = CustomField(field_id, name, group_id)
            return field_id

    def add_staff(self, username: str, password: str) -> int:
        """Add somebody who works for the company, and who is no client; Rejected if the username is taken."""
        with self.lock:
            complaints = Complaints()
            self.check_client(complaints, username=username)
            complaints.check()
            return self._add_user(username, "", password, is_staff=True)

    def add_client(
        self,
        email: str,
        *,
        currency: str | None = "USD",
        first_name: str = "",
        last_name: str = "",
        company: str = "",
        status: str = "active",
        group_id: int | None = None,
        country: str = "US",
        state: str = "",
        tax_exempt: bool = False,
        language: str | None = None,
        username: str | None = None,
        password: str = "",
        client_id: int | None = None,
    ) -> int:
        """Add a client with its user and its primary contact.

        Without a currency or a language (``de_de``) it has the one of its group or company, without a group the default
        one; without a username it logs in with its e-mail address, or one made of it if that is taken, and without a
        password not at all.

        Raises:
            Rejected: an unknown currency, group or status, or a username or id that is taken.
        """
        with self.lock:
            complaints = Complaints()
            group_id = self.groups[0].id if group_id is None else group_id
            self.check_client(
                complaints, currency=currency, status=status, group_id=group_id, email=email, username=username
            )
            if client_id in self._clients:
                complaints.add("client_id", "unique", f"There already is a client {client_id}.")
            complaints.check()
            client_id = self._take("client", self._users, self._clients) if client_id is None else client_id
            login = username or self._free_username(email, client_id)
            user_id = self._add_user(login, email, password, not_id=client_id)
            contact = Contact(
                self._take("contact"), email, first_name, last_name, company, state=state, country=country
            )
            self._clients[client_id] = Client(
                client_id, self._take("number"), user_id, group_id, contact, self.now, status
            )
            if currency is not None:
                self.set_client_setting(client_id, "default_currency", currency)
            if tax_exempt:
                self.set_client_setting(client_id, "tax_exempt", "true")
            if language is not None:
                self.set_client_setting(client_id, "language", language)
            return client_id

    def set_client(self, client_id: int, **changes: Any) -> None:
        """Change a client; takes what :meth:`add_client` takes, and the rest of the address.

        Raises:
            Rejected: there is no such client, or :meth:`add_client` would refuse it.
        """
        with self.lock:
            client = self._known_client(client_id)
            complaints = Complaints()
            self.check_client(complaints, **{key: changes[key] for key in changes if key in _CHECKED})
            complaints.check()
            self._change_user(client.user_id, **_taken_out(changes, {"username", "password"}))
            for key, value in _taken_out(changes, _SETTINGS.keys()).items():
                self.set_client_setting(client_id, _SETTINGS[key], None if value is None else _text(value))
            contact = attrs.evolve(client.contact, **_taken_out(changes, _CONTACT))
            self._clients[client_id] = attrs.evolve(client, contact=contact, **changes)

    def settings_of(self, client_id: int) -> dict[str, tuple[str, str]]:
        """Each setting in force for the client with its level: ``client``, ``client_group`` or ``company``."""
        with self.lock:
            client = self._known_client(client_id)
            levels = (
                ("company", self.settings),
                ("client_group", self._settings_of_groups.get(client.group_id, {})),
                ("client", self._settings_of_clients.get(client_id, {})),
            )
            return {key: (value, level) for level, values in levels for key, value in values.items()}

    def client_setting(self, client_id: int, key: str) -> str | None:
        """The value in force for the client, from wherever it comes; None if nobody set it."""
        value, _ = self.settings_of(client_id).get(key, (None, ""))
        return value

    def set_client_setting(self, client_id: int, key: str, value: str | None) -> None:
        """Set a client's own setting; None takes it away, so that the inherited one is in force."""
        with self.lock:
            self._known_client(client_id)
            own = self._settings_of_clients.setdefault(client_id, {})
            own.pop(key, None)
            if value is not None:
                own[key] = value

    def custom_field(self, client_id: int, field_id: int) -> str | None:
        """The client's value of a custom field; None if it has none."""
        with self.lock:
            return self._values.get((client_id, field_id))

    def set_custom_field(self, client_id: int, field_id: int, value: str) -> None:
        """Set the client's value of a custom field.

        Raises:
            Rejected: there is no such client or field.
        """
        with self.lock:
            self._known_client(client_id)
            if field_id not in self._fields:
                raise rejected("client_field_id", "exists", f"There is no custom field {field_id}.")
            self._values[client_id, field_id] = value

    def currency(self, code: str) -> Currency | None:
        """The currency with this code."""
        with self.lock:
            return self._currencies.get(code)

    def _known_client(self, client_id: int) -> Client:
        if client_id not in self._clients:
            raise rejected("client_id", "exists", f"There is no client {client_id}.")
        return self._clients[client_id]

    def check_client(self, complaints: Complaints, **values: Any) -> None:
        """Complain about a new client's ``currency``, ``status``, ``group_id``, ``username`` and ``email``."""
        currency, username, email = (values.get(name) for name in ("currency", "username", "email"))
        if currency is not None and currency not in self._currencies:
            complaints.add("default_currency", "valid", f"The company has no currency {currency}.")
        if values.get("status", "active") not in STATUSES:
            complaints.add("status", "format", f"A client is {', '.join(STATUSES)}, not {values['status']}.")
        if "group_id" in values and values["group_id"] not in self._groups:
            complaints.add("client_group_id", "exists", f"There is no client group {values['group_id']}.")
        if username is not None and self._is_taken(username):
            complaints.add("username", "unique", f"Somebody has the username {username} already.")
        emails = (client.contact.email.casefold() for client in self._clients.values())
        if self.quirks.unique_emails and email is not None and email.casefold() in emails:
            complaints.add("email", "unique", f"Somebody has the e-mail address {email} already.")

    def _is_taken(self, username: str) -> bool:
        return username.casefold() in self._user_ids

    def _free_username(self, email: str, client_id: int) -> str:
        return f"{email}-{client_id}" if self._is_taken(email) else email

    def _add_user(self, username: str, email: str, password: str, *, is_staff: bool = False, not_id: int = 0) -> int:
        user_id = self._take("user", self._clients, (not_id,))
        kept = hashed(password) if password else None
        self._users[user_id] = User(user_id, username, email, self.now, kept, is_staff)
        self._user_ids[username.casefold()] = user_id
        return user_id

    def _change_user(self, user_id: int, *, username: str | None = None, password: str | None = None) -> None:
        user = self._users[user_id]
        if username is not None:
            if self._user_ids.get(username.casefold(), user_id) != user_id:
                raise rejected("username", "unique", f"Somebody has the username {username} already.")
            del self._user_ids[user.username.casefold()]
            self._user_ids[username.casefold()] = user_id
        kept = user.password_hash if password is None else hashed(password)
        self._users[user_id] = attrs.evolve(user, username=username or user.username, password_hash=kept)

    def _take(self, what: str, *taken: Container[int]) -> int:
        """The next number of its kind that is in none of the tables."""
        number = self._next[what]
        while any(number in table for table in taken):
            number += 1
        self._next[what] = number + 1
        return number


def _taken_out(values: dict[str, Any], names: AbstractSet[str]) -> dict[str, Any]:
    return {name: values.pop(name) for name in names & values.keys()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
