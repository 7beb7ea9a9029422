"""The chain of the audit log: each entry carries a keyed checksum over itself and the one before.

The key lies in `secrets/audit.key` beside the database, so whoever can only write the database can make no valid entry.
Entries from before the key came are chained by plain SHA-256; where they end is recorded, and authenticated, in the row
`switch` of the table `audit_chain`. Its row `head` says which entry is the last, so that a log cut short shows at once.
A database that was replaced by an older copy of itself shows only by what is noted elsewhere (`model.audit_anchor`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from appliance.model import times
from appliance.model.audit_anchor import Anchor, LogState
from appliance.model.messages import Message
from appliance.security import secrets

#: Written into the log when a data root was restored from a backup: what was noted later is explained by that.
RESTORED = "backup.restore"

_COLUMNS = "at, actor_id, actor, action, object_type, object_id, detail, address"
_KEY = Path("secrets", "audit.key")
_SHOWN = 10
#: Backups made within one second are named after the seconds that follow.
_SHIFT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a verification.

    :ivar broken: numbers of the entries at which the chain does not hold.
    :ivar problems: what is wrong, in sentences; empty: nothing. :ivar explained: sentences about differences that a restore explains.
    :ivar anchors: how many notes from elsewhere the log was compared with.
    """

    entries: int
    broken: list[int]
    problems: list[str] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)
    anchors: int = 0


def append(tx: sqlite3.Connection, values: tuple[Any, ...]) -> None:
    """Add an entry (`_COLUMNS`). It is linked to the recorded head, so that it never hides that entries before it are gone."""
    key = _key(tx)
    head = _record(tx, "head", key)
    if head is None:  # removed or forged: the chain breaks here for good
        last = tx.execute("SELECT coalesce(max(seq), 0) FROM audit").fetchone()[0]
        head = last, b"?"
    seq = head[0] + 1
    link = _keyed_link(key, head[1], values)
    tx.execute(
        f"INSERT INTO audit (seq, {_COLUMNS}, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (seq, *values, link)
    )
    _set_record(tx, "head", key, seq, link)


def begin_keyed(tx: sqlite3.Connection) -> None:
    """Record that entries after those that exist are linked with the key."""
    key = _key(tx)
    last = tx.execute("SELECT seq, chain FROM audit ORDER BY seq DESC LIMIT 1").fetchone() or (0, b"")
    for name in ("switch", "head"):
        _set_record(tx, name, key, last[0], last[1])


def state(conn: sqlite3.Connection) -> LogState:
    """The log as it is now, to be noted elsewhere."""
    row = conn.execute("SELECT seq, chain FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return LogState(row[0], bytes(row[1]).hex()) if row else LogState(0, "")


def authenticate(conn: sqlite3.Connection, text: str) -> str:
    """A code (64 hexadecimal digits) that only this server can make for `text`, for notes that others could write, too."""
    key = _existing_key(conn)
    return hmac.digest(key, b"dcor audit note\0" + text.encode(), hashlib.sha256).hex() if key else ""


def verify(conn: sqlite3.Connection, anchors: Iterable[Anchor] = ()) -> Verdict:
    """Check every link, the records of the chain, and what was noted elsewhere. Reads the whole log."""
    key = _existing_key(conn)
    switch = _record(conn, "switch", key) if key else None
    head = _record(conn, "head", key) if key else None
    problems: list[str] = []
    if key is None:
        problems.append("The key of the audit log, secrets/audit.key, is missing.")
    elif switch is None:
        problems.append("The record of where the keyed part of the log begins was changed, or the key was replaced.")
    elif head is None:
        problems.append("The record of the last entry was changed or removed.")
    noted = [anchor for anchor in anchors if anchor.state.entries]
    wanted = {anchor.state.entries for anchor in noted} | {one[0] for one in (switch, head) if one}
    walk = _Walk(key, switch[0] if switch else 0, wanted)
    broken = list(walk.broken_links(conn))
    if broken:
        shown = ", ".join(map(str, broken[:_SHOWN]))
        problems.append(Message("The chain is broken at entry %(shown)s.", shown=shown))
    if switch is not None and walk.links.get(switch[0], b"") != switch[1]:
        problems.append("Entries from before the log was keyed were changed or removed.")
    if head is not None and (walk.last, walk.links.get(head[0], b"")) != (head[0], head[1]):
        problems.append(
            Message(
                "The log ends with entry %(last)s instead of %(head)s: the newest entries are missing.",
                last=walk.last,
                head=head[0],
            )
        )
    restores = _restores(conn)
    explained: list[str] = []
    for anchor in noted:
        sentence = _difference(anchor, walk)
        if sentence is not None:
            known = any(came <= anchor.at < when for came, when in restores)
            (explained if known else problems).append(sentence)
    return Verdict(walk.count, broken, problems, explained, len(noted))


class _Walk:
    """One pass over the log.

    :ivar links: the chain's value at the entries that are `wanted`. :ivar last: number of the last entry.
    """

    def __init__(self, key: bytes | None, plain_until: int, wanted: set[int]) -> None:
        self.links: dict[int, bytes] = {}
        self.count = self.last = 0
        self._key, self._plain_until, self._wanted = key, plain_until, wanted

    def broken_links(self, conn: sqlite3.Connection) -> Iterator[int]:
        """Numbers of the entries at which the chain does not hold."""
        chain = b""
        for row in conn.execute(f"SELECT seq, {_COLUMNS}, chain FROM audit ORDER BY seq"):
            seq, *values, link = tuple(row)
            link = link if isinstance(link, bytes) else b""  # whoever writes into the database writes anything
            if seq != self.last + 1 or not self._holds(seq, chain, tuple(values), link):
                yield seq
            chain, self.last, self.count = link, seq, self.count + 1
            if seq in self._wanted:
                self.links[seq] = bytes(link)

    def _holds(self, seq: int, chain: bytes, values: tuple[Any, ...], link: bytes) -> bool:
        if any(isinstance(value, bytes) for value in values):
            return False
        if seq <= self._plain_until:
            return link == hashlib.sha256(chain + _message(values)).digest()
        return self._key is not None and hmac.compare_digest(link, _keyed_link(self._key, chain, values))


def _difference(anchor: Anchor, walk: _Walk) -> str | None:
    """What the log lacks of what was noted, as a sentence; None when it is all there."""
    number = anchor.state.entries
    if walk.last < number:
        return Message(
            "%(source)s recorded %(number)s entries, but the log has %(last)s: entries were removed, or the database "
            "was replaced by an older copy.",
            source=anchor.source,
            number=number,
            last=walk.last,
        )
    if walk.links.get(number, b"").hex() != anchor.state.head:
        return Message(
            "Entry %(number)s differs from the one that %(source)s recorded: the log was replaced from an earlier "
            "point on.",
            number=number,
            source=anchor.source,
        )
    return None


def _restores(conn: sqlite3.Connection) -> list[tuple[str, str]]:
    """Restores that the log tells of: (moment of the backup, moment of the restore), as ISO 8601 in seconds."""
    found = []
    for name, when in conn.execute("SELECT object_id, at FROM audit WHERE action = ?", (RESTORED,)):
        day, _, clock = str(name).partition("_")
        if len(clock) == 6:
            # An anchor of the restored backup itself has to hold, so only what is later than it is explained.
            until = times.text(times.parse(str(when)) + _SHIFT)
            found.append((f"{day}T{clock[:2]}:{clock[2:4]}:{clock[4:]}~", until))
    return found


def _message(values: tuple[Any, ...]) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode()


def _keyed_link(key: bytes, previous: bytes, values: tuple[Any, ...]) -> bytes:
    return hmac.digest(key, b"dcor audit entry\0" + previous + _message(values), hashlib.sha256)


def _record(conn: sqlite3.Connection, name: str, key: bytes) -> tuple[int, bytes] | None:
    """The record called `name` (entries, link), None when it is missing or not made with `key`."""
    with suppress(sqlite3.OperationalError):  # a database from before the key, read by this release
        row = conn.execute("SELECT entries, link, code FROM audit_chain WHERE name = ?", (name,)).fetchone()
        if row is not None and hmac.compare_digest(bytes(row[2]), _code(key, name, row[0], row[1])):
            return int(row[0]), bytes(row[1])
    return None


def _set_record(tx: sqlite3.Connection, name: str, key: bytes, entries: int, link: bytes) -> None:
    tx.execute(
        "INSERT OR REPLACE INTO audit_chain (name, entries, link, code) VALUES (?, ?, ?, ?)",
        (name, entries, link, _code(key, name, entries, link)),
    )


def _code(key: bytes, name: str, entries: int, link: bytes) -> bytes:
    return hmac.digest(key, f"dcor audit {name}\0{entries}\0".encode() + link, hashlib.sha256)


def _key(conn: sqlite3.Connection) -> bytes:
    """The key of the database's log; made when it is missing."""
    path = _key_path(conn)
    if not path.exists():
        secrets.private_folder(path.parent)
        secrets.load_or_create(path)
    return _loaded(path, path.stat().st_mtime_ns)


def _existing_key(conn: sqlite3.Connection) -> bytes | None:
    path = _key_path(conn)
    return _loaded(path, path.stat().st_mtime_ns) if path.exists() else None


@lru_cache(maxsize=16)
def _loaded(path: Path, _modified: int) -> bytes:
    return secrets.load_or_create(path)


def _key_path(conn: sqlite3.Connection) -> Path:
    root = getattr(conn, "data_root", None)  # the file itself may lie elsewhere
    return (root or Path(conn.execute("PRAGMA database_list").fetchone()[2]).parent) / _KEY
