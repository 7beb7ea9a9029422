"""Orphans: files that no row speaks of go to quarantine (never away); rows whose file is gone raise an alarm."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appliance.jobs.registry import CARE, Done, JobContext, job
from appliance.model.messages import Message
from appliance.store import alarms, inspection
from appliance.store.database import Database
from appliance.store.depot import SUFFIXES, Depot

ALARM = Message("missing file")
_YOUNG_SECONDS = 86_400.0  # a file is published before its row is written


@job("orphans", lane=CARE)
def run(context: JobContext) -> Done:
    """Look through the depot. Argument: `dry_run`."""
    return Done(sweep(context.db, context.depot, dry_run=bool(context.arguments.get("dry_run"))))


def sweep(db: Database, depot: Depot, *, dry_run: bool = False, young: float = _YOUNG_SECONDS) -> dict[str, Any]:
    """Put orphans aside and raise alarms for missing files. → {orphans: paths below the depot, bytes, missing: ids}.

    :param young: files changed within so many seconds are left alone.
    """
    found = list(orphans(db, depot, young=young))
    size = sum(path.stat().st_size for path in found)
    missing = missing_files(db, depot)
    top = depot.root / "depot" / "resources"
    report = {
        "orphans": [str(path.relative_to(top)) for path in found[:1000]],
        "count": len(found),
        "bytes": size,
        "missing": missing[:1000],
    }
    if dry_run:
        return report | {"dry_run": True}
    for path in found:
        depot.put_aside(path)
    with db.write() as tx:
        for name in missing:
            resource_id, _, kind = name.partition("/")
            alarms.raise_(
                tx,
                ALARM,
                name,
                Message(
                    "The %(kind)s file of resource %(resource_id)s is missing in the depot.",
                    kind=kind,
                    resource_id=resource_id,
                ),
            )
        for alarm in alarms.open_(tx):
            if alarm["kind"] == ALARM and alarm["object_id"] not in missing:
                alarms.resolve(tx, alarm["id"])
    return report


def orphans(db: Database, depot: Depot, *, young: float = _YOUNG_SECONDS) -> Iterator[Path]:
    """Files below depot/resources that belong to no resource, artefact or pending upload."""
    before = time.time() - young
    candidates = [path for path in _walk(depot.root / "depot" / "resources") if _changed(path) < before]
    with db.read() as conn:  # after the walk: whatever got its row meanwhile is known
        known = {
            depot.path(resource_id, kind)
            for resource_id, kind, _size, _sha256 in inspection.stored_files(conn)
            if kind in SUFFIXES
        }
        known |= {depot.path(resource_id) for resource_id in inspection.pending_uploads(conn)}
    yield from (path for path in candidates if path not in known)


def missing_files(db: Database, depot: Depot) -> list[str]:
    """`<resource id>/<kind>` of every row whose file is not there."""
    with db.read() as conn:
        listed = [(resource_id, kind) for resource_id, kind, _size, _sha256 in inspection.files_here(conn)]
    gone = [(resource_id, kind) for resource_id, kind in listed if not depot.path(resource_id, kind).is_file()]
    with db.read() as conn:  # not those that were removed while we looked
        still = (
            {(resource_id, kind) for resource_id, kind, _size, _sha256 in inspection.files_here(conn)}
            if gone
            else set()
        )
    return [f"{resource_id}/{kind}" for resource_id, kind in gone if (resource_id, kind) in still]


def _changed(path: Path) -> float:
    """When the file or its name last changed: linking an old file into the depot counts."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return time.time()
    return max(found.st_mtime, found.st_ctime)


def _walk(top: Path) -> Iterator[Path]:
    for folder, _folders, names in os.walk(top):
        yield from (Path(folder) / name for name in names)
