"""What a file is, judged by its name: media type and format label, as clients expect them in a resource."""

from __future__ import annotations

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


def kind(name: str) -> tuple[str | None, str]:
    """(mimetype or None, format label or "") of a file name."""
    return _KINDS.get(suffix(name), (None, ""))


def content_type(mimetype: str | None) -> str:
    """The Content-Type to send a file with. Text is sent as such, everything else only to be saved."""
    if mimetype in {"text/plain", "text/csv", "text/tab-separated-values"}:
        return f"{mimetype}; charset=utf-8"
    return mimetype if mimetype and "/" in mimetype and not mimetype.startswith("text/") else "application/octet-stream"
