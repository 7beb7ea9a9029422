"""The archive: originals in object storage."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.archive import access
from appliance.archive.object_store import ArchiveAway
from appliance.health.base import Finding, Level, Premises, check
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.store import archived_files


@check("archive", "the object storage answers, and the settings name the one that holds the archived files")
def archive(premises: Premises) -> Iterator[Finding]:
    """Can archived files be read? Asks for the bucket; `dcor scrub` compares the objects."""
    with premises.db.read() as conn:
        places = {file.place for file in archived_files.all_(conn, "stored")}
        files, size = archived_files.totals(conn).get("stored", (0, 0))
    if not premises.settings.depot.archive and not places:
        yield Finding("archive", Level.OK, Message("none is set up"))
        return
    why = Message("Archived files cannot be read.") if places else Message("No originals are moved.")
    try:
        store = access.object_store(premises.settings)
        store.check()
    except ArchiveAway as away:
        yield Finding("archive", Level.PROBLEM, away.reason, why, "sudo dcor archive check")
        return
    except Problem as problem:
        yield Finding("archive", Level.PROBLEM, problem.message, why, "sudo dcor archive check")
        return
    for place in sorted(places - {store.address.place}):
        text = Message("files are in %(place)s, which the settings do not name", place=place)
        fix = Message("Name it in depot.archive and archive.endpoint again, recall these files, and change it then.")
        yield Finding("archive", Level.PROBLEM, text, why, fix)
    if places <= {store.address.place}:
        yield Finding("archive", Level.OK, Message("%(files)s files, %(size)s bytes in %(place)s", files=files, size=size, place=store.address.place))  # fmt: skip
