"""Look at the machine before anything is changed: data root and its volume, free space, ports, clock, host name, Python.

    python3 installer/preflight.py --data DIR --prefix DIR [--hostname NAME] [--port N] [--http-port N]

Prints a line for each thing that was looked at, `ok`, `note` or `PROBLEM`; exit code 1 when there is a problem. Only the standard library.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

OK, NOTE, PROBLEM = "ok", "note", "PROBLEM"
RECORD = Path("/etc/dcor/data-root.json")
FSTAB = Path("/etc/fstab")
#: Room that the program, and an empty data root with its first jobs, need [bytes].
PROGRAM, DATA = 1 << 30, 1 << 30
#: What a volume may hold when it is new, and what a data root is known by.
NEW_VOLUME = {"lost+found"}
PARTS = ("dcor.toml", "dcor.sqlite", ".dcor-root", ".restoring")
#: This program is younger than any clock that is right.
BUILT = time.mktime((2026, 1, 1, 0, 0, 0, 0, 0, 0))


class Line(NamedTuple):
    """One thing that was looked at."""

    level: str
    text: str


def data_root(data: Path, record: Path = RECORD, fstab: Path = FSTAB) -> Iterator[Line]:
    """Is there a place for a new data root, or one that is whole and this machine's?"""
    mounted = os.path.ismount(data)
    where = f"{data} is a mount point" if mounted else f"{data} is a folder of the volume of {_volume(data)}"
    if not mounted and str(data) in _mount_points(fstab):
        yield Line(PROBLEM, f"{data} stands in {fstab}, but its volume is not mounted: sudo mount {data}")
        return
    if data.exists() and not data.is_dir():
        yield Line(PROBLEM, f"{data} is no folder.")
        return
    if not data.exists():
        yield Line(OK, f"{data} is not there yet and will be made, on the volume of {_volume(data)}.")
    found = sorted(path.name for path in data.iterdir() if path.name not in NEW_VOLUME) if data.exists() else []
    present = [name for name in PARTS if name in found]
    expected = _recorded(data, record)
    if expected is not None and not present:
        yield Line(
            PROBLEM,
            f"The data root of {expected.get('hostname')} belongs in {data}, and it is not there. Is its volume mounted (findmnt {data})? "
            f"If it is lost and a new one is wanted: sudo rm {record}",
        )
    elif present and not {"dcor.toml", "dcor.sqlite"} <= set(present) and not _being_made(data):
        yield Line(
            PROBLEM,
            f"{data} holds a damaged or half-restored data root ({', '.join(present)}). `dcor inspect` says more; restore a backup with --replace.",
        )
    elif present:
        yield Line(OK, f"{where} and holds a data root, which is taken up as it is.")
    elif found:
        yield Line(PROBLEM, f"{data} holds something else ({', '.join(found[:5])}). Name an empty folder with --data.")
    elif data.exists():
        owner = data.stat()
        yield Line(OK, f"{where}, empty, of UID {owner.st_uid} with mode {owner.st_mode & 0o777:o}; it will be dcor's.")
    if data.exists() and _read_only(data):
        yield Line(PROBLEM, f"{data} is mounted read-only.")


def space(place: Path, needed: int, what: str) -> Iterator[Line]:
    """Is there room?"""
    free = shutil.disk_usage(_existing(place)).free
    text = f"{free / 1e9:.1f} GB free for {what} on the volume of {_existing(place)}"
    yield Line(OK, text + ".") if free >= needed else Line(PROBLEM, f"{text}; {needed / 1e9:.1f} GB are needed.")


def port(number: int) -> Iterator[Line]:
    """Can the service listen there? Our own service may, when the installation is repaired."""
    if number == 0:
        return
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", number))  # noqa: S104
        except OSError as error:
            if error.errno == errno.EADDRINUSE and _service_runs():
                yield Line(OK, f"Port {number} is used by the DCOR service that runs.")
            elif error.errno == errno.EADDRINUSE:
                yield Line(
                    PROBLEM, f"Port {number} is taken by another program (ss -ltnp 'sport = :{number}'). Stop it first."
                )
            else:
                yield Line(PROBLEM, f"Port {number} cannot be used: {error.strerror}.")
            return
    yield Line(OK, f"Port {number} is free.")


def clock(now: float | None = None) -> Iterator[Line]:
    """Certificates, tokens and links depend on it."""
    if (time.time() if now is None else now) < BUILT:
        yield Line(PROBLEM, f"The clock says {time.strftime('%Y-%m-%d', time.localtime(now))}. Set it: timedatectl")
        return
    state = _said("timedatectl", "show", "-P", "NTPSynchronized")
    if state == "no":
        yield Line(NOTE, "The clock is not set by a time server (timedatectl). Certificates and tokens depend on it.")
    else:
        yield Line(OK, f"The clock says {time.strftime('%Y-%m-%d %H:%M %Z')}.")


def name(hostname: str) -> Iterator[Line]:
    """Do clients get here by the name? Only a note: the DNS may come later."""
    try:
        found = sorted({str(one[4][0]) for one in socket.getaddrinfo(hostname, None)})
    except OSError:
        yield Line(NOTE, f"The DNS does not know {hostname} yet. Clients need it.")
        return
    yield Line(OK, f"{hostname} is {', '.join(found)}.")


def python() -> Iterator[Line]:
    """The interpreter that the program will use."""
    text = f"Python {sys.version_info[0]}.{sys.version_info[1]} ({sys.executable})."
    yield Line(OK, text) if sys.version_info >= (3, 11) else Line(PROBLEM, f"{text} 3.11 or newer is needed.")


def ports_of(data: Path, given: tuple[int, int]) -> tuple[int, int]:
    """The ports in the settings of a data root that is there, else those given."""
    try:
        text = (data / "dcor.toml").read_text(encoding="utf-8")
    except OSError:
        return given
    found = [re.search(rf"^{key}\s*=\s*(\d+)", text, re.MULTILINE) for key in ("port", "http_port")]
    return (int(found[0][1]) if found[0] else given[0], int(found[1][1]) if found[1] else given[1])


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _volume(path: Path) -> Path:
    path = _existing(path)
    while not os.path.ismount(path):
        path = path.parent
    return path


def _mount_points(fstab: Path) -> set[str]:
    try:
        lines = fstab.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return {words[1].rstrip("/") for line in lines if not line.startswith("#") and len(words := line.split()) > 1}


def _recorded(data: Path, record: Path) -> dict[str, str] | None:
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
        return found if Path(found["path"]) == data.resolve() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _being_made(data: Path) -> bool:
    try:
        return bool(json.loads((data / ".dcor-root").read_text(encoding="utf-8")).get("state") == "making")
    except (OSError, ValueError, AttributeError):
        return False


def _read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _service_runs() -> bool:
    return _said("systemctl", "is-active", "dcor.service") == "active"


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def main() -> int:
    """Print every line; 1 with a problem."""
    parser = argparse.ArgumentParser(description="Look at the machine before the installation.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prefix", type=Path, required=True)
    parser.add_argument("--hostname", default="")
    parser.add_argument("--port", type=int, default=443)
    parser.add_argument("--http-port", type=int, default=80)
    given = parser.parse_args()
    https, http = ports_of(given.data, (given.port, given.http_port))
    lines = [
        *python(),
        *data_root(given.data),
        *space(given.data, DATA, "the data"),
        *space(given.prefix, PROGRAM, "the program"),
        *port(https),
        *port(http),
        *clock(),
        *(name(given.hostname) if given.hostname else ()),
    ]
    for line in lines:
        print(f"      {line.level}: {line.text}", file=sys.stderr if line.level == PROBLEM else sys.stdout)
    return int(any(line.level == PROBLEM for line in lines))


if __name__ == "__main__":
    sys.exit(main())
