"""A backup in one file that a passphrase opens: a ZIP with AES-256, for 7-Zip and for hands without this program."""

from __future__ import annotations

import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyzipper

from appliance import durable
from appliance.backup import claims, crypto
from appliance.backup import restore as backup_restore
from appliance.backup.create import Progress, Source, SourceFile, scratch
from appliance.backup.crypto import Digest
from appliance.backup.verify import Examine
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid

MANIFEST = "manifest.json"
DATABASE = "dcor.sqlite"
#: The passphrase stands between a thief of the file and everything; there is no limit to how fast it can be tried.
SHORTEST = 16

_CHUNK = 1 << 20
_CHECKSUM = re.compile(r"([0-9a-f]{64})  ")


@dataclass(frozen=True, slots=True)
class Zipped:
    """Outcome: number of files, bytes of their contents, and what was wrong with single files.

    :ivar notes: what a restore did besides.
    """

    files: int
    size: int
    problems: list[str]
    notes: list[str] = field(default_factory=list)


def create(
    source: Source, target: Path, passphrase: str, *, workdir: Path, with_files: bool, progress: Progress | None = None
) -> Zipped:
    """Write the database, the system's files and, `with_files`, the depot into the ZIP `target` (mode 0400).

    `target.sha256` beside it lets `sha256sum -c` find any changed byte. Raises Problem 409 for a short passphrase or
    when `target` exists, OSError for what the disks say.
    """
    if len(passphrase) < SHORTEST:
        raise invalid(
            message=Message("The passphrase of a backup needs at least %(shortest)s characters.", shortest=SHORTEST)
        )
    if target.exists():
        raise invalid(message=Message("%(target)s exists already.", target=target))
    draft = target.with_name(target.name + ".part")
    draft.unlink(missing_ok=True)  # of a run that was killed: its mode (0400) would refuse to be written over
    try:
        with source.stay(), scratch(workdir) as work:
            copy = work / DATABASE
            source.snapshot(copy)
            files = list(source.files(copy)) if with_files else []
            report = _write(draft, _members(source.system, copy), files, passphrase, progress)
        draft.chmod(crypto.FILE_MODE)
        digest = crypto.sha256_of(draft)
        durable.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    durable.write(_checksum_file(target), f"{digest.sha256}  {target.name}\n".encode(), 0o644)
    return report


def verify(path: Path, passphrase: str | None = None, *, progress: Progress | None = None) -> list[str]:
    """Return what is wrong with a ZIP backup, in sentences.

    Without `passphrase` only the checksum file is compared; with it every member is decrypted and compared with the
    manifest inside. Raises Problem 409 for a wrong passphrase or a file that is no backup.
    """
    problems: list[str] = []
    size = path.stat().st_size
    checksum = _checksum_file(path)
    if checksum.exists():
        expected = _CHECKSUM.match(checksum.read_text(encoding="utf-8", errors="replace"))
        done = 0

        def tell(count: int) -> None:
            """`count` bytes more are read."""
            nonlocal done
            done += count
            if progress is not None:
                progress(done, size, path.name)

        if expected is None or crypto.sha256_of(path, tell).sha256 != expected[1]:
            return [f"{path.name} is not as it was written: it is damaged or was changed."]
    elif passphrase is None:
        problems.append(
            Message("%(name)s is missing; nothing can be checked without it or the passphrase.", name=checksum.name)
        )
    if passphrase is not None:
        problems += _damaged_members(path, passphrase)
    return problems


def restore(
    path: Path,
    target: Path,
    passphrase: str,
    *,
    examine: Examine,
    replace: bool = False,
    complete: claims.Complete | None = None,
    progress: Progress | None = None,
) -> Zipped:
    """Rebuild a data root in the empty folder `target` from a ZIP backup; an interrupted call is continued by the same.

    With `replace` what is there, or was left by the restore of another backup, is moved aside; nothing of it before the database in the
    ZIP was found to be good. Damaged files of the depot are left out and reported. Raises Problem 409 for a wrong passphrase, a folder
    in use, and when database or settings are damaged.
    """
    draft = target / claims.DRAFT
    with _open(path, passphrase) as archive:
        manifest = _manifest(archive)
        claims.require_claimable(target, path.name, replace=replace)
        database = manifest.pop(DATABASE, None)
        if database is None:
            raise invalid(message=Message("%(path)s contains no database. Use another backup.", path=path))
        total, done = database.size + sum(digest.size for digest in manifest.values()), database.size
        problems: list[str] = []
        try:
            target.mkdir(parents=True, exist_ok=True, mode=0o750)
            _extract_or_refuse(archive, DATABASE, database, draft, examine)
            notes = claims.claim(target, path.name, replace=replace)
            for name, digest in sorted(manifest.items()):
                try:
                    _extract(archive, name, digest, backup_restore.place_of(target, name), None)
                except _Damaged as error:
                    if not name.startswith("depot/"):
                        raise _refused(name) from error
                    problems.append(Message("%(name)s in the backup is damaged.", name=name))
                done += digest.size
                if progress is not None:
                    progress(done, total, name)
            # The database comes last: before, nothing can be served.
            durable.replace(draft, target / DATABASE)
        finally:
            draft.unlink(missing_ok=True)
    if complete is not None:
        complete(path.name, problems)
    claims.unclaim(target)
    return Zipped(len(manifest) + 1, total, problems, notes)


def _refused(name: str) -> Problem:
    return invalid(message=Message("%(name)s in the backup is damaged. Take another backup.", name=name))


def _extract_or_refuse(archive: Any, name: str, digest: Digest, place: Path, examine: Examine) -> None:
    try:
        _extract(archive, name, digest, place, examine)
    except _Damaged as error:
        raise _refused(name) from error


def _extract(archive: Any, name: str, digest: Digest, place: Path, examine: Examine | None) -> None:
    draft = place.with_name(place.name + ".part")
    draft.unlink(missing_ok=True)  # of a run that was killed: its mode (0400) would refuse to be written over
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for data in _checked(archive, name, digest):
                file.write(data)
        if examine is not None and examine(draft):
            raise _Damaged(name)
        draft.chmod(backup_restore.mode_of(name))
        durable.replace(draft, place)
    finally:
        draft.unlink(missing_ok=True)


class _Damaged(Exception):
    """A member is not what was put in."""


def _members(system: Mapping[str, Path], database: Path) -> dict[str, Path]:
    return {DATABASE: database, **system}


def _write(
    draft: Path, members: Mapping[str, Path], files: Iterable[SourceFile], passphrase: str, progress: Progress | None
) -> Zipped:
    everything = {**members, **{file.name: file.path for file in files}}
    sizes = {name: path.stat().st_size for name, path in everything.items() if path.exists()}
    problems = [f"{name} is missing in the depot." for name in everything if name not in sizes]
    total, done = sum(sizes.values()), 0
    manifest: dict[str, dict[str, Any]] = {}
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    with pyzipper.AESZipFile(draft, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(passphrase.encode())
        for name in sizes:
            # Measurements are compressed already.
            archive.compression = pyzipper.ZIP_STORED if name.startswith("depot/") else pyzipper.ZIP_DEFLATED
            with everything[name].open("rb") as opened, archive.open(name, "w", force_zip64=True) as member:
                meter = crypto.Meter(opened)
                while data := meter.read(_CHUNK):
                    member.write(data)
                    done += len(data)
                    if progress is not None:
                        progress(done, total, name)
            manifest[name] = {"size": meter.digest.size, "sha256": meter.digest.sha256}
        archive.compression = pyzipper.ZIP_DEFLATED
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    return Zipped(len(manifest), total, problems)


def _damaged_members(path: Path, passphrase: str) -> list[str]:
    problems: list[str] = []
    with _open(path, passphrase) as archive:
        for name, digest in _manifest(archive).items():
            try:
                for _ in _checked(archive, name, digest):
                    pass
            except _Damaged:
                problems.append(Message("%(name)s in the backup is damaged.", name=name))
    return problems


def _open(path: Path, passphrase: str) -> Any:
    try:
        archive = pyzipper.AESZipFile(path)
    except (pyzipper.BadZipFile, OSError) as error:
        raise invalid(message=Message("%(path)s is not a ZIP file, or it is damaged.", path=path)) from error
    archive.setpassword(passphrase.encode())
    return archive


def _manifest(archive: Any) -> dict[str, Digest]:
    try:
        plain = json.loads(archive.read(MANIFEST))
        return {name: Digest(**digest) for name, digest in plain.items()}
    except RuntimeError as error:
        raise crypto.WrongKeyError("The passphrase of the backup is wrong.") from error
    except KeyError as error:
        raise invalid(
            message=Message("This ZIP file is not a backup of this appliance: it has no manifest.")
        ) from error
    except (pyzipper.BadZipFile, zlib.error, ValueError, TypeError, EOFError) as error:
        raise invalid(message=Message("The manifest in the backup is damaged.")) from error


def _checked(archive: Any, name: str, expected: Digest) -> Iterable[bytes]:
    sha256, size = hashlib.sha256(), 0
    try:
        with archive.open(name) as member:
            while data := member.read(_CHUNK):
                sha256.update(data)
                size += len(data)
                yield data
    except (pyzipper.BadZipFile, zlib.error, RuntimeError, KeyError, EOFError, NotImplementedError) as error:
        raise _Damaged(name) from error
    if Digest(size, sha256.hexdigest()) != expected:
        raise _Damaged(name)


def _checksum_file(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")
