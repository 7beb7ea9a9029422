"""Questions for the table of permissions: each asks one thing in the name of one person and says how it went.

"y" it was done or shown, "." the answer came without the thing asked for, "-" not allowed (403), "0" not found (404),
"!" not acceptable (409), "?" malformed (400); anything else is the status itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from tests.support.server import DEADLINE, Answer, Person
from tests.support.waiting import wait_for
from tests.web.api.permission_fixture import CONTENT, STATES, Dataset, World

SIGNS = {200: "y", 201: "y", 204: "y", 206: "y", 403: "-", 404: "0", 409: "!", 400: "?"}


@dataclass(frozen=True)
class Probe:
    """A question.

    :ivar ask: (world, person, subject) → sign. :ivar subjects: states of datasets, kinds of communities, or "".
    :ivar fresh: each person gets a subject of their own, because asking changes it.
    """

    ask: Callable[[World, Person, Any], str]
    subjects: tuple[str, ...]
    fresh: bool


PROBES: dict[str, Probe] = {}


def sign(answer: Answer | requests.Response) -> str:
    """How it went."""
    status = answer.status if isinstance(answer, Answer) else answer.status_code
    return SIGNS.get(status, str(status))


def _probe(name: str, subjects: tuple[str, ...] = ("",), *, fresh: bool = False) -> Callable[[Any], Any]:
    def declare(ask: Callable[[World, Person, Any], str]) -> Callable[[World, Person, Any], str]:
        PROBES[name] = Probe(ask, subjects, fresh)
        return ask

    return declare


def _get(name: str, subjects: tuple[str, ...] = ("",), /, **parameters: Any) -> None:
    """An action asked by GET; values that are functions get (world, person, subject)."""

    def ask(world: World, person: Person, subject: Any) -> str:
        return sign(person.get(name.partition(" ")[0], **_filled(parameters, world, person, subject)))

    PROBES[name] = Probe(ask, subjects, False)


def _post(name: str, subjects: tuple[str, ...] = ("",), /, *, fresh: bool = True, **parameters: Any) -> None:
    """An action asked by POST."""

    def ask(world: World, person: Person, subject: Any) -> str:
        return sign(person.post(name.partition(" ")[0], **_filled(parameters, world, person, subject)))

    PROBES[name] = Probe(ask, subjects, fresh)


def _filled(parameters: dict[str, Any], world: World, person: Person, subject: Any) -> dict[str, Any]:
    return {key: value(world, person, subject) if callable(value) else value for key, value in parameters.items()}


def _found(name: str, where: Callable[[Any, Dataset], bool], subjects: tuple[str, ...], **parameters: Any) -> None:
    """A list asked by GET: is the dataset in it?"""

    def ask(world: World, person: Person, subject: Dataset) -> str:
        answer = person.get(name.partition(" ")[0], **_filled(parameters, world, person, subject))
        return sign(answer) if answer.status != 200 else "y" if where(answer.result, subject) else "."

    PROBES[name] = Probe(ask, subjects, False)


def _id(world: World, person: Person, subject: Dataset) -> str:
    return subject.id


def _tag(world: World, person: Person, subject: Dataset) -> str:
    return f"tag-{subject.name}"


def _resource(world: World, person: Person, subject: Dataset) -> str:
    return subject.resource


def _self(world: World, person: Person, subject: Any) -> str:
    return person.name or "nobody"


def _collection(world: World, person: Person, subject: Any) -> str:
    return world.collection


def _circle(world: World, person: Person, subject: Any) -> str:
    return world.circle


def _community(world: World, person: Person, subject: str) -> str:
    return subject


def _has_id(result: list[Any], subject: Dataset) -> bool:
    return any(one["id"] == subject.id for one in result)


# --- reading datasets -------------------------------------------------------------------------------------------------

ALL = ("public", "private", "open", "draft", "deleted")

_get("package_show", ALL, id=_id)
_get("resource_show", ALL, id=_resource)
_get("resource_view_list", STATES, id=_resource)
_get("dcor_verdict", STATES, id=_resource)
_get("dcor_statistics", STATES, ids=_resource)
_get("dcor_median_differences", STATES, ids=_resource)
_get("dcor_gate_list", STATES, id=_id)
_get("dcor_gate_events", STATES, id=_resource)
_GATES = [{"name": "cells", "conditions": [{"feature": "area_um", "min": 20}]}]
_get("dcor_gate_file", gates=json.dumps(_GATES), gate="cells")
_get("dcserv valid", ALL, id=_resource, query="valid", version="2")
_get("dcserv metadata", STATES, id=_resource, query="metadata", version="2")
_get("dcserv basins", STATES, id=_resource, query="basins", version="2")
_get("dataset_follower_count", STATES, id=_id)
_get("am_following_dataset", STATES, id=_id)
_found(
    "package_search", lambda result, one: _has_id(result["results"], one), ALL,
    fq=lambda world, person, one: f"id:{one.id}", include_private=True, include_drafts=True, include_deleted=True,
)  # fmt: skip
_found(
    "package_search plain",
    lambda result, one: result["count"] == 1,
    ALL,
    q=lambda world, person, one: f"name:{one.name}",
)
_found("package_list", lambda result, one: one.name in result, ALL)
_found("current_package_list_with_resources", _has_id, ALL, limit=1000)
_found(
    "package_autocomplete", lambda result, one: any(found["name"] == one.name for found in result), STATES,
    q=lambda world, person, one: one.name,
)  # fmt: skip
_found(
    "resource_search", lambda result, one: any(found["id"] == one.resource for found in result["results"]), STATES,
    query="name:data", limit=1000,
)  # fmt: skip
_found("group_package_show", _has_id, ALL, id=_collection, limit=1000)
_found(
    "group_show datasets",
    lambda result, one: _has_id(result["packages"], one),
    STATES,
    id=_collection,
    include_datasets=True,
)
_found(
    "organization_show datasets",
    lambda result, one: _has_id(result["packages"], one),
    STATES,
    id=_circle,
    include_datasets=True,
)
_found(
    "member_list package",
    lambda result, one: [one.id, "package", "Public"] in result,
    STATES,
    id=_collection,
    object_type="package",
)
_found("tag_list", lambda result, one: f"tag-{one.name}" in result, STATES)
_found("tag_autocomplete", lambda result, one: f"tag-{one.name}" in result, STATES, query=_tag)
_found(
    "tag_search",
    lambda result, one: any(tag["name"] == f"tag-{one.name}" for tag in result["results"]),
    STATES,
    query=_tag,
)
_get("tag_show", STATES, id=_tag)


@_probe("dataset_followee_list", ("public", "private", "draft"), fresh=True)
def _followee_list(world: World, person: Person, subject: Dataset) -> str:
    person.post("follow_dataset", id=subject.id)
    answer = person.get("dataset_followee_list", id=person.name or "nobody")
    return sign(answer) if answer.status != 200 else "y" if _has_id(answer.result, subject) else "."


#: Addresses of files that are asked for, to find those that nobody asks for.
PATHS: list[str] = []


def _file(name: str, path: str, subjects: tuple[str, ...] = ALL) -> None:
    PATHS.append(path)

    def ask(world: World, person: Person, subject: Dataset) -> str:
        address = path.format(id=subject.id, name=subject.name, resource=subject.resource)
        # A reader that is still starting answers 503, "try again in a moment".
        answer = wait_for(lambda: (given := person.fetch(address)).status_code != 503 and [given])[0]
        known = CONTENT, b"data.rtdc", subject.id.encode()
        assert answer.status_code != 200 or "export" in path or any(text in answer.content for text in known)
        return sign(answer)

    PROBES[name] = Probe(ask, subjects, False)


_RESOURCE = "/dataset/{id}/resource/{resource}"
_file("GET download", f"{_RESOURCE}/download/data.rtdc")
_file("GET download by name", "/dataset/{name}/resource/{resource}/download", STATES)
_file("GET condensed.rtdc", f"{_RESOURCE}/condensed.rtdc")
_file("GET preview.jpg", f"{_RESOURCE}/preview.jpg")
_file("GET preview.webp", f"{_RESOURCE}/preview.webp", STATES)
_file("GET thumbnail.webp", f"{_RESOURCE}/thumbnail.webp", STATES)
_file("GET columns.bin", f"{_RESOURCE}/columns.bin", STATES)
_file("GET pictures.json", f"{_RESOURCE}/pictures.json?events=0", STATES)
_file("GET density.bin", f"{_RESOURCE}/density.bin", STATES)
_file("GET event", f"{_RESOURCE}/event/0.json", STATES)  # of a file that is none: 409 to whom it may concern
_file("GET export.csv", f"{_RESOURCE}/export.csv?features=deform", STATES)
_file("GET emodulus.bin", f"{_RESOURCE}/emodulus.bin?lut=LE-2D-FEM-19", STATES)
_file("GET archive", "/dataset/{id}/download.zip")
_file("GET archive of several", "/datasets.zip?dataset={id}", STATES)
_file("GET compare/export.csv", "/compare/export.csv?r={resource}", STATES)
_file("GET SHA256SUMS", "/dataset/{id}/SHA256SUMS")
_file("GET download.py", "/dataset/{name}/download.py", STATES)


def _manifest(name: str, path: str) -> None:
    PATHS.append(path)

    def ask(world: World, person: Person, subject: Dataset) -> str:
        answer = person.fetch(path)
        return sign(answer) if answer.status_code != 200 else "y" if subject.name in answer.text else "."

    PROBES[name] = Probe(ask, STATES, False)


_manifest("GET SHA256SUMS of a circle", "/organization/circle/SHA256SUMS")
_manifest("GET download.sh of a collection", "/group/collection/download.sh")


@_probe("POST upload/browser", STATES, fresh=True)
def _browser(world: World, person: Person, subject: Dataset) -> str:
    url = f"{world.appliance.url}/upload/browser"
    answer = person.http.post(url, json={"dataset": subject.id, "name": "new.txt", "size": 5}, timeout=DEADLINE)
    return "y" if answer.status_code == 201 else sign(answer)


PATHS.append("/gate-export/{resource}")  # one's own alone, see test_gate_exports
PATHS.append("/objects/resource/abc/def/12-1234-4123-8123-123456789012")


@_probe("GET signed address", ALL)
def _signed(world: World, person: Person, subject: Dataset) -> str:
    """The address of the file that dcserv gives a person, used without their token."""
    answer = person.get("dcserv", id=subject.resource, query="basins", version="2")
    if answer.status != 200:
        return sign(answer)
    return sign(requests.get(answer.result[-1]["urls"][0], verify=str(world.appliance.certificate), timeout=DEADLINE))


@_probe("GET unsigned address", ALL)
def _unsigned(world: World, person: Person, subject: Dataset) -> str:
    id_ = subject.resource
    return sign(person.fetch(f"/objects/resource/{id_[:3]}/{id_[3:6]}/{id_[6:]}"))


# --- changing datasets ------------------------------------------------------------------------------------------------

_post("package_update notes", STATES, id=_id, notes="changed")
_post("package_patch title", STATES, id=_id, title="changed")
_post("package_patch license_id", STATES, id=_id, license_id="CC0-1.0")
_post("package_patch private", ("private", "draft"), id=_id, private=False)
_post("package_patch state", STATES, id=_id, state="active")
_post("package_patch name", ("draft",), id=_id, name=lambda world, person, one: f"re{one.name}")
_post("package_patch groups", ("draft",), id=_id, groups=[])
_post("package_patch owner_org", ("draft",), id=_id, owner_org=lambda world, person, one: world.fresh("circle"))
_post("package_revise", STATES, match=lambda world, person, one: {"id": one.id}, update={"notes": "changed"})
_post("resource_update", STATES, id=_resource, description="changed")
_post("resource_patch", STATES, id=_resource, description="changed")
_post("resource_delete", STATES, id=_resource)
_post("package_resource_reorder", STATES, id=_id, order=lambda world, person, one: [one.resource])
_post("package_delete", STATES, id=_id)
_post("dataset_version_create", STATES, id=_id)
_post("dataset_restore", STATES, id=_id)
_post("dataset_purge", STATES, id=_id)
_post("package_owner_org_update", STATES, id=_id, organization_id=lambda world, person, one: world.fresh("circle"))
_post("package_collaborator_list", STATES, fresh=False, id=_id)
_post("package_collaborator_create", STATES, id=_id, user_id="stranger", capacity="member")
_post("package_collaborator_delete", ("public", "private", "draft"), id=_id, user_id="km")
_post("follow_dataset", STATES, id=_id)
_post("dcor_gate_save", STATES, id=_id, name="mine", gates=_GATES)
_post("dcor_gate_export", STATES, id=_resource, gates=_GATES, gate="cells")
_post("dcor_gate_export_delete", id=lambda world, person, one: world.collection)
_get("dcor_gate_export_show", id=lambda world, person, one: world.collection)
_post("dcor_gate_save shared", STATES, id=_id, name="ours", gates=_GATES, shared=True)
_post("member_create package", STATES, id=_collection, object=_id, object_type="package", capacity="public")
_post(
    "member_create elsewhere", STATES, id=lambda world, person, one: world.fresh("collection"), object=_id,
    object_type="package", capacity="public",
)  # fmt: skip
_get("dataset_collection_list", STATES, id=_id)
_post("member_delete package", STATES, id=_collection, object=_id, object_type="package")
for _bulk in ("bulk_update_public", "bulk_update_private", "bulk_update_delete"):
    _post(_bulk, ("private", "draft"), org_id=_circle, datasets=lambda world, person, one: [one.id])
_post("tag_delete", ("public", "draft"), id=_tag)
_post("tag_create", ("public",), name=_tag, vocabulary_id="none")
_get("dataset_follower_list", STATES, id=_id)


@_probe("unfollow_dataset", ("public", "private"), fresh=True)
def _unfollow(world: World, person: Person, subject: Dataset) -> str:
    person.post("follow_dataset", id=subject.id)
    return sign(person.post("unfollow_dataset", id=subject.id))


@_probe("dcor_gate_delete", STATES, fresh=True)
def _delete_gates(world: World, person: Person, subject: Dataset) -> str:
    """Another's, which is shared with the circle."""
    made = world.people["S"].post("dcor_gate_save", id=subject.id, name="ours", gates=_GATES, shared=True).result
    return sign(person.post("dcor_gate_delete", id=made["id"]))


def _upload(name: str, fields: Callable[[Dataset], dict[str, str]], field: str) -> None:
    def ask(world: World, person: Person, subject: Dataset) -> str:
        return sign(person.upload(name.partition(" ")[0], fields(subject), field, "notes.txt", b"text"))

    PROBES[name] = Probe(ask, STATES, True)


_upload("resource_create", lambda one: {"package_id": one.id}, "upload")
_upload(
    "package_revise file",
    lambda one: {"match__id": one.id, "update__resources__extend": json.dumps([{"name": "notes.txt"}])},
    "update__resources__-1__upload",
)

# --- circles and collections ------------------------------------------------------------------------------------------

NEW = {"title": "New", "authors": "Ada L.", "license_id": "CC0-1.0", "state": "draft"}
_number = iter(range(10**6))


def _new_name(world: World, person: Person, subject: Any) -> str:
    return f"new-{next(_number)}"


_post("package_create", ("circle",), fresh=False, owner_org=_community, **NEW)
_post(
    "package_create groups",
    ("collection",),
    fresh=False,
    owner_org=_circle,
    groups=lambda w, p, one: [{"id": one}],
    **NEW,
)
_post("package_create id", ("circle",), fresh=False, owner_org=_community, id=lambda w, p, s: w.fresh("circle"), **NEW)
_get("resource_upload_s3_urls", ("circle",), organization_id=_community, file_size=1000)
for _word, _kind in (("organization", "circle"), ("group", "collection")):
    _get(f"{_word}_show", (_kind,), id=_community)
    _get(f"{_word}_list", (_kind,), all_fields=True)
    _get(f"{_word}_list users", (_kind,), all_fields=True, include_users=True)
    _get(f"{_word}_autocomplete", (_kind,), q="c")
    _get(f"{_word}_follower_list", (_kind,), id=_community)
    _get(f"{_word}_follower_count", (_kind,), id=_community)
    _get(f"am_following_group {_kind}", (_kind,), id=_community)
    _post(f"follow_group {_kind}", (_kind,), id=_community)
    _post(f"unfollow_group {_kind}", (_kind,), id=_community)
    _post(f"{_word}_create", ("",), name=_new_name)
    _post(f"{_word}_update", (_kind,), id=_community, title="changed")
    _post(f"{_word}_patch", (_kind,), id=_community, title="changed")
    _post(f"{_word}_patch name", (_kind,), id=_community, name=_new_name)
    _post(f"{_word}_member_create", (_kind,), id=_community, username="stranger", role="editor")
    _post(f"{_word}_member_delete", (_kind,), id=_community, username="founder")
    _post(f"{_word}_member_delete self", (_kind,), id=_community, username=_self)
    _post(f"{_word}_delete", (_kind,), id=_community)
    _post(f"{_word}_purge", (_kind,), id=_community)
    _post(f"member_create {_kind}", (_kind,), id=_community, object="stranger", object_type="user", capacity="member")
    _post(f"member_delete {_kind}", (_kind,), id=_community, object="founder", object_type="user")
    _get(f"member_list {_kind}", (_kind,), id=_community, object_type="user")


@_probe("organization_show users", ("circle",))
def _members(world: World, person: Person, subject: str) -> str:
    return "y" if person.get("organization_show", id=subject, include_users=True).result.get("users") else "."


@_probe("organization_list_for_user", ("circle",))
def _for_user(world: World, person: Person, subject: str) -> str:
    found = person.get("organization_list_for_user", permission="create_dataset").result
    return "y" if any(one["id"] == subject for one in found) else "."


@_probe("group_list_authz", ("collection",))
def _authz(world: World, person: Person, subject: str) -> str:
    return "y" if any(one["id"] == subject for one in person.get("group_list_authz").result) else "."


# --- people, tokens, the site -----------------------------------------------------------------------------------------

_get("user_show", id=_self)
_get("user_show other", id="founder")
_get("user_show missing", id="nobody-of-that-name")
_get("user_list")
_get("user_autocomplete", q="f")
_post(
    "user_create",
    name=_new_name,
    email=lambda w, p, s: f"{next(_number)}@example.org",
    password="four words make sense",
)
_post("user_update", id=_self, email=lambda w, p, s: f"{p.name or 'nobody'}@example.org", about="me")
_post("user_update other", id="founder", email="founder@example.org")
_post("user_patch", id=_self, about="me")
_post("user_patch other", id="founder", about="you")
_post("user_delete", id=lambda world, person, subject: world.user())
_post("api_token_create", user=_self, name="more")
_post("api_token_create other", user="founder", name="stolen")
_get("api_token_list", user_id=_self)
_get("api_token_list other", user_id="founder")
_post("api_token_revoke", token="no-such-token")
_get("package_collaborator_list_for_user", id=_self)
_get("package_collaborator_list_for_user other", id="founder")
for _name in ("dataset_followee", "group_followee", "organization_followee", "user_followee", "followee"):
    for _what in ("list", "count"):
        _get(f"{_name}_{_what} own", id=_self)
        _get(f"{_name}_{_what} other", id="founder")
        _get(f"{_name}_{_what} missing", id="nobody-of-that-name")
for _name in ("follow_user", "unfollow_user"):
    _post(_name, id="founder")
    _post(f"{_name} missing", id="nobody-of-that-name")
for _name in ("am_following_user", "user_follower_count", "user_follower_list"):
    _get(_name, id="founder")
    _get(f"{_name} missing", id="nobody-of-that-name")
for _name in (
    "status_show", "site_read", "license_list", "resource_schema_supplements", "supported_resource_suffixes", "vocabulary_list",
    "member_roles_list",
):  # fmt: skip
    _get(_name)
_get("help_show", name="package_show")
_get("format_autocomplete", q="RT")


@_probe("api_token_revoke own", fresh=True)
def _revoke(world: World, person: Person, subject: Any) -> str:
    made = person.post("api_token_create", name="short-lived")
    token = made.result["token"] if made.status == 200 else "none"
    return sign(person.post("api_token_revoke", token=token))
