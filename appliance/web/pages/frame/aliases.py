"""Addresses that CKAN's users have in their bookmarks, leading to where the pages are here."""

from __future__ import annotations

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from appliance.web.pages.frame.allow import allow

bp = Blueprint("aliases", __name__)

_ALIASES = {
    "/organization/about/<ref>": "/organization/{ref}/about",
    "/organization/edit/<ref>": "/organization/{ref}/edit",
    "/organization/members/<ref>": "/organization/{ref}/members",
    "/group/about/<ref>": "/group/{ref}/about",
    "/group/edit/<ref>": "/group/{ref}/edit",
    "/group/members/<ref>": "/group/{ref}/members",
    "/group/manage_members/<ref>": "/group/{ref}/members",
    "/dataset/activity/<ref>": "/dataset/{ref}#activity",
    "/user/activity/<ref>": "/user/{ref}",
    "/dashboard/organizations": "/organization",
    "/dashboard/groups": "/group",
    "/user/": "/admin/users",
    "/ckan-admin": "/admin",
}


def _add(number: int, alias: str, target: str) -> None:
    @allow("open")
    def lead(ref: str = "") -> Response:
        """Redirect; the page itself asks who may see it."""
        return redirect(target.format(ref=ref), 301)

    bp.add_url_rule(alias, f"alias{number}", lead)


for _number, (_alias, _target) in enumerate(_ALIASES.items()):
    _add(_number, _alias, _target)
