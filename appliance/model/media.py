"""What a file is, judged by its name: media type and format label, as clients expect them in a resource."""

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

#: Sent as what they are; a browser does nothing with them but show them.
_SENT = {kind for kind, _ in _KINDS.values() if kind and "/" in kind and not kind.startswith("text/")}
#: Without what the operating system adds.
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
    """The Content-Type to send a file with. Text is sent as such, everything else only to be saved."""
    if mimetype in {"text/plain", "text/csv", "text/tab-separated-values"}:
        return f"{mimetype}; charset=utf-8"
    return mimetype if mimetype in _SENT else "application/octet-stream"
