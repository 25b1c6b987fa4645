"""Passwords: compared with the hashes that PHP's ``password_hash`` and others write, and hashed for new clients."""

import re
import threading
from collections.abc import Iterable, Mapping
from typing import Literal

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError, VerifyMismatchError

from tollbridge import Refused
from tollbridge.reading import Row, text, whole

Scheme = Literal["bcrypt", "argon2id"]

# Of a password that is nobody's, and as costly as those made here.
_NOBODYS: Mapping[Scheme, str] = {
    "bcrypt": "$2y$12$bPpniy4bv.mVXNigcCqT6uXhYbbshjopQe6ZwMy9uERO/L6173GJW",
    "argon2id": "$argon2id$v=19$m=65536,t=3,p=4$H4PDfXCf1OR522crsz4yZQ$chTtcoATDVNWq3GLLBeXzphy97qqr66w0xmw3XWgDrk",
}

_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")
_BCRYPT_COST = 12
_BCRYPT_LONGEST = 72
_ARGON2 = ("$argon2id$", "$argon2i$")
_argon2 = PasswordHasher()
_a_few_at_once = threading.Semaphore(3)  # each takes 64 MiB


class Logins:
    """Compares passwords with the rows of the statement ``login``."""

    def __init__(self, scheme: Scheme) -> None:
        self._usual = _NOBODYS[scheme]

    def whose(self, password: str, found: Iterable[Row]) -> set[int]:
        """The ids of the clients whose password it is; nobody logs in with a hash that is empty or NULL.

        Where there is nothing to compare with, it is compared with the hash that came last, for nothing. So the time
        does not tell whether somebody has an address, whatever the hashes cost.

        Raises:
            Refused: a hash cannot be compared with.
        """
        rows = [(whole(row, "id", "a row of the statement `login`"), text(row, "password_hash")) for row in found]
        hashes = [(client_id, stored) for client_id, stored in rows if stored]
        if not hashes:
            matches(password, self._usual)
        return {client_id for client_id, stored in hashes if self._is_right(client_id, password, stored)}

    def _is_right(self, client_id: int, password: str, stored: str) -> bool:
        try:
            right = matches(password, stored)
        except ValueError as error:
            matches(password, self._usual)
            raise Refused(f"client {client_id} cannot log in: {error}: give it a new password") from None
        self._usual = stored
        return right


def matches(password: str, stored: str) -> bool:
    """Whether ``stored`` is a hash of the password.

    Raises:
        ValueError: it is no hash that can be compared with.
    """
    if _BCRYPT.fullmatch(stored):
        return bcrypt.checkpw(_for_bcrypt(password), stored.encode())
    if stored.startswith(_ARGON2):
        try:
            with _a_few_at_once:
                return _argon2.verify(stored, _encoded(password))
        except VerifyMismatchError:
            return False
        except (Argon2Error, InvalidHashError, UnicodeEncodeError):
            pass
    raise ValueError("its hash is none of bcrypt's ($2a$, $2b$, $2y$) and of Argon2's ($argon2id$, $argon2i$)")


def hashed(password: str, scheme: Scheme) -> str:
    """A new hash of the password, which PHP's ``password_verify`` takes, too.

    Raises:
        Refused: bcrypt would end the password at a zero byte in it.
    """
    if scheme == "argon2id":
        with _a_few_at_once:
            return _argon2.hash(_encoded(password))
    if "\0" in password:
        raise Refused("a password must not have a zero byte in it: choose another")
    # PHP calls its own hashes $2y$, and those that are called $2b$ unknown, though they are the same.
    salt = bcrypt.gensalt(_BCRYPT_COST).replace(b"$2b$", b"$2y$", 1)
    return bcrypt.hashpw(_for_bcrypt(password), salt).decode()


def _for_bcrypt(password: str) -> bytes:
    """What counts of a password: bcrypt takes 72 bytes, and PHP leaves out the rest without a word."""
    return _encoded(password)[:_BCRYPT_LONGEST]


def _encoded(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
