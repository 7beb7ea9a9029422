"""Direct uploads: parts to signed addresses of this server, as DCOR-Aid sends them to an object store.

The file is one file from the beginning: room is reserved when the first part comes, every part is written at its place,
and completing the upload only compares checksums. Parts may be repeated, in any order, until the file has become a
resource.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from functools import partial
from typing import Any

from appliance.actions import upload_limits
from appliance.model import names
from appliance.model.crc32 import Crc32
from appliance.model.messages import Message
from appliance.model.multipart_parts import part_range
from appliance.model.problem import Problem, bad_request, invalid, not_authorized, not_found
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import communities, uploads
from appliance.store.depot import Part
from appliance.store.filesystem import reserve
from appliance.store.uploads import Upload
from appliance.web.context import Context
from appliance.web.http import Request, Response
from appliance.web.routes import UUID, Route, route
from appliance.web.transfer import presigned_links
from appliance.web.transfer.file_receiver import BLOCK, Hasher, RangeReceiver, storage_problem
from appliance.web.transfer.upload_locks import LOCKS

#: Uploads that one user may have under way.
MAX_OPEN = 200
_MAX_XML = 1 << 20
_PART = re.compile(rb"<Part>", re.IGNORECASE)
_NUMBER = re.compile(rb"<PartNumber>\s*(\d{1,5})\s*</PartNumber>", re.IGNORECASE)
_ETAG = re.compile(rb"<ETag>\s*(?:\"|&quot;)?([0-9a-fA-F]{32})(?:\"|&quot;)?\s*</ETag>", re.IGNORECASE)


def begin(context: Context, viewer: Viewer, circle_id: str | None, size: int | None) -> dict[str, Any]:
    """Prepare for a file of `size` bytes in a circle: ``{"upload_urls", "complete_url", "resource_id"}``.

    :raises Problem: 403 (nothing or a name in place of the circle's id, or no right to add datasets there), 409, 413, 507.
    """
    if not circle_id:
        raise not_authorized("No `organization_id` provided")
    if size is None:
        raise not_authorized("No `file_size` provided")
    if size < 1:
        raise invalid({"file_size": ["Must be at least 1"]})
    with context.db.write() as tx:
        circle = communities.find(tx, circle_id, "circle") if names.is_id(circle_id) else None
        if circle is None or not policy.may(viewer, "circle:add_dataset", communities.facts(circle)):
            raise not_authorized(f"User {viewer.name} not a member of the circle {circle_id}")
        upload_limits.require_room(context, tx, size, viewer.user_id)
        upload_limits.require_quota(context, tx, circle_id, size)
        if len(uploads.open_of(tx, str(viewer.user_id), "direct")) >= MAX_OPEN:
            raise Problem(
                429,
                "Too Many Requests",
                message=Message("You have %(max_open)s unfinished uploads; finish some first.", max_open=MAX_OPEN),
            )
        lifetime = context.settings.depot.part_lifetime
        upload = uploads.create(
            tx,
            names.new_id(),
            names.new_id(),
            user_id=str(viewer.user_id),
            kind="direct",
            size=size,
            lifetime=lifetime,
            circle_id=circle_id,
        )
    signed = partial(presigned_links.upload_link, context, viewer)
    return {
        "upload_urls": [signed(f"/upload/{upload.id}/{number}") for number in range(1, upload.parts + 1)],
        "complete_url": signed(f"/upload/{upload.id}/complete") if upload.parts > 1 else None,
        "resource_id": upload.resource_id,
    }


def put_part(context: Context, request: Request, match: re.Match[str]) -> Response:
    """``PUT /upload/<id>/<part>``: the ETag of the answer is the part's MD5. No answer without the bytes on disk."""
    upload_id, number = match["id"], int(match["part"])
    with LOCKS.take((upload_id, number)) as claim:
        upload = _open_upload(context, request.viewer, upload_id)
        try:
            offset, length = part_range(upload.size, number)
        except ValueError as error:
            raise not_found(Message("There is no such part.")) from error
        if request.body.length not in {None, length}:
            raise bad_request(f"Part {number} has {length} bytes, not {request.body.length}.")
        with context.db.write() as tx:
            if not uploads.begin_part(tx, upload_id, number):
                raise not_found(Message("This upload has ended and accepts no more data."))
        md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
        whole = upload.parts == 1
        crc32 = Crc32()
        hashers: list[Hasher] = [md5, crc32, sha256] if whole else [md5, crc32]
        part = open_part(context, upload_id, upload.size)
        room = partial(upload_limits.require_reserve, context)
        intake = RangeReceiver(part, offset=offset, size=length, limit=length, hashers=hashers, room=room)
        try:
            buffer = memoryview(bytearray(min(BLOCK, length)))
            while data := fill(request, buffer):
                claim.write(intake, data)
            if intake.total != length:
                raise bad_request(f"Part {number} has {length} bytes, not {intake.total}.")
            claim.keep()
            intake.flush()
        finally:
            intake.close()
            part.close()
        _open_upload(context, presigned_links.uploader(context, request), upload_id)  # a part may take hours
        with context.db.write() as tx:
            whole_sha256 = sha256.hexdigest() if whole else None
            uploads.finish_part(tx, upload_id, number, length, md5.hexdigest(), whole_sha256, crc32=crc32.value)
            uploads.prolong(tx, upload_id, context.settings.depot.part_lifetime)
            if whole:
                uploads.complete(tx, upload_id)
    return Response(200, [("ETag", f'"{md5.hexdigest()}"'), ("Cache-Control", "no-store")])


def complete(context: Context, request: Request, match: re.Match[str]) -> Response:
    """``POST /upload/<id>/complete`` with the list of parts as XML. May be repeated."""
    listed = _listed_parts(request.body.read_all(_MAX_XML))
    with context.db.write() as tx:
        upload = uploads.get(tx, match["id"])
        if upload is None:
            raise not_found(Message("There is no such upload."))
        _require_right(tx, request.viewer, upload)
        if upload.state == "aborted":
            return _xml_error(404, "NoSuchUpload", "There is no such upload.")
        if listed != uploads.parts(tx, match["id"]) or (tag := uploads.complete(tx, match["id"])) is None:
            return _xml_error(400, "InvalidPart", "The list of parts is not that of the parts that arrived.")
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<CompleteMultipartUploadResult><ETag>"{tag}"</ETag></CompleteMultipartUploadResult>'
    return Response(
        200, [("ETag", f'"{tag}"'), ("Content-Type", "application/xml"), ("Cache-Control", "no-store")], body.encode()
    )


def open_part(context: Context, upload_id: str, size: int) -> Part:
    """The file of an upload; room for `size` bytes is reserved when it does not exist yet, and the reserve must be left then.

    :raises Problem: 507.
    """
    try:
        part = context.depot.new_part(upload_id)
    except FileExistsError:
        return context.depot.open_part(upload_id)
    try:
        reserve(part.fd, size)
    except OSError as error:
        part.discard()
        raise storage_problem(error) from error
    try:
        upload_limits.require_reserve(context)
    except Problem:
        part.discard()
        raise
    return part


def fill(request: Request, buffer: memoryview) -> bytes:
    """The next block of a body: as much as `buffer` holds, less only at the end. Raises PeerGone."""
    filled = 0
    while filled < len(buffer) and (count := request.body.readinto(buffer[filled:])):
        filled += count
    return bytes(buffer[:filled])


def _open_upload(context: Context, viewer: Viewer, upload_id: str) -> Upload:
    """The upload, if it takes parts and `viewer` may still add to its circle: a signed address outlives both. Raises Problem."""
    with context.db.read() as conn:
        upload = uploads.get(conn, upload_id)
        if upload is None or upload.kind != "direct" or upload.state not in {"open", "complete"}:
            raise not_found(Message("This upload has ended and accepts no more data."))
        _require_right(conn, viewer, upload)
    return upload


def _require_right(conn: sqlite3.Connection, viewer: Viewer, upload: Upload) -> None:
    """Raises Problem 403 unless the upload `upload` is `viewer`'s own, who may add datasets to its circle."""
    circle = communities.find(conn, upload.circle_id, "circle")
    if circle is None or upload.user_id != viewer.user_id:
        raise not_authorized(Message("The person who started this upload may no longer add files here."))
    policy.require(viewer, "circle:add_dataset", communities.facts(circle))


def _listed_parts(xml: bytes) -> dict[int, str]:
    """MD5 by part number from the client's list; what does not parse is not in it."""
    found = {}
    # split, for the time of a pattern from <Part> to </Part> grows with the square of the text
    for part in _PART.split(xml)[1:]:
        number, tag = _NUMBER.search(part), _ETAG.search(part)
        if number and tag:
            found[int(number[1])] = tag[1].decode().lower()
    return found


def _xml_error(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(status, [("Content-Type", "application/xml"), ("Cache-Control", "no-store")], body.encode())


ROUTES: tuple[Route, ...] = (
    route(
        "PUT",
        rf"/upload/(?P<id>{UUID})/(?P<part>[1-9][0-9]{{0,4}})",
        "circle:add_dataset",
        put_part,
        identify=presigned_links.uploader,
        asks_again=True,
    ),
    route(
        "POST", rf"/upload/(?P<id>{UUID})/complete", "circle:add_dataset", complete, identify=presigned_links.uploader
    ),
)
