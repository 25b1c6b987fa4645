"""Passwords, kept hashed although it is a sandbox."""

import hashlib
import hmac
import secrets


def hashed(password: str, salt: bytes | None = None) -> bytes:
    """Salted, and cheap: ten thousand clients are made in seconds, and live no longer than the process."""
    salt = salt or secrets.token_bytes(16)
    return salt + hashlib.scrypt(password.encode(), salt=salt, n=2**8, r=8, p=1)


def matches(password: str, kept: bytes | None) -> bool:
    """Whether this is the password; never for somebody without one."""
    return kept is not None and hmac.compare_digest(hashed(password, kept[:16]), kept)
