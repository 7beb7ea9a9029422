"""Browser sessions: their cookie and their lifetime. The rows are in the store."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

#: The prefix makes browsers insist on HTTPS, path "/" and this very host.
COOKIE = "__Host-dcor"
#: A session ends after this time even if it is used.
LONGEST = timedelta(days=14)
#: `last_seen` is written at most once in this interval, because every write is an fsync.
TOUCH_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When sessions end: after `idle` without use, and after `longest` in any case."""

    idle: timedelta = timedelta(hours=12)
    longest: timedelta = LONGEST

    def expires(self, created: datetime, last_seen: datetime) -> datetime:
        """Return the moment at which a session ends unless it is used before."""
        return min(created + self.longest, last_seen + self.idle)

    def is_live(self, created: datetime, last_seen: datetime, now: datetime | None = None) -> bool:
        """Return whether a session is still valid. All moments are timezone-aware."""
        return (now or datetime.now(UTC)) < self.expires(created, last_seen)


def new_session() -> tuple[str, bytes]:
    """Return `(cookie value, SHA-256 to store)`: 256 random bits.

    Make a new one at every log-in and change of password, and drop the old: nobody can plant a session in advance.
    """
    value = secrets.token_urlsafe(32)
    return value, session_hash(value)


def session_hash(value: str) -> bytes:
    """Return the hash under which the cookie's session is stored; a stolen database does not permit using sessions."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()


def needs_touch(last_seen: datetime, now: datetime | None = None) -> bool:
    """Return whether `last_seen` is old enough to be written again."""
    return (now or datetime.now(UTC)) - last_seen >= TOUCH_EVERY


def set_cookie(value: str) -> str:
    """Return the `Set-Cookie` value of a session. It ends with the browser; the server ends it earlier by its rules.

    SameSite is Lax, not Strict: a link in a mail to a dataset shall find its reader signed in. Changes are guarded
    by `csrf` besides.
    """
    return f"{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax"


def clear_cookie() -> str:
    """Return the `Set-Cookie` value that removes the session's cookie."""
    return f"{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
