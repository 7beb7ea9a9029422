"""Gate export job: the events of a gate as a file, for the user who requested it."""

from __future__ import annotations

import sqlite3

from appliance import durable
from appliance.jobs.artefact_publishing import Output, checked, scratch
from appliance.jobs.registry import Done, JobContext, JobFailed, Shape, job
from appliance.jobs.sandbox_child import SandboxError
from appliance.model.messages import Message
from appliance.store import gate_exports, rtdc

_ANSWER: Shape = {"events": int}
#: Allowance for metadata, logs and tables [bytes].
_ROOM = 64 << 20
#: Most characters of a number in a text, with the separator.
_DIGITS = 26


@job("gate_export", heavy=True)
def run(context: JobContext) -> Done:
    """Write the file. Arguments: `export` (id), `gates`, `gate`, `format`."""
    resource = context.resource()
    asked = context.arguments
    with context.db.read() as conn:
        row = gate_exports.get(conn, asked["export"])
        kernel = rtdc.get(conn, context.resource_id)
    if row is None:
        return Done({"skipped": "expired"})
    name = f"selected.{row['format']}"
    condensed = context.depot.path(context.resource_id, "condensed")
    most = _most(resource, kernel, row["format"])
    request = {"gates": asked["gates"], "gate": asked["gate"], "format": row["format"]}
    if condensed.is_file():
        request["condensed"] = str(condensed)
    with scratch(context) as folder:
        try:
            outcome = context.run(
                "select",
                request,
                folder,
                answer=_ANSWER,
                outputs=(name,),
                file_size=most,
                unpacked=int((kernel or {}).get("contents", {}).get("bytes", 0)),
                read=[condensed] if condensed.is_file() else [],
            )
        except SandboxError as error:
            if not error.permanent:
                raise
            reason = error.message  # an error in the request, not in the file
            return Done({"refused": reason}, lambda tx: gate_exports.refuse(tx, row["id"], reason))
        context.room.require()
        found = checked(folder / name, Output(name, most))
        if found is None:
            raise JobFailed(Message("the job left no file"))
        target = gate_exports.path(context.settings.tmp, row["id"])
        (folder / name).chmod(0o600)
        durable.replace(folder / name, target)
    events = int(outcome.answer["events"])

    def write(tx: sqlite3.Connection) -> None:
        """Note the file."""
        gate_exports.finish(tx, row["id"], events=events, size=found.size, sha256=found.sha256)

    return Done({"events": events, "size": found.size, "cpu": round(outcome.cpu, 3)}, write, outcome.log)


def _most(resource: sqlite3.Row, kernel: dict[str, object] | None, form: str) -> int:
    """Bytes that the file may have."""
    features = kernel["scalar_features"] if kernel else []
    columns = len(features) + 64 if isinstance(features, list) else 64
    events = int(resource["event_count"] or 0)
    if form == "rtdc":
        return _ROOM + 2 * int(resource["size"] or 0) + 8 * columns * events
    return _ROOM + _DIGITS * columns * events
