"""Preview job: the overview picture, its thumbnail, and the compact columns for the explorer."""

from __future__ import annotations

import sqlite3

from appliance.jobs.artefact_publishing import publish, scratch
from appliance.jobs.registry import Done, JobContext, job
from appliance.store import artefacts, rtdc

FILES = {
    "preview": "preview.webp",
    "preview_jpeg": "preview.jpg",
    "thumbnail": "thumb.webp",
    "density": "density.bin",
    "columns": "columns.bin",
}


@job("preview")
def run(context: JobContext) -> Done:
    """Draw the preview; a second run changes nothing unless forced."""
    resource = context.resource()
    with context.db.read() as conn:
        known = artefacts.of_resource(conn, context.resource_id)
    if known.keys() >= FILES.keys() and not context.arguments.get("force"):
        return Done({"skipped": "present already"})
    condensed = context.depot.path(context.resource_id, "condensed")
    request = {"name": resource["name"], "condensed": str(condensed) if condensed.is_file() else None}
    with scratch(context) as folder:
        outcome = context.run("preview", request, folder, read=[condensed])
        note = publish(context, folder, FILES)
    alt = str(outcome.answer.get("alt", ""))

    def write(tx: sqlite3.Connection) -> None:
        """Note the files and the text that describes the picture."""
        note(tx)
        rtdc.put(tx, context.resource_id, preview_alt=alt)

    return Done({"peak": outcome.peak, "cpu": round(outcome.cpu, 3)}, write, outcome.log)
