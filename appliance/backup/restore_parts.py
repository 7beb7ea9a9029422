"""Single things out of a backup, while the service runs: keys and settings, files of the depot, the database to look into."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from appliance.backup import crypto
from appliance.backup import manifest as manifests
from appliance.backup.create import DATABASE
from appliance.backup.manifest import Manifest
from appliance.backup.restore import damage_of, place_of, system_files, unpack_database, write_file
from appliance.backup.verify import Entry, Examine, Identities, Index, read_index
from appliance.model.problem import Problem
from appliance.security.secrets import write_private


@dataclass(frozen=True, slots=True)
class OpenBackup:
    """A backup that the private key opens.

    :ivar folder: of all backups. :ivar index: its files of the depot, and what its database has to be.
    """

    folder: Path
    manifest: Manifest
    identities: Identities
    index: Index

    @property
    def path(self) -> Path:
        """Its own folder."""
        return manifests.set_path(self.folder, self.manifest.name)

    def database(self, draft: Path, examine: Examine) -> Path:
        """Unpack the database to `draft` (a new file). Raises Problem when it is damaged."""
        with damage_of(self.manifest.name):
            unpack_database(self.path / DATABASE, draft, self.identities, self.index.database, examine)
        return draft

    def entries(self, names: Iterable[str]) -> list[Entry]:
        """Those of these files (names below the data root) that it holds."""
        wanted = set(names)
        return [entry for entry in self.index.files if entry.name in wanted]

    def put_back(self, target: Path, entry: Entry) -> bool:
        """Put a file of the depot back unless it is there and right; another one in its place goes to quarantine/.

        → was it written? Raises Problem, in words, when it cannot be had.
        """
        place = place_of(target, entry.name)
        if place.is_file() and crypto.sha256_of(place) == entry.content:
            return False
        with damage_of(self.manifest.name):
            write_file(manifests.object_path(self.folder, entry.object), target, entry, self.identities)
        return True

    def put_back_system(self, target: Path) -> list[str]:
        """Put back settings, keys and certificate that are missing in `target`; → their names. What is there stays."""
        with damage_of(self.manifest.name):
            held = system_files(self.path, self.manifest, self.identities)
        missing = [(name, data, mode) for name, data, mode in held if not place_of(target, name).exists()]
        for name, data, mode in missing:
            write_private(place_of(target, name), data, mode)
        return [name for name, _data, _mode in missing]


def open_backup(
    folder: Path, identities: Identities, *, name: str | None = None, signer: str | None = None, kind: str | None = None
) -> OpenBackup:
    """Open the backup `name`, or the newest one (of `kind`). Raises Problem when it is not there, damaged, or the key is another."""
    manifest = manifests.find(folder, name, signer, kind=kind)
    crypto.require_key(identities, manifest.recipients)
    with damage_of(manifest.name):
        index = read_index(manifests.set_path(folder, manifest.name), manifest, identities)
    return OpenBackup(folder, manifest, identities, index)


def backups_holding(
    folder: Path, identities: Identities, wanted: str, *, signer: str | None = None
) -> Iterable[OpenBackup]:
    """The complete backups that hold the file `wanted` (name below the data root), newest first; unreadable ones are passed over."""
    for name in manifests.names(folder, manifests.FULL):
        try:
            opened = open_backup(folder, identities, name=name, signer=signer)
        except crypto.WrongKeyError:
            continue
        except Problem:
            continue
        if opened.entries([wanted]):
            yield opened
