"""Licences of datasets, and which changes make them less restrictive."""

from __future__ import annotations

from typing import Any

from appliance.model.messages import Message
from appliance.model.problem import invalid, not_authorized

_CC = "https://creativecommons.org"


def _licence(
    id_: str, title: str, url: str, uses: tuple[bool, bool, bool], od: str, maintainer: str, family: str = ""
) -> dict[str, Any]:
    content, data, software = uses
    return {
        "id": id_, "title": title, "url": url,
        "domain_content": content, "domain_data": data, "domain_software": software,
        "family": family, "maintainer": maintainer, "od_conformance": od, "osd_conformance": "not reviewed", "status": "active",
    }  # fmt: skip


_NONE = _licence("none", "Not specified", "", (False, False, False), "not approved", "Unknown")
STANDARD = (
    _NONE,
    _licence(
        "CC0-1.0",
        "Creative Commons Public Domain Dedication",
        f"{_CC}/publicdomain/zero/1.0/",
        (True, True, True),
        "approved",
        "Creative Commons",
    ),
    _licence(
        "CC-BY-4.0",
        "Creative Commons Attribution 4.0",
        f"{_CC}/licenses/by/4.0/",
        (True, True, False),
        "approved",
        "Creative Commons",
    ),
    _licence(
        "CC-BY-SA-4.0",
        "Creative Commons Attribution Share-Alike 4.0",
        f"{_CC}/licenses/by-sa/4.0/",
        (True, True, False),
        "approved",
        "Creative Commons",
    ),
    _licence(
        "CC-BY-NC-4.0",
        "Creative Commons Attribution-NonCommercial 4.0",
        f"{_CC}/licenses/by-nc/4.0/",
        (True, True, False),
        "rejected",
        "Creative Commons",
        "Creative Commons",
    ),
)
MEDICAL = (_NONE, _licence("patient", "Unlicensed Patient Data", "", (False, True, False), "not approved", "Unknown"))

#: Restrictiveness: a licence may only be replaced by one of lower rank. Unknown ids count as free.
_RANK = {"CC0-1.0": 0, "CC-BY-4.0": 1, "CC-BY-SA-4.0": 2, "CC-BY-NC-4.0": 2, "none": 3}


def listed(which: str) -> tuple[dict[str, Any], ...]:
    """The licence list named by the setting ``policy.licences``."""
    return MEDICAL if which == "medical" else STANDARD


def find(id_: str) -> dict[str, Any] | None:
    """The licence `id_` of any list, or None."""
    return next((licence for licence in (*STANDARD, *MEDICAL) if licence["id"] == id_), None)


def require_choice(id_: str, which: str) -> None:
    """Raises Problem 409 unless a user chose a licence of the list."""
    ids = [licence["id"] for licence in listed(which) if licence["id"] != "none"]
    if id_ not in ids:
        raise invalid({"license_id": [Message("Please choose a license_id: %(ids)s", ids=ids)]})


def require_listed(id_: str, which: str) -> None:
    """Raises Problem 409 for a licence that is not in the list; also for administrators."""
    ids = [licence["id"] for licence in listed(which)]
    if id_ not in ids:
        raise invalid({"license_id": [Message("Please choose a license_id: %(ids)s", ids=ids)]})


def looser(old: str) -> list[str]:
    """Ids of the standard licences that may replace `old`, itself first."""
    return [old] + [
        licence["id"] for licence in STANDARD if licence["id"] != "none" and _RANK[licence["id"]] < _RANK.get(old, 0)
    ]


def require_looser(old: str, new: str) -> None:
    """Raises Problem 403 for a more restrictive licence."""
    if new != old and _RANK.get(new, 0) >= _RANK.get(old, 0):
        raise not_authorized("Cannot switch to more-restrictive license")
