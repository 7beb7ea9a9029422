"""Publishing elsewhere: where a dataset may go, what forbids it, and the commands that send it.

The command line sends, not the service: so no token of another server is ever typed into a page or kept, and the service itself opens
no connection to other servers.
"""

from __future__ import annotations

import shlex
from typing import Any

from flask import Blueprint

from appliance.actions import outgoing
from appliance.actions.outgoing import Wishes
from appliance.model import server_address
from appliance.model.problem import Problem, not_found
from appliance.store import publications
from appliance.web.pages.dataset.manage import frame
from appliance.web.pages.dataset.view import load
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, settings, site, viewer
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.message_translation import translate
from appliance.web.pages.frame.render import render

bp = Blueprint("publishing", __name__)
#: Stands for the circle there, which whoever copies the command writes.
_CIRCLE = "CIRCLE"


@bp.get("/dataset/<ref>/publish")
@allow("site:administer")
def page(ref: str) -> str:
    """The servers that an administrator has named, with what each still needs."""
    row, _facts = load(ref)
    if row["state"] != "active":
        raise not_found()
    plain, reasons = outgoing.examined(site(), viewer(), row["id"], Wishes())
    copies, reasons_of_copies = outgoing.examined(site(), viewer(), row["id"], Wishes(pseudonymise=True))
    known = {one.target: one for one in publications.of_dataset(conn(), row["id"])}
    urls = [_address(one) for one in settings().publish.targets.split()]
    return render(
        "dataset/publish.html",
        **frame(row, _("Publish elsewhere")),
        ways=[
            {
                "title": _("The files as they are"),
                "reasons": [translate(one) for one in reasons],
                "notes": [translate(one) for one in plain.notes],
                "option": "",
            },
            {
                "title": _("Pseudonymised copies"),
                "reasons": [translate(one) for one in reasons_of_copies],
                "notes": [translate(one) for one in copies.notes],
                "option": " --pseudonymise",
            },
        ],
        targets=[
            {"url": url, "known": _state(known.get(url)), "commands": _commands(row["name"], url)} for url in urls
        ],
    )


def _address(written: str) -> str:
    """A server of the settings as `dcor push` notes it; what is no address stays as it is written, and the command refuses it."""
    try:
        return server_address.parse(written).url
    except Problem:
        return written


def _state(known: publications.Publication | None) -> dict[str, Any] | None:
    """What has been sent there before."""
    if known is None:
        return None
    texts = {"begun": _("Begun"), "draft": _("A draft there"), "active": _("Published there")}
    return {"text": texts[known.state], "url": known.url}


def _commands(name: str, url: str) -> list[dict[str, str]]:
    """The commands for each way, by its option: one that only shows, one that sends and activates."""
    found = []
    for option in ("", " --pseudonymise"):
        command = f"sudo dcor push {shlex.quote(name)} --to {shlex.quote(url)} --circle {_CIRCLE}{option}"
        send = f"{command} --activate --token-stdin < token.txt"
        found.append({"option": option, "show": f"{command} --dry-run", "send": send})
    return found
