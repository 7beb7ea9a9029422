"""Background work in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from appliance.model.messages import Message
from appliance.store import jobs
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.message_translation import translate

KINDS = {
    "checksum": N_("Checksums"),
    "metadata": N_("Metadata"),
    "condense": N_("Condensed file"),
    "preview": N_("Preview"),
    "gate_export": N_("Gate export"),
    "scrub": N_("Integrity of stored files"),
    "backup": N_("Backup"),
    "prune_drafts": N_("Old drafts"),
    "purge_playground": N_("Old playground data"),
    "orphans": N_("Orphaned files"),
    "run_missing": N_("Missing generated files"),
    "forget_jobs": N_("Old jobs"),
    "statistics": N_("Storage figures"),
    "user_tree": N_("Folder tree"),
    "sweep_uploads": N_("Unfinished uploads"),
    "watch": N_("Monitoring"),
    "notify": N_("Notifications"),
    "audit": N_("Audit log"),
    "forward_audit": N_("Audit log forwarding"),
    "virus_scan": N_("Virus scan"),
    "empty_trash": N_("Trash"),
    "checks": N_("Health checks"),
    "directory": N_("Directory accounts"),
    "provider": N_("OpenID provider sessions"),
    "archive": N_("Move to the archive"),
    "recall": N_("Recall from the archive"),
}
STATES = {
    "queued": (N_("waiting"), "warn"),
    "running": (N_("running"), "run"),
    "done": (N_("done"), "good"),
    "failed": (N_("failed"), "bad"),
    "cancelled": (N_("cancelled"), ""),
}


def kind(name: str) -> str:
    """A job's kind as people say it."""
    return _(KINDS[name]) if name in KINDS else name.replace("-", " ").replace("_", " ").capitalize()


def state(name: str) -> str:
    """A job's state as people say it."""
    return _(STATES[name][0]) if name in STATES else name


def error(text: str) -> str:
    """Why a job failed, in the reader's language; also when it is another one's failure that it waited for."""
    if isinstance(text, Message) and text.template == jobs.NEEDED_FAILED:
        needed, reason = str(text.values["kind"]), str(text.values["error"])
        return _("%(job)s failed: %(reason)s", job=kind(needed), reason=error(reason))
    return translate(text)


def job(row: Mapping[str, Any]) -> dict[str, str]:
    """The view model of one job."""
    text = _("waiting for free space on the data volume") if waits_for_room(row) else state(row["state"])
    if row["state"] == "running" and row["progress"]:
        text = f"{text}, {show.percent(row['progress'], 1)}"
    if row["state"] == "done":
        text = f"{text}, {show.ago(row['finished'])}"
    return {
        "name": kind(row["kind"]),
        "text": text,
        "kind": STATES.get(row["state"], ("", ""))[1],
        "error": error(row["error"] or "") if row["state"] == "failed" or waits_for_room(row) else "",
    }


def waits_for_room(row: Mapping[str, Any]) -> bool:
    """Was this job postponed because the data volume has no room for its output?"""
    return (row["state"], row["stage"]) == ("queued", jobs.NO_ROOM)


def is_open(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Is any of these jobs waiting or running?"""
    return any(row["state"] in ("queued", "running") for row in rows)


def summary(rows: Iterable[Mapping[str, Any]]) -> dict[str, str] | None:
    """All jobs of a file in two words, None when there is nothing to say."""
    found = list(rows)
    states = {row["state"] for row in found}
    if "failed" in states:
        return {"kind": "bad", "text": _("job failed")}
    if "running" in states:
        return {"kind": "run", "text": _("being processed")}
    if any(waits_for_room(row) for row in found):
        return {"kind": "warn", "text": _("waiting for free space on the data volume")}
    if "queued" in states:
        return {"kind": "warn", "text": _("waiting")}
    return None


def by_file(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Jobs gathered by the resource they work on."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["resource_id"] or "", []).append(row)
    return found
