"""What belongs to one backup: its files with their hashes, signed by the server that wrote it.

A backup folder holds `YYYY-MM/YYYY-MM-DD_HHMMSS/` for each backup and `files/` for the depot's files, which the
backups share. The manifest is readable without a key, so that damage is found by whoever keeps the disk.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.backup.crypto import FILE_MODE, Digest
from appliance.model.audit_anchor import LogState
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, not_found
from appliance.security.secrets import write_private

MANIFEST = "manifest.json"
OBJECTS = "files"
FORMAT = 1
#: Kinds of backups: with the depot's files, and without.
FULL, DATABASE_ONLY = "full", "database"

_NAME = re.compile(r"\d{4}-\d{2}-\d{2}_\d{6}")
_MONTH = re.compile(r"\d{4}-\d{2}")
_SIGNATURE = re.compile(rb"signed-by ([0-9a-f]{64}) ([0-9a-f]{128})\n")
_OBJECT = re.compile(r"[0-9a-f]{64}")
# Stands before the long lists, as the keys are sorted.
_KIND = re.compile(rb'^ "kind": "([a-z]+)"', re.MULTILINE)
_HEAD = 4096
#: How far two clocks may differ.
CLOCKS = timedelta(minutes=5)
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")


class Seal:
    """The server's secret for backups: signs manifests and names the depot's files by their content.

    The names are a keyed hash, so that a thief cannot look up whether a certain file is in the backup.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"dcor backup signature\0" + secret).digest())
        self._names = hashlib.sha256(b"dcor backup names\0" + secret).digest()

    @property
    def public(self) -> str:
        """The public half (64 hexadecimal digits), for the key sheet."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, data: bytes) -> str:
        """Return the Ed25519 signature of `data` (128 hexadecimal digits)."""
        return self._key.sign(data).hex()

    def object_name(self, content: Digest) -> str:
        """Return the name under which a depot file with this content is kept."""
        return hmac.digest(self._names, f"{content.size} {content.sha256}".encode(), hashlib.sha256).hex()


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup. `parts` lie beside the manifest; `objects` under `files/`, shared with other backups.

    :ivar kind: "full" or "database" (without the depot's files).
    :ivar signer: public key of the server that wrote it. :ivar audit: its audit log as the backup holds it, None in backups
        of releases before 0.2.
    """

    name: str
    created: str
    kind: str
    hostname: str
    version: str
    recipients: tuple[str, ...]
    parts: dict[str, Digest]
    objects: dict[str, Digest] = field(default_factory=dict)
    signer: str = ""
    audit: LogState | None = None

    @property
    def moment(self) -> datetime:
        """When the backup began."""
        return moment_of(self.name)

    @property
    def size(self) -> int:
        """Bytes on disk that this backup needs, shared files included."""
        return sum(digest.size for digest in (*self.parts.values(), *self.objects.values()))


def moment_of(name: str) -> datetime:
    """Return the moment in a backup's name. Raises ValueError."""
    return datetime.strptime(name, "%Y-%m-%d_%H%M%S").replace(tzinfo=UTC)


def name_of(moment: datetime) -> str:
    """Return the name of a backup begun at `moment` (aware)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d_%H%M%S")


def set_path(folder: Path, name: str) -> Path:
    """Return the folder of one backup."""
    return folder / name[:7] / name


def object_path(folder: Path, name: str) -> Path:
    """Return the sealed file of an object."""
    return folder / OBJECTS / name[:2] / f"{name}.age"


def write(path: Path, manifest: Manifest, seal: Seal) -> None:
    """Write `manifest`, signed, as `path` (mode 0400)."""
    plain = {"format": FORMAT, **asdict(manifest)}
    del plain["signer"]
    payload = json.dumps(plain, indent=1, sort_keys=True).encode() + b"\n"
    line = f"signed-by {seal.public} {seal.sign(payload)}\n".encode()
    write_private(path, payload + line, FILE_MODE)


def read(path: Path, signer: str | None = None) -> Manifest:
    """Return the manifest in `path` after checking its signature, and that it is by `signer` when that is known.

    Raises Problem 404 when there is none, 409 when a byte of it was changed or another server wrote it.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise not_found(
            Message(
                "%(parent)s is not a complete backup: there is no %(manifest)s.", parent=path.parent, manifest=MANIFEST
            )
        ) from error
    payload, found = data[: data.rfind(b"signed-by ")], _SIGNATURE.fullmatch(data[data.rfind(b"signed-by ") :])
    if found is None:
        raise invalid(message=Message("%(path)s is damaged or incomplete.", path=path))
    writer, signature = found[1].decode(), bytes.fromhex(found[2].decode())
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(writer)).verify(signature, payload)
    except (InvalidSignature, ValueError) as error:
        raise invalid(message=Message("%(path)s was changed after it was written.", path=path)) from error
    if signer is not None and writer != signer:
        raise invalid(
            message=Message(
                "%(path)s was not written by this server (its signature is by %(writer)s…).",
                path=path,
                writer=writer[:16],
            )
        )
    try:
        found_manifest = _parse(json.loads(payload), writer)
    except (ValueError, KeyError, TypeError) as error:
        raise invalid(message=Message("%(path)s has a format that this release does not know.", path=path)) from error
    if found_manifest.name != path.parent.name:
        raise invalid(
            message=Message(
                "%(parent)s contains a different backup than its name says: %(name)s.",
                parent=path.parent,
                name=found_manifest.name,
            )
        )
    return found_manifest


def names(folder: Path, kind: str | None = None) -> list[str]:
    """Return the names of the finished backups in `folder`, newest first; all of them, or those of one kind (see `kind_of`)."""
    found = sorted((path.name for path in _sets(folder) if (path / MANIFEST).is_file()), reverse=True)
    return found if kind is None else [name for name in found if kind_of(folder, name) == kind]


def kind_of(folder: Path, name: str) -> str:
    """Return the kind that the head of a manifest states, "" when it cannot be read. Quick, and unproved: `read` checks signatures."""
    try:
        with (set_path(folder, name) / MANIFEST).open("rb") as file:
            found = _KIND.search(file.read(_HEAD))
    except OSError:
        return ""
    return found[1].decode() if found else ""


def newest(folder: Path, kind: str) -> str | None:
    """Return the name of the newest backup of a kind, None when there is none. What is dated in the future does not count."""
    now = name_of(datetime.now(UTC) + CLOCKS)
    return next((name for name in names(folder) if name <= now and kind_of(folder, name) == kind), None)


def dated_ahead(folder: Path) -> list[str]:
    """Return the names of backups dated in the future: made with a wrong clock, or by somebody else."""
    now = name_of(datetime.now(UTC) + CLOCKS)
    return [name for name in names(folder) if name > now]


def all_of(folder: Path, signer: str | None = None) -> tuple[list[Manifest], list[str]]:
    """Return `(manifests, problems)`: what can be read, newest first, and sentences about what cannot."""
    manifests, problems = [], []
    for name in names(folder):
        try:
            manifests.append(read(set_path(folder, name) / MANIFEST, signer))
        except Problem as problem:
            problems.append(str(problem))
    return manifests, problems


def find(folder: Path, name: str | None = None, signer: str | None = None, *, kind: str | None = None) -> Manifest:
    """Return the backup called `name`, or the newest one (of `kind`).

    Raises Problem 404 when there is none, 409 when it is of another kind.
    """
    known = names(folder)
    if name is not None and name not in known:
        raise not_found(Message("There is no backup '%(name)s' in %(folder)s.", name=name, folder=folder))
    if not known:
        raise not_found(Message("There is no backup in %(folder)s.", folder=folder))
    chosen = name or (known[0] if kind is None else newest(folder, kind))
    if chosen is None:
        raise not_found(
            Message(
                "There is no complete backup in %(folder)s, only some without files; the newest is %(known)s. Use it "
                "with --backup %(known)s.",
                folder=folder,
                known=known[0],
            )
        )
    found = read(set_path(folder, chosen) / MANIFEST, signer)
    if kind is not None and found.kind != kind:
        raise invalid(
            message=Message(
                "The backup %(chosen)s is of the database only: it contains no files. Use a complete one.",
                chosen=chosen,
            )
        )
    return found


def _sets(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for month in folder.iterdir():
            if _MONTH.fullmatch(month.name) and month.is_dir():
                yield from (path for path in month.iterdir() if _NAME.fullmatch(path.name) and path.is_dir())


def _parse(plain: dict[str, Any], signer: str) -> Manifest:
    if plain.pop("format") != FORMAT:
        raise ValueError("format")
    parts = {name: Digest(**digest) for name, digest in plain.pop("parts").items()}
    objects = {name: Digest(**digest) for name, digest in plain.pop("objects").items()}
    if not all(map(_PART.fullmatch, parts)) or not all(map(_OBJECT.fullmatch, objects)):
        raise ValueError("names")
    moment_of(plain["name"])
    recipients = tuple(plain.pop("recipients"))
    audit = LogState(**noted) if (noted := plain.pop("audit", None)) else None
    return Manifest(**plain, recipients=recipients, parts=parts, objects=objects, signer=signer, audit=audit)
