"""Checksum job: SHA-256, ETag and CRC-32 of a file whose upload did not bring them (resumed after a restart, older data)."""

from __future__ import annotations

import sqlite3

from appliance.jobs.artefact_publishing import hash_file
from appliance.jobs.registry import Done, JobContext, JobFailed, job
from appliance.model.messages import Message
from appliance.store import resources


@job("checksum")
def run(context: JobContext) -> Done:
    """Hash the file where the resource lacks it; a file that does not have its noted size is an error."""
    resource = context.resource()
    if resource["sha256"] and resource["etag"] and resource["crc32"] is not None:
        return Done({"skipped": "known from the upload"})

    def tick(done: int) -> None:
        """Report, and stop when asked to."""
        if context.cancelled():
            raise JobFailed(Message("cancelled"))
        context.progress(done / total, Message("reading"))

    with context.original() as path:
        total = max(path.stat().st_size, 1)
        found = hash_file(path, tick=tick)
    if resource["sha256"] and resource["sha256"] != found.sha256:
        raise JobFailed(Message("the stored file does not match its checksum"))

    def write(tx: sqlite3.Connection) -> None:
        """Fill in what is missing."""
        if resource["sha256"] and resource["etag"]:  # nothing that clients know of changes
            resources.note_crc32(tx, context.resource_id, found.crc32)
            return
        resources.patch(
            tx,
            context.resource_id,
            sha256=found.sha256,
            size=found.size,
            etag=resource["etag"] or found.etag,
            crc32=found.crc32,
        )

    return Done({"size": found.size}, write)
