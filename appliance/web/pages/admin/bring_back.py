"""One backup: what is in it, and one thing out of it. The private key is asked for each time and kept nowhere."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from appliance.actions import backups, bring_back
from appliance.model.problem import Problem, not_found
from appliance.web.pages.admin.backups import checked, kind_word, naive, signed
from appliance.web.pages.admin.frame import frame
from appliance.web.pages.admin.trash import ICONS, KINDS
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, settings, site, viewer
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import N_, ngettext
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.message_translation import translate
from appliance.web.pages.frame.render import render

bp = Blueprint("admin_bring_back", __name__)
#: Entries of each kind that one page shows; the filter leads to the others.
_SHOWN = 200
#: More bytes are left to the command line: a page's answer would take minutes (about 350 MB/s).
LARGEST = 4_000_000_000
_LISTS = {
    "datasets": ("dataset", N_("Datasets")),
    "files": ("file", N_("Files")),
    "users": ("user", N_("Users")),
    "circles": ("circle", N_("Circles")),
    "collections": ("collection", N_("Collections")),
}
_EFFECTS = {
    "dataset": N_("The dataset is restored with its files, tags and sharing. An existing dataset is left unchanged."),
    "file": N_("A lost or damaged file is replaced; the damaged one is moved to quarantine. An intact file is left unchanged."),
    "user": N_("The account is restored with its memberships and the password it had then, but without tokens."),
    "circle": N_("The circle is restored with its members. Its datasets are left unchanged."),
    "collection": N_("The collection is restored with its members and entries."),
}  # fmt: skip


@bp.get("/admin/backups/<name>")
@allow("site:administer")
def page(name: str) -> str:
    """What can be said of a backup without its private key."""
    return _page(name)


@bp.post("/admin/backups/<name>/contents")
@allow("site:administer")
def contents(name: str) -> Any:
    """What a backup holds; the private key opens it."""
    wanted, words = request.form.get("list", ""), request.form.get("q", "").strip()
    try:
        found = bring_back.contents(site(), viewer(), _place(name))
    except Problem as problem:
        return _refused(problem, lambda errors: _page(name, errors, wanted, words))
    lists = [wanted] if wanted in _LISTS else list(_LISTS)
    return _page(name, {}, wanted, words, [_list(name, key, found[key], words) for key in lists])


@bp.get("/admin/backups/<name>/restore/<any(dataset, file, user, circle, collection):kind>/<ref>")
@allow("site:administer")
def ask(name: str, kind: str, ref: str) -> str:
    """Ask before one thing is brought back, and for the private key."""
    return _question(name, kind, ref)


@bp.post("/admin/backups/<name>/restore/<any(dataset, file, user, circle, collection):kind>/<ref>")
@allow("site:administer")
def restore(name: str, kind: str, ref: str) -> Any:
    """Bring back one thing from a backup."""
    try:
        done = bring_back.bring_back(site(), viewer(), _place(name), kind, ref)
    except Problem as problem:
        return _refused(problem, lambda errors: _question(name, kind, ref, errors))
    files = ngettext("%(num)s file", "%(num)s files", done.files) + f" ({show.size(done.size)})" if done.files else ""
    return _page(name, restored=done.name, files=files, notes=[translate(line) for line in done.notes])


def _refused(problem: Problem, form: Any) -> tuple[str, int]:
    """The form once more with what is wrong; a backup or thing that is not there is said in the form, too."""
    if problem.status not in (404, 409):
        raise problem
    return form(messages(problem)), 409


def _place(name: str) -> bring_back.Place:
    key = request.form.get("key", "")
    return bring_back.Place(backups.folder(settings()), key, name, largest=LARGEST)


def _row(name: str) -> dict[str, Any]:
    """The backup as the list shows it. Raises Problem 404."""
    found = backups.listed(backups.folder(settings()), backups.own_signer(settings()))
    row = next((one for one in found if one["name"] == name), None)
    if row is None:
        raise not_found()
    return row


def _page(
    name: str,
    errors: dict[str, str] | None = None,
    wanted: str = "",
    words: str = "",
    lists: list[dict[str, Any]] | None = None,
    **said: Any,
) -> str:
    row = _row(name)
    seen = checked(backups.last_verified(conn(), [name]).get(name))
    facts = [
        (_("Created"), f"{show.moment(naive(row['created']))} ({show.ago(naive(row['created']))})"),
        (_("Kind"), kind_word(row["kind"])),
        (_("Files"), show.integer(row["files"])),
        (_("Size"), show.size(row["size"])),
        (_("Signed"), signed(row)),
        (_("Verified"), seen["text"]),
        (_("Server"), row.get("hostname", "")),
        (_("Release"), row.get("version", "")),
    ]
    return render(
        "admin/backup.html",
        name=name,
        problem=translate(row["problem"]),
        facts=[{"name": one, "text": text} for one, text in facts if text],
        folder=str(backups.folder(settings())),
        errors=errors or {},
        words=words,
        options=[
            {"value": "", "text": _("Everything"), "on": not wanted},
            *({"value": key, "text": _(text), "on": key == wanted} for key, (_kind, text) in _LISTS.items()),
        ],
        lists=lists,
        crumbs=[{"url": "/admin/backups", "text": _("Backups")}],
        **said,
        **frame("backups", _("Backup of %(when)s", when=show.moment(naive(row["created"])))),
    )


def _list(name: str, key: str, rows: list[dict[str, Any]], words: str) -> dict[str, Any]:
    kind, title = _LISTS[key]
    found = [row for row in rows if _fits(row, words)]
    return {
        "title": _(title),
        "icon": ICONS[kind],
        "count": show.integer(len(found)),
        "left_out": ngettext(
            "%(num)s more entry: search for it above.",
            "%(num)s more entries: search for them above.",
            len(found) - _SHOWN,
        )
        if len(found) > _SHOWN
        else "",
        "rows": [
            {
                "name": row["name"],
                "text": row.get("title") or row.get("fullname") or row.get("dataset") or "",
                "of": row.get("circle", ""),
                "size": show.size(row["bytes"]) if "bytes" in row else "",
                "url": f"/admin/backups/{name}/restore/{kind}/{row['id'] if kind == 'file' else row['name']}",
            }
            for row in found[:_SHOWN]
        ],
    }


def _fits(row: dict[str, Any], words: str) -> bool:
    """Does every word stand in one of the texts of the row?"""
    text = " ".join(str(value) for value in row.values()).casefold()
    return all(word in text for word in words.casefold().split())


def _question(name: str, kind: str, ref: str, errors: dict[str, str] | None = None) -> str:
    row = _row(name)
    return render(
        "admin/bring-back.html",
        back=f"/admin/backups/{name}",
        action=request.path,
        item=f"{_(KINDS[kind])} · {ref}",
        text=_(_EFFECTS[kind]),
        backup=_("From the backup of %(when)s", when=show.moment(naive(row["created"]))),
        errors=errors or {},
        **frame("backups", _("Restore from a backup")),
    )
