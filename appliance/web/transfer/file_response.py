"""File responses: conditional requests, ranges, file name, private caching."""

from __future__ import annotations

import os
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from appliance.model.problem import not_found
from appliance.security.headers import security_headers
from appliance.web.http import FileBody, Request, Response
from appliance.web.transfer.ranges import Selection, select


@lru_cache(maxsize=1024)
def content_disposition(kind: str, name: str) -> str:
    """The header (RFC 6266) for `kind` "attachment" or "inline": the name for all, and exactly for those who read UTF-8."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in name)
    value = f'{kind}; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"


def file_response(
    request: Request, path: Path, *, etag: str, content_type: str, name: str, disposition: str = "attachment"
) -> Response:
    """Answer `request` with (a part of) the file `path`.

    :param etag: identity of the content, without quotes; at least 5 characters.
    :param name: file name for the client.
    :raises Problem: 404 when the file is not there.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise not_found() from error
    try:
        state = os.fstat(fd)
        selection = select(request.method, request.headers, state.st_size, f'"{etag}"', int(state.st_mtime))
        headers = entity_headers(etag, content_type, content_disposition(disposition, name), int(state.st_mtime))
        headers += range_headers(selection, state.st_size)
        if selection.length > 1 << 20:
            os.posix_fadvise(fd, selection.start, selection.length, os.POSIX_FADV_SEQUENTIAL)
        if selection.status in {200, 206}:
            return Response(selection.status, headers, FileBody(fd, selection.start, selection.length))
        answer = refusal(selection, headers, state.st_size)
    except Exception:
        os.close(fd)
        raise
    os.close(fd)
    return answer


def entity_headers(etag: str, content_type: str, disposition: str, modified: int) -> list[tuple[str, str]]:
    """The headers that describe a file, and security headers."""
    return list(_entity_headers(etag, content_type, disposition, modified))


@lru_cache(maxsize=1024)  # a reader requests hundreds of ranges of one file
def _entity_headers(etag: str, content_type: str, disposition: str, modified: int) -> tuple[tuple[str, str], ...]:
    return (
        ("Content-Type", content_type),
        ("Content-Disposition", disposition),
        ("ETag", f'"{etag}"'),
        ("Last-Modified", formatdate(modified, usegmt=True)),
        ("Accept-Ranges", "bytes"),
        *security_headers("file").items(),
    )


def range_headers(selection: Selection, size: int) -> list[tuple[str, str]]:
    """Content-Range of a partial response; nothing for a complete one."""
    if selection.status != 206:
        return []
    return [("Content-Range", f"bytes {selection.start}-{selection.start + selection.length - 1}/{size}")]


def refusal(selection: Selection, headers: Iterable[tuple[str, str]], size: int) -> Response:
    """304, 412 or 416 with an empty body: a client must not take an error page for data."""
    kept = [(key, value) for key, value in headers if key not in {"Content-Type", "Content-Disposition"}]
    if selection.status == 416:
        kept.append(("Content-Range", f"bytes */{size}"))
    return Response(selection.status, kept)
