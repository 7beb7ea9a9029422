"""Condense job: the file of all scalar features, with basins that lead back to the original."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from appliance.jobs import basins
from appliance.jobs.artefact_publishing import Output, publish, scratch
from appliance.jobs.registry import Done, JobContext, Postponed, Shape, job
from appliance.jobs.sandbox_child import SandboxError
from appliance.store import artefacts, datasets, jobs, resources, rtdc

RESULT = "condensed.rtdc"
#: The result, the same before it is laid out, and the table of computed features, which is larger than what memory should hold.
OUTPUTS = (RESULT, "draft.rtdc", "derived.f64")
_ANSWER: Shape = {
    "size": int,
    "computed": list,
    "features": list,
    "basin_features": list,
    "statistics": dict,
    "logs": dict,
}
#: Room for outputs of a file without events [bytes], and the features that are computed at most.
_ROOM = 64 << 20
_COMPUTED = 64


@job("condense", heavy=True)
def run(context: JobContext) -> Done:
    """Write the condensed file; a second run changes nothing unless forced, or the server's address has changed since."""
    resource = context.resource()
    if not context.settings.jobs.condense:
        return Done({"skipped": "switched off"})
    with context.db.read() as conn:
        present = artefacts.get(conn, context.resource_id, "condensed")
    path = context.depot.path(context.resource_id, "condensed")
    if present is not None and path.is_file() and not context.arguments.get("force"):
        if present["site_url"] == context.settings.site_url:
            return Done({"skipped": "present already"})
        if (done := _readdressed(context, path)) is not None:
            return done
    request = {"name": resource["name"], "basins": _basins(context, resource), "cores": context.cores}
    refused = ""
    if taken := context.arguments.get("taken"):
        adopted, refused = _adopted(context, resource, str(taken), request["basins"])
        if adopted is not None:
            return adopted
    with scratch(context) as folder:
        most = _most(context, resource)
        outcome = context.run(
            "condense",
            request,
            folder,
            answer=_ANSWER,
            outputs=OUTPUTS,
            fork=context.cores > 1,
            file_size=most,
            unpacked=_unpacked(context),
        )
        note = publish(context, folder, {"condensed": Output(RESULT, most, site_url=context.settings.site_url)})
    found = outcome.answer

    def write(tx: sqlite3.Connection) -> None:
        """Note the file and what it holds."""
        note(tx)
        _store(tx, context.resource_id, found)

    summary = {
        "size": found["size"],
        "computed": found["computed"],
        "seconds": found.get("seconds"),
        "peak": outcome.peak,
        "cpu": round(outcome.cpu, 3),
    }
    return Done(summary | ({"not_taken": refused} if refused else {}), write, outcome.log)


def _most(context: JobContext, resource: sqlite3.Row) -> int:
    """Bytes that all outputs together may have: 8 an event for each feature in each of them, and logs and tables as they are."""
    size, events = int(resource["size"] or 0), resource["event_count"]
    most = max(1 << 30, 2 * size)
    with context.db.read() as conn:
        kernel = rtdc.get(conn, context.resource_id)
    if kernel is None or events is None:
        return most
    features = len(kernel["scalar_features"]) + _COMPUTED
    return min(most, _ROOM + min(2 * size, 1 << 30) + int(events) * 8 * features * len(OUTPUTS))


def _readdressed(context: JobContext, path: Path) -> Done | None:
    """Have the server's present address written into the condensed file at `path`; None when that file is damaged."""
    site_url, most = context.settings.site_url, _ROOM + 2 * path.stat().st_size
    with scratch(context) as folder:
        request = {"condensed": str(path), "site_url": site_url}
        try:
            outcome = context.run(
                "readdress", request, folder, answer={"basins": int}, outputs=(RESULT,), file_size=most, read=[path]
            )
        except SandboxError as error:
            if error.permanent:
                return None
            raise
        note = publish(context, folder, {"condensed": Output(RESULT, most, site_url=site_url)})
    return Done({"basins": outcome.answer["basins"], "cpu": round(outcome.cpu, 3)}, note, outcome.log)


def _adopted(
    context: JobContext, resource: sqlite3.Row, taken: str, found_basins: list[dict[str, Any]]
) -> tuple[Done | None, str]:
    """Take over the condensed file that came from another server as the part `taken`, when it is this measurement's; else why not."""
    path = context.depot.part(taken)
    if not path.is_file():
        return None, "it is not there any more"
    most = _most(context, resource)
    with scratch(context) as folder:
        try:
            outcome = context.run(
                "adopt",
                {"condensed": str(path), "basins": found_basins},
                folder,
                answer=_ANSWER,
                outputs=OUTPUTS,
                file_size=most,
                read=[path],
            )
        except SandboxError as error:
            if not error.permanent:
                raise
            context.depot.discard_part(taken)
            return None, error.message
        note = publish(context, folder, {"condensed": Output(RESULT, most, site_url=context.settings.site_url)})
    found = outcome.answer

    def write(tx: sqlite3.Connection) -> None:
        """Note the file and what it holds."""
        note(tx)
        _store(tx, context.resource_id, found)

    context.depot.discard_part(taken)
    return Done({"size": found["size"], "taken": True, "cpu": round(outcome.cpu, 3)}, write, outcome.log), ""


def _unpacked(context: JobContext) -> int:
    """Bytes that the file has when its data are unpacked; 0 when the metadata job has not said so."""
    with context.db.read() as conn:
        kernel = rtdc.get(conn, context.resource_id)
    return int((kernel or {}).get("contents", {}).get("bytes", 0))


def _basins(context: JobContext, resource: sqlite3.Row) -> list[dict[str, Any]]:
    """All basins of the file to be. Raises Postponed while another file that may be its source is not read yet."""
    site_url = context.settings.site_url
    with context.db.read() as conn:
        dataset = datasets.find(conn, resource["dataset_id"])
        public = dataset is not None and not dataset["private"] and context.settings.policy.anonymous_access
        found = basins.of_resource(site_url, dict(resource), public=public)
        kernel = rtdc.get(conn, context.resource_id)
        if kernel is None or not kernel["file_basins"] or not context.settings.jobs.intra_dataset_basins:
            return found
        siblings = rtdc.siblings(conn, context.resource_id)
        waiting = [_unread(conn, sibling, kernel, resource) for sibling in siblings]
    needs = [need for need in waiting if need]
    if needs:
        raise Postponed(needs)
    return found + basins.of_siblings(site_url, kernel["identifier"], kernel["file_basins"], siblings)


def _unread(
    conn: sqlite3.Connection, sibling: dict[str, Any], kernel: dict[str, Any], resource: sqlite3.Row
) -> str | None:
    """The job to wait for before it is known what `sibling` offers: its metadata; and its condensed file, if it is our source and came first."""
    metadata = jobs.open_job(conn, "metadata", sibling["id"])
    if metadata:
        return metadata
    source = any(basins.matches(basin, kernel["identifier"], sibling["identifier"]) for basin in kernel["file_basins"])
    other = resources.get(conn, sibling["id"])
    if source and other is not None and other["position"] < resource["position"]:
        return jobs.open_job(conn, "condense", sibling["id"])
    return None


def _store(tx: sqlite3.Connection, resource_id: str, found: dict[str, Any]) -> None:
    """Note what the file offers: not what it only refers to in its own original, which a reader opens sooner without it."""
    kernel = rtdc.get(tx, resource_id) or {"statistics": {}, "features": []}
    referred = set(found["basin_features"]) - set(kernel["features"])
    rtdc.put(
        tx,
        resource_id,
        condensed_features=sorted(set(found["features"]) | referred),
        condensed_logs=found.get("logs", {}),
        statistics=found.get("statistics", {}) | kernel["statistics"],
    )
