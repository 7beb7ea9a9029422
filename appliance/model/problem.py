"""Errors as values: what went wrong, with a message that says what to do."""

from __future__ import annotations

from typing import Any

Fields = dict[str, Any]


class Problem(Exception):
    """A refusal that is shown to the client. The API renders it in CKAN's form, pages as HTML, the command line as one line.

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
        """One line: the message, or the errors by field."""
        if self.message:
            return self.message
        parts = [
            f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
            for key, value in self.fields.items()
        ]
        return "; ".join(parts) or self.kind


def not_authorized(message: str = "") -> Problem:
    """403: the caller has no permission."""
    return Problem(403, "Authorization Error", message=message)


def not_found(message: str = "") -> Problem:
    """404: the object does not exist or is hidden."""
    return Problem(404, "Not Found Error", message=message)


def invalid(fields: Fields | None = None, message: str = "") -> Problem:
    """409: invalid values; errors by field, or one message."""
    return Problem(409, "Validation Error", fields, message)


def missing(*fields: str) -> Problem:
    """409: required parameters are missing."""
    return invalid({field: ["Missing value"] for field in fields})


def bad_request(message: str) -> Problem:
    """400: the request is malformed (its body in the response is a JSON string)."""
    return Problem(400, "Bad Request", message=message)
