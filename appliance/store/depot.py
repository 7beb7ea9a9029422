"""The files of all resources: where they are stored, how they are added and removed.

Paths are made of ids only; names given by people are in the database. A file is added in this order: its bytes are flushed, it
is linked or renamed into place, the folder is flushed; only then may a row refer to it.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance import durable
from appliance.model.names import is_id

#: Suffix of the note about a removed resource in the quarantine.
_NOTE = ".removed.json"

#: Kind of file → suffix appended to the path of the original.
SUFFIXES = {
    "original": "",
    "condensed": ".condensed.rtdc",
    "preview": ".preview.webp",
    "preview_jpeg": ".preview.jpg",
    "thumbnail": ".thumb.webp",
    "columns": ".columns.bin",
    "density": ".density.bin",
    "logs": ".logs.json",
    "tables": ".tables.json",
}
_PART = ".part"


@dataclass(slots=True)
class Part:
    """A file that is being written, on the depot's file system. `fd` is open for reading and writing."""

    path: Path
    fd: int

    def close(self) -> None:
        """Close the descriptor; the file stays."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def discard(self) -> None:
        """Close and remove it."""
        self.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Part:
        return self

    def __exit__(self, *error: object) -> None:
        self.discard()


@dataclass(frozen=True, slots=True)
class Removed:
    """A removed original in the quarantine, the row it had, and when it was removed (local time, ISO 8601)."""

    path: Path
    entry: dict[str, Any]
    at: str = ""


class Depot:
    """The files of one data root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._resources = root / "depot" / "resources"
        self._parts = root / "tmp" / "parts"
        self._quarantine = root / "quarantine"

    def path(self, resource_id: str, kind: str = "original") -> Path:
        """The path of a file, whether it exists or not. Raises ValueError for anything but an id, KeyError for an unknown kind."""
        if not is_id(resource_id):
            raise ValueError("not an id")
        return self._resources / resource_id[:3] / resource_id[3:6] / (resource_id[6:] + SUFFIXES[kind])

    def part(self, part_id: str) -> Path:
        """The path of the part with this id. Raises ValueError for anything but an id."""
        if not is_id(part_id):
            raise ValueError("not an id")
        return self._parts / (part_id + _PART)

    def new_part(self, part_id: str | None = None) -> Part:
        """Create a part (mode 0600). With an id its name is made durable, because writes to it are acknowledged individually.

        Raises OSError, FileExistsError for an id in use.
        """
        path = self.part(part_id or str(uuid.uuid4()))
        self._make_folder(self._parts, 0o700)
        made = Part(path, -1)
        made.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if part_id:
                durable.sync_folder(self._parts)
        except Exception:
            made.discard()
            raise
        return made

    def open_part(self, part_id: str) -> Part:
        """Open a part again. Raises FileNotFoundError."""
        part = Part(self.part(part_id), -1)
        part.fd = os.open(part.path, os.O_RDWR | os.O_CLOEXEC)
        return part

    def publish(self, part: Part | Path, resource_id: str, kind: str = "original") -> Path:
        """Move a finished file into the depot, durably; returns its path. An existing file of this kind is replaced."""
        source = part if isinstance(part, Path) else part.path
        target = self.path(resource_id, kind)
        self._make_folder(target.parent)
        durable.replace(source, target)
        if isinstance(part, Part):
            part.close()
        return target

    def adopt(self, source: Path, resource_id: str) -> Path:
        """Link a finished file into the depot as an original, durably; its old name remains. Returns the path.

        Raises FileExistsError when another file is there.
        """
        target = self.path(resource_id)
        self._make_folder(target.parent)
        try:
            durable.add_name(source, target)
        except FileExistsError:
            if not source.samefile(target):
                raise
        return target

    def withdraw(self, resource_id: str) -> None:
        """Undo `adopt`."""
        self.path(resource_id).unlink(missing_ok=True)

    def files(self, resource_id: str) -> dict[str, Path]:
        """The existing files of a resource, by kind."""
        paths = {kind: self.path(resource_id, kind) for kind in SUFFIXES}
        return {kind: path for kind, path in paths.items() if path.is_file()}

    def quarantine(self, resource_id: str) -> list[Path]:
        """Move all files of a resource to the quarantine; returns where they are now. Nothing is deleted."""
        return [self.put_aside(path) for path in self.files(resource_id).values()]

    def note_removed(self, resource_id: str, entry: Mapping[str, Any]) -> None:
        """Write the row of a removed resource into the quarantine, beside its files."""
        self._quarantine.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{time.strftime('%Y%m%dT%H%M%S')}-{uuid.uuid4().hex[:8]}-{resource_id}{_NOTE}"
        durable.write(self._quarantine / name, json.dumps(entry).encode())

    def removed(self, resource_id: str) -> Removed | None:
        """The latest removed file with this id in the quarantine that has a note, or None."""
        if not is_id(resource_id):
            return None
        notes = sorted(self._quarantine.glob(f"*-{resource_id}{_NOTE}"))
        originals = sorted(self._quarantine.glob(f"*-{resource_id}"))
        if not notes or not originals:
            return None
        return Removed(originals[-1], json.loads(notes[-1].read_bytes()), _moment(notes[-1]))

    def all_removed(self) -> Iterator[Removed]:
        """Every removed original in the quarantine that has a note."""
        for note in sorted(self._quarantine.glob(f"*{_NOTE}")):
            with suppress(OSError, ValueError, KeyError, TypeError):
                found = self.removed(json.loads(note.read_bytes())["id"])
                if found is not None and found.at == _moment(note):
                    yield found

    def put_aside(self, path: Path) -> Path:
        """Move a file of the depot to the quarantine, named by time and id; returns its new path."""
        parts = path.relative_to(self._resources).parts if path.is_relative_to(self._resources) else (path.name,)
        self._quarantine.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self._quarantine / f"{time.strftime('%Y%m%dT%H%M%S')}-{uuid.uuid4().hex[:8]}-{''.join(parts)}"
        durable.replace(path, target)
        return target

    def allocated(self, part_id: str) -> int:
        """Bytes that a part occupies on disk; 0 if it does not exist."""
        try:
            return self.part(part_id).stat().st_blocks * 512
        except FileNotFoundError:
            return 0

    def discard_part(self, part_id: str) -> None:
        """Remove a part if it exists."""
        self.part(part_id).unlink(missing_ok=True)

    def parts(self) -> Iterator[tuple[str, Path, float]]:
        """(id, path, mtime [Unix s]) of every part; files whose name is not an id are ignored."""
        with suppress(FileNotFoundError):
            for entry in list(os.scandir(self._parts)):
                part_id = entry.name.removesuffix(_PART)
                if entry.name.endswith(_PART) and is_id(part_id):
                    with suppress(FileNotFoundError):  # finished and renamed since the listing
                        yield part_id, Path(entry.path), entry.stat().st_mtime

    def free(self) -> int:
        """Free bytes on the volume."""
        state = os.statvfs(self.root)
        return state.f_bavail * state.f_frsize

    def _make_folder(self, folder: Path, mode: int = 0o750) -> None:
        """Create a folder and its parents below the data root, durably."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for path in reversed(missing):
            path.mkdir(mode=mode, exist_ok=True)
            durable.sync_folder(path.parent)


def _moment(note: Path) -> str:
    """When a note was written, according to its name."""
    stamp = note.name[:15]
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}T{stamp[9:11]}:{stamp[11:13]}:{stamp[13:15]}"
