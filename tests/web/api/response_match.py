"""How like a recorded answer an answer is: keys, types, and values where they are an interface.

``<name>`` in a recorded answer stands for an id that the first answer with it tells; ``<time>``, ``<hex>``, ``<url>``… stand for
anything of that form. Where the appliance differs on purpose, the sets below say so, and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.web.api.replay import Play

#: Keys of which the value, too, must be as recorded.
EXACT = {
    "approval_status", "authors", "capacity", "doi", "format", "is_organization", "isopen", "license_id", "license_title", "license_url", "mapping",
    "name", "notes", "num_resources", "num_tags", "object_type", "osd_conformance", "perishable", "position", "private", "references", "state",
    "success", "table_name", "title", "type",
}  # fmt: skip
#: Values that are null or empty upstream before a job has run; here they are known from the beginning.
EARLY = {
    "last_modified",
    "metadata_modified",
    "mimetype",
    "format",
    "size",
    "url",
    "url_type",
    "last_access",
    "last_active",
}
#: May be null in one of the two: `about` is "" because null breaks a text box of DCOR-Aid, `error_emails_to` is null as in the reference.
NULLABLE = {"about", "error_emails_to", "image_url", "image_display_url", "description"}
#: Keys that only the appliance has.
EXTRA = {
    "doi",
    "references",
    "sp:chip:channel width",
    "extras",
    "etag",
    "sha256",
    "s3_url",
    "s3_available",
    "expires_at",
    "scope",
    "num_followers",
    "users",
}
#: Keys of users that members of a community are not shown of each other here.
PRIVATE = {
    "about", "activity_streams_email_notifications", "created", "email_hash", "image_display_url", "image_url", "last_active",
    "number_created_packages",
}  # fmt: skip

FORMS = {
    "<time>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}",
    "<id>": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "<hex>": r"[0-9a-f]{32}(-\d+)?|[0-9a-f]{64}",
    "<url>": r"https://.+",
    "<jti>": r"[A-Za-z0-9_.-]+",
    "<slug>": r"sample-dataset(-[0-9a-f]+)?",
    "<token>": r"[A-Za-z0-9._-]{37,}",
}


#: Ids that answers tell.
NAMED = {"<circle>", "<collection>", "<dataset>", "<empty>", "<draft>", "<measurement>", "<text>"}


def differences(play: Play, expected: Any, found: Any, path: str, *, exact: bool = True) -> Iterator[str]:
    """What is not as recorded, with its place: keys, types, and values where they are an interface."""
    key = path.rpartition("/")[2]
    if (
        isinstance(expected, str)
        and expected.startswith("<")
        and expected.endswith(">")
        and expected in {*FORMS, *play.ids, *NAMED}
    ):
        yield from _placeholder(play, expected if exact or expected in FORMS else "<id>", found, path)
    elif (key in EARLY and not expected) or (key in NULLABLE and None in (expected, found)):
        return
    elif type(expected) is not type(found):
        yield f"{path}: {expected!r}, here {found!r}"
    elif isinstance(expected, dict):
        yield from _by_key(play, expected, found, path, exact=exact)
    elif isinstance(expected, list):
        yield from _by_place(play, expected, found, path)
    elif exact and (key in EXACT or path.startswith("/error")) and expected != found:
        expected = play.known(expected) if isinstance(expected, str) else expected
        if expected != found:
            yield f"{path}: {expected!r}, here {found!r}"


def _by_key(play: Play, expected: dict[str, Any], found: dict[str, Any], path: str, *, exact: bool) -> Iterator[str]:
    data = (
        re.match(r"/result/(experiment|setup|facets)|/result$", path)
        and not {"id", "count", "ckan_version"} & expected.keys()
    )
    known = expected.keys() - (PRIVATE if "capacity" in expected and "fullname" in expected else set())
    if not data:  # otherwise the keys are a measurement's own, or names of things
        yield from (f"{path}/{key}: missing" for key in known - found.keys() if not key.startswith("dc:"))
        strange = found.keys() - expected.keys() - EXTRA
        yield from (f"{path}/{key}: {found[key]!r}, not upstream" for key in strange if not key.startswith("dc:"))
    for key in known & found.keys():
        yield from differences(play, expected[key], found[key], f"{path}/{key}", exact=exact)


def _by_place(play: Play, expected: list[Any], found: list[Any], path: str) -> Iterator[str]:
    if path.endswith("/license_id"):  # the order of the ids has no meaning
        yield from (
            f"{path}: no {id_} in {found}" for id_ in re.findall(r"CC[\w.-]+", expected[0]) if id_ not in found[0]
        )
    elif re.search(
        r"/result(/datasets|/results)?$|/(features|dclab-compress|extensions|items)$", path
    ):  # what a server happens to hold
        if expected and not found:
            yield f"{path}: nothing here"
        elif expected:
            own = isinstance(expected[0], dict) and play.ids.get(expected[0].get("id", ""), "") == found[0].get("id")
            yield from differences(play, expected[0], found[0], f"{path}/0", exact=own)
    elif len(expected) > len(found):
        yield f"{path}: {expected!r}, here {found!r}"
    else:
        for position, entry in enumerate(expected):
            yield from differences(play, entry, found[position], f"{path}/{position}")


def _placeholder(play: Play, expected: str, found: Any, path: str) -> Iterator[str]:
    form = FORMS.get(expected, FORMS["<id>"])
    if expected == "<token>":
        play.ids["<token>"] = found
    elif not isinstance(found, str) or (expected != "<site>" and re.fullmatch(form, found) is None):
        yield f"{path}: {expected}, here {found!r}"
    elif expected not in FORMS and play.ids.setdefault(expected, found) != found:
        yield f"{path}: {expected} = {play.ids[expected]}, here {found}"
