"""Preview job: the overview picture, its thumbnail, and the compact columns for the explorer."""

from __future__ import annotations

import sqlite3

from appliance.jobs.artefact_publishing import Output, publish, scratch
from appliance.jobs.registry import Done, JobContext, job
from appliance.model import event_files
from appliance.store import artefacts, rtdc

_BYTES = 512 << 20

FILES = {
    "preview": Output("preview.webp", 8 << 20, event_files.require_webp),
    "preview_jpeg": Output("preview.jpg", 8 << 20, event_files.require_jpeg),
    "thumbnail": Output("thumb.webp", 1 << 20, event_files.require_webp),
    "density": Output("density.bin", 8 << 20, event_files.density_header),
    "columns": Output("columns.bin", _BYTES, event_files.columns_header),
}


#: Room for the pictures [bytes], and for each event: 8 bytes for each of 200 features.
_PICTURES = 32 << 20
_EVENT = 8 * 200


def _most(resource: sqlite3.Row) -> int:
    """Limit on all outputs together [bytes]."""
    events = resource["event_count"]
    return _BYTES if events is None else min(_BYTES, _PICTURES + events * _EVENT)


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
        outputs = tuple(output.name for output in FILES.values())
        outcome = context.run(
            "preview",
            request,
            folder,
            answer={"alt": str},
            outputs=outputs,
            file_size=_most(resource),
            read=[condensed],
        )
        note = publish(context, folder, FILES)
    alt = outcome.answer["alt"]

    def write(tx: sqlite3.Connection) -> None:
        """Record the files and the text that describes the picture."""
        note(tx)
        rtdc.put(tx, context.resource_id, preview_alt=alt)

    return Done({"peak": outcome.peak, "cpu": round(outcome.cpu, 3)}, write, outcome.log)
