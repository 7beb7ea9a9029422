"""CKAN's envelope around results and refusals, byte for byte as clients expect it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from appliance.model.problem import Problem
from appliance.web.api.registry import Raw, Stored
from appliance.web.http import GUARDED, Response, retry_after

_HEADERS = [("Content-Type", "application/json;charset=utf-8"), ("Cache-Control", "private, no-store"), *GUARDED]
_STEP = 256 << 10
#: Kinds whose message CKAN prefixes with a fixed text.
_PREFIX = {"Authorization Error": "Access denied", "Not Found Error": "Not found"}


def success(site_url: str, name: str, result: Any) -> Response:
    """200 with a result (`Raw`: JSON text)."""
    if isinstance(result, Stored):
        return _streamed(site_url, name, result)
    body = result if isinstance(result, Raw) else json.dumps(result, ensure_ascii=False, separators=(", ", ": "))
    return Response(
        200, list(_HEADERS), f'{{"help": "{_help(site_url, name)}", "success": true, "result": {body}}}'.encode()
    )


def _streamed(site_url: str, name: str, result: Stored) -> Response:
    """The same with a JSON object from a file, which is read while it is sent. Raises OSError."""
    file = result.path.open("rb")
    try:
        size = os.fstat(file.fileno()).st_size
    except Exception:
        file.close()
        raise
    more = result.more.strip()[1:-1]
    head = f'{{"help": "{_help(site_url, name)}", "success": true, "result": '.encode()
    tail = f"{', ' if more and size > 2 else ''}{more}}}}}".encode()

    def body() -> Iterator[bytes]:
        """The object without its closing bracket, then the further members and the brackets."""
        with file:
            yield head
            left = size - 1
            while left > 0 and (piece := file.read(min(_STEP, left))):
                left -= len(piece)
                yield piece
            yield tail

    return Response(200, list(_HEADERS), body(), length=len(head) + size - 1 + len(tail))


def refusal(site_url: str, name: str, problem: Problem) -> Response:
    """A Problem in CKAN's form: its type, and a message or messages by field; 400 as a bare JSON string."""
    headers = [*_HEADERS, *retry_after(problem)]
    if problem.kind == "Bad Request":
        return Response(problem.status, headers, json.dumps(f"Bad request - {problem.message}").encode())
    error = {"__type": problem.kind, **_error(problem)}
    body = {"help": _help(site_url, name), "error": error, "success": False}
    return Response(problem.status, headers, json.dumps(body, ensure_ascii=False).encode())


def _error(problem: Problem) -> dict[str, Any]:
    if problem.fields:
        return problem.fields
    prefix = _PREFIX.get(problem.kind)
    if prefix is None:
        return {"message": problem.message}
    return {"message": f"{prefix}: {problem.message}" if problem.message else prefix}


def _help(site_url: str, name: str) -> str:
    return f"{site_url}/api/3/action/help_show?name={name}"
