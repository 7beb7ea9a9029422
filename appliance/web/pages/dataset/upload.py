"""Uploading in the browser: a new draft, then its files. The bytes go past this module, straight into the depot."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, request

from appliance.actions import datasets as verbs
from appliance.model import names
from appliance.model.problem import Problem, not_found
from appliance.model.roles import allows
from appliance.store import communities, dataset_cards, resources
from appliance.web.pages.dataset import supplements
from appliance.web.pages.dataset import view as dataset_pages
from appliance.web.pages.dataset.dataset_card import hits
from appliance.web.pages.dataset.manage import licence_options, require_doi
from appliance.web.pages.dataset.view import load
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow, may
from appliance.web.pages.frame.base import conn, settings, site, viewer
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("upload", __name__)
_TEXTS = ("title", "authors", "notes", "tag_string", "owner_org", "license_id", "visibility", "doi", "references")


def _require_offered() -> None:
    if not settings().web.browser_upload:
        raise not_found(_("Uploads in the browser are switched off here. Use DCOR-Aid."))


@bp.get("/upload")
@bp.get("/dataset/new")
@allow("site:user")
def page() -> str:
    """Go on with a draft, or begin a new one."""
    _require_offered()
    return _page({"owner_org": request.args.get("circle", ""), "authors": _own_name()}, {})


def _own_name() -> str:
    return str(g.person["fullname"] or "")


def _page(values: dict[str, str], errors: dict[str, str]) -> str:
    drafts = dataset_cards.own_pks(conn(), str(viewer().user_id), viewer(), "drafts", limit=6)
    public = settings().policy.public_datasets
    chosen = values.get("visibility", "private")
    visibility = [
        {
            "value": "private",
            "on": chosen != "public" or not public,
            "title": _("Private"),
            "text": _("Visible to members of its circle and collections and to people it is shared with."),
        }
    ]
    if public:
        visibility.append(
            {
                "value": "public",
                "on": chosen == "public",
                "title": _("Public"),
                "text": _("Visible to everyone with access to this server once it is active."),
            }
        )
    return render(
        "upload/new.html",
        title=_("Upload"),
        drafts=hits(drafts),
        values=values,
        errors=errors,
        may_found=may("circle:create"),
        contact=settings().web.contact,
        circles=_circles(values.get("owner_org", "")),
        licences=licence_options(values.get("license_id", "")),
        visibility=visibility,
    )


def _circles(chosen: str) -> list[dict[str, Any]]:
    """The circles in which the viewer may create datasets."""
    who = viewer()
    if who.sysadmin:
        rows = communities.listed(conn(), "circle", who)
    else:
        rows = communities.by_ids(
            conn(), [one for one, role in who.circles.items() if allows(role, "create_dataset")], "circle"
        )
    return [
        {"value": row["name"], "text": row["title"] or row["name"], "on": chosen in (row["name"], row["id"])}
        for row in rows
    ]


@bp.post("/upload")
@allow("dataset:create")
def create() -> Any:
    """Make the draft and go on to its files."""
    _require_offered()
    values = {key: request.form.get(key, "").strip() for key in _TEXTS}
    data: dict[str, Any] = {
        key: values[key] for key in ("title", "authors", "notes", "owner_org", "license_id", "doi", "references")
    }
    data |= {
        "state": "draft",
        "private": values["visibility"] != "public",
        "tags": [{"name": tag.strip()} for tag in values["tag_string"].split(",") if tag.strip()],
    }
    try:
        if not values["title"]:
            raise Problem(409, "Validation Error", {"title": ["Missing value"]})
        require_doi(data)
        dataset_id = verbs.create(site(), viewer(), data)
    except Problem as problem:
        if problem.status not in (403, 409):
            raise
        return _page(values, messages(problem)), problem.status
    return back_to(f"/dataset/{dataset_id}/upload", done="created")


@bp.get("/dataset/<ref>/upload")
@allow("dataset:update")
def files(ref: str) -> str:
    """Add files to a draft, also to one begun in DCOR-Aid."""
    row, facts = load(ref)
    _require_offered()
    if row["state"] != "draft":
        raise not_found()
    circle = communities.find(conn(), row["circle_id"], "circle", deleted=True)
    present = resources.of_dataset(conn(), row["id"])
    return render(
        "upload/files.html",
        title=_("Add files"),
        dataset_title=row["title"] or row["name"],
        base=f"/dataset/{row['id']}",
        crumbs=dataset_pages.crumbs(row, circle, (_("Add files"), "")),
        present=[
            {
                "name": file["name"],
                "size": show.size(file["size"]),
                "url": f"/dataset/{row['id']}/resource/{file['id']}/edit",
            }
            for file in present
        ],
        form=supplements.form(settings().policy.supplements),
        may_activate=may("dataset:update", facts),
        suffixes=", ".join(names.SUFFIXES),
        data=_script_data(row["id"], [{"name": file["name"], "size": file["size"]} for file in present]),
    )


def _script_data(dataset_id: str, present: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "dataset": dataset_id,
        "present": present,
        "suffixes": list(names.SUFFIXES),
        "largest": settings().depot.max_upload,
        "words": {
            "chosen": _("Not started"),
            "chosenTotal": _("{n} selected, {size}"),
            "failedCount": _("{n} failed"),
            "waiting": _("waiting"),
            "hashing": _("Checking"),
            "sending": _("Uploading"),
            "paused": _("Paused"),
            "finishing": _("Finishing"),
            "done": _("Uploaded, checksum verified"),
            "present": _("Already in this dataset"),
            "failed": _("Failed: {reason}"),
            "retrying": _("Connection lost, retrying"),
            "suffix": _("This file type is not accepted."),
            "empty": _("The file is empty."),
            "large": _("The file is larger than the server accepts."),
            "twice": _("There is already a file with this name and a different size."),
            "renamed": _("uploaded as {name}"),
            "resume": _("Resuming at {share}"),
            "total": _("{done} of {all} files, {sent} of {size}"),
            "rate": _("{rate}/s, {time} left"),
            "finished": _("Upload complete"),
            "seconds": _("{n} s"),
            "minutes": _("{n} min"),
            "hours": _("{n} h"),
            "remove": _("Remove {name} from the list"),
            "retry": _("Try again"),
            "leave": _("Files are still uploading."),
            "unfinished": _("Unfinished upload: {names}. Select the same files to resume."),
        },
    }
