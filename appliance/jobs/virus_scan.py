"""Uploads through ClamAV: what it finds infected is taken out of its dataset into the quarantine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

from appliance.actions import resources, virus_gate
from appliance.actions.site import Site
from appliance.archive.moving import Mover, Stopped
from appliance.jobs.registry import Done, JobContext, JobFailed, job
from appliance.model import times
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from appliance.security import clamd
from appliance.store import alarms, audit, file_checks
from appliance.store import resources as rows
from appliance.store.database import Database

#: Kinds of alarms: something was found (one for each file), the daemon is away, and it fails at one file.
FOUND, AWAY, UNSCANNABLE = "virus", "clamav", "virus scan"
_KIND = virus_gate.KIND
_AT_ONCE = 100  # rows read at once
#: After this time a file that was too large is tried again: the limit may have been raised.
_LARGE_AGAIN = timedelta(days=1)
#: Seconds after which a run begins no further file, so that its job ends, and is seen to, also where people upload without end.
_AT_MOST = 60.0


@job("virus_scan", lane="virus_scan")
def run(context: JobContext) -> Done:
    """Every upload that was not looked at yet, oldest first. While the daemon is away, an alarm says so, and they wait."""
    place, infected, scanned = context.settings.clamav.socket, 0, 0
    if not place:
        return Done({"skipped": "switched off"})
    mover = Mover(context.db, context.depot, context.settings, context.cancelled)
    site, until = Site(context.settings, context.db, context.depot), time.monotonic() + _AT_MOST
    for resource_id in _waiting(context.db):
        if context.cancelled():
            raise JobFailed(Message("cancelled"))
        if time.monotonic() > until:  # the next run goes on
            return Done({"scanned": scanned, "infected": infected, "more": True})
        try:
            with mover.local(resource_id) as path, path.open("rb") as file:
                name = clamd.scan(place, file)
        except Stopped as stopped:
            raise JobFailed(Message("cancelled")) from stopped
        except (OSError, Problem):  # removed meanwhile, missing, or on a bad disk, which other checks tell
            continue
        except clamd.ClamdError as error:
            if error.too_large:
                _tell_large(context.db, resource_id)
            elif away := clamd.silent(place):
                _tell_away(context.db, away)
                return Done({"scanned": scanned, "infected": infected, "stopped": away})
            else:  # it answers, so those behind this file need not wait for it
                _tell_unscannable(context.db, resource_id, str(error))
            continue
        scanned += 1
        if name is None:
            with context.db.write() as tx:
                file_checks.note(tx, [(resource_id, _KIND)])
                alarms.resolve_for(tx, UNSCANNABLE, resource_id)
        else:
            infected += 1
            _put_aside(site, resource_id, name)
    with context.db.write() as tx:
        alarms.resolve_for(tx, AWAY, "")
    return Done({"scanned": scanned, "infected": infected})


def _waiting(db: Database) -> Iterator[str]:
    """Each that waits, once, also behind such as cannot be scanned now."""
    after = 0
    while True:
        with db.read() as conn:
            tried = times.ahead(-_LARGE_AGAIN)
            found = file_checks.without(conn, _KIND, _AT_ONCE, after, unless=(virus_gate.TOO_LARGE, tried))
        if not found:
            return
        yield from (resource_id for _pk, resource_id in found)
        after = found[-1][0]


def _put_aside(site: Site, resource_id: str, name: str) -> None:
    """Row and files leave together; what was found and where the file is stands in alarm and audit log."""
    with resources.DepotTransaction(site) as files, site.db.write() as tx:
        row = rows.get(tx, resource_id)
        if row is None:
            return
        resources.remove(tx, OPERATOR, resource_id, row["dataset_id"], files)
        audit.add(tx, OPERATOR, "resource.infected", "resource", resource_id, dataset=row["dataset_id"], found=name)
        text = Message(
            "ClamAV found %(name)s in the upload %(upload)s of the dataset %(dataset)s. It was taken out of the dataset and lies in "
            "quarantine/; tell the uploader. To bring a false alarm back: dcor backup restore --file ID.",
            name=name,
            upload=resource_id,
            dataset=row["dataset_id"],
        )
        alarms.raise_(tx, FOUND, resource_id, text)


def _tell_large(db: Database, resource_id: str) -> None:
    with db.write() as tx:
        file_checks.note(tx, [(resource_id, virus_gate.TOO_LARGE)])
        text = Message(
            "The upload %(upload)s was not scanned, as it is larger than StreamMaxLength in clamd.conf. Raise that limit (up to 2G), and "
            "restart clamd; it is tried again every day. Whether others can open it unscanned: clamav.too_large (hold or release).",
            upload=resource_id,
        )
        alarms.raise_(tx, UNSCANNABLE, resource_id, text)


def _tell_unscannable(db: Database, resource_id: str, reason: str) -> None:
    with db.write() as tx:
        text = Message(
            "The upload %(upload)s cannot be scanned (%(reason)s); it is tried again, and waits. See clamd's log for the reason.",
            upload=resource_id,
            reason=reason,
        )
        alarms.raise_(tx, UNSCANNABLE, resource_id, text)


def _tell_away(db: Database, reason: str) -> None:
    with db.write() as tx:
        alarms.raise_(
            tx,
            AWAY,
            "",
            Message(
                "Uploads are not being scanned: %(reason)s. Scanning resumes when the scanner answers again.",
                reason=reason,
            ),
        )
