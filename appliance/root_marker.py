"""The marker of a data root: what tells it from an empty mount point, another volume and a half-restored one.

Inside lies `.dcor-root` (id, host name, release). What this machine expects at a path stands in `/etc/dcor/data-root.json`, written by
root (the installer, `dcor init --adopt`, updates and restores). Who works with a data root calls `require` before anything is made there.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from appliance import __version__, durable
from appliance.model.problem import Problem, invalid

MARKER = ".dcor-root"
#: Names the backup that a data root is being restored from, until it is complete.
RESTORING = ".restoring"
DATABASE, SETTINGS = "dcor.sqlite", "dcor.toml"
#: Folder with what the machine knows of its data root; the variable is for tests and for several appliances on one machine.
MACHINE_FOLDER, MACHINE_VARIABLE = Path("/etc/dcor"), "DCOR_MACHINE_FOLDER"

_RECORD = "data-root.json"
_MAKING, _READY = "making", "ready"


@dataclass(frozen=True, slots=True)
class Marker:
    """What `.dcor-root` says.

    :ivar state: "making" while `dcor init` is at work; only then a database may be made. "ready" afterwards.
    """

    id: str
    hostname: str
    release: str
    state: str = _READY


def record_path() -> Path:
    """The file in which this machine keeps what its data root is."""
    return Path(os.environ.get(MACHINE_VARIABLE) or MACHINE_FOLDER) / _RECORD


def read(root: Path) -> Marker | None:
    """The marker of `root`, None without one. Raises Problem for one that cannot be read."""
    return _parse(root / MARKER)


def recorded(root: Path) -> Marker | None:
    """What this machine expects at `root`; None when it expects nothing there."""
    path = record_path()
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        if Path(plain.pop("path")) != _resolved(root):
            return None
        return Marker(**plain)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise invalid(
            message=f"{path} cannot be read ({error}). It records which data root belongs to this machine; recreate it with: "
            f"sudo dcor --data {root} init --adopt"
        ) from error


def record(root: Path) -> Path:
    """Note outside of `root` that it is the data root of this machine; → the file. Raises Problem without a marker, OSError."""
    marker = read(root)
    if marker is None:
        raise invalid(message=f"{root} has no marker to record: it is not a data root.")
    path = record_path()
    path.parent.mkdir(mode=0o755, exist_ok=True)
    text = json.dumps({"path": str(_resolved(root)), **asdict(marker)}, indent=1)
    durable.write(path, text.encode() + b"\n", 0o644)
    return path


def begin(root: Path, hostname: str) -> None:
    """Mark `root` as being made by `dcor init`. Raises Problem where the marker, or what lies there, says that it was made before."""
    if recorded(root) is not None:
        raise _missing_volume(root)
    write(root, Marker(str(uuid.uuid4()), hostname, __version__, _MAKING))


def is_being_made(root: Path) -> bool:
    """Has `dcor init` begun here and not ended?"""
    marker = read(root)
    return marker is not None and marker.state == _MAKING


def finish(root: Path, hostname: str, *, adopt: bool = False) -> None:
    """Mark `root` as complete. It keeps its id; without one it gets what this machine expects there, else a new one.

    No-op when all of it is there. With `adopt` it does not matter what this machine expects.
    """
    present = read(root)
    known = present or (None if adopt else recorded(root)) or Marker(str(uuid.uuid4()), "", "")
    wanted = replace(known, hostname=hostname, release=__version__, state=_READY)
    if wanted != present:
        write(root, wanted)


def write(root: Path, marker: Marker) -> None:
    """Write the marker, durably. Raises OSError."""
    durable.write(root / MARKER, json.dumps(asdict(marker), indent=1).encode() + b"\n", 0o640)


def require(root: Path, *, adopt: bool = False, new_settings: bool = False) -> None:
    """Raise Problem, with what to do, unless `root` is a whole data root and the one that belongs to this machine.

    A data root of a release without markers (0.1) is accepted when settings and database are there and this machine expects none;
    `finish` then marks it. With `adopt` it does not matter what this machine expects, with `new_settings` not whether there is a dcor.toml.
    """
    if (root / RESTORING).exists():
        raise half_restored(root)
    expected = None if adopt else recorded(root)
    marker = read(root) if root.is_dir() else None
    if marker is None and not (root / DATABASE).exists():
        raise _missing_volume(root) if expected is not None else _no_root(root)
    if marker is not None and marker.state == _MAKING:
        raise invalid(
            message=f"Making the data root {root} was interrupted. Resume with: dcor --data {root} init --hostname {marker.hostname}"
        )
    if expected is not None and (marker is None or marker.id != expected.id):
        found = f"the one of {marker.hostname} ({marker.id[:8]})" if marker else "one without a marker"
        raise invalid(
            message=f"{root} is not the data root of this machine: it is {found}, expected is the one of {expected.hostname} "
            f"({expected.id[:8]}). Is the right volume mounted? If this one is right: sudo dcor --data {root} init --adopt"
        )
    for name in (DATABASE,) if new_settings else (DATABASE, SETTINGS):
        if not (root / name).exists():
            raise lost(root, name)


def lost(root: Path, name: str) -> Problem:
    """The refusal for a data root that lacks its database or settings."""
    other = (
        f"a copy in {root / 'rollback'}"
        if name == DATABASE
        else f"from a backup: sudo dcor --data {root} backup restore --system --from BACKUPS --key KEYFILE; or dcor --data {root} init "
        "--hostname NAME, which creates new settings"
    )
    return invalid(
        message=f"{root / name} is missing, and no new one is created in its place. Put it back if it was moved (or {other}), or restore a "
        f"backup: sudo dcor --data {root} backup restore --replace --from BACKUPS --key KEYFILE"
    )


def half_restored(root: Path) -> Problem:
    """The refusal for a data root that a restore has not finished."""
    try:
        name = (root / RESTORING).read_text(encoding="utf-8").split("\n")[0].strip()
    except OSError:
        name = ""
    return invalid(
        message=f"A restore of {root} from the backup {name} was not finished. Resume it with: sudo dcor --data {root} backup "
        "restore --replace --from BACKUPS --key KEYFILE; with another backup (--backup NAME) it starts over. Nothing runs before."
    )


def _no_root(root: Path) -> Problem:
    return invalid(message=f"There is no DCOR data root in {root}. `dcor init` makes one; --data names another.")


def _missing_volume(root: Path) -> Problem:
    expected = recorded(root)
    name = f" of {expected.hostname} ({expected.id[:8]})" if expected else ""
    return invalid(
        message=f"The data root{name} that belongs in {root} is not there. Is its volume mounted (`findmnt {root}`, `sudo mount {root}`)? "
        f"Nothing was created. If it is lost: sudo dcor --data {root} backup restore --from BACKUPS --key KEYFILE. To begin with an empty "
        f"one: sudo rm {record_path()}"
    )


def _parse(path: Path) -> Marker | None:
    try:
        return Marker(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise invalid(
            message=f"The marker {path} is damaged. If {path.parent} is the right data root: sudo rm {path}, then "
            f"sudo dcor --data {path.parent} init --adopt"
        ) from error


def _resolved(root: Path) -> Path:
    return root.resolve()
