"""Downloads: originals, condensed files, previews, and files by signed URL."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from appliance.actions import virus_gate
from appliance.archive import access
from appliance.model import media
from appliance.model.messages import Message
from appliance.model.problem import Problem, not_found
from appliance.model.viewer import DatasetFacts, Viewer
from appliance.security import policy
from appliance.store import artefacts, datasets, downloads
from appliance.web import cpu_slot
from appliance.web.answer_key import answer_key
from appliance.web.context import Context
from appliance.web.http import Request, Response
from appliance.web.routes import UUID, Route, route
from appliance.web.transfer import presigned_links
from appliance.web.transfer.archived_response import archived_response
from appliance.web.transfer.file_response import file_response

log = logging.getLogger(__name__)

_IMAGES = {
    "preview.jpg": ("preview_jpeg", "image/jpeg"),
    "preview.webp": ("preview", "image/webp"),
    "thumbnail.webp": ("thumbnail", "image/webp"),
}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that a viewer may read, with what a download needs."""

    path: Path
    etag: str
    content_type: str
    name: str
    dataset_id: str
    dataset: str
    facts: DatasetFacts


def stored_file(context: Context, viewer: Viewer, resource_id: str, kind: str) -> StoredFile:
    """The file `kind` of a resource, cached because one reader requests many ranges.

    Raises Problem 404 when it does not exist or `viewer` may not read it, with the same message.
    """
    key = answer_key("file", viewer, resource_id, kind)
    found = context.cache.get(key, lambda: _look_up(context, viewer, resource_id, kind))
    if found is None or not policy.may(viewer, "dataset:read", found.facts):
        raise not_found(Message("There is no such file, or you have no access to it."))
    require_scanned(context, viewer, resource_id)
    return found


def require_scanned(context: Context, viewer: Viewer, resource_id: str) -> None:
    """Raise Problem 503 for a file that has not been scanned for viruses; checked once for all ranges of it."""
    if not virus_gate.holds(context.settings):
        return
    key = ("waits for the scanner", resource_id, viewer.user_id)

    def ask() -> bool:
        """The database."""
        with context.db.read() as conn:
            return virus_gate.waits(conn, context.settings, viewer.user_id, resource_id)

    if context.cache.get(key, ask):
        raise virus_gate.refusal()


def _look_up(context: Context, viewer: Viewer, resource_id: str, kind: str) -> StoredFile | None:
    with context.db.read() as conn:
        row = downloads.file(conn, viewer, resource_id)
        facts = datasets.facts(conn, row["dataset_id"]) if row is not None else None
        if row is None or facts is None:
            return None
        path = context.depot.path(resource_id, kind)
        if kind == "original":
            tag = row["etag"] or row["sha256"] or resource_id
            kind_ = media.content_type(row["mimetype"])
            return StoredFile(path, tag, kind_, row["name"], row["dataset_id"], row["dataset"], facts)
        made = artefacts.get(conn, resource_id, kind)
        if made is None:
            return None
    name, content_type = _artefact_name(row["name"], kind)
    return StoredFile(path, made["etag"], content_type, name, row["dataset_id"], row["dataset"], facts)


def _artefact_name(name: str, kind: str) -> tuple[str, str]:
    """(file name, media type) of what was made of the file `name`."""
    stem, dot, suffix = name.rpartition(".")
    stem = stem or name
    if kind == "condensed":
        return f"{stem}_condensed{dot}{suffix if dot else ''}", "application/octet-stream"
    for file_name, (image, content_type) in _IMAGES.items():
        if image == kind:
            return f"{stem}_{file_name}", content_type
    return f"{stem}.{kind}", "application/octet-stream"


def _send(context: Context, request: Request, match: re.Match[str], kind: str, disposition: str) -> Response:
    cpu_slot.acquire()
    file = stored_file(context, request.viewer, match["id"], kind)
    if match["dataset"] not in {file.dataset_id, file.dataset}:
        raise not_found(Message("There is no such file, or you have no access to it."))
    return _answer(context, request, match["id"], kind, file, disposition)


def _answer(
    context: Context, request: Request, resource_id: str, kind: str, file: StoredFile, disposition: str = "attachment"
) -> Response:
    try:
        return file_response(
            request, file.path, etag=file.etag, content_type=file.content_type, name=file.name, disposition=disposition
        )
    except Problem:
        archived = access.stored(context.db, resource_id) if kind == "original" else None
        if archived is None:
            log.error("depot.missing_file")  # a row without a file: `dcor inspect` names it
            raise
    return archived_response(
        context,
        request,
        archived,
        etag=file.etag,
        content_type=file.content_type,
        name=file.name,
        disposition=disposition,
    )


def original(context: Context, request: Request, match: re.Match[str]) -> Response:
    """The original; the file name in the URL is informative only."""
    return _send(context, request, match, "original", "attachment")


def condensed(context: Context, request: Request, match: re.Match[str]) -> Response:
    """The condensed file; 404 before it has been generated."""
    return _send(context, request, match, "condensed", "attachment")


def image(context: Context, request: Request, match: re.Match[str]) -> Response:
    """Preview or thumbnail."""
    kind = _IMAGES[match["image"]][0]
    return _send(context, request, match, kind, "inline")


def stored_object(context: Context, request: Request, match: re.Match[str]) -> Response:
    """A file by its permanent URL, with a signature or, if it is public, without."""
    cpu_slot.acquire()
    resource_id = match["a"] + match["b"] + match["rest"]
    kind = presigned_links.ARTEFACTS[match["artefact"]]
    return _answer(context, request, resource_id, kind, stored_file(context, request.viewer, resource_id, kind))


_RESOURCE = rf"/dataset/(?P<dataset>[a-z0-9_-]+)/resource/(?P<id>{UUID})"

ROUTES: tuple[Route, ...] = (
    route("GET", rf"{_RESOURCE}/download(?:/[^/]*)?", "dataset:read", original, hidden=True),
    route("GET", rf"{_RESOURCE}/condensed\.rtdc", "dataset:read", condensed, hidden=True),
    route(
        "GET", rf"{_RESOURCE}/(?P<image>preview\.jpg|preview\.webp|thumbnail\.webp)", "dataset:read", image, hidden=True
    ),
    route(
        "GET",
        r"/objects/(?P<artefact>resource|condensed)/(?P<a>[0-9a-f]{3})/(?P<b>[0-9a-f]{3})/(?P<rest>[0-9a-f]{2}-[0-9a-f-]{27})",
        "dataset:read",
        stored_object,
        identify=presigned_links.bearer,
        hidden=True,
    ),
)
