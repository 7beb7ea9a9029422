"""Many files at once: a dataset as one archive; checksums and scripts for a dataset, a circle or a collection."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from appliance.actions import virus_gate
from appliance.model import times
from appliance.model.messages import Message
from appliance.model.problem import Problem, not_found
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import archived_files, datasets, downloads
from appliance.store.archived_files import ArchivedFile
from appliance.web import cpu_slot
from appliance.web.context import Context
from appliance.web.http import GUARDED, Request, Response
from appliance.web.routes import Route, route
from appliance.web.transfer import download_scripts
from appliance.web.transfer.file_response import content_disposition, entity_headers, range_headers, refusal
from appliance.web.transfer.ranges import select
from appliance.web.transfer.zip64 import Archive, Checksums, Member

_CHECKSUMS = Checksums()
_KINDS = {"dataset": "dataset", "organization": "circle", "group": "collection"}


def archive(context: Context, request: Request, match: re.Match[str]) -> Response:
    """A dataset's files as a ZIP archive, not compressed (the files are), resumable."""
    rows = _files(context, request, "dataset", match["ref"])
    return _archive(context, request, rows, f"{rows[0]['dataset']}.zip")


def archive_of_several(context: Context, request: Request, match: re.Match[str]) -> Response:
    """The files of several datasets (``?dataset=…&dataset=…``) as one archive, a folder for each."""
    refs = [value for key, value in request.parameters() if key == "dataset"]
    with context.db.read() as conn:
        rows = [row for ref in dict.fromkeys(refs) for row in downloads.files_of_dataset(conn, request.viewer, ref)]
        _require_readable(conn, request.viewer, rows)
    unique = list({row["id"]: row for row in rows}.values())
    if not unique:
        raise not_found(Message("There are no such files, or you have no access to them."))
    return _archive(context, request, unique, "datasets.zip")


def manifest(context: Context, request: Request, match: re.Match[str]) -> Response:
    """SHA256SUMS, sh or Python: what to fetch, and what it must be."""
    rows = _files(context, request, _KINDS[match["kind"]], match["ref"])
    kind = match["form"]
    site_url = context.settings.site_url
    name = match["ref"]
    if kind == "SHA256SUMS":
        return _text(download_scripts.checksums(rows), f"{name}.sha256", "text/plain")
    if kind == "download.sh":
        return _text(download_scripts.shell(rows, site_url, name), f"download-{name}.sh", "text/x-shellscript")
    return _text(download_scripts.python(rows, site_url, name), f"download-{name}.py", "text/x-python")


def _files(context: Context, request: Request, kind: str, ref: str) -> list[sqlite3.Row]:
    """The files of a dataset, circle or collection that the caller may see. Raises Problem 404 when there are none."""
    with context.db.read() as conn:
        if kind == "dataset":
            rows = downloads.files_of_dataset(conn, request.viewer, ref)
            _require_readable(conn, request.viewer, rows)
        else:
            rows = downloads.files_of_community(conn, request.viewer, kind, ref)
    if not rows:
        raise not_found(Message("There are no such files, or you have no access to them."))
    return rows


def _require_readable(conn: sqlite3.Connection, viewer: Viewer, rows: Sequence[sqlite3.Row]) -> None:
    """Ask the policy about each dataset, too, whose files the store has found. Raises Problem 404."""
    for dataset_id in {row["dataset_id"] for row in rows}:
        if not policy.may(viewer, "dataset:read", datasets.facts(conn, dataset_id)):
            raise not_found(Message("There are no such files, or you have no access to them."))


def _archive(context: Context, request: Request, rows: Sequence[sqlite3.Row], name: str) -> Response:
    with context.db.read() as conn:
        for row in rows:
            virus_gate.require_scanned(conn, context.settings, request.viewer.user_id, row["id"])
        away = {
            file.resource_id: file
            for dataset_id in {row["dataset_id"] for row in rows}
            for file in archived_files.stored_of_dataset(conn, dataset_id)
        }
    members = [_member(context, request, row, away.get(row["id"])) for row in rows]
    packed = Archive(members, _CHECKSUMS)
    identity = "\n".join(f"{member.name}\0{member.size}\0{member.key}" for member in members)
    etag = hashlib.sha256(identity.encode()).hexdigest()[:32]
    modified = int(max(times.parse(row["created"]) for row in rows).timestamp())
    selection = select(request.method, request.headers, packed.size, f'"{etag}"', modified)
    headers = entity_headers(etag, "application/zip", content_disposition("attachment", name), modified)
    if selection.status not in {200, 206}:
        return refusal(selection, headers, packed.size)
    headers += range_headers(selection, packed.size)
    archived = next((away[row["id"]] for row in rows if row["id"] in away), None)
    if archived is not None and request.method != "HEAD":  # better no archive than half of one
        cpu_slot.release()
        context.archive.require(archived)
    body = packed.read(selection.start, selection.length)
    return Response(selection.status, headers, body, length=selection.length)


def _member(context: Context, request: Request, row: sqlite3.Row, archived: ArchivedFile | None) -> Member:
    created: datetime = times.parse(row["created"])
    when = (created.year, created.month, created.day, created.hour, created.minute, created.second)
    path = context.depot.path(row["id"])
    away = None if archived is None else _reader(context, request, archived)
    return Member(f"{row['dataset']}/{row['name']}", path, row["size"], row["id"], when, row["crc32"], away)


def _reader(context: Context, request: Request, file: ArchivedFile) -> Callable[[int, int], Iterable[bytes]]:
    caller = request.viewer.user_id or request.client

    def read(start: int, length: int) -> Iterable[bytes]:
        """Bytes of the archived file. Raises ConnectionError: the answer has begun."""
        try:
            return context.archive.read(file, start, length, caller)
        except Problem as problem:
            raise ConnectionError("the archive does not answer any more") from problem

    return read


def _text(content: str, name: str, content_type: str) -> Response:
    headers = [
        ("Content-Type", f"{content_type}; charset=utf-8"),
        ("Content-Disposition", content_disposition("attachment", name)),
        ("Cache-Control", "private, no-store"),
        *GUARDED,
    ]
    return Response(200, headers, content.encode())


_REF = r"(?P<ref>[a-z0-9_-]+)"

_FORM = r"(?P<form>SHA256SUMS|download\.sh|download\.py)"

ROUTES: tuple[Route, ...] = (
    route("GET", rf"/dataset/{_REF}/download\.zip", "dataset:read", archive, hidden=True),
    route("GET", r"/datasets\.zip", "dataset:read", archive_of_several, hidden=True),
    route("GET", rf"/(?P<kind>dataset)/{_REF}/{_FORM}", "dataset:read", manifest, hidden=True),
    # a list: what is in it is chosen by the store
    route("GET", rf"/(?P<kind>organization|group)/{_REF}/{_FORM}", "site:read", manifest, hidden=True),
)
