"""Restoring single objects from a backup while the service runs: a dataset, a file, a user, a circle or collection, lost keys.

Files are restored first, then the rows that refer to them. The backups are decrypted with the private key, which is not stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance import root_marker
from appliance.actions import backups
from appliance.actions.site import Site
from appliance.archive import access
from appliance.backup import claims, crypto, key_sheet
from appliance.backup import create as backup_create
from appliance.backup import manifest as backup_manifest
from appliance.backup.create import Progress
from appliance.backup.restore_parts import OpenBackup, backups_holding, open_backup
from appliance.model import names, object_kinds
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, not_found
from appliance.model.viewer import OPERATOR, Viewer
from appliance.security import policy
from appliance.store import alarms, audit, backup_source, communities, datasets, jobs, resources, row_copies, users
from appliance.store.database import Database
from appliance.store.depot import Depot

KINDS = ("dataset", "file", "user", "circle", "collection")
_FILE_ALARMS = ("scrub", "missing file")


@dataclass(frozen=True, slots=True)
class Place:
    """Where backups are looked for, and what opens them.

    :ivar key: text of the key file. :ivar name: of one backup; None: the newest that has what is wanted.
    :ivar signer: what must have signed it, else what the key file says, else this server; `any_signer` lifts the last.
    :ivar largest: most bytes of files that may be fetched at once; more is refused (None: any number).
    """

    folder: Path
    key: str
    name: str | None = None
    signer: str | None = None
    any_signer: bool = False
    largest: int | None = None


@dataclass(slots=True)
class BroughtBack:
    """What came back, from which backup, how many files and bytes, and what the administrator should know."""

    kind: str
    name: str
    backup: str
    files: int = 0
    size: int = 0
    notes: list[str] = field(default_factory=list)


def contents(site: Site, viewer: Viewer, place: Place) -> dict[str, Any]:
    """What a backup (the newest, or the one named) holds: datasets, files, users, circles, collections. Raises Problem."""
    policy.require(viewer, "site:administer")
    with _opened(site, place, place.name) as (backup, source):
        return {"backup": backup.manifest.name, "kind": backup.manifest.kind, **row_copies.contents(source)}


def bring_back(
    site: Site, viewer: Viewer, place: Place, kind: str, ref: str, *, progress: Progress | None = None
) -> BroughtBack:
    """Bring back one thing, found by name or id, from the newest backup that has it (or the one named).

    Raises Problem: 404 when no backup has it, 409 when it is there already or in the way; nothing is changed then.
    """
    policy.require(viewer, "site:administer")
    if kind == "file":
        return _file(site, viewer, place, ref, progress)
    with _holding(site, place, kind, ref) as (backup, source, row):
        done = BroughtBack(kind, row["name"], backup.manifest.name)
        if kind == "dataset":
            _require_small(
                site,
                place,
                backup,
                kind,
                row["name"],
                [one["id"] for one in row_copies.resources_of(source, row["id"])],
            )
        {"dataset": _dataset, "user": _user, "circle": _community, "collection": _community}[kind](
            site, viewer, backup, source, row, done, progress
        )
        return done


def system(root: Path, place: Place) -> list[str]:
    """Put back settings, keys and certificate that the data root `root` has lost, from the newest backup or the one named; → their names.

    What is there stays. Raises Problem, also for a data root that is not this machine's.
    """
    root_marker.require(root, new_settings=True)
    signer = None if place.any_signer else key_sheet.require_signer(place.key, place.signer)
    identities = crypto.parse_identities(place.key)
    backup = open_backup(place.folder, identities, name=place.name, signer=signer)
    done = backup.put_back_system(root)
    for name in done:
        claims.give_one_to_owner(root, root / name)
    return done


def note_system(site: Site, put_back: list[str]) -> None:
    """Write into the audit log what `system` has put back."""
    with site.db.write() as tx:
        audit.add(tx, OPERATOR, "backup.restore_system", "backup", "", files=put_back)


def _dataset(
    site: Site, viewer: Viewer, backup: OpenBackup, source: sqlite3.Connection, row: sqlite3.Row, done: BroughtBack,
    progress: Progress | None,
) -> None:  # fmt: skip
    with site.db.read() as conn:
        present = datasets.find(conn, row["id"])
    if present is not None and present["state"] != "deleted":
        raise invalid(message=Message(
            "The dataset %(name)s already exists (%(state)s). To restore single files: --file ID, as listed by `dcor "
            "dataset show %(name)s`.", name=present["name"], state=present["state"]))  # fmt: skip
    files = row_copies.resources_of(source, row["id"])
    lost = _put_back_files(site, backup, source, [one["id"] for one in files], done, progress)
    with site.db.write() as tx:
        if communities.find(tx, row["circle_id"], "circle") is None:
            circle = row_copies.find(source, "circle", row["circle_id"])
            if circle is None:
                raise invalid(message=Message("The circle of this dataset exists neither here nor in the backup."))
            row_copies.community(tx, source, circle)
            done.notes.append(Message("Its circle %(name)s was restored, too.", name=circle["name"]))
        name = row["name"]
        if datasets.name_taken(tx, name):
            name = names.dataset_name(row["title"], lambda text: datasets.name_taken(tx, text), row["id"])
            done.notes.append(
                Message(
                    "Another dataset is now called %(wanted)s; this one was renamed to %(given)s.",
                    wanted=row["name"],
                    given=name,
                )
            )
        row_copies.dataset(tx, source, row, name)
        _forget(tx, lost)
        audit.add(tx, viewer, "dataset.bring_back", "dataset", row["id"], backup=backup.manifest.name)
    done.name = name
    _make_missing(site, [one["id"] for one in files])


def _file(site: Site, viewer: Viewer, place: Place, ref: str, progress: Progress | None) -> BroughtBack:
    if not names.is_id(ref):
        raise invalid(message=Message(
            "'%(ref)s' is not the ID of a file. `dcor resource list` and `dcor backup contents` show the IDs.", ref=ref))  # fmt: skip
    with site.db.read() as conn:
        present = resources.get(conn, ref)
    if present is None:
        return _lost_file(site, viewer, place, ref, progress)
    if access.stored(site.db, ref) is not None:
        raise invalid(message=Message("This file is in the archive. Bring it back from there: sudo dcor archive recall --file %(ref)s", ref=ref))  # fmt: skip
    original = _name_below(site, ref, "original")
    for backup in _candidates(site, place, original):
        (entry,) = backup.entries([original])
        if present["sha256"] not in (None, entry.content.sha256):
            continue
        done = BroughtBack("file", present["name"], backup.manifest.name)
        _require_small(site, place, backup, "file", ref, [ref])
        _put_back(site, backup, entry, done, progress)
        if not done.files:
            done.notes.append(Message("The file in the depot is intact; nothing had to be done."))
        with site.db.write() as tx:
            _settle(tx, ref)
            audit.add(tx, viewer, "resource.bring_back", "resource", ref, backup=backup.manifest.name, files=done.files)
        return done
    raise not_found(Message(
        "No complete backup in %(folder)s contains the file %(ref)s as it was uploaded.", folder=place.folder, ref=ref))  # fmt: skip


def _lost_file(site: Site, viewer: Viewer, place: Place, ref: str, progress: Progress | None) -> BroughtBack:
    """A file that was removed from its dataset: row and all."""
    with _holding(site, place, "file", ref) as (backup, source, row):
        done = BroughtBack("file", row["name"], backup.manifest.name)
        _require_small(site, place, backup, "file", ref, [ref])
        with site.db.read() as conn:
            dataset = datasets.find(conn, row["dataset_id"])
            if dataset is None or dataset["state"] == "deleted":
                found = row_copies.find(source, "dataset", row["dataset_id"])
                name = found["name"] if found else row["dataset_id"]
                raise invalid(message=Message(
                    "Its dataset %(name)s does not exist. Restore that one: --dataset %(name)s", name=name))  # fmt: skip
            if row["name"] in resources.names_of(conn, dataset["id"]):
                raise invalid(message=Message(
                    "%(dataset)s now contains another file called %(file)s. Rename that one first.", dataset=dataset["name"], file=row["name"]))  # fmt: skip
        lost = _put_back_files(site, backup, source, [ref], done, progress)
        with site.db.write() as tx:
            position = len(resources.names_of(tx, dataset["id"]))
            row_copies.resource(tx, source, row, position=position)
            _forget(tx, lost)
            row_copies.refresh(tx, dataset["id"])
            audit.add(tx, viewer, "resource.bring_back", "resource", ref, backup=backup.manifest.name, files=done.files)
        _make_missing(site, [ref])
        return done


def _user(
    site: Site, viewer: Viewer, backup: OpenBackup, source: sqlite3.Connection, row: sqlite3.Row, done: BroughtBack,
    progress: Progress | None,
) -> None:  # fmt: skip
    with site.db.write() as tx:
        present = users.find(tx, row["id"])
        if present is not None and present["state"] != "deleted":
            raise invalid(message=Message(
                "The user %(name)s already exists (%(state)s).", name=present["name"], state=present["state"]))  # fmt: skip
        row_copies.user(tx, source, row)
        audit.add(tx, viewer, "user.bring_back", "user", row["id"], backup=backup.manifest.name)
    done.notes.append(
        Message(
            "The password is the one from the backup; tokens and access files are not restored: create new ones with "
            "`dcor access create`."
        )
    )
    if row["sysadmin"]:
        done.notes.append(
            Message(
                "The account was an administrator's; it was restored as a regular one. `dcor user promote %(name)s` "
                "changes that.",
                name=row["name"],
            )
        )


def _community(
    site: Site, viewer: Viewer, backup: OpenBackup, source: sqlite3.Connection, row: sqlite3.Row, done: BroughtBack,
    progress: Progress | None,
) -> None:  # fmt: skip
    with site.db.write() as tx:
        if communities.find(tx, row["id"], row["kind"]) is not None:
            raise invalid(
                message=Message(
                    "The %(kind)s %(name)s already exists.", kind=object_kinds.said(row["kind"]), name=row["name"]
                )
            )
        row_copies.community(tx, source, row)
        audit.add(tx, viewer, f"{row['kind']}.bring_back", row["kind"], row["id"], backup=backup.manifest.name)
    if row["kind"] == "circle":
        done.notes.append(Message("Its datasets stay as they are; to restore missing ones: --dataset NAME."))


def _put_back_files(
    site: Site,
    backup: OpenBackup,
    source: sqlite3.Connection,
    ids: list[str],
    done: BroughtBack,
    progress: Progress | None,
) -> list[tuple[str, str]]:
    """Put the files of resources into the depot; → derived ones (id, kind) that could not be had. Raises Problem for an original."""
    if backup.manifest.kind != backup_manifest.FULL and ids:
        raise invalid(message=Message(
            "The backup %(name)s is of the database only: it contains no files.", name=backup.manifest.name))  # fmt: skip
    held = {entry.name: entry for entry in backup.index.files}
    lost = []
    for resource_id in ids:
        for kind in ("original", *row_copies.artefact_kinds(source, resource_id)):
            entry = held.get(_name_below(site, resource_id, kind))
            if entry is None and kind == "original" and access.stored(site.db, resource_id) is not None:
                done.notes.append(Message("The file %(id)s is in the archive, as it was.", id=resource_id))
                continue
            try:
                if entry is None:
                    raise not_found(Message(
                        "The backup %(name)s does not contain the file %(resource_id)s.", name=backup.manifest.name, resource_id=resource_id))  # fmt: skip
                _put_back(site, backup, entry, done, progress)
            except Problem:
                if kind == "original":
                    raise
                lost.append((resource_id, kind))
    return lost


def _require_small(site: Site, place: Place, backup: OpenBackup, kind: str, ref: str, ids: list[str]) -> None:
    """Raise Problem 409, before anything is written, when more has to be fetched than `place` permits."""
    names = [_name_below(site, one, "original") for one in ids]
    size = sum(entry.content.size for entry in backup.entries(names))
    if place.largest is not None and size > place.largest:
        raise invalid(message=Message(
            "%(size)s GB is too much to restore in the browser. On the server: `sudo dcor backup restore --%(kind)s "
            "%(ref)s --backup %(name)s --key key-sheet.txt`", size=f"{size / 1000000000.0:.1f}", kind=kind, ref=ref, name=backup.manifest.name))  # fmt: skip


def _put_back(site: Site, backup: OpenBackup, entry: Any, done: BroughtBack, progress: Progress | None) -> None:
    if backup.put_back(site.settings.data, entry):
        claims.give_one_to_owner(site.settings.data, site.settings.data / entry.name)
        done.files, done.size = done.files + 1, done.size + entry.content.size
    if progress is not None:
        progress(done.size, max(done.size, 1), entry.name)


def _forget(tx: sqlite3.Connection, lost: list[tuple[str, str]]) -> None:
    for resource_id, kind in lost:
        row_copies.forget_artefact(tx, resource_id, kind)


def _settle(tx: sqlite3.Connection, resource_id: str) -> None:
    """The alarms about the original are dealt with."""
    for kind in _FILE_ALARMS:
        alarms.resolve_for(tx, kind, f"{resource_id}/original")


def _make_missing(site: Site, ids: list[str]) -> None:
    """Have jobs make what did not come back; those that are there find nothing to do."""
    with site.db.write() as tx:
        for resource_id in ids:
            row = resources.get(tx, resource_id)
            if row is not None:
                jobs.enqueue_pipeline(tx, row, condense=site.settings.jobs.condense)
            _settle(tx, resource_id)
    site.wake_jobs()


def _name_below(site: Site, resource_id: str, kind: str) -> str:
    return str(Depot(site.settings.data).path(resource_id, kind).relative_to(site.settings.data))


def _candidates(site: Site, place: Place, wanted: str) -> Iterator[OpenBackup]:
    identities, signer = crypto.parse_identities(place.key), _signer(site, place)
    if place.name is not None:
        backup = open_backup(place.folder, identities, name=place.name, signer=signer, kind=backup_manifest.FULL)
        if backup.entries([wanted]):
            yield backup
    else:
        yield from backups_holding(place.folder, identities, wanted, signer=signer)


@contextmanager
def _holding(
    site: Site, place: Place, kind: str, ref: str
) -> Iterator[tuple[OpenBackup, sqlite3.Connection, sqlite3.Row]]:
    """The newest complete backup (or the one named) whose database has the thing, the database, and its row. Raises Problem 404."""
    chosen = [place.name] if place.name else backup_manifest.names(place.folder, backup_manifest.FULL)
    if not chosen:
        raise not_found(Message("There is no complete backup in %(folder)s.", folder=place.folder))
    refusal: Problem | None = None
    for name in chosen:
        try:
            opened = _opened(site, place, name)
            backup, source = opened.__enter__()
        except Problem as problem:  # an older one may be whole
            refusal = refusal or problem
            continue
        try:
            row = row_copies.find(source, kind, ref)
            if row is not None:
                yield backup, source, row
                return
        finally:
            opened.__exit__(None, None, None)
    where = (
        Message("the backup %(name)s", name=place.name)
        if place.name
        else Message("any backup in %(folder)s", folder=place.folder)
    )
    raise refusal or not_found(
        Message(
            "There is no %(kind)s '%(ref)s' in %(where)s. `dcor backup contents` lists the contents of a backup.",
            kind=object_kinds.said(kind),
            ref=ref,
            where=where,
        )
    )


@contextmanager
def _opened(site: Site, place: Place, name: str | None) -> Iterator[tuple[OpenBackup, sqlite3.Connection]]:
    """A backup and its database, brought to the present schema, in a private folder for so long."""
    identities = crypto.parse_identities(place.key)
    backup = open_backup(place.folder, identities, name=name, signer=_signer(site, place))
    with backup_create.scratch(site.settings.tmp) as work:
        db = Database(backup.database(work / root_marker.DATABASE, backup_source.examine))
        with closing(db):
            db.migrate()
            with db.snapshot() as source:
                yield backup, source


def _signer(site: Site, place: Place) -> str | None:
    """Who must have signed the backup: as said, as the key file says, else this server."""
    if place.any_signer:
        return None
    named = place.signer or key_sheet.signer_of(place.key)
    return key_sheet.require_signer(place.key, place.signer) if named else backups.own_signer(site.settings)
