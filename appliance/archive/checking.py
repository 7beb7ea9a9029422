"""Are the objects of archived files still there, as they were stored? Size and ETag are compared; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from appliance.archive.access import fault, store_of
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
        reason = fault(store_of(settings, file), file)
        with db.write() as tx:
            now = archived_files.stored(tx, file.resource_id)
            if now is None or now.etag != file.etag:
                continue  # recalled or moved again meanwhile
            if reason is None:
                archived_files.note_checked(tx, file.resource_id)
        yield file, reason
