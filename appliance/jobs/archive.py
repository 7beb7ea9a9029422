"""Jobs of the archive: move out what the settings say, and bring back what somebody wants here."""

from __future__ import annotations

from appliance.archive.moving import Mover, Stopped
from appliance.archive.object_store import ArchiveAway
from appliance.jobs.registry import Done, JobContext, JobFailed, job
from appliance.jobs.room import NoRoom
from appliance.model import messages
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.store import alarms, archived_files

#: Kind of the alarm for a storage that is away, or files that could not be moved.
ALARM = Message("archive")


@job("archive", lane="archive")
def run(context: JobContext) -> Done:
    """Finish interrupted moves, and move the originals that are due. While the storage is away an alarm says so."""
    if not context.settings.depot.archive:
        return Done({"skipped": "switched off"})
    try:
        report = _mover(context).run()
    except Stopped as stopped:
        raise JobFailed(Message("cancelled")) from stopped
    except ArchiveAway as away:
        _alarm(context, Message("Originals are not moved to the archive: %(reason)s. They are when it answers again.", reason=away.reason))  # fmt: skip
        return Done({"stopped": away.reason})
    except Problem as problem:
        raise JobFailed(problem.message) from problem
    _alarm(context, messages.joined(report.problems[:10]) if report.problems else None)
    return Done(report.to_json())


@job("recall", lane="recall")
def recall(context: JobContext) -> Done:
    """Bring the original of the job's resource back."""
    context.resource()
    with context.db.read() as conn:
        file = archived_files.stored(conn, context.resource_id)
    if file is None:
        return Done({"skipped": "it is here"})
    try:
        with context.room.hold(file.size):
            _mover(context).recall(context.resource_id)
    except Stopped as stopped:
        raise JobFailed(Message("cancelled")) from stopped
    except Problem as problem:
        if problem.status == 507:
            raise NoRoom(file.size) from problem
        raise JobFailed(problem.message, permanent=problem.status != 503) from problem
    return Done({"bytes": file.size})


def _mover(context: JobContext) -> Mover:
    return Mover(context.db, context.depot, context.settings, context.cancelled, context.progress)


def _alarm(context: JobContext, text: str | None) -> None:
    with context.db.write() as tx:
        if text is None:
            alarms.resolve_for(tx, ALARM, "")
        else:
            alarms.raise_(tx, ALARM, "", text)
