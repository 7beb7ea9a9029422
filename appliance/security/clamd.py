"""Client of the ClamAV daemon: streams one file to it and reads the result."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from appliance.model.problem import invalid

_CHUNK = 1 << 20
_TIMEOUT = 300.0  # timeout of one receive [s]
_ANSWER = 4096
_FOUND = re.compile(r"stream: (.+) FOUND")


class ClamdError(Exception):
    """The daemon is unreachable or refuses the file. :ivar too_large: it refuses files of this size."""

    def __init__(self, message: str, *, too_large: bool = False) -> None:
        super().__init__(message)
        self.too_large = too_large


class UnreadableError(Exception):
    """The file cannot be read from the disk."""


def scan(place: str, file: BinaryIO, tick: Callable[[int], None] = lambda sent: None) -> str | None:
    """The name of what ClamAV finds in `file`, None for nothing. :param place: path of the socket, or host:port.

    `tick` is told how many bytes were sent. Raises ClamdError, and OSError for a file that cannot be read.
    """
    sent, piece = 0, file.read(_CHUNK)  # a file that cannot be read is not the daemon's fault: OSError
    try:
        with closing(_connected(place)) as connection:
            connection.sendall(b"zINSTREAM\0")
            try:
                while piece:
                    connection.sendall(struct.pack("!I", len(piece)) + piece)
                    sent += len(piece)
                    tick(sent)
                    piece = _read(file)
                connection.sendall(struct.pack("!I", 0))
            except (BrokenPipeError, ConnectionResetError):
                pass  # the response gives the reason
            answer = _answer(connection)
    except UnreadableError as error:
        raise OSError(*error.args) from error
    except OSError as error:
        raise ClamdError(f"ClamAV does not answer at {place}: {error.strerror or error}") from error
    if answer == "stream: OK":
        return None
    if found := _FOUND.fullmatch(answer):
        return found[1]
    if "size limit exceeded" in answer:
        raise ClamdError("larger than StreamMaxLength in clamd.conf", too_large=True)
    raise ClamdError(f"ClamAV says: {answer or 'nothing'}")


def _read(file: BinaryIO) -> bytes:
    try:
        return file.read(_CHUNK)
    except OSError as error:
        raise UnreadableError(*error.args) from error


def silent(place: str) -> str:
    """Why the daemon does not answer, "" when it does."""
    try:
        ping(place)
    except ClamdError as error:
        return str(error)
    return ""


def ping(place: str) -> None:
    """Raise ClamdError unless the daemon answers."""
    try:
        with closing(_connected(place)) as connection:
            connection.sendall(b"zPING\0")
            answer = _answer(connection)
    except OSError as error:
        raise ClamdError(f"ClamAV does not answer at {place}: {error.strerror or error}") from error
    if answer != "PONG":
        raise ClamdError(f"the program that answers at {place} is not ClamAV")


def _connected(place: str) -> socket.socket:
    if place.startswith("/"):
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.settimeout(_TIMEOUT)
            made.connect(str(Path(place)))
        except Exception:
            made.close()
            raise
        return made
    host, _, port = place.rpartition(":")
    if not host or not port.isdigit():
        raise invalid(message=f"clamav.socket: '{place}' is neither the path of a socket nor host:port.")
    return socket.create_connection((host.strip("[]"), int(port)), _TIMEOUT)


def _answer(connection: socket.socket) -> str:
    data = b""
    while not data.endswith(b"\0") and len(data) < _ANSWER:
        piece = connection.recv(_ANSWER)
        if not piece:
            break
        data += piece
    return data.rstrip(b"\0\n").decode(errors="replace").strip()
