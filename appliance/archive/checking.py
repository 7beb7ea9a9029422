"""Are the objects of archived files still there, as they were stored? Size and ETag are compared; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from appliance.archive.access import store_of
from appliance.archive.object_store import NoObject
from appliance.model import times
from appliance.model.messages import Message
from appliance.settings import Settings
from appliance.store import archived_files
from appliance.store.archived_files import ArchivedFile
from appliance.store.database import Database


def checked(
    db: Database, settings: Settings, *, everything: bool = False, cancelled: Callable[[], bool] = lambda: False
) -> Iterator[tuple[ArchivedFile, Message | None]]:
    """Each archived file that was not looked at for a day (or `everything`), and what is wrong with its object. Raises ArchiveAway.

    Files without a fault are noted as checked.
    """
    moment = times.now() if everything else times.ahead(-timedelta(hours=20))
    with db.read() as conn:
        files = archived_files.least_recently_checked(conn, moment)
    for file in files:
        if cancelled():
            return
        reason = fault(settings, file)
        with db.write() as tx:
            now = archived_files.stored(tx, file.resource_id)
            if now is None or now.etag != file.etag:
                continue  # recalled or moved again meanwhile
            if reason is None:
                archived_files.note_checked(tx, file.resource_id)
        yield file, reason


def fault(settings: Settings, file: ArchivedFile) -> Message | None:
    """What is wrong with the object of a file, None when it is as it was stored. Raises ArchiveAway."""
    try:
        found = store_of(settings, file).head(file.object_key)
    except NoObject:
        return Message("is missing in the object storage")
    if found.size != file.size or found.etag != file.etag:
        return Message("was changed in the object storage")
    return None
