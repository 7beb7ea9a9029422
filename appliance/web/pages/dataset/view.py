"""A dataset's page and its citation files."""

from __future__ import annotations

import sqlite3
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from appliance.actions import deletion
from appliance.model import licences, references
from appliance.model.problem import not_found
from appliance.model.viewer import DatasetFacts
from appliance.store import collections, communities, datasets, following, instruments, publications, tags, users
from appliance.web.pages.dataset import activity, citation, collection_entries, file_list, version_notes
from appliance.web.pages.dataset.dataset_card import dataset_url, state_badges
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import markdown
from appliance.web.pages.frame.allow import allow, may, require_object
from appliance.web.pages.frame.base import conn, settings, viewer
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.page_cache import cacheable
from appliance.web.pages.frame.render import render, url_with

bp = Blueprint("dataset", __name__)
#: Tags that are shown at once; more are a click away.
_TAGS_FIRST = 15


def load(ref: str) -> tuple[sqlite3.Row, DatasetFacts]:
    """The dataset `ref` (id or name) if the viewer may see it and may do what the route declares.

    Raises Problem 404 when it is missing or hidden (both look alike), 403 when it may be seen but not changed.
    """
    row = datasets.visible(conn(), ref, viewer())
    if row is None:
        raise not_found()
    facts = datasets.facts_of(conn(), row)
    require_object(facts)
    return row, facts


@bp.get("/<uuid:dataset_id>")
@allow("dataset:read")
def citation_link(dataset_id: UUID) -> Response:
    """The short address by which DCOR's manual cites a dataset."""
    row = load(str(dataset_id))[0]
    return redirect(f"/dataset/{row['id']}")


@bp.get("/dataset/<ref>")
@allow("dataset:read")
@cacheable
def page(ref: str) -> str:
    """What it is, whose, in which state; its files; what one may do with it."""
    row, facts = load(ref)
    circle = communities.find(conn(), row["circle_id"], "circle", deleted=True)
    return render(
        "dataset/page.html",
        title=row["title"] or row["name"],
        id=row["id"],
        authors=row["authors"],
        badges=state_badges(row["state"], private=facts.private),
        description=markdown.cached(row["notes"]) if row["notes"] else "",
        crumbs=crumbs(row, circle),
        notes_to_reader=_notes(row, facts) + version_notes.of(row),
        facts=_facts(row, circle),
        tags=[{"text": name, "url": url_with("/dataset", tags=name)} for name in tags.of_dataset(conn(), row["id"])],
        tags_first=_TAGS_FIRST,
        citation=citation.text(row, settings().server.title, address(row)),
        address=address(row),
        bibtex_url=f"/dataset/{row['name']}/citation.bib",
        ris_url=f"/dataset/{row['name']}/citation.ris",
        base=f"/dataset/{row['id']}",
        collected=collection_entries.shown(facts) if may("dataset:collections", facts) else [],
        activity=activity.of_dataset(facts) if _is_insider(facts) else [],
        **file_list.listed(row, facts),
        **_actions(row, facts),
    )


def crumbs(row: sqlite3.Row, circle: sqlite3.Row | None, *more: tuple[str, str]) -> list[dict[str, str]]:
    """The way from the circles down to a dataset, and further on."""
    way = [(_("Circles"), "/organization")]
    if circle is not None:
        way.append((circle["title"] or circle["name"], f"/organization/{circle['name']}"))
    way += [(row["title"] or row["name"], dataset_url(row) if more else ""), *more]
    return [{"text": text, "url": url} for text, url in way]


def address(row: sqlite3.Row) -> str:
    """The lasting address: by id, which never changes and is never used again."""
    return f"{settings().site_url}/dataset/{row['id']}"


def _is_insider(facts: DatasetFacts) -> bool:
    who = viewer()
    return who.sysadmin or facts.circle_id in who.circles or facts.id in who.collaborations


def _notes(row: sqlite3.Row, facts: DatasetFacts) -> list[dict[str, str]]:
    found = []
    if row["state"] == "draft" and may("dataset:update", facts):
        found.append(
            {
                "kind": "warn",
                "text": _(
                    "This is a draft. Add files and check the description, then activate it; after that its content can no longer be changed."
                ),
                "url": "",
                "link": "",
            }
        )
    elif row["state"] == "draft":
        found.append(
            {"kind": "warn", "text": _("This is a draft: its content can still change."), "url": "", "link": ""}
        )
    if row["state"] == "deleted":
        found.append(
            {
                "kind": "bad",
                "text": _("This dataset was deleted. It is kept until it is purged."),
                "url": "",
                "link": "",
            }
        )
    return found


def _facts(row: sqlite3.Row, circle: sqlite3.Row | None) -> list[dict[str, Any]]:
    licence = licences.find(row["license_id"])
    found: list[dict[str, Any]] = []
    if circle is not None:
        found.append(
            {
                "name": _("Circle"),
                "links": [{"text": circle["title"] or circle["name"], "url": f"/organization/{circle['name']}"}],
            }
        )
    held = collections.of_dataset(conn(), row["id"])
    if held:
        found.append(
            {
                "name": _("Collections"),
                "links": [{"text": c["title"] or c["name"], "url": f"/group/{c['name']}"} for c in held],
            }
        )
    if licence and licence["url"]:
        found.append(
            {"name": _("Licence"), "links": [{"text": licence["title"], "url": licence["url"], "external": True}]}
        )
    else:
        found.append(
            {"name": _("Licence"), "text": licence["title"] if licence else row["license_id"] or _("Not specified")}
        )
    if row["doi"]:
        found.append(
            {"name": "DOI", "links": [{"text": row["doi"], "url": f"https://doi.org/{row['doi']}", "external": True}]}
        )
    if row["reference_list"]:
        links = [{"text": text, "url": url, "external": True} for text, url in references.links(row["reference_list"])]
        found.append({"name": _("References"), "links": links})
    elsewhere = [one for one in publications.of_dataset(conn(), row["id"]) if one.state == "active"]
    if elsewhere:
        copies = _("{address} (pseudonymised copies)")
        links = [
            {"text": copies.format(address=one.url) if one.pseudonymised else one.url, "url": one.url, "external": True}
            for one in elsewhere
        ]
        found.append({"name": _("Published as"), "links": links})
    owner = users.find(conn(), row["creator_id"])
    if owner is not None and (viewer().sysadmin or viewer().user_id == owner["id"]):
        found.append(
            {
                "name": _("Owner"),
                "links": [{"text": owner["fullname"] or owner["name"], "url": f"/user/{owner['name']}"}],
            }
        )
    if instruments.is_reference(conn(), row["id"]):
        found.append(
            {"name": _("Reference"), "links": [{"text": _("Reference for its instruments"), "url": "/instruments"}]}
        )
    found.append({"name": _("Created"), "text": show.local(row["created"])})
    found.append({"name": _("Last modified"), "text": show.local(row["modified"])})
    return found


def _actions(row: sqlite3.Row, facts: DatasetFacts) -> dict[str, list[dict[str, Any]]]:
    """Buttons, each only where it works. What can not be undone says so on the page it leads to."""
    base = f"/dataset/{row['id']}"
    draft, active = row["state"] == "draft", row["state"] == "active"
    editor = may("dataset:update", facts)
    first: list[dict[str, Any]] = []
    more: list[dict[str, Any]] = []
    if draft and editor:
        if settings().web.browser_upload:
            first.append({"url": f"{base}/upload", "icon": "upload", "text": _("Add files")})
        if row["num_resources"]:
            more.append({"url": f"{base}/files", "icon": "file", "text": _("Manage files")})
            more.append({"url": f"{base}/supplements", "icon": "table", "text": _("Supplementary metadata")})
        first.append({"url": f"{base}/activate", "icon": "check", "text": _("Activate"), "primary": True})
    if row["num_resources"] and row["state"] != "deleted":
        first.insert(
            0, {"url": f"{base}/download.zip", "icon": "download", "text": _("Download all"), "download": True}
        )
    if may("dataset:share", facts) and row["state"] != "deleted":
        first.append({"url": f"{base}/share", "icon": "share", "text": _("Share")})
    if editor and (draft or active):
        more.append(
            {"url": f"{base}/edit", "icon": "draft", "text": _("Edit") if draft else _("Visibility and licence")}
        )
    if row["num_resources"] and row["state"] != "deleted":
        more.append({"url": f"{base}/download.sh", "icon": "log", "text": _("Download script")})
        more.append({"url": f"{base}/SHA256SUMS", "icon": "hash", "text": _("List of checksums")})
    if not viewer().anonymous and row["state"] != "deleted":
        more.append({"url": f"{base}/collections", "icon": "collection", "text": _("Collections")})
        follows = following.follows(conn(), str(viewer().user_id), "dataset", row["id"])
        more.append(
            {
                "url": f"{base}/{'unfollow' if follows else 'follow'}",
                "icon": "star",
                "text": _("Unfollow") if follows else _("Follow"),
                "post": True,
            }
        )
    if active and may("dataset:version", facts):
        more.append({"url": f"{base}/version", "icon": "copy", "text": _("New version")})
    more += _reference_switch(row, facts)
    if active and settings().publish.targets and may("site:administer"):
        more.append({"url": f"{base}/publish", "icon": "globe", "text": _("Publish elsewhere")})
    if may("dataset:delete", facts) and (draft or viewer().sysadmin) and row["state"] != "deleted":
        more.append({"url": f"{base}/delete", "icon": "trash", "text": _("Delete draft") if draft else _("Delete")})
    if deletion.may_restore(viewer(), row, facts):
        first.append({"url": f"{base}/restore", "icon": "draft", "text": _("Restore"), "primary": True, "post": True})
    if row["state"] == "deleted" and may("dataset:purge", facts):
        first.append({"url": f"{base}/purge", "icon": "trash", "text": _("Purge")})
    return {"actions": first, "more_actions": more}


def _reference_switch(row: sqlite3.Row, facts: DatasetFacts) -> list[dict[str, Any]]:
    """The button by which the measurements count as references of their instruments, or no longer; none where there are no files."""
    if not row["num_resources"] or row["state"] == "deleted" or not may("dataset:annotate_shared", facts):
        return []
    marked = instruments.is_reference(conn(), row["id"])
    text = _("No longer use as reference") if marked else _("Use as reference")
    button = {"url": f"/dataset/{row['id']}/reference", "icon": "gauge", "text": text, "post": True}
    return [button | {"fields": {} if marked else {"on": "yes"}}]


@bp.get("/dataset/<ref>/citation.bib")
@allow("dataset:read")
def bibtex(ref: str) -> Response:
    """The citation for BibTeX."""
    row, _facts_of = load(ref)
    return _file_answer(
        citation.bibtex(row, settings().server.title, address(row)), "application/x-bibtex", f"{row['name']}.bib"
    )


@bp.get("/dataset/<ref>/citation.ris")
@allow("dataset:read")
def ris(ref: str) -> Response:
    """The citation for reference managers."""
    row, _facts_of = load(ref)
    return _file_answer(
        citation.ris(row, settings().server.title, address(row)),
        "application/x-research-info-systems",
        f"{row['name']}.ris",
    )


def _file_answer(text: str, kind: str, name: str) -> Response:
    return Response(
        text, content_type=f"{kind}; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def licence_title(row: sqlite3.Row) -> str:
    """The licence in words."""
    licence = licences.find(row["license_id"])
    return str(licence["title"]) if licence else row["license_id"] or _("Not specified")
