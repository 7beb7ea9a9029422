"""Making a backup while the service runs: database, settings and secrets anew, of the depot only what is not there yet."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pwd
import shutil
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance import durable
from appliance.backup import crypto
from appliance.backup import manifest as manifests
from appliance.backup.crypto import Digest
from appliance.backup.manifest import Manifest, Seal
from appliance.model.audit_anchor import LogState
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid
from appliance.security.secrets import private_folder

DATABASE, SYSTEM, INDEX, README = "database.age", "system.age", "index.age", "README.txt"

#: Told `(done, total, what)` while a backup is made, checked or restored; bytes, and the file at hand.
Progress = Callable[[int, int, str], None]

# Space that a backup leaves on its disk [bytes].
_RESERVE = 64 << 20
_STALE = 86400.0

_README = """This folder is one backup of the DCOR server {hostname}, made {created} (UTC).

Restore on a new machine with the appliance installed:
    dcor --data /data backup restore --from {folder} --key KEYFILE
Check without and with the key:
    dcor backup verify --from {folder} [--key KEYFILE]
Without the appliance (age: https://age-encryption.org):
    age -d -i KEYFILE database.age | gunzip > dcor.sqlite
    age -d -i KEYFILE system.age | tar xz        (settings, certificates, secrets)
    age -d -i KEYFILE index.age | gunzip         (which file of ../../files is which file of the depot)
KEYFILE holds the private key from the key sheet. It opens backups for: {recipients}
"""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the depot. `name` is its path below the data root; size and hash are what the catalogue says."""

    name: str
    path: Path
    size: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up.

    :ivar snapshot: writes a consistent copy of the running database to the given path.
    :ivar files: lists the depot's files that the copy knows.
    :ivar audit: reads the state of the audit log in the copy.
    :ivar stay: keeps listed files from leaving the depot as long as its context lasts.
    :ivar system: further files (name below the data root → path): settings, certificates, secrets.
    """

    snapshot: Callable[[Path], None]
    files: Callable[[Path], Iterable[SourceFile]]
    system: Mapping[str, Path]
    hostname: str
    version: str
    audit: Callable[[Path], LogState | None] = lambda _copy: None
    stay: Callable[[], AbstractContextManager[None]] = nullcontext


@dataclass(frozen=True, slots=True)
class Created:
    """Outcome of a backup: where it lies, how much of the depot was new, and what was wrong with single files."""

    manifest: Manifest
    path: Path
    new_files: int
    new_bytes: int
    total_files: int
    total_bytes: int
    seconds: float
    problems: list[str] = field(default_factory=list)


def create(
    source: Source,
    folder: Path,
    recipients: Sequence[str],
    seal: Seal,
    *,
    workdir: Path,
    kind: str = "full",
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Created:
    """Make a backup in `folder`, sealed to `recipients` (age1…); `workdir` takes the copy of the database meanwhile.

    `kind` "database" leaves the depot out. Raises Problem 409 when there is no recipient, another backup is running or
    the database is damaged, 507 when the disk is too small; OSError for what the disks say. Earlier backups are never
    touched.
    """
    if not recipients:
        raise invalid(message=Message("There is no key to encrypt the backup to. `dcor backup keys` creates one."))
    begun = time.monotonic()
    with locked(folder), source.stay(), scratch(workdir) as work:
        moment = now or datetime.now(UTC)
        path = _new_set(folder, moment)
        copy = work / "dcor.sqlite"
        source.snapshot(copy)
        files = list(source.files(copy)) if kind == "full" else []
        job = _Job(folder, recipients, seal, progress, sum(file.size for file in files) + copy.stat().st_size)
        job.require_space(copy.stat().st_size, files)
        entries = [entry for file in files if (entry := job.add(file)) is not None]
        parts = {README: _readme(path / README, source, moment, recipients)}
        parts[DATABASE], database = job.seal_database(copy, path / DATABASE)
        parts[SYSTEM] = job.seal_bytes(_archive(source.system), path / SYSTEM)
        index = {"database": {"size": database.size, "sha256": database.sha256}, "files": entries}
        parts[INDEX] = job.seal_bytes(json.dumps(index).encode(), path / INDEX, packed=True)
        manifest = Manifest(
            name=path.name,
            created=moment.isoformat(timespec="seconds"),
            kind=kind,
            hostname=source.hostname,
            version=source.version,
            recipients=tuple(recipients),
            parts=parts,
            objects=job.objects,
            signer=seal.public,
            audit=source.audit(copy),
        )
        manifests.write(path / manifests.MANIFEST, manifest, seal)
    seconds = time.monotonic() - begun
    total = sum(int(entry["size"]) for entry in entries)
    return Created(manifest, path, job.new_files, job.new_bytes, len(entries), total, seconds, job.problems)


class _Job:
    """The state of one backup while it is made."""

    def __init__(
        self, folder: Path, recipients: Sequence[str], seal: Seal, progress: Progress | None, total: int
    ) -> None:
        self.folder, self.recipients, self.seal = folder, recipients, seal
        self.objects: dict[str, Digest] = {}
        self.problems: list[str] = []
        self.new_files = self.new_bytes = 0
        self._progress, self._total, self._done = progress, total, 0
        self._known = _known_objects(folder, seal.public)

    def add(self, file: SourceFile) -> dict[str, str | int] | None:
        """Seal a file of the depot unless a backup holds its content already; return its entry of the index."""
        if file.sha256 is not None:
            name = self.seal.object_name(Digest(file.size, file.sha256))
            known = self._known.get(name)
            if known is not None and _has_size(manifests.object_path(self.folder, name), known.size):
                self.objects[name] = known
                self._tell(file.name)(file.size)
                return self._entry(file.name, name, Digest(file.size, file.sha256))
        try:
            return self._seal_file(file)
        except FileNotFoundError:
            self.problems.append(Message("%(name)s is missing in the depot.", name=file.name))
            return None

    def _seal_file(self, file: SourceFile) -> dict[str, str | int]:
        spare = private_folder(self.folder / manifests.OBJECTS) / "new.age"
        with file.path.open("rb") as opened:
            sealed = crypto.seal(opened, spare, self.recipients, self._tell(file.name))
        content = sealed.content
        if file.sha256 not in (None, content.sha256):
            self.problems.append(
                Message("%(name)s has changed since it was uploaded: its checksum differs.", name=file.name)
            )
        name = self.seal.object_name(content)
        target = manifests.object_path(self.folder, name)
        private_folder(target.parent)
        durable.replace(spare, target)
        self.objects[name] = self._known[name] = sealed.stored
        self.new_files, self.new_bytes = self.new_files + 1, self.new_bytes + content.size
        return self._entry(file.name, name, content)

    def seal_database(self, copy: Path, target: Path) -> tuple[Digest, Digest]:
        """Seal the copy of the database, compressed; return the digests of the sealed file and of the copy."""
        with copy.open("rb") as opened:
            content = crypto.Meter(opened, self._tell("database"))
            stored = crypto.seal(crypto.GzipReader(content), target, self.recipients).stored
        return stored, content.digest

    def seal_bytes(self, data: bytes, target: Path, *, packed: bool = False) -> Digest:
        """Seal `data`, compressed when `packed`; return the digest of the sealed file."""
        reader = io.BytesIO(data)
        return crypto.seal(crypto.GzipReader(reader) if packed else reader, target, self.recipients).stored

    def require_space(self, database: int, files: Iterable[SourceFile]) -> None:
        """Raise Problem 507 when what is new cannot fit."""
        new = sum(file.size for file in files if not self._has(file))
        free = shutil.disk_usage(self.folder).free
        needed = int((database + new) * 1.001) + _RESERVE
        if free < needed:
            message = f"The backup needs {needed / 1e9:.1f} GB, but {self.folder} has only {free / 1e9:.1f} GB left."
            raise Problem(507, "Insufficient Storage", message=message)

    def _has(self, file: SourceFile) -> bool:
        return file.sha256 is not None and self.seal.object_name(Digest(file.size, file.sha256)) in self._known

    def _entry(self, name: str, object_name: str, content: Digest) -> dict[str, str | int]:
        return {"name": name, "object": object_name, "size": content.size, "sha256": content.sha256}

    def _tell(self, what: str) -> Callable[[int], None]:
        def tell(count: int) -> None:
            """`count` bytes more are done."""
            self._done += count
            if self._progress is not None:
                self._progress(self._done, self._total, what)

        return tell


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a backup folder for oneself. Raises Problem 409 when somebody else does, it is not there or not ours."""
    account = pwd.getpwuid(os.geteuid()).pw_name
    if not folder.is_dir():
        raise invalid(
            message=Message(
                "The backup folder %(folder)s does not exist. Is its disk mounted? For a new folder: sudo install -d "
                "-m 700 -o %(account)s %(folder)s",
                folder=folder,
                account=account,
            )
        )
    try:
        file = (folder / ".lock").open("a")
    except PermissionError as error:
        raise invalid(
            message=Message(
                "%(account)s may not write into the backup folder %(folder)s: sudo chown %(account)s %(folder)s",
                account=account,
                folder=folder,
            )
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise invalid(message=Message("Another backup is already running in %(folder)s.", folder=folder)) from error
        yield


@contextmanager
def scratch(workdir: Path) -> Iterator[Path]:
    """A private folder below `workdir` that is gone afterwards; one that a crash left behind is removed first."""
    path = workdir / f"backup-{os.getpid()}"
    shutil.rmtree(path, ignore_errors=True)
    private_folder(path)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _new_set(folder: Path, moment: datetime) -> Path:
    """Make the folder of a new backup, and sweep what interrupted ones left there.

    Its name is later than those of all before it, also where one with the name of this second was removed again.
    """
    for month in folder.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9]"):
        for path in month.iterdir():
            if not (path / manifests.MANIFEST).exists() and time.time() - path.stat().st_mtime > _STALE:
                shutil.rmtree(path)
    now = manifests.name_of(moment + manifests.CLOCKS)
    before = next((name for name in manifests.names(folder) if name <= now), None)
    if before is not None:
        moment = max(moment, manifests.moment_of(before) + timedelta(seconds=1))
    while (path := manifests.set_path(folder, manifests.name_of(moment))).exists():
        moment += timedelta(seconds=1)
    private_folder(path.parent)
    return private_folder(path)


def _known_objects(folder: Path, signer: str) -> dict[str, Digest]:
    """Sealed files of the newest backups of this server, by name."""
    known: dict[str, Digest] = {}
    found, _problems = manifests.all_of(folder, signer)
    for manifest in reversed([one for one in found if one.kind == "full"][:3]):
        known.update(manifest.objects)
    return known


def _has_size(path: Path, size: int) -> bool:
    with suppress(OSError):
        return path.stat().st_size == size
    return False


def _archive(system: Mapping[str, Path]) -> bytes:
    """The system's files as tar.gz; they are a few kilobytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, path in sorted(system.items()):
            info = tarfile.TarInfo(name)
            data = path.read_bytes()
            info.size, info.mode, info.mtime = len(data), path.stat().st_mode & 0o777, int(path.stat().st_mtime)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _readme(path: Path, source: Source, moment: datetime, recipients: Sequence[str]) -> Digest:
    text = _README.format(
        hostname=source.hostname,
        created=moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M"),
        folder=path.parent.parent.parent,
        recipients=", ".join(recipients),
    )
    durable.write(path, text.encode(), crypto.FILE_MODE)
    return crypto.sha256_of(path)
