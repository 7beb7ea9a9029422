"""Notifications: kinds, mail frequencies, and the texts of mails.

A mail does not name datasets: it is not encrypted, and titles of private datasets are confidential.
"""

from __future__ import annotations

from collections.abc import Sequence

KINDS = ("shared", "checked", "failed", "changed", "request")
#: When a mail is sent: never, with the next run of the job, once a day with all of the day.
MAIL = ("off", "soon", "daily")

_LINES = {
    "en": {
        "shared": "A dataset was shared with you",
        "checked": "Your upload was checked and is complete",
        "failed": "Files of your upload could not be processed",
        "changed": "A dataset you follow has changed",
        "request": "Someone has requested access to a dataset of your circle",
    },
    "de": {
        "shared": "Ein Datensatz wurde mit Ihnen geteilt",
        "checked": "Ihr Upload wurde geprüft und ist vollständig",
        "failed": "Dateien Ihres Uploads konnten nicht verarbeitet werden",
        "changed": "Ein Datensatz, den Sie abonniert haben, hat sich geändert",
        "request": "Jemand bittet um Zugriff auf einen Datensatz Ihres Kreises",
    },
}
_FRAMES = {
    "en": ("DCOR {host}: {count} notification{s}", "Choose what you receive by mail: {url}"),
    "de": ("DCOR {host}: {count} Benachrichtigung{s}", "Was Sie per E-Mail erhalten, wählen Sie hier: {url}"),
}
_MOST = 50  # entries written out in one mail
_PLURALS = {"en": "s", "de": "en"}


def mail(language: str, host: str, site_url: str, entries: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """(Subject, text) of a mail about `entries`: (kind, dataset's id)."""
    lines = _LINES.get(language, _LINES["en"])
    subject, foot = _FRAMES.get(language, _FRAMES["en"])
    said = [f"{lines[kind]}:\n{site_url}{address(kind, dataset_id)}" for kind, dataset_id in entries[:_MOST]]
    if len(entries) > _MOST:
        said.append(f"… + {len(entries) - _MOST}: {site_url}/notifications")
    plural = _PLURALS.get(language, "s") if len(entries) != 1 else ""
    text = "\n\n".join([*said, foot.format(url=f"{site_url}/notifications")])
    return subject.format(host=host, count=len(entries), s=plural), text + "\n"


def address(kind: str, dataset_id: str) -> str:
    """The path of the page that a notification is about."""
    return "/requests" if kind == "request" else f"/dataset/{dataset_id}"
