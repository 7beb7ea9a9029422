"""Getting everything back: from a backup folder and the private key to a data root that can be served."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from appliance import durable
from appliance.backup import claims, crypto
from appliance.backup import manifest as manifests
from appliance.backup.create import DATABASE, SYSTEM, Progress
from appliance.backup.manifest import Manifest
from appliance.backup.verify import Entry, Examine, Identities, read_index, read_part, unpack
from appliance.model import messages
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid
from appliance.security.secrets import private_folder, write_private

# Names below the data root that a backup may write: plain parts, none of them hidden.
_SAFE = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_-]*\.toml|(depot|certificates|secrets)(/[A-Za-z0-9_][A-Za-z0-9._-]*)+)")

_CERTIFICATES = "certificates/"


@dataclass(frozen=True, slots=True)
class Restored:
    """Outcome: the backup, the number and bytes of depot files that were written, and those that could not be.

    :ivar notes: what else the administrator should know: what was moved, what was gone on with, which backups are newer.
    """

    manifest: Manifest
    files: int
    size: int
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def restore(
    folder: Path,
    target: Path,
    identities: Identities,
    *,
    examine: Examine,
    name: str | None = None,
    signer: str | None = None,
    replace: bool = False,
    complete: claims.Complete | None = None,
    progress: Progress | None = None,
) -> Restored:
    """Rebuild a data root in the empty folder `target` from the backup `name` (None: the newest complete one).

    Every byte is checked on its way. Nothing that is in `target` changes before the key, the settings and the database of the backup were
    found to be good. An interrupted call is continued by the same call; with `replace` by one with another backup, too, and what is there
    is moved aside (see `claims`). Single files of the depot that are damaged are left out and reported; `examine` looks at the database.
    `complete` does what is left before the data root can be served. Raises Problem 409 when `target` holds something else, the key is
    wrong, or database or settings are damaged.
    """
    manifest = manifests.find(folder, name, signer, kind=None if name else manifests.FULL)
    claims.require_claimable(target, manifest.name, replace=replace)
    crypto.require_key(identities, manifest.recipients)
    path = manifests.set_path(folder, manifest.name)
    draft = target / claims.DRAFT
    try:
        with damage_of(manifest.name):
            index = read_index(path, manifest, identities)
            system = system_files(path, manifest, identities)
            unpack_database(path / DATABASE, draft, identities, index.database, examine)
        notes = [*_newer(folder, manifest), *claims.claim(target, manifest.name, replace=replace)]
        for member, data, mode in system:
            write_private(place_of(target, member), data, mode)
        report = _files(folder, target, index.files, identities, progress)
        durable.replace(draft, target / claims.DATABASE_FILE)
    finally:
        draft.unlink(missing_ok=True)
    if complete is not None:
        complete(manifest.name, report[2])
    claims.unclaim(target, manifest.hostname)
    return Restored(manifest, *report, notes)


def unpack_database(
    source: Path, draft: Path, identities: Identities, expected: crypto.Digest, examine: Examine
) -> None:
    """Write the database of a backup to `draft` (mode 0600). Raises Problem when it is not what was put in."""
    draft.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    draft.touch(mode=0o600)
    with draft.open("wb") as file:
        content = unpack(source, identities, file)
    problems = examine(draft)
    if content != expected or problems:
        raise invalid(message=messages.joined([Message("the database is not what was put in."), *problems]))


@contextmanager
def damage_of(name: str) -> Iterator[None]:
    """What is wrong with the backup `name` in here is told with what to do; a wrong key as it is."""
    try:
        yield
    except crypto.WrongKeyError:
        raise
    except (Problem, FileNotFoundError) as error:
        cause = (
            Message("%(name)s is missing", name=Path(error.filename).name)
            if isinstance(error, FileNotFoundError)
            else str(error)
        )
        raise invalid(
            message=Message(
                "The backup %(name)s is damaged; nothing was changed (%(reason)s). Use another backup listed by "
                "`dcor backup list`: --backup NAME.",
                name=name,
                reason=cause.rstrip("."),
            )
        ) from error


def _newer(folder: Path, chosen: Manifest) -> list[str]:
    """Sentences about backups that are newer than the chosen one."""
    newer = [name for name in manifests.names(folder) if name > chosen.name]
    bare = [name for name in newer if manifests.kind_of(folder, name) == manifests.DATABASE_ONLY]
    told: list[str] = [Message("Newer, but of the database only: %(names)s.", names=", ".join(bare))] if bare else []
    if len(newer) > len(bare):
        told.append(
            Message("Newer, but not used: %(bare)s.", bare=", ".join(name for name in newer if name not in bare))
        )
    return told


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

    Nothing that exists is touched. Without a `name` the newest complete backup is taken; one of the database only is refused.
    """
    manifest = manifests.find(folder, name, signer, kind=manifests.FULL)
    crypto.require_key(identities, manifest.recipients)
    index = read_index(manifests.set_path(folder, manifest.name), manifest, identities)
    missing = [entry for entry in index.files if wanted(entry.name) and not (target / entry.name).exists()]
    return Restored(manifest, *_files(folder, target, missing, identities, progress))


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
                write_file(manifests.object_path(folder, entry.object), target, entry, identities)
            count, size = count + 1, size + entry.content.size
        except Problem as problem:
            problems.append(messages.joined((entry.name, str(problem)), ": "))
        except FileNotFoundError:
            problems.append(Message("%(name)s: its file is missing in the backup.", name=entry.name))
        done += entry.content.size
        if progress is not None:
            progress(done, total, entry.name)
    return count, size, problems


def write_file(source: Path, target: Path, entry: Entry, identities: Identities) -> None:
    """Put one file of the depot in its place; another one that is there goes to quarantine/. Raises Problem, FileNotFoundError."""
    place = place_of(target, entry.name)
    draft = place.with_name(place.name + ".part")
    draft.unlink(missing_ok=True)  # of a run that was killed: its mode (0400) would refuse to be written over
    try:
        with draft.open("wb") as file:
            if crypto.unseal(source, identities, file) != entry.content:
                raise invalid(message=Message("it differs from what was backed up."))
        if place.exists():  # never thrown away, whatever it is
            set_aside = private_folder(target / "quarantine" / "before-restore") / f"{entry.object}-{place.name}"
            durable.replace(place, set_aside)
        draft.chmod(mode_of(entry.name))
        durable.replace(draft, place)
    finally:
        draft.unlink(missing_ok=True)


def system_files(path: Path, manifest: Manifest, identities: Identities) -> list[tuple[str, bytes, int]]:
    """Name, content and mode of the settings, certificates and secrets in the backup in `path`, as they were written."""
    buffer = io.BytesIO()
    read_part(path, manifest, SYSTEM, identities, buffer)
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
        raise invalid(message=Message("The backup contains a file with an unexpected name: %(name)s.", name=repr(name)))
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
