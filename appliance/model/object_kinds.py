"""What kinds of objects and files are called in sentences."""

from __future__ import annotations

from appliance.model.messages import Message

_WORDS = {
    "dataset": Message("dataset"),
    "file": Message("file"),
    "resource": Message("file"),
    "user": Message("user"),
    "backup": Message("backup"),
    "directory": Message("directory"),
    "provider": Message("provider"),
    "circle": Message("circle"),
    "collection": Message("collection"),
    "original": Message("original"),
    "condensed": Message("condensed"),
    "preview": Message("preview"),
    "thumbnail": Message("thumbnail"),
    "columns": Message("columns"),
    "density": Message("density"),
}


def said(kind: str) -> str:
    """`kind` as a message; one without a word of its own as it is."""
    return _WORDS.get(kind, kind)
