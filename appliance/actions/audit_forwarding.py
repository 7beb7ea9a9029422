"""Forwarding of audit log entries to a syslog server (RFC 5424, the entry as JSON), in order, each at least once.

The log itself is the queue: the number of the last forwarded entry is stored, and while the server is unreachable nothing is
lost.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid
from appliance.settings import Settings
from appliance.store import alarms, audit
from appliance.store.database import Database

#: Kind of the alarm that a server which takes nothing raises.
ALARM = Message("syslog")
_AT_ONCE = 500
#: Longest message [bytes]. Usual servers cut longer ones, and a datagram has 65,507 bytes at most.
LONGEST = 8000
_TIMEOUT = 20.0  # seconds
#: Facility "log audit" (13), severity "informational" (6).
_PRIORITY = 13 * 8 + 6
_PLACE = re.compile(r"(udp|tcp|tls)://(\[[0-9A-Fa-f:]+\]|[^\s:/\[\]]+)(?::([0-9]{1,5}))?/?")
_PORTS = {"udp": 514, "tcp": 514, "tls": 6514}


@dataclass(frozen=True, slots=True)
class Target:
    """Where entries go."""

    protocol: str
    host: str
    port: int


def target_of(text: str) -> Target:
    """Parse `tls://siem.hospital.example:6514` and the like. Raises Problem 409."""
    found = _PLACE.fullmatch(text.strip())
    if found is None or int(found[3] or 1) > 65535:
        raise invalid(
            message=Message(
                "syslog.server: '%(text)s' is not a syslog server such as tls://siem.hospital.example:6514 (or tcp://, udp://).",
                text=text,
            )
        )
    return Target(found[1], found[2].strip("[]"), int(found[3] or _PORTS[found[1]]))


def forward(db: Database, settings: Settings) -> int:
    """Forward new entries; → how many. An unavailable server raises an alarm, and the entries wait."""
    if not settings.syslog.server:
        return 0
    sent = 0
    try:
        target = target_of(settings.syslog.server)
        while rows := _waiting(db):
            handed: list[int] = []
            try:
                _send(target, settings, _noted(rows, settings.server.hostname, handed))
            except OSError:
                if target.protocol == "udp" and len(handed) > 1:  # the last one did not leave
                    with db.write() as tx:
                        audit.note_forwarded(tx, handed[-2])
                raise
            with db.write() as tx:
                audit.note_forwarded(tx, rows[-1]["seq"])
                alarms.resolve_for(tx, ALARM, "")
            sent += len(rows)
    except (OSError, Problem) as error:
        with db.write() as tx:
            text = Message(
                "The syslog server %(server)s does not accept audit entries: %(error)s. They are kept until it does.",
                server=settings.syslog.server,
                error=error,
            )
            alarms.raise_(tx, ALARM, "", text)
    return sent


def message(entry: dict[str, Any], hostname: str) -> bytes:
    """One entry as RFC 5424 wants it, of at most `LONGEST` bytes: longer details stay in the log here, and their SHA-256 is sent."""
    data: dict[str, Any] = {
        key: entry[key] for key in ("seq", "at", "actor", "actor_id", "action", "object_type", "object_id", "address")
    }
    data["detail"] = json.loads(entry["detail"])
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > LONGEST - 500:  # for the head before it
        detail = entry["detail"].encode()
        data["detail"] = {"left_out_bytes": len(detail), "sha256": hashlib.sha256(detail).hexdigest()}
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    action = re.sub(r"[^!-~]", "", entry["action"])[:32] or "-"
    at = str(entry["at"]) if str(entry["at"]).endswith("Z") else f"{entry['at']}Z"
    return f"<{_PRIORITY}>1 {at} {hostname} dcor - {action} - \ufeff{text}".encode()


def _noted(rows: Iterable[dict[str, Any]], hostname: str, handed: list[int]) -> Iterator[bytes]:
    """The messages of entries; `handed` gets the number of each when it is taken."""
    for row in rows:
        handed.append(row["seq"])
        yield message(row, hostname)


def _waiting(db: Database) -> list[dict[str, Any]]:
    with db.read() as conn:
        return audit.after(conn, audit.forwarded(conn), _AT_ONCE)


def _send(target: Target, settings: Settings, messages: Iterable[bytes]) -> None:
    """Send and wait until the system has handed all over. Raises OSError (ssl.SSLError is one)."""
    if target.protocol == "udp":
        family, _kind, _protocol, _name, place = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)[0]
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as udp:
            for one in messages:
                udp.sendto(one, place)
        return
    with socket.create_connection((target.host, target.port), _TIMEOUT) as raw:
        if target.protocol == "tcp":
            _stream(raw, messages)
            return
        context = ssl.create_default_context(cafile=settings.syslog.authority or None)
        with context.wrap_socket(raw, server_hostname=target.host) as tls:
            _stream(tls, messages)
            with suppress(TimeoutError, ssl.SSLError):  # not every server says good-bye
                tls.unwrap()


def _stream(connection: socket.socket, messages: Iterable[bytes]) -> None:
    """With the length before each (RFC 6587), as entries hold line breaks."""
    for one in messages:
        connection.sendall(b"%d %s" % (len(one), one))
    if not isinstance(connection, ssl.SSLSocket):
        connection.shutdown(socket.SHUT_WR)
        with suppress(TimeoutError):  # not every server closes when it has read to the end
            while connection.recv(4096):
                pass
