"""Files of datasets: what may be added, changed, ordered, removed."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from appliance.actions import lookup, resource_names, upload_limits
from appliance.actions.site import Site
from appliance.archive import access
from appliance.model import extras, media, names, supplements
from appliance.model.messages import Message
from appliance.model.problem import Fields, Problem, invalid, missing, not_authorized
from appliance.model.values import as_text, text_error
from appliance.model.viewer import DatasetFacts, Viewer
from appliance.security import policy
from appliance.store import audit, datasets, jobs, resources, uploads

_LEGACY_KEYS = frozenset(
    {"name", "package_id", "upload", "url", "url_type", "last_modified", "mimetype", "size", "description", "format"}
)
_DIRECT_KEYS = frozenset({"id", "name", "package_id", "s3_available", "description"})
#: Characters of a file's description.
LONGEST_DESCRIPTION = 20_000
_SERVER_KEYS = ("sha256", "etag")
#: Why the files of a published dataset stay: said of one file, and of the dataset's list of files.
NOT_EDITABLE = "Editing resources for non-draft datasets not allowed!"
FROZEN = "Changing 'resources' not allowed for non-draft datasets!"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file that has arrived but belongs to no dataset yet.

    :ivar path: where it lies, on the depot's file system.
    :ivar etag: MD5 by the rule for parts of 1 GiB, as clients compute it.
    :ivar resource_id: the id it will have; :ivar crc32: None when it is not known yet.
    """

    path: Path
    name: str
    size: int
    sha256: str | None
    etag: str | None
    resource_id: str = field(default_factory=names.new_id)
    crc32: int | None = None


@dataclass(frozen=True, slots=True)
class Addition:
    """A resource to be added, checked: the file and what the client said of it."""

    incoming: Incoming
    description: str | None
    supplements: dict[str, Any]
    direct: bool
    extras: dict[str, Any] = field(default_factory=dict)


class DepotTransaction:
    """The depot's side of a transaction: what was published is withdrawn when it fails, what was removed leaves when it holds.

    Use it around `db.write()`: ``with DepotTransaction(site) as files, site.db.write() as tx: …``
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.added: list[Incoming] = []
        self.shared: list[str] = []
        self.removed: list[str] = []
        #: what is written beside a removed file in the quarantine: its row, so that it can come back
        self.notes: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> DepotTransaction:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        depot = self._site.depot
        if error is None:
            for incoming in self.added:
                incoming.path.unlink(missing_ok=True)
            for resource_id in self.removed:
                if resource_id in self.notes:
                    depot.note_removed(resource_id, self.notes[resource_id])
                depot.quarantine(resource_id)
        else:
            for resource_id in [incoming.resource_id for incoming in self.added] + self.shared:
                depot.withdraw(resource_id)

    def publish(self, incoming: Incoming) -> None:
        """Give a file its place in the depot. Its own name stays until the transaction holds, so that it can be tried again."""
        self._site.depot.adopt(incoming.path, incoming.resource_id)
        self.added.append(incoming)  # only now is what lies there ours to withdraw

    def share(self, source_id: str, resource_id: str) -> None:
        """Give a resource the bytes of another as its original, without copying them. Raises Problem 409 when they are missing."""
        depot = self._site.depot
        try:
            depot.adopt(depot.path(source_id), resource_id)
        except FileNotFoundError as error:
            if access.stored(self._site.db, source_id) is not None:
                raise access.must_be_recalled(source_id) from error
            raise Problem(
                409, "Validation Error", message=Message("The file is missing on disk. Tell the administrator.")
            ) from error
        self.shared.append(resource_id)


def check_new(
    site: Site,
    viewer: Viewer,
    dataset_ref: str | None,
    name: str,
    size: int | None,
    *,
    message: str = NOT_EDITABLE,
    instead_of: str = "",
) -> DatasetFacts:
    """Before a body is read: may `viewer` add a file of this name and size [bytes] to this dataset, and is there room?

    :param instead_of: id of a file of the dataset whose place and name it may take.
    :raises Problem: 403, 404, 409 (name), 413 (limit), 507 (no space); nothing has been written by then.
    """
    with site.db.read() as conn:
        _, facts = lookup.dataset(conn, viewer, dataset_ref, "dataset:update")
        require_draft(viewer, facts, message)
        old = resources.get(conn, instead_of)
        own = old is not None and old["dataset_id"] == facts.id and old["name"] == name
        errors = (
            resource_names.file_name_errors(name, viewer)
            if own
            else resource_names.name_errors(conn, facts.id, name, viewer)
        )
        if errors:
            raise invalid({"name": errors})
        upload_limits.require_quota(site, conn, facts.circle_id, size or 0)
        upload_limits.require_room(site, conn, size or 0, viewer.user_id)
    return facts


def check_unplaced(site: Site, viewer: Viewer, name: str, size: int | None) -> None:
    """Before the body of a file is read whose dataset is not known yet, because the form names it later: what can be said by then.

    `check_new` has to follow before the file is used. Raises Problem 403, 409 (name), 413, 507.
    """
    policy.require(viewer, "upload:begin")
    errors = resource_names.file_name_errors(name, viewer)
    if errors:
        raise invalid({"name": errors})
    with site.db.read() as conn:
        upload_limits.require_room(site, conn, size or 0, viewer.user_id)


def require_draft(viewer: Viewer, facts: DatasetFacts, message: str = NOT_EDITABLE) -> None:
    """Files of a dataset change while it is a draft, later only by an admin's hand. Raises Problem 403."""
    if facts.state != "draft" and not viewer.sysadmin:
        raise not_authorized(message)


def addition(
    site: Site,
    conn: sqlite3.Connection,
    viewer: Viewer,
    facts: DatasetFacts,
    entry: Mapping[str, Any],
    taken: Sequence[str] = (),
) -> Addition:
    """Check one new entry of a dataset's list of resources.

    :raises Problem: 403 for keys that are the server's, 409 for names and supplements.
    """
    incoming = entry.get("upload")
    for key in _SERVER_KEYS:
        if entry.get(key) and not viewer.sysadmin:
            raise not_authorized(f"Regular users may not specify '{key}' when creating a resource.")
    direct = not isinstance(incoming, Incoming)
    if direct:
        incoming = _uploaded(site, conn, viewer, facts, entry)
    _require_keys(entry, _DIRECT_KEYS if direct else _LEGACY_KEYS, viewer, direct=direct)
    assert isinstance(incoming, Incoming)  # noqa: S101 - for the type checker
    if not direct and entry.get("id"):
        incoming = replace(incoming, resource_id=_chosen_id(conn, entry["id"]))
    errors = resource_names.name_errors(conn, facts.id, incoming.name, viewer, taken)
    if errors:
        raise invalid({"name": errors})
    own = {key: value for key, value in extras.of_file(entry).items() if value not in (None, "")}
    return Addition(incoming, _description(entry.get("description")), _supplements(site, entry), direct, own)


def attach(
    site: Site, tx: sqlite3.Connection, viewer: Viewer, dataset_id: str, new: Addition, files: DepotTransaction
) -> str:
    """Make the file (already on disk) a resource, with its jobs; returns its id. Raises Problem 413 beyond the circle's quota, 507 without the reserve."""
    incoming = new.incoming
    upload_limits.require_reserve(site)
    facts = datasets.facts(tx, dataset_id)
    if facts is not None:
        upload_limits.require_quota(site, tx, facts.circle_id, incoming.size, resource_id=incoming.resource_id)
    files.publish(incoming)
    mimetype, format_ = media.kind(incoming.name)
    resources.create(
        tx,
        incoming.resource_id,
        dataset_id,
        incoming.name,
        size=incoming.size,
        sha256=incoming.sha256,
        etag=incoming.etag,
        mimetype=mimetype,
        format_=format_,
        url_type="s3_upload" if new.direct else "upload",
        description=new.description,
        supplements=new.supplements,
        crc32=incoming.crc32,
        extras=new.extras,
    )
    if new.direct:
        uploads.attached(tx, incoming.resource_id, dataset_id)
    row = resources.get(tx, incoming.resource_id)
    assert row is not None  # noqa: S101 - just written
    jobs.enqueue_pipeline(tx, row, condense=site.settings.jobs.condense, user_id=viewer.user_id or "")
    audit.add(
        tx,
        viewer,
        "resource.create",
        "resource",
        incoming.resource_id,
        dataset=dataset_id,
        size=incoming.size,
        sha256=incoming.sha256,
    )
    return incoming.resource_id


def change(site: Site, tx: sqlite3.Connection, viewer: Viewer, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Let a resource have the description and supplements of `new`, by an administrator also the name and fields of one's own; returns whether that changed anything.

    :param old: the resource's dict as clients get it; `new` likewise, with changes.
    :raises Problem: 403 when anything else differs, 409 for values and names that do not hold.
    """
    free = {"description"} | {key for key in new if key.startswith("sp:")}
    name = resource_names.new_name(tx, viewer, old, new)
    if name is not None:
        free.add("name")
    own_before = extras.stored_of_file(old)
    own = own_before | (extras.of_file(new) if viewer.sysadmin else {})
    free |= (own.keys() | extras.stored_of_file(new).keys()) if viewer.sysadmin else set()
    own = {key: value for key, value in own.items() if value not in (None, "")}
    if own != own_before:
        extras.require_number(own)
    refused = {
        key: value
        for key, value in new.items()
        if key not in free and key not in ("upload", "extras") and value not in (None, "") and value != old.get(key)
    }
    for key in _SERVER_KEYS:
        if key in refused:
            raise not_authorized(f"Regular users may not edit '{key}'.")
    if refused or new.get("upload") is not None:
        listed = ", ".join(f"{key}={value}" for key, value in refused.items()) or "upload"
        raise not_authorized(f"Editing not allowed: {listed}")
    before = {key: value for key, value in old.items() if key.startswith("sp:")}
    after = before | _supplements(site, new)
    for key in new:
        if key.startswith("sp:") and new[key] in (None, ""):
            after.pop(key, None)
    description = _description(new.get("description", old.get("description")))
    if after == before and description == old.get("description") and name is None and own == own_before:
        return False
    resources.patch(tx, old["id"], supplements=after, description=description, name=name or old["name"], extras=own)
    audit.add(tx, viewer, "resource.update", "resource", old["id"], dataset=old["package_id"])
    return True


def delete(site: Site, viewer: Viewer, resource_id: str | None) -> None:
    """Remove one resource (admins only); its files go to quarantine. Raises Problem 404 or 403."""
    with DepotTransaction(site) as files, site.db.write() as tx:
        row, facts = lookup.resource(tx, viewer, resource_id, "resource:delete")
        remove(tx, viewer, row["id"], facts.id, files)


def remove(tx: sqlite3.Connection, viewer: Viewer, resource_id: str, dataset_id: str, files: DepotTransaction) -> None:
    """The database's part of `delete`; the file leaves when the transaction holds."""
    for job in jobs.for_resource(tx, resource_id):
        jobs.cancel(tx, job["id"])
    resources.remove(tx, resource_id)
    files.removed.append(resource_id)
    audit.add(tx, viewer, "resource.delete", "resource", resource_id, dataset=dataset_id)


def reorder(site: Site, viewer: Viewer, dataset_ref: str | None, order: object) -> list[str]:
    """Put the named resources of a draft first, in this order; returns all ids in their new order. Raises Problem."""
    wanted = [order] if isinstance(order, str) else list(order) if isinstance(order, list) else None
    if wanted is None:
        raise missing("order")
    with site.db.write() as tx:
        _, facts = lookup.dataset(tx, viewer, dataset_ref, "dataset:update")
        require_draft(viewer, facts, FROZEN)
        ids = [row["id"] for row in resources.of_dataset(tx, facts.id)]
        if len(set(wanted)) != len(wanted) or not set(wanted) <= set(ids):
            raise invalid({"order": ["resource ids must be unique ids of this dataset's resources"]})
        ordered = wanted + [one for one in ids if one not in set(wanted)]
        resources.reorder(tx, facts.id, ordered)
        audit.add(tx, viewer, "resource.reorder", "dataset", facts.id)
    return ordered


def _uploaded(
    site: Site, conn: sqlite3.Connection, viewer: Viewer, facts: DatasetFacts, entry: Mapping[str, Any]
) -> Incoming:
    """The completed direct upload that a new entry refers to by its id. Raises Problem."""
    resource_id = entry.get("id")
    if not names.is_id(resource_id):
        raise invalid({"upload": ["Missing value"]})
    present = resources.get(conn, str(resource_id))
    if present is not None and policy.may(viewer, "dataset:read", datasets.facts(conn, present["dataset_id"])):
        raise not_authorized(f"Resource {resource_id} already exists!")
    upload = uploads.completed(conn, str(resource_id))
    if (
        upload is None
        or present is not None  # in a dataset that is hidden: no other words than for an unknown id
        or (upload.circle_id != facts.circle_id and upload.dataset_id != facts.id)
        or upload.user_id not in {viewer.user_id, facts.creator_id}
    ):
        raise not_authorized(f"Resource {resource_id} not available on S3!")
    if entry.get("s3_available") not in (None, "") and str(entry["s3_available"]).lower() != "true":
        raise not_authorized('"s3_available" must be set to True')
    return Incoming(
        site.depot.part(upload.id),
        as_text(entry.get("name") or upload.name),
        upload.size,
        upload.sha256,
        upload.etag,
        str(resource_id),
        upload.crc32,
    )


def _chosen_id(conn: sqlite3.Connection, id_: Any) -> str:
    """The id that an administrator wants a file to have. Raises Problem 409."""
    if not names.is_id(id_):
        raise invalid({"id": ["resource ID must be a valid UUID"]})
    if resources.get(conn, id_) is not None:
        raise invalid({"id": ["Resource id already exists."]})
    return str(id_)


def _require_keys(entry: Mapping[str, Any], allowed: frozenset[str], viewer: Viewer, *, direct: bool) -> None:
    strange = [
        key
        for key, value in entry.items()
        if key not in allowed and not key.startswith("sp:") and value not in (None, "")
    ]
    if not strange or viewer.sysadmin:
        return
    if direct:
        raise not_authorized(
            f"For resource uploads via S3, you may only change the metadata keys {sorted(_DIRECT_KEYS)} and 'sp:*', not {strange}"
        )
    raise not_authorized(
        f"For legacy resource uploads, you may only specify the metadata {sorted(_LEGACY_KEYS)} and 'sp:*', not {strange}"
    )


def _description(value: Any) -> str | None:
    """A file's description. Raises Problem 409 when it is too long or no text."""
    text = as_text(value)
    if len(text) > LONGEST_DESCRIPTION:
        raise invalid({"description": [Message("At most %(most)s characters are accepted", most=LONGEST_DESCRIPTION)]})
    if "\0" in text:
        raise invalid({"description": [text_error(text)]})
    return text or None


def _supplements(site: Site, entry: Mapping[str, Any]) -> dict[str, Any]:
    found, errors = {}, Fields()
    for key, value in entry.items():
        if key.startswith("sp:"):
            try:
                parsed = supplements.parse(site.settings.policy.supplements, key, value)
            except Problem as problem:
                errors |= problem.fields
            else:
                if parsed is not None:
                    found[key] = parsed
    if errors:
        raise invalid(errors)
    return found
