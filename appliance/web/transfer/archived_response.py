"""An archived original as the answer to a request: the same headers and ranges as from the depot, bytes from the object storage."""

from __future__ import annotations

from appliance.store.archived_files import ArchivedFile
from appliance.web import cpu_slot
from appliance.web.context import Context
from appliance.web.http import Request, Response
from appliance.web.transfer.file_response import content_disposition, entity_headers, range_headers, refusal
from appliance.web.transfer.ranges import select


def archived_response(
    context: Context, request: Request, file: ArchivedFile, *, etag: str, content_type: str, name: str, disposition: str
) -> Response:
    """Answer `request` with (a part of) an archived file. Parameters as those of `file_response`.

    :raises Problem: 503 when the storage is away, before anything is sent.
    """
    selection = select(request.method, request.headers, file.size, f'"{etag}"', file.modified)
    headers = entity_headers(etag, content_type, content_disposition(disposition, name), file.modified)
    if selection.status not in {200, 206}:
        return refusal(selection, headers, file.size)
    headers += range_headers(selection, file.size)
    if request.method == "HEAD":
        return Response(selection.status, headers, length=selection.length)
    cpu_slot.release()  # the storage is another machine
    blocks = context.archive.read(file, selection.start, selection.length, request.viewer.user_id or request.client)
    return Response(selection.status, headers, blocks, length=selection.length)
