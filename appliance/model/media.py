"""Media type and format label of a file by its name, as clients expect them in a resource."""

from __future__ import annotations

import mimetypes

from appliance.model.names import suffix

_KINDS: dict[str | None, tuple[str | None, str]] = {
    ".rtdc": ("RT-DC", "RT-DC"),
    ".dc": ("DC", "DC"),
    ".csv": ("text/csv", "CSV"),
    ".tsv": ("text/tab-separated-values", "TSV"),
    ".pdf": ("application/pdf", "PDF"),
    ".txt": ("text/plain", "TXT"),
    ".jpg": ("image/jpeg", "JPEG"),
    ".png": ("image/png", "PNG"),
    ".tif": ("image/tiff", "TIFF"),
    ".py": ("text/x-python", "PY"),
    ".ipynb": ("application/x-ipynb+json", "IPYNB"),
    ".ini": (None, "INI"),
}

#: Sent with their own type; browsers only display them.
_SENT = {kind for kind, _ in _KINDS.values() if kind and "/" in kind and not kind.startswith("text/")}
#: Python's built-in table, without the operating system's additions.
_TABLE = mimetypes.MimeTypes(filenames=())


def kind(name: str) -> tuple[str | None, str]:
    """(mimetype or None, format label or "") of a file name: DCOR's kinds, then those that Python knows, as CKAN guesses."""
    ending = suffix(name)
    if ending in _KINDS:
        return _KINDS[ending]
    guessed, _ = _TABLE.guess_type(f"file{ending or ''}")
    unknown = guessed in (None, "application/octet-stream")
    return (None, "") if unknown else (guessed, (ending or ".")[1:].upper())


def content_type(mimetype: str | None) -> str:
    """The Content-Type of a download. Text is sent as text, everything else as an attachment only."""
    if mimetype in {"text/plain", "text/csv", "text/tab-separated-values"}:
        return f"{mimetype}; charset=utf-8"
    return mimetype if mimetype in _SENT else "application/octet-stream"
