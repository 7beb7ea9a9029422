"""The parameters of a request in any form: query string, JSON, form, multipart with files."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from appliance.model.problem import Problem
from appliance.model.values import decoded
from appliance.web.body_budget import VALUE, BodyBudget, Share
from appliance.web.http import Request

MAX_BODY = 32 << 20  # JSON of a dataset with some thousand resources
MAX_STRANGER = 64 << 10  # of somebody who has not signed in: a form at most
MAX_VALUES = 300_000  # single values in JSON; each costs a hundred bytes of memory
_FORM = "application/x-www-form-urlencoded"


def from_query(query: str) -> dict[str, Any]:
    """Parameters of a query string; repeated keys become a list. Raises Problem 400."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        raise Problem(400, "Bad Request", message="The query string has too many parameters.") from error
    return _grouped(pairs)


def from_body(request: Request, limit: int = MAX_BODY, share: Share | None = None) -> dict[str, Any]:
    """Parameters of a body that is no multipart: JSON, or a form (or JSON with the content type of a form, as curl sends it).

    :param share: counts what comes.
    :raises Problem: 429 or 503 where too much is in work, 400 for what is neither, 413 above `limit` bytes or `MAX_VALUES` values.
    """
    content = (request.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    share = share or BodyBudget().share(None)
    raw = request.body.read_all(limit, share.grow)
    if not raw.strip():
        return {}
    if content == _FORM:
        try:
            pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=10_000)
        except ValueError as error:
            raise _undecodable() from error
        if len(pairs) == 1 and pairs[0][1] in {"", "1"} and pairs[0][0].lstrip().startswith(("{", "[")):
            return _object(pairs[0][0].encode(), share)
        if not pairs and raw.lstrip().startswith(b"{"):  # curl -d '{"id": …}' where the text has no "="
            return _object(raw, share)
        if len(pairs) == 1 and raw.lstrip().startswith(b"{"):
            return _object(raw, share)
        return _grouped(pairs)
    return _object(raw, share)


def _object(raw: bytes, share: Share) -> dict[str, Any]:
    values = sum(map(raw.count, (b",", b"[", b"{")))
    if values > MAX_VALUES:
        raise Problem(413, "Request Entity Too Large", message=f"At most {MAX_VALUES} values are accepted at once.")
    share.grow(values * VALUE)
    try:
        value = decoded(raw)
    except ValueError as error:
        raise _undecodable() from error
    if not isinstance(value, dict):
        raise Problem(
            400,
            "Bad Request",
            message=f"JSON Error: Request data JSON decoded to {str(value)[:100]} but it needs to be a dictionary.",
        )
    return value


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            found[key] = [*found[key], value] if isinstance(found[key], list) else [found[key], value]
        else:
            found[key] = value
    return found


def _undecodable() -> Problem:
    return Problem(400, "Bad Request", message="JSON Error: Error decoding JSON data. Send a JSON object, or a form.")
