"""Is a backup whole? Without the key every stored byte is compared with the manifest; with it everything is opened too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from appliance.backup import crypto
from appliance.backup import manifest as manifests
from appliance.backup.create import DATABASE, INDEX, SYSTEM, Progress
from appliance.backup.crypto import Digest
from appliance.backup.manifest import Manifest
from appliance.model import messages
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid

Identities = Sequence[Any]
#: Says in sentences what is wrong with a database file.
Examine = Callable[[Path], list[str]]


@dataclass(frozen=True, slots=True)
class Verified:
    """Outcome: what was read, whether it was opened with the key, and every problem in a sentence.

    :ivar damaged: the parts and objects that are not what was written.
    :ivar kind: of the backup, see `manifest.FULL`.
    """

    name: str
    files: int
    size: int
    opened: bool
    problems: list[str] = field(default_factory=list)
    damaged: frozenset[str] = frozenset()
    kind: str = manifests.FULL

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the depot in a backup: its name below the data root, its object, its content."""

    name: str
    object: str
    content: Digest


@dataclass(frozen=True, slots=True)
class Index:
    """The sealed table of contents: the database's content and the depot's files."""

    database: Digest
    files: list[Entry]


def verify(
    folder: Path,
    name: str | None = None,
    *,
    identities: Identities = (),
    signer: str | None = None,
    workdir: Path | None = None,
    examine: Examine | None = None,
    progress: Progress | None = None,
    kind: str | None = None,
    wanted: Callable[[str], bool] | None = None,
) -> Verified:
    """Check the backup `name` (None: the newest, of a `kind` or any) in `folder`.

    With `identities` (private keys) everything is decrypted, and the database is put into `workdir` for a while and
    checked by `examine`. `wanted` picks among the depot's objects by name. Raises Problem when the manifest cannot be
    trusted or the key is the wrong one; all other damage is collected.
    """
    manifest = manifests.find(folder, name, signer, kind=kind)
    if identities:
        crypto.require_key(identities, manifest.recipients)
    path = manifests.set_path(folder, manifest.name)
    objects = {key: digest for key, digest in manifest.objects.items() if wanted is None or wanted(key)}
    total = sum(digest.size for digest in (*manifest.parts.values(), *objects.values()))
    check = _Check(progress, total, lambda key: _stored_again(folder, manifest.signer, key))
    for part, digest in manifest.parts.items():
        check.stored(path / part, part, part, digest)
    for key, digest in objects.items():
        check.stored(manifests.object_path(folder, key), key, f"{manifests.OBJECTS}/{key[:2]}/{key}.age", digest)
    # What is damaged on the disk cannot be opened either; the reader gets each fault once.
    if identities and not check.damaged & {DATABASE, SYSTEM, INDEX}:
        objects = {key: digest for key, digest in objects.items() if key not in check.damaged}
        check.problems += _open(folder, manifest, identities, workdir or path, examine, set(objects))
    return Verified(
        manifest.name, check.files, total, bool(identities), check.problems, frozenset(check.damaged), manifest.kind
    )


def read_part(path: Path, manifest: Manifest, part: str, identities: Identities, target: crypto.Writable) -> None:
    """Write the content of a small sealed part of the backup in `path` to `target`.

    Anybody can seal to the public key, which stands in the manifest: what is opened has to be what the signed manifest names.
    The bytes are read once, so that nobody changes them between. Raises Problem for a wrong key, damage, or another file there.
    """
    stored = (path / part).read_bytes()
    if manifest.parts.get(part) != Digest(len(stored), hashlib.sha256(stored).hexdigest()):
        raise invalid(
            message=Message("%(part)s differs from what was written: it is damaged or was changed.", part=part)
        )
    crypto.unseal(path / part, identities, target, stored)


def read_index(path: Path, manifest: Manifest, identities: Identities) -> Index:
    """Return the table of contents of the backup in `path`, as it was written; the contents of all other files follow from it.

    Raises Problem for a wrong key or damage.
    """
    buffer = BytesIO()
    gunzip = crypto.GunzipWriter(buffer)
    read_part(path, manifest, INDEX, identities, gunzip)
    gunzip.close()
    try:
        plain = json.loads(buffer.getvalue())
        files = [Entry(one["name"], one["object"], Digest(one["size"], one["sha256"])) for one in plain["files"]]
        return Index(Digest(**plain["database"]), files)
    except (ValueError, KeyError, TypeError) as error:
        raise invalid(message=Message("The table of contents in %(path)s cannot be read.", path=path)) from error


def unpack(source: Path, identities: Identities, target: crypto.Writable) -> Digest:
    """Write the expanded content of a sealed, compressed part to `target`; return the content's digest."""
    meter = crypto.Meter(target)
    gunzip = crypto.GunzipWriter(meter)
    crypto.unseal(source, identities, gunzip)
    gunzip.close()
    return meter.digest


def _open(
    folder: Path, manifest: Manifest, identities: Identities, workdir: Path, examine: Examine | None, objects: set[str]
) -> list[str]:
    path = manifests.set_path(folder, manifest.name)
    index = read_index(path, manifest, identities)
    problems: list[str] = []
    copy = workdir / f"verify-{manifest.name}.sqlite"
    try:
        copy.touch(mode=0o600)
        with copy.open("wb") as file:
            if unpack(path / DATABASE, identities, file) != index.database:
                problems.append(Message("The database in the backup differs from the one that was backed up."))
        problems += examine(copy) if examine is not None else []
        read_part(path, manifest, SYSTEM, identities, BytesIO())
    except Problem as problem:
        problems.append(str(problem))
    finally:
        copy.unlink(missing_ok=True)
    for entry in index.files:
        if entry.object not in objects:
            continue
        try:
            if crypto.unseal(manifests.object_path(folder, entry.object), identities) != entry.content:
                problems.append(Message("%(name)s in the backup differs from what was backed up.", name=entry.name))
        except Problem as problem:
            problems.append(messages.joined((entry.name, str(problem)), ": "))
        except OSError as error:
            problems.append(f"{entry.name}: {error.strerror}.")
    return problems


def _stored_again(folder: Path, signer: str, key: str) -> set[Digest]:
    """What other backups of the same server say of an object: one that was lost is sealed afresh by a later backup."""
    found, _problems = manifests.all_of(folder, signer)
    return {manifest.objects[key] for manifest in found if key in manifest.objects}


class _Check:
    """Compares stored files with what the manifest says."""

    def __init__(self, progress: Progress | None, total: int, stored_again: Callable[[str], set[Digest]]) -> None:
        self._stored_again = stored_again
        self.problems: list[str] = []
        self.damaged: set[str] = set()
        self.files = 0
        self._progress, self._total, self._done = progress, total, 0

    def stored(self, path: Path, key: str, label: str, expected: Digest) -> None:
        """Read the file of the part or object `key`; note what is wrong with it."""
        self.files += 1

        def tell(count: int) -> None:
            """`count` bytes more are read."""
            self._done += count
            if self._progress is not None:
                self._progress(self._done, self._total, label)

        try:
            found = crypto.sha256_of(path, tell)
        except OSError as error:
            self.damaged.add(key)
            self.problems.append(Message("%(label)s cannot be read: %(reason)s.", label=label, reason=error.strerror))
            return
        if found != expected and found not in self._stored_again(key):
            self.damaged.add(key)
            self.problems.append(
                Message("%(label)s differs from what was written: it is damaged or was changed.", label=label)
            )
