"""Errors as values: what went wrong, in words that tell the reader what to do."""

from __future__ import annotations

from typing import Any

Fields = dict[str, Any]


class Problem(Exception):
    """A refusal with a public face. The API renders it in CKAN's form, pages as HTML, the command line as one line.

    :param status: HTTP status.
    :param kind: CKAN's error type, e.g. ``"Validation Error"``.
    :param fields: for validation errors, ``{field: [message, …]}`` (nested where the input is nested).
    :param message: one sentence for a person.
    :ivar wait: seconds until the same may be tried again, None where nothing is known of that.
    """

    wait: int | None = None

    def __init__(self, status: int, kind: str, fields: Fields | None = None, message: str = "") -> None:
        super().__init__(message or kind)
        self.status = status
        self.kind = kind
        self.fields: Fields = fields or {}
        self.message = message

    def __str__(self) -> str:
        """One line: the message, or the fields in words."""
        if self.message:
            return self.message
        parts = [
            f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
            for key, value in self.fields.items()
        ]
        return "; ".join(parts) or self.kind


def not_authorized(message: str = "") -> Problem:
    """403: known or not, this caller may not."""
    return Problem(403, "Authorization Error", message=message)


def not_found(message: str = "") -> Problem:
    """404: there is no such thing."""
    return Problem(404, "Not Found Error", message=message)


def invalid(fields: Fields | None = None, message: str = "") -> Problem:
    """409: the values do not hold; either by field or as one message."""
    return Problem(409, "Validation Error", fields, message)


def missing(*fields: str) -> Problem:
    """409: required parameters are absent."""
    return invalid({field: ["Missing value"] for field in fields})


def bad_request(message: str) -> Problem:
    """400: the request itself is wrong (its body on the wire is a JSON string)."""
    return Problem(400, "Bad Request", message=message)
