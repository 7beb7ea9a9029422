"""Metadata job: refuse dangerous files, then read everything the catalogue, pages and dcserv want to know."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
from collections.abc import Mapping
from typing import IO, Any

from appliance.jobs import basins
from appliance.jobs.artefact_publishing import Output, publish, scratch
from appliance.jobs.registry import Done, JobContext, Shape, job
from appliance.jobs.sandbox_child import SandboxError
from appliance.store import artefacts, jobs, resources, rtdc, verdicts

_COPIED = (
    "config",
    "features",
    "scalar_features",
    "traces",
    "logs",
    "tables",
    "statistics",
    "personal",
    "file_basins",
    "identifier",
    "contents",
)
_ANSWER: Shape = {
    "config": dict,
    "dc": dict,
    "format": str,
    "event_count": int,
    "features": list,
    "scalar_features": list,
    "logs": dict,
    "tables": dict,
    "contents": dict,
    "traces": list,
    "file_basins": (list,),
    "statistics": dict,
    "identifier": (str, type(None)),
    "integrity": dict,
    "personal": (list,),
    "quality": dict,
}
_MOST = 130_000_000
#: Processor seconds, however large the file is: one of 20 GB takes 3.
_MOST_CPU = 300


def _require_object(file: IO[bytes]) -> None:
    """Raise ValueError unless the file begins and ends as a JSON object does."""
    ends = file.read(1)
    file.seek(-1, os.SEEK_END)
    if ends + file.read(1) != b"{}":
        raise ValueError("no JSON object")


#: Kinds of artefacts for what is too long for the catalogue → files that the kernel leaves.
_WHOLE = {"logs": Output("logs.json", _MOST, _require_object), "tables": Output("tables.json", _MOST, _require_object)}


@job("metadata")
def run(context: JobContext) -> Done:
    """Extract the kernel of the file; a second run changes nothing unless forced."""
    context.resource()
    with context.db.read() as conn:
        known = rtdc.row(conn, context.resource_id)
        judged = verdicts.get(conn, context.resource_id) is not None
    if known is not None and known["extracted"] and judged and not context.arguments.get("force"):
        return Done({"skipped": "known already"})
    limits = dataclasses.asdict(context.settings.verdict)
    outputs = tuple(output.name for output in _WHOLE.values())
    with scratch(context) as folder:
        try:
            outcome = context.run(
                "metadata", {}, folder, answer=_ANSWER, outputs=outputs, file_size=2 * _MOST, most_cpu=_MOST_CPU
            )
        except SandboxError as error:
            if error.permanent:
                with context.db.write() as tx:
                    if resources.get(tx, context.resource_id) is not None:  # else it was removed meanwhile
                        rtdc.refuse(tx, context.resource_id, error.message)
                        verdicts.put(tx, context.resource_id, {"refused": error.message}, limits)
            raise
        note = publish(context, folder, _WHOLE)
    found = outcome.answer

    def write(tx: sqlite3.Connection) -> None:
        """Fill the resource and its kernel, and tell files that wait for this one."""
        _store(tx, context.resource_id, found, limits)
        for kind in _WHOLE:
            artefacts.remove(tx, context.resource_id, kind)
        note(tx)
        _wake_derived(tx, context, found.get("identifier"))

    summary = {
        "events": found.get("event_count"),
        "features": len(found["features"]),
        "peak": outcome.peak,
        "cpu": round(outcome.cpu, 3),
    }
    return Done(summary, write, outcome.log)


def _store(tx: sqlite3.Connection, resource_id: str, found: dict[str, Any], limits: Mapping[str, int]) -> None:
    resources.patch(tx, resource_id, format=found["format"], dc=found["dc"], event_count=found["event_count"])
    integrity = dict(found["integrity"])
    integrity["stripped_basins"] = found.get("stripped_basins") or []
    rtdc.put(
        tx,
        resource_id,
        sane=int(bool(integrity.get("sane", True))),
        integrity=integrity,
        **{key: found[key] for key in _COPIED},
    )
    rtdc.mark_extracted(tx, resource_id)
    verdicts.put(tx, resource_id, {**found["quality"], "integrity": verdicts.integrity(integrity)}, limits)


def _wake_derived(tx: sqlite3.Connection, context: JobContext, identifier: str | None) -> None:
    """Files of the dataset that were condensed before this, their source, arrived are condensed again."""
    if not identifier or not context.settings.jobs.intra_dataset_basins:
        return
    for sibling in rtdc.siblings(tx, context.resource_id):
        kernel = rtdc.get(tx, sibling["id"])
        if kernel is None or artefacts.get(tx, sibling["id"], "condensed") is None:
            continue
        if any(basins.matches(basin, kernel["identifier"], identifier) for basin in kernel["file_basins"]):
            jobs.enqueue(
                tx,
                "condense",
                resource_id=sibling["id"],
                dataset_id=context.job.dataset_id,
                arguments={"force": True},
            )
