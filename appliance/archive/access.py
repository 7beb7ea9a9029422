"""The archive that the settings name: its secret, its client, and whether a file is in it."""

from __future__ import annotations

from functools import lru_cache

from appliance.archive.object_store import SECRET, ArchiveAway, NoObject, ObjectStore, parse_address
from appliance.archive_settings import Archive
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid
from appliance.security import secrets
from appliance.settings import Settings
from appliance.store import archived_files
from appliance.store.archived_files import ArchivedFile
from appliance.store.database import Database


def object_store(settings: Settings) -> ObjectStore:
    """The storage of these settings, with its open connections. Raises Problem 409 where none is set up, ArchiveAway without a secret."""
    if not settings.depot.archive:
        raise invalid(message=Message("No archive is set up: sudo dcor config set depot.archive s3://BUCKET"))
    secret = read_secret(settings)
    if not secret:
        raise ArchiveAway("no secret key is stored for this endpoint and access key: sudo dcor archive secret")
    return _open(settings.depot.archive, settings.archive, secret)


@lru_cache(maxsize=1)  # the settings in force
def _open(archive: str, settings: Archive, secret: str) -> ObjectStore:
    return ObjectStore(parse_address(archive, settings), settings, secret)


def store_of(settings: Settings, file: ArchivedFile) -> ObjectStore:
    """The storage that holds `file`. Raises ArchiveAway when it is not the one of the settings."""
    if not settings.depot.archive:
        raise ArchiveAway(f"the settings no longer name {file.place} in depot.archive")
    store = object_store(settings)
    if store.address.place != file.place:
        raise ArchiveAway(f"it is in {file.place}, and the settings name {store.address.place}")
    return store


def fault(store: ObjectStore, file: ArchivedFile) -> Message | None:
    """What is wrong with the object of a file, None when it is as it was stored. Raises ArchiveAway."""
    try:
        found = store.head(file.object_key)
    except NoObject:
        return Message("is missing in the object storage")
    if found.size != file.size or found.etag != file.etag:
        return Message("was changed in the object storage")
    return None


def read_secret(settings: Settings) -> str:
    """The secret key that belongs to endpoint and access key of the settings; "" without one. Raises ArchiveAway."""
    file = settings.secrets / SECRET
    try:
        return secrets.read_owned(file, _owner(settings))
    except OSError as error:
        raise ArchiveAway(f"{file} cannot be read") from error


def set_secret(settings: Settings, secret: str) -> None:
    """Keep the secret key, readable by the service alone, with what it belongs to. Raises Problem 409."""
    if not settings.depot.archive or not settings.archive.access_key:
        raise invalid(
            message=Message(
                "Set depot.archive, archive.endpoint and archive.access_key first: the secret key belongs to them."
            )
        )
    parse_address(settings.depot.archive, settings.archive)
    if not secret.strip():
        raise invalid(message=Message("The secret key is empty."))
    secrets.write_owned(settings.secrets / SECRET, secret.strip(), _owner(settings))


def stored(db: Database, resource_id: str) -> ArchivedFile | None:
    """The archived file of a resource; None for files that are here."""
    with db.read() as conn:
        return archived_files.stored(conn, resource_id)


def must_be_recalled(name: str) -> Problem:
    """409: what was asked for needs the original on this machine."""
    return invalid(
        message=Message(
            "The file %(name)s is in the archive. It can be downloaded; this needs it to be recalled first (administrators: dcor archive recall).",
            name=name,
        )
    )


def _owner(settings: Settings) -> tuple[str, str]:
    return settings.archive.endpoint, settings.archive.access_key
