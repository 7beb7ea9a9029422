"""Uploads from the browser that go on where they broke off, in the manner of tus.

=======  =================================  ==============================================================================
POST     ``/upload/browser``                JSON ``{"dataset", "name", "size", "instead_of"?}`` → 201 (200 for one that goes on)
                                            ``{"id", "url", "name", "size", "offset", "chunk"}``
GET      ``/upload/browser?dataset=``       the caller's unfinished uploads of a dataset (or all of them) as a list of these
HEAD     ``/upload/browser/<id>``           headers ``Upload-Offset``, ``Upload-Length``
PATCH    ``/upload/browser/<id>``           header ``Upload-Offset``; the bytes from there on; optionally
                                            ``Upload-Checksum: sha256 <base64>`` of this piece → 204 ``Upload-Offset``;
                                            409 for another offset, 460 for a wrong checksum
POST     ``/upload/browser/<id>/finish``    JSON ``{"sha256"?, "description"?, "sp:…"?, "before"?, "instead_of"?}`` → 201 the
                                            resource as JSON; ids of files of the draft: the one that it shall stand in front
                                            of, the one that it replaces
DELETE   ``/upload/browser/<id>``           give it up → 204
=======  =================================  ==============================================================================

A session cookie or a token (not one for reading) authorises; with a cookie the request must come from our own pages. Each
request needs the right to change the dataset as it is then; giving up an upload needs only that it is one's own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
from functools import partial
from typing import Any

from appliance.actions import draft_files, lookup, resources, upload_limits
from appliance.actions.resources import Incoming
from appliance.model import names
from appliance.model.crc32 import Crc32
from appliance.model.messages import Message
from appliance.model.multipart_parts import EtagHasher
from appliance.model.problem import Problem, bad_request, invalid, not_found
from appliance.model.values import as_text, decoded
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import datasets, documents, uploads
from appliance.store.depot import Part
from appliance.store.resources import get as get_resource
from appliance.store.uploads import Upload
from appliance.web import authentication
from appliance.web.context import Context
from appliance.web.http import Request, Response, json_response
from appliance.web.routes import UUID, Route, route
from appliance.web.transfer.file_receiver import BLOCK, Hasher, RangeReceiver
from appliance.web.transfer.presigned_upload import fill, open_part
from appliance.web.transfer.running_hashes import RunningHashes, UnknownCrc32, running_crc32
from appliance.web.transfer.upload_locks import LOCKS, UploadLock

#: Size of the pieces that our pages send [bytes]: small enough to hash in memory, large enough to be fast.
CHUNK = 16 << 20
#: Unfinished uploads that one user may have.
MAX_OPEN = 200
#: What has arrived is noted at least this often [bytes], so that a restart costs no more.
_NOTED = 64 << 20
_MAX_JSON = 1 << 20
_CHECKSUM_MISMATCH = 460
_MAX_CHECKED = 4 * CHUNK
_HASHES = RunningHashes(10 * MAX_OPEN)


def create(context: Context, request: Request, match: re.Match[str]) -> Response:
    """Begin an upload, or find the one that the same user began for the same file."""
    _offered(context, request)
    asked = _json(request)
    viewer = request.viewer
    name, size = asked.get("name"), asked.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise invalid({"size": ["Must be the size of the file in bytes"]})
    facts = resources.check_new(
        context, viewer, as_text(asked.get("dataset")), as_text(name), 0, instead_of=as_text(asked.get("instead_of"))
    )
    with context.db.write() as tx:
        mine = uploads.open_of(tx, str(viewer.user_id), "browser")
        for upload in mine:
            if (upload.dataset_id, upload.name, upload.size) == (facts.id, name, size):
                return json_response(200, _shown(upload))
        if len(mine) >= MAX_OPEN:
            raise Problem(
                429,
                "Too Many Requests",
                message=Message("You have %(max_open)s unfinished uploads; finish some first.", max_open=MAX_OPEN),
            )
        upload_limits.require_room(context, tx, size, viewer.user_id)
        upload_limits.require_quota(context, tx, facts.circle_id, size)
        created = uploads.create(
            tx,
            names.new_id(),
            names.new_id(),
            user_id=str(viewer.user_id),
            kind="browser",
            size=size,
            lifetime=context.settings.depot.part_lifetime,
            circle_id=facts.circle_id,
            dataset_id=facts.id,
            name=str(name),
        )
    return json_response(201, _shown(created), [("Location", f"/upload/browser/{created.id}")])


def listed(context: Context, request: Request, match: re.Match[str]) -> Response:
    """The caller's unfinished uploads."""
    viewer = _offered(context, request)
    dataset = dict(request.parameters()).get("dataset")
    with context.db.read() as conn:
        mine = uploads.open_of(conn, str(viewer.user_id), "browser")
        may = {
            one: policy.may(viewer, "dataset:update", datasets.facts(conn, one))
            for one in {upload.dataset_id for upload in mine}
        }
    rows = [upload for upload in mine if may[upload.dataset_id]]
    return json_response(200, [_shown(upload) for upload in rows if dataset in {None, "", upload.dataset_id}])


def show(context: Context, request: Request, match: re.Match[str]) -> Response:
    """How much has arrived."""
    upload = _under_way(context, _offered(context, request), match["id"])
    return json_response(200, _shown(upload), _offset_headers(upload.received, upload.size))


def append(context: Context, request: Request, match: re.Match[str]) -> Response:
    """The next piece."""
    viewer = _offered(context, request)
    upload_id = match["id"]
    with LOCKS.take((upload_id, 0)) as claim:
        upload = _under_way(context, viewer, upload_id)
        offset, room = _offset(request), upload.size - upload.received
        if offset != upload.received:
            return json_response(
                409, {"error": "Another offset is expected"}, _offset_headers(upload.received, upload.size)
            )
        if request.body.length is not None and request.body.length > room:
            raise bad_request(Message("Only %(room)s bytes are missing.", room=room))
        total = _receive(context, request, upload, claim)
    return Response(204, _offset_headers(total, upload.size))


def finish(context: Context, request: Request, match: re.Match[str]) -> Response:
    """All has arrived: the file becomes a resource."""
    _offered(context, request)
    asked = _json(request)
    viewer, upload_id = request.viewer, match["id"]
    with LOCKS.take((upload_id, 0)):
        upload = _under_way(context, viewer, upload_id)
        if upload.received != upload.size:
            return json_response(
                409, {"error": "The file is not complete"}, _offset_headers(upload.received, upload.size)
            )
        sha256, tag = _sums(context, upload, asked.get("sha256"))
        part = context.depot.part(upload_id)
        incoming = Incoming(part, upload.name or "", upload.size, sha256, tag, upload.resource_id, upload.crc32)
        entry = {key: value for key, value in asked.items() if key == "description" or key.startswith("sp:")}
        with resources.DepotTransaction(context) as files, context.db.write() as tx:
            _, facts = lookup.dataset(tx, viewer, upload.dataset_id, "dataset:update")
            resources.require_draft(viewer, facts)
            resource_id = draft_files.add(
                context,
                tx,
                viewer,
                facts,
                entry | {"upload": incoming},
                files,
                before=as_text(asked.get("before")),
                instead_of=as_text(asked.get("instead_of")),
            )
            uploads.complete_whole(tx, upload_id, sha256, tag)
            uploads.attached(tx, resource_id, facts.id)
    context.wake_jobs()
    with context.db.read() as conn:
        if get_resource(conn, resource_id) is None:
            raise not_found()
        return json_response(201, json.loads(documents.resource(conn, resource_id)))


def give_up(context: Context, request: Request, match: re.Match[str]) -> Response:
    """Forget an upload and its bytes."""
    viewer = _offered(context, request)
    upload = _mine(context, viewer, match["id"])
    policy.require(viewer, "upload:discard", upload.user_id)
    with LOCKS.take((upload.id, 0)), context.db.write() as tx:
        if uploads.abort(tx, upload.id):
            context.depot.discard_part(upload.id)
    return Response(204, [("Cache-Control", "no-store")])


def _receive(context: Context, request: Request, upload: Upload, claim: UploadLock) -> int:
    """Take the piece; returns how much of the file is there then [bytes]."""
    expected = _checksum(request)
    part = open_part(context, upload.id, upload.size)
    try:
        running = _HASHES.take(upload.id, upload.received, upload.size)
        if expected is None:
            return _take_stream(context, request, upload, part, claim, running)
        return _take_checked(context, request, upload, part, claim, running, expected)
    finally:
        part.close()


def _take_stream(
    context: Context,
    request: Request,
    upload: Upload,
    part: Part,
    claim: UploadLock,
    running: tuple[Any, EtagHasher] | None,
) -> int:
    """A piece of any length. What came before a cut counts."""
    offset, room = upload.received, upload.size - upload.received
    crc32 = running_crc32(upload)
    intake = RangeReceiver(
        part,
        offset=offset,
        size=request.body.length,
        limit=room,
        hashers=[*(running or ()), crc32],
        room=partial(upload_limits.require_reserve, context),
    )
    noted = 0
    try:
        buffer = memoryview(bytearray(BLOCK))
        while data := _some(request, buffer):
            claim.write(intake, data)
            if intake.total - noted >= 2 * _NOTED:  # the disk is never further behind than that
                noted += _NOTED
                _note(context, upload.id, offset + noted)  # of these bytes alone the CRC is not known
                _require_still(context, request, upload.id)
        _require_still(context, request, upload.id)
    finally:
        intake.close()
        if intake.idle:
            claim.keep()
            intake.flush()
            _note(context, upload.id, offset + intake.total, crc32)
            _HASHES.keep(upload.id, offset + intake.total, running)
    return int(offset + intake.total)


def _take_checked(
    context: Context,
    request: Request,
    upload: Upload,
    part: Part,
    claim: UploadLock,
    running: tuple[Any, EtagHasher] | None,
    expected: bytes,
) -> int:
    """A short piece that counts only when its checksum is right."""
    offset = upload.received
    seen = hashlib.sha256()
    intake = RangeReceiver(part, offset=offset, size=0, limit=min(upload.size - offset, _MAX_CHECKED), hashers=[seen])
    buffer = memoryview(bytearray(BLOCK))
    while data := fill(request, buffer):
        claim.write(intake, data)
    claim.keep()
    intake.flush()
    if seen.digest() != expected:
        raise Problem(
            _CHECKSUM_MISMATCH, "Checksum Mismatch", message=Message("The piece was damaged in transit. Send it again.")
        )
    _require_still(context, request, upload.id)
    crc32 = running_crc32(upload)
    for hasher in (*(running or ()), crc32):
        _update_from_file(hasher, part, offset, intake.total)
    _note(context, upload.id, offset + intake.total, crc32)
    _HASHES.keep(upload.id, offset + intake.total, running)
    return int(offset + intake.total)


def _update_from_file(hasher: Hasher, part: Part, offset: int, length: int) -> None:
    end = offset + length
    while offset < end and (data := os.pread(part.fd, min(BLOCK, end - offset), offset)):
        hasher.update(data)
        offset += len(data)


def _some(request: Request, buffer: memoryview) -> bytes:
    """The next bytes of a body; b"" at its end."""
    return bytes(buffer[: request.body.readinto(buffer)])


def _note(context: Context, upload_id: str, total: int, crc32: Crc32 | None = None) -> None:
    known = None if crc32 is None or isinstance(crc32, UnknownCrc32) else crc32.value
    with context.db.write() as tx:
        uploads.received(tx, upload_id, total, context.settings.depot.part_lifetime, crc32=known)


def _sums(context: Context, upload: Upload, expected: object) -> tuple[str | None, str | None]:
    """(SHA-256, ETag) of a complete upload. They are known when it came in one go; else a job finds them later,
    unless the client has told the SHA-256 and wants it compared. Raises Problem 409 when it differs."""
    known = _HASHES.take(upload.id, upload.size, upload.size)
    if known is None and expected is not None:
        known = hashlib.sha256(), EtagHasher(upload.size)
        part = context.depot.open_part(upload.id)
        try:
            for hasher in known:
                _update_from_file(hasher, part, 0, upload.size)
        finally:
            part.close()
    if known is None:
        return None, None
    _HASHES.keep(upload.id, upload.size, known)
    sha256 = known[0].hexdigest()
    if expected is not None and expected != sha256:
        raise invalid({"sha256": [Message("The uploaded file has a different checksum")]})
    return sha256, known[1].etag()


def _offered(context: Context, request: Request) -> Viewer:
    """Who uploads. Raises Problem 404 where the site does not offer this."""
    if not context.settings.web.browser_upload:
        raise not_found(Message("Uploads in the browser are not offered here."))
    return request.viewer


def _mine(context: Context, viewer: Viewer, upload_id: str) -> Upload:
    """The caller's open upload. Raises Problem 404."""
    with context.db.read() as conn:
        upload = uploads.get(conn, upload_id)
    if upload is None or upload.kind != "browser" or upload.user_id != viewer.user_id or upload.state != "open":
        raise not_found(Message("There is no such upload."))
    return upload


def _under_way(context: Context, viewer: Viewer, upload_id: str) -> Upload:
    """The caller's open upload, if they may change its dataset (still), and it is a draft (still). Raises Problem 403 or 404."""
    upload = _mine(context, viewer, upload_id)
    with context.db.read() as conn:
        _, facts = lookup.dataset(conn, viewer, upload.dataset_id, "dataset:update")
    resources.require_draft(viewer, facts)
    return upload


def _require_still(context: Context, request: Request, upload_id: str) -> None:
    """A piece may take hours; whoever sends it may have lost the right, or the credential, meanwhile. Raises Problem 403 or 404."""
    viewer = authentication.viewer(context, request)
    policy.admit(viewer, "dataset:update")
    _under_way(context, viewer, upload_id)


def _shown(upload: Upload) -> dict[str, Any]:
    url = f"/upload/browser/{upload.id}"
    keys = {"id": upload.id, "dataset": upload.dataset_id, "name": upload.name, "size": upload.size}
    return keys | {"url": url, "offset": upload.received, "chunk": CHUNK}


def _offset_headers(offset: int, size: int) -> list[tuple[str, str]]:
    return [("Upload-Offset", str(offset)), ("Upload-Length", str(size)), ("Cache-Control", "no-store")]


def _offset(request: Request) -> int:
    value = request.headers.get("Upload-Offset") or ""
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise bad_request("The header Upload-Offset is missing.")
    return int(value)


def _checksum(request: Request) -> bytes | None:
    value = request.headers.get("Upload-Checksum")
    if value is None:
        return None
    algorithm, _, text = value.strip().partition(" ")
    try:
        digest = base64.b64decode(text, validate=True)
    except binascii.Error:
        digest = b""
    if algorithm.lower() != "sha256" or len(digest) != hashlib.sha256().digest_size:
        raise bad_request("Upload-Checksum must be: sha256 and the checksum in base64.")
    return digest


def _json(request: Request) -> dict[str, Any]:
    try:
        asked = decoded(request.body.read_all(_MAX_JSON) or b"{}")
    except ValueError as error:
        raise bad_request("The body is not JSON.") from error
    if not isinstance(asked, dict):
        raise bad_request("The body is not a JSON object.")
    return asked


_ONE = rf"/upload/browser/(?P<id>{UUID})"

ROUTES: tuple[Route, ...] = (
    route("POST", r"/upload/browser", "dataset:update", create),
    route("GET", r"/upload/browser", "write", listed),
    route("GET", _ONE, "dataset:update", show),
    route("PATCH", _ONE, "dataset:update", append, asks_again=True),
    route("DELETE", _ONE, "upload:discard", give_up),
    route("POST", rf"{_ONE}/finish", "dataset:update", finish),
)
