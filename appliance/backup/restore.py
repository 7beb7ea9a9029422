"""Getting everything back: from a backup folder and the private key to a data root that can be served."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from appliance import durable
from appliance.backup import crypto
from appliance.backup import manifest as manifests
from appliance.backup.create import DATABASE, SYSTEM, Progress
from appliance.backup.manifest import Manifest
from appliance.backup.verify import Entry, Examine, Identities, read_index, unpack
from appliance.model.problem import Problem, invalid
from appliance.security.secrets import private_folder, write_private

#: Names the backup that a data root is being restored from, until it is complete.
MARKER = ".restoring"
DATABASE_FILE = "dcor.sqlite"
#: What may be in a folder that is restored into: files of the depot that are right are not fetched again.
STAYS = frozenset({"backups", "depot", "quarantine", "lost+found", "tmp", "log"})

# Names below the data root that a backup may write: plain parts, none of them hidden.
_SAFE = re.compile(r"(dcor\.toml|(depot|certificates|secrets)(/[A-Za-z0-9_][A-Za-z0-9._-]*)+)")

_CERTIFICATES = "certificates/"


@dataclass(frozen=True, slots=True)
class Restored:
    """Outcome: the backup, the number and bytes of depot files that were written, and those that could not be."""

    manifest: Manifest
    files: int
    size: int
    problems: list[str] = field(default_factory=list)


def restore(
    folder: Path,
    target: Path,
    identities: Identities,
    *,
    examine: Examine,
    name: str | None = None,
    signer: str | None = None,
    progress: Progress | None = None,
) -> Restored:
    """Rebuild a data root in the empty folder `target` from the backup `name` (None: the newest).

    Every byte is checked on its way. An interrupted call is continued by the same call. Single files of the depot that
    are damaged are left out and reported; `examine` looks at the database. Raises Problem 409 when `target` holds something else, the key is wrong, or
    database or settings are damaged.
    """
    manifest = manifests.find(folder, name, signer)
    crypto.require_key(identities, manifest.recipients)
    path = manifests.set_path(folder, manifest.name)
    index = read_index(path, identities)
    claim(target, manifest.name)
    for member, data, mode in _system_files(path / SYSTEM, identities):
        write_private(place_of(target, member), data, mode)
    report = _files(folder, target, index.files, identities, progress)
    draft = target / f"{DATABASE_FILE}.part"
    draft.touch(mode=0o600)
    with draft.open("wb") as file:
        content = unpack(path / DATABASE, identities, file)
    problems = examine(draft)
    if content != index.database or problems:
        raise invalid(
            message=f"The database in the backup {manifest.name} is damaged. Take another backup. {' '.join(problems)}"
        )
    durable.replace(draft, target / DATABASE_FILE)
    unclaim(target)
    return Restored(manifest, *report)


def restore_files(
    folder: Path,
    target: Path,
    identities: Identities,
    wanted: Callable[[str], bool],
    *,
    name: str | None = None,
    signer: str | None = None,
    progress: Progress | None = None,
) -> Restored:
    """Put back files of the depot that a data root in use has lost: those `wanted` (by name) that are not there.

    Nothing that exists is touched.
    """
    manifest = manifests.find(folder, name, signer)
    crypto.require_key(identities, manifest.recipients)
    index = read_index(manifests.set_path(folder, manifest.name), identities)
    missing = [entry for entry in index.files if wanted(entry.name) and not (target / entry.name).exists()]
    return Restored(manifest, *_files(folder, target, missing, identities, progress))


def require_empty(target: Path) -> None:
    """Raise Problem 409 unless `target` is missing, an interrupted restore, or holds nothing but what may stay."""
    if target.exists() and not (target / MARKER).exists() and any(path.name not in STAYS for path in target.iterdir()):
        raise invalid(message=f"{target} is not empty. Restore into an empty folder, so that nothing is overwritten.")


def claim(target: Path, name: str) -> None:
    """Mark `target` as the place where the backup `name` is being restored, so that an interrupted restore goes on there.

    Raises Problem 409 when it is not empty, or marked by another backup.
    """
    require_empty(target)
    target.mkdir(parents=True, exist_ok=True, mode=0o750)
    marker = target / MARKER
    if marker.exists() and marker.read_text(encoding="utf-8").strip() != name:
        raise invalid(
            message=f"{target} is being restored from another backup: {marker.read_text(encoding='utf-8').strip()}."
        )
    durable.write(marker, f"{name}\n".encode())


def unclaim(target: Path) -> None:
    """Take the mark of `claim` away: everything is there and durable."""
    (target / MARKER).unlink()
    durable.sync_folder(target)


def _files(
    folder: Path, target: Path, entries: list[Entry], identities: Identities, progress: Progress | None
) -> tuple[int, int, list[str]]:
    count = size = done = 0
    total = sum(entry.content.size for entry in entries)
    problems: list[str] = []
    for entry in entries:
        place = place_of(target, entry.name)
        try:
            if not (place.exists() and crypto.sha256_of(place) == entry.content):
                _write_file(manifests.object_path(folder, entry.object), target, entry, identities)
            count, size = count + 1, size + entry.content.size
        except Problem as problem:
            problems.append(f"{entry.name}: {problem}")
        except FileNotFoundError:
            problems.append(f"{entry.name}: its file is missing in the backup.")
        done += entry.content.size
        if progress is not None:
            progress(done, total, entry.name)
    return count, size, problems


def _write_file(source: Path, target: Path, entry: Entry, identities: Identities) -> None:
    place = place_of(target, entry.name)
    draft = place.with_name(place.name + ".part")
    try:
        with draft.open("wb") as file:
            if crypto.unseal(source, identities, file) != entry.content:
                raise invalid(message="it is not what was put into the backup.")
        if place.exists():  # never thrown away, whatever it is
            set_aside = private_folder(target / "quarantine" / "before-restore") / f"{entry.object}-{place.name}"
            durable.replace(place, set_aside)
        draft.chmod(mode_of(entry.name))
        durable.replace(draft, place)
    finally:
        draft.unlink(missing_ok=True)


def _system_files(source: Path, identities: Identities) -> list[tuple[str, bytes, int]]:
    """Name, content and mode of the settings, certificates and secrets in a backup."""
    buffer = io.BytesIO()
    crypto.unseal(source, identities, buffer)
    buffer.seek(0)
    found = []
    with tarfile.open(fileobj=buffer, mode="r:gz") as archive:
        for member in archive:
            opened = archive.extractfile(member) if member.isfile() else None
            if opened is not None:
                found.append((member.name, opened.read(), mode_of(member.name)))
    return found


def place_of(target: Path, name: str) -> Path:
    """The path of `name` below `target`, its folder made. Raises Problem for a name that leads elsewhere."""
    if _SAFE.fullmatch(name) is None:
        raise invalid(message=f"The backup holds a file of a strange name: {name!r}.")
    place = target / name
    if name.startswith("secrets/"):
        private_folder(place.parent)
    else:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o755 if name.startswith(_CERTIFICATES) else 0o750)
    return place


def mode_of(name: str) -> int:
    """The mode of a restored file: certificates are public, the depot is its group's, everything else private."""
    if name.startswith("depot/"):
        return 0o640
    return 0o644 if name.startswith(_CERTIFICATES) and not name.endswith(".key") else 0o600
