"""Backups: which there are, whether they can be trusted, and one more at once."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from werkzeug.wrappers import Response

from appliance.actions import backup_trials, backups
from appliance.model.problem import Problem
from appliance.store import audit
from appliance.store import jobs as job_store
from appliance.web.pages.admin.frame import frame
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import job_texts
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, context, settings, site, viewer
from appliance.web.pages.frame.i18n import N_, ngettext
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.message_translation import translate
from appliance.web.pages.frame.problem_texts import translated
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("admin_backups", __name__)
_SHOWN = 60
_KINDS = {"full": N_("Complete"), "database": N_("database only")}


@bp.get("/admin/backups")
@allow("site:administer")
def page() -> str:
    """The backups there are, trial restores, and the key."""
    return _page()


def _page(verified: dict[str, Any] | None = None) -> str:
    place = backups.folder(settings())
    found = backups.listed(place, backups.own_signer(settings()))
    seen = backups.last_verified(conn(), [row["name"] for row in found[:_SHOWN]])
    last = job_store.list_(conn(), kind="backup", limit=1)
    return render(
        "admin/backups.html",
        recipient=settings().backup.recipient,
        place=str(place),
        backups=[
            {
                "name": row["name"],
                "created": show.local(naive(row["created"])),
                "ago": show.ago(naive(row["created"])),
                "kind": kind_word(row["kind"]),
                "files": show.integer(row["files"]),
                "size": show.size(row["size"]),
                "problem": translate(row["problem"]),
                "signed": signed(row),
                "verified": checked(seen.get(row["name"])),
            }
            for row in found[:_SHOWN]
        ],
        count=ngettext("%(num)s backup", "%(num)s backups", len(found)),
        keep=_(
            "Kept: %(daily)s daily, %(monthly)s monthly and %(yearly)s yearly backups.",
            daily=settings().backup.keep_daily,
            monthly=settings().backup.keep_monthly,
            yearly=settings().backup.keep_yearly,
        ),
        trials=[
            {
                "at": show.local(naive(str(row.get("at", "")))),
                "problems": [translate(str(line)) for line in row.get("problems") or []],
            }
            for row in backup_trials.trials(settings())[:6]
        ],
        job=job_texts.job(last[0]) if last else None,
        verified=verified,
        **frame("backups", _("Backups")),
    )


def kind_word(kind: str) -> str:
    """ "Complete" or "database only"."""
    return _(_KINDS[kind]) if kind in _KINDS else kind


def signed(row: dict[str, Any]) -> str:
    """Who has signed a backup, as far as it can be read."""
    if row["problem"]:
        return ""
    return _("by this server") if row["own"] else _("by another server")


def checked(found: dict[str, Any] | None) -> dict[str, str]:
    """When a backup was verified last, and what came of it."""
    if found is None:
        return {"kind": "", "text": _("not yet"), "title": ""}
    count = int(found["detail"].get("problems", 0))
    text = ngettext("%(num)s problem", "%(num)s problems", count) if count else _("good")
    return {
        "kind": "bad" if count else "good",
        "text": f"{text}, {show.ago(found['at'])}",
        "title": show.moment(found["at"]),
    }


def naive(moment: str) -> str:
    """A stored moment without its zone, which is always UTC."""
    return moment.removesuffix("Z").partition("+")[0]


@bp.post("/admin/backups/create")
@allow("site:administer")
def create() -> Response:
    """Queue a backup."""
    with context().db.write() as tx:
        job_store.enqueue(tx, "backup")
        audit.add(tx, viewer(), "backup.queue", "site")
    context().wake_jobs()
    return back_to("/admin/backups", done="backup-queued")


@bp.post("/admin/backups/<name>/verify")
@allow("site:administer")
def verify(name: str) -> str:
    """Check a backup without its private key: signature, completeness, checksums."""
    try:
        found = backups.verify(settings(), name)
        backups.note_verified(site(), viewer(), found)
        problems = [translate(str(problem)) for problem in found.problems]
    except Problem as problem:
        problems = [translated(str(problem))]
    return _page({"name": name, "problems": problems})
