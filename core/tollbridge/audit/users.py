"""``users``: every client has its user, and every user with a billing id its client."""

from tollbridge.audit.evidence import Evidence
from tollbridge.audit.findings import Tally, client
from tollbridge.audit.scratch import pages
from tollbridge.errors import NotFound
from tollbridge.ledger import Account
from tollbridge.model import Client
from tollbridge.rules.accounts import Candidate, Clash, Create, Keep, Leave, Link, decide, gets_user
from tollbridge.rules.overdue import HoldReason
from tollbridge.solus import SolusUser

_SYNC = "`tollbridge sync` {does}"


def check_users(evidence: Evidence, tally: Tally) -> None:
    """Lay all clients beside all users."""
    evidence.read_clients()
    evidence.read_users()
    for client_id in evidence.people.twice():
        tally.find(client(client_id), "listed once by the billing system", "listed twice", "remove one of them there")
    ledger = evidence.sources.ledger
    for page in pages(evidence.people.pairs()):
        client_ids = [each.id for each, _ in page]
        accounts, enrolled = ledger.accounts.of_clients(client_ids), ledger.signups.enrolled(client_ids)
        for each, users in page:
            _check_client(evidence, tally, each, users, accounts.get(each.id), enrolled=each.id in enrolled)
        tally.checked += len(page)
        evidence.progress("clients and users", tally.checked)
    _check_linked(evidence, tally)


def _check_client(
    evidence: Evidence, tally: Tally, there: Client, users: list[SolusUser], account: Account | None, *, enrolled: bool
) -> None:
    everybody = evidence.sources.settings.accounts.provision == "clients"
    known = evidence.people.user(account.user_id) if account else None
    decision = decide(
        there,
        [_candidate(user) for user in users],
        provision=gets_user(there, enrolled=enrolled, everybody=everybody),
        known=_candidate(known) if known else None,
    )
    who = client(there.id)
    match decision:
        case Clash(message):
            tally.find(who, "one SolusIO user of its own", message, "settle it by hand, then `tollbridge sync`")
        case Keep(user_id, unlinked=True):
            tally.find(
                who, f"user {user_id} with the billing id {there.id}", "the user has no billing id",
                _SYNC.format(does="writes it again"),
            )  # fmt: skip
        case Keep(user_id) if account is not None and account.user_id != user_id:
            tally.find(
                who, f"user {account.user_id}, as the ledger has it", f"user {user_id} has the billing id",
                _SYNC.format(does="takes the user that has it; correct the billing id in the panel if that is wrong"),
            )  # fmt: skip
        case Create() | Link() if account is not None:
            gone = "that user is gone from SolusIO" if known is None else "that user is linked to another client"
            tally.find(
                who, f"user {account.user_id}, as the ledger has it", gone,
                _SYNC.format(does="makes or links a user anew; find out who removed the other one"),
            )  # fmt: skip
        case Create() | Link() | Keep() if account is None:
            tally.told.append(f"{who} has no account in the ledger yet: it gets one by the next run")
        case Keep() | Leave() | Create() | Link():
            pass


def _check_linked(evidence: Evidence, tally: Tally) -> None:
    """Users whose client is not listed: it is there all the same, or is gone and its user closed."""
    billing = evidence.sources.billing

    def is_there(user: SolusUser) -> bool:
        try:
            billing.client(user.billing_user_id or 0)
        except NotFound:
            return False
        return True

    for page in pages(evidence.people.linked_to_nobody_listed()):
        accounts = evidence.sources.ledger.accounts.of_clients([user.billing_user_id or 0 for user in page])
        for user, there in evidence.at_once(is_there, page, "clients that are not listed"):
            tally.checked += 1
            account = accounts.get(user.billing_user_id or 0)
            if not there and (account is None or account.user_id != user.id):
                tally.find(
                    f"user {user.id}", client(user.billing_user_id or 0), "the billing system has no such client",
                    f"correct or clear the billing id of {user.email} in the panel: nobody is billed for this user",
                )  # fmt: skip
            elif not there and account is not None and account.held_for(HoldReason.CLOSED) is None:
                tally.told.append(
                    f"{client(account.client_id)} is gone from the billing system: by the next run user {user.id}"
                    " becomes what accounts.on_closed says"
                )


def _candidate(user: SolusUser) -> Candidate:
    return Candidate(user.id, user.email, user.billing_user_id, user.is_administrator)
