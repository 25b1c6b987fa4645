"""Who of the billing system's clients is whom in SolusIO.

The billing id is the link; an e-mail address only ever proposes one. A user that belongs to another client is never
taken over, and what only a human can decide is a conflict.
"""

from collections.abc import Sequence

import attrs

from tollbridge.model import Client, ClientStatus


@attrs.frozen
class Candidate:
    """A SolusIO user that carries the client's billing id or e-mail address.

    ``is_administrator`` None means that the panel does not say, which is not "no".
    """

    user_id: int
    email: str
    billing_user_id: int | None
    is_administrator: bool | None = False


@attrs.frozen
class Create:
    """The client has no user: make one."""


@attrs.frozen
class Link:
    """An unlinked user has the client's e-mail address, ignoring case: write the billing id to it."""

    user_id: int


@attrs.frozen
class Keep:
    """The client's user.

    Attributes:
        email_changed: it must get the client's present address.
        unlinked: somebody has cleared its billing id, which is to be written again.
    """

    user_id: int
    email_changed: bool = False
    unlinked: bool = False


@attrs.frozen
class Leave:
    """The client has no user, and needs none."""


@attrs.frozen
class Clash:
    """Two records claim the same person."""

    message: str


Decision = Create | Link | Keep | Leave | Clash

_NO_ADDRESS = Clash("the client has no e-mail address, and SolusIO needs one")


def gets_user(client: Client, *, enrolled: bool, everybody: bool) -> bool:
    """Whether a client without a user gets one.

    Who enrolled does, unless the client is closed by now: billing systems call clients inactive who have bought
    nothing else. ``everybody``: every active client does, enrolled or not.
    """
    if enrolled:
        return client.status is not ClientStatus.CLOSED
    return everybody and client.status is ClientStatus.ACTIVE


def decide(
    client: Client, candidates: Sequence[Candidate], *, provision: bool, known: Candidate | None = None
) -> Decision:
    """What to do for one client.

    Args:
        client: as the billing system has it.
        candidates: every SolusIO user with the client's billing id, or with its e-mail address ignoring case.
        provision: whether the client gets a user if it has none.
        known: the user that the ledger has for the client, as SolusIO has it now. It stays the client's while it is
            linked to nobody else, or its servers would run on for nobody.
    """
    own = [user for user in candidates if user.billing_user_id == client.id]
    namesakes = [user for user in candidates if _same_address(user, client) and user.billing_user_id != client.id]
    unlinked = [known] if known is not None and not own and _is_free(known) else []
    if own or unlinked:
        return _with_own(client, own or unlinked, [user for user in namesakes if user not in unlinked])
    if not provision:
        return Leave()
    if not client.email:
        return _NO_ADDRESS
    foreign = [user for user in namesakes if user.billing_user_id is not None or user.is_administrator is not False]
    if foreign or len(namesakes) > 1:
        return _taken(client, (foreign or namesakes)[0])
    return Link(namesakes[0].user_id) if namesakes else Create()


def _is_free(user: Candidate) -> bool:
    """Whether the user is linked to nobody, and may be linked."""
    return user.billing_user_id is None and user.is_administrator is False


def _with_own(client: Client, own: Sequence[Candidate], namesakes: Sequence[Candidate]) -> Decision:
    """What to do for a client whose billing id some user carries, or whose user nobody is linked to any more."""
    user = own[0]
    if len(own) > 1:
        ids = ", ".join(str(each.user_id) for each in own)
        return Clash(f"SolusIO's users {ids} all carry the billing id {client.id}: unlink all but one")
    if user.is_administrator is not False:
        return _untouchable(client, user)
    unlinked = user.billing_user_id is None
    changed = not _same_address(user, client)
    if client.status is ClientStatus.CLOSED:
        return Keep(user.user_id, unlinked=unlinked)
    if not client.email:
        return _NO_ADDRESS
    if changed and namesakes:
        return _taken(client, namesakes[0])
    return Keep(user.user_id, email_changed=changed, unlinked=unlinked)


def _untouchable(client: Client, user: Candidate) -> Clash:
    who = f"user {user.user_id}, who carries the billing id {client.id}, is an administrator of the panel"
    if user.is_administrator:
        return Clash(f"SolusIO's {who}: unlink it, for nobody may lock an administrator out over an invoice")
    return Clash(
        f"SolusIO does not say whether its {who}: nothing is done to it until the API token may see the roles of users"
    )


def _same_address(user: Candidate, client: Client) -> bool:
    return user.email.casefold() == client.email.casefold()


def _taken(client: Client, user: Candidate) -> Clash:
    owner = f"belongs to client {user.billing_user_id}" if user.billing_user_id is not None else "is not linked"
    if user.is_administrator:
        owner = "is an administrator of the panel"
    elif user.is_administrator is None:
        owner = "may be an administrator of the panel, for SolusIO does not say"
    return Clash(
        f"the client's address {client.email} is already that of SolusIO's user {user.user_id}, which {owner}:"
        " change one of the addresses, or unlink or remove that user"
    )
