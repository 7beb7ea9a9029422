"""The answers of a real DCOR (recorded.json: one request and its answer a line), asked again of a running appliance.

The lines are played in the order of `PLAY`. ``<name>`` in a recorded answer stands for an id that the first answer with
it tells; ``<time>``, ``<hex>``, ``<url>``… stand for anything of that form. Where the appliance answers otherwise on purpose,
`DIFFERENT` or `ALLOWED` says so, and why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.samples import measurements, synthetic
from tests.support.server import DEADLINE, Appliance, Person, wait_for

RECORDED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("recorded.json").read_text(encoding="utf-8"))

PLAY = [
    "status_show",
    "api_root",
    "api_noversion",
    "api_version_2",
    "err_api_404",
    "err_html_404",
    "err_html_dataset_404",
    "license_list",
    "resource_schema_supplements",
    "supported_resource_suffixes",
    "err_unknown_action",
    "err_unknown_action_post",
    "err_get_on_post_only",
    "err_get_on_post_only_revise",
    "err_put_method",
    "err_delete_method",
    "organization_create",
    "err_conflict_org_exists",
    "err_org_create_anon",
    "group_create",
    "organization_show",
    "group_show",
    "organization_list",
    "organization_list_all_fields",
    "organization_list_for_user",
    "organization_list_for_user_anon",
    "group_list",
    "group_list_all_fields",
    "group_list_authz",
    "group_package_show",
    "group_show_with_dataset",
    "organization_show_datasets",
    "err_create_public_anon_group_list_users",
    "err_not_found_org",
    "err_validation_no_authors",
    "err_validation_no_license_id",
    "err_validation_bad_license",
    "err_validation_no_owner_org",
    "err_validation_no_title",
    "err_validation_bad_tag",
    "err_validation_create_active",
    "err_id_specified",
    "err_not_authorized_create_anon",
    "err_not_authorized_create_notmember",
    "package_create",
    "package_create_2",
    "package_create_3",
    "package_create_with_name",
    "package_show_draft",
    "err_activate_empty",
    "err_rename_dataset",
    "err_dataset_purge_draft",
    "package_delete",
    "dataset_purge",
    "err_package_show_purged",
    "resource_upload_s3_urls",
    "resource_upload_s3_urls_3GB",
    "err_resource_upload_s3_urls_anon",
    "err_resource_upload_s3_urls_notmember",
    "err_resource_upload_s3_urls_nosize",
    "PUT",
    "err_resource_s3_nonexist",
    "err_resource_sha256",
    "package_revise",
    "package_revise_description",
    "resource_show",
    "resource_create_legacy",
    "err_resource_same_name",
    "err_resource_bad_suffix",
    "err_resource_weird_name",
    "JOBS",
    "package_show",
    "form_post_package_show",
    "resource_view_list",
    "err_json_not_dict",
    "err_malformed_json",
    "err_malformed_json_noct",
    "err_missing_parameter",
    "err_missing_parameter_resource",
    "err_not_found",
    "err_not_found_resource",
    "err_bad_token",
    "err_not_authorized_private_anon",
    "err_not_authorized_private_bob",
    "err_revise_bob",
    "err_revise_match_fail",
    "err_revise_no_match",
    "err_revise_notfound",
    "user_show",
    "user_show_self_noid",
    "user_show_admin_view",
    "user_show_include",
    "err_user_show_other",
    "err_not_found_user",
    "user_list",
    "err_not_authorized_user_list",
    "err_not_authorized_user_list_anon",
    "user_autocomplete",
    "err_user_autocomplete_anon",
    "api_token_create",
    "api_token_list",
    "api_token_revoke",
    "member_create_org_user",
    "package_show_as_org_member",
    "member_list",
    "member_delete_org_user",
    "package_collaborator_create",
    "package_collaborator_list",
    "package_collaborator_list_for_user",
    "package_show_as_collaborator",
    "package_collaborator_delete",
    "err_collaborator_bad_capacity",
    "member_create",
    "member_create_user",
    "package_show_as_group_member",
    "err_member_create_bob",
    "err_member_create_carol_member",
    "member_delete",
    "dcserv_valid_private",
    "dcserv_metadata_private",
    "dcserv_size_private",
    "dcserv_feature_list_private",
    "dcserv_logs_private",
    "dcserv_tables_private",
    "dcserv_trace_list_private",
    "dcserv_basins_private",
    "dcserv_bogus_private",
    "dcserv_feature_private",
    "dcserv_trace_private",
    "err_dcserv_v1",
    "err_dcserv_noid",
    "err_dcserv_noquery",
    "err_dcserv_notfound",
    "err_dcserv_nonrtdc",
    "err_dcserv_private_anon",
    "err_dcserv_private_bob",
    "download_private_redirect",
    "condensed_private_redirect",
    "err_download_private_anon",
    "err_html_dataset_private_anon",
    "package_search_drafts",
    "package_revise_activate",
    "package_show_active",
    "err_edit_title_active",
    "err_active_to_draft",
    "err_add_resource_active",
    "err_add_resource_active_legacy",
    "err_delete_active",
    "err_delete_resource_active",
    "err_license_more_restrictive",
    "err_license_more_restrictive2",
    "license_less_restrictive",
    "make_public",
    "err_public_to_private",
    "package_show_public_anon",
    "resource_show_public",
    "dcserv_valid",
    "dcserv_metadata",
    "dcserv_size",
    "dcserv_feature_list",
    "dcserv_logs",
    "dcserv_tables",
    "dcserv_trace_list",
    "dcserv_basins",
    "package_search",
    "package_search_default_alice",
    "package_search_include_private_false",
    "package_search_all_facets",
    "err_package_search_bad_param",
    "err_package_search_bad_rows",
    "err_package_search_bad_sort",
    "err_package_search_syntax",
    "package_list",
    "current_package_list",
    "tag_list",
    "err_group_purge",
    "err_organization_delete",
    "group_delete",
]

#: Answers that are other ones here: (status, reason or part of the message).
DIFFERENT: dict[str, tuple[int, str]] = {
    "err_malformed_json_noct": (400, "Bad request - JSON Error: "),  # lenient about the type, as the reference advises
    "err_validation_no_title": (200, ""),  # a fault upstream (500)
    "err_resource_upload_s3_urls_anon": (
        403,
        "requires an authenticated user",
    ),  # a fault upstream: anybody could upload
    "err_resource_upload_s3_urls_notmember": (403, "User bob not a member of the circle"),
    "err_resource_upload_s3_urls_nosize": (403, "No `file_size` provided"),  # 500 upstream
    "err_dcserv_v1": (200, ""),  # programs of 2021 still get version 1
    "dcserv_feature_private": (409, ""),
    "dcserv_trace_private": (409, ""),
    "resource_view_list": (200, '"result": []'),  # this server shows files by itself
    "err_org_create_anon": (403, "Access denied: User  not authorized to create organizations"),
    "err_user_show_other": (
        403,
        "Users may only view their own details",
    ),  # says the same whether the other exists or not
    "err_package_search_bad_sort": (400, "Search Query is invalid: "),
    "err_package_search_syntax": (409, "Search error: "),  # ours says where the error is, and nothing about the server
    "download_private_redirect": (200, ""),  # the bytes come from here: no redirect to an object store
    "condensed_private_redirect": (200, ""),
}

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


class Play:
    """One appliance, its people, and what the names in recorded answers stand for."""

    def __init__(self, appliance: Appliance) -> None:
        self.appliance = appliance
        self.people: dict[str | None, Person] = {None: appliance.nobody, "admin": appliance.admin}
        self.ids: dict[str, str] = {"<site>": appliance.url}
        for name in ("alice", "bob", "carol"):
            self.people[name] = appliance.person(name)
            self.ids[f"<{name}>"] = self.people[name].id
        files = [path for path in measurements() if path.name == "calibration_beads_47.rtdc"]
        self.file = files[0] if files else synthetic()
        self.uploads: list[str] = []
        self.differences: dict[str, list[str]] = {}

    def known(self, text: str) -> str:
        """`text` with the ids that are known by now."""
        for name, value in self.ids.items():
            text = text.replace(name, value)
        return text

    def ask(self, name: str) -> requests.Response:
        """Send the request of a recorded line."""
        line = RECORDED[name]
        http = self.people[line["as"]].http
        url = self.appliance.url + self.known(line["path"])
        if name.startswith("dcserv_"):
            url += "&version=2"  # the recorded server's default
        if name == "resource_upload_s3_urls":
            url = url.replace("901845", str(self.file.stat().st_size))
        upload = _FILES.get(name)
        if upload is not None:
            fields = [(key, (None, value)) for key, value in json.loads(self.known(json.dumps(line["json"]))).items()]
            return http.post(url, files=[*fields, ("upload", (upload, b"hello world\n"))], timeout=DEADLINE)
        data: Any = None
        headers = {}
        if line.get("raw") is not None:
            data = self.known(line["raw"]).encode()
            form = name == "form_post_package_show"
            headers["Content-Type"] = "application/x-www-form-urlencoded" if form else "application/json"
            if name.endswith("_noct"):
                headers["Content-Type"] = "application/octet-stream"
        elif line.get("json") is not None:
            data, headers["Content-Type"] = self.known(json.dumps(line["json"])).encode(), "application/json"
        if name == "err_bad_token":
            headers["Authorization"] = "not-a-token"
        if name == "api_token_revoke":
            data = json.dumps({"token": self.ids["<token>"]}).encode()
        if name in {"download_private_redirect", "condensed_private_redirect"}:
            return http.get(url, timeout=DEADLINE, allow_redirects=False)
        return http.request(line["method"], url, data=data, headers=headers, timeout=DEADLINE)


#: Uploads as forms: the name of the file.
_FILES = {
    "resource_create_legacy": "text_file.txt",
    "err_resource_same_name": "text_file.txt",
    "err_resource_bad_suffix": "program.exe",
    "err_resource_weird_name": "$ ü.txt",
    "err_add_resource_active_legacy": "more.txt",
}


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    running = Appliance(
        tmp_path_factory.mktemp("recorded") / "data", **{"policy.anonymous_access": True, "depot.direct_upload": True}
    )
    yield Play(running)
    running.stop()


def test_every_line_is_played() -> None:
    assert sorted(set(PLAY) - {"PUT", "JOBS"}) == sorted(RECORDED)


@pytest.mark.parametrize("name", PLAY)
def test_the_answer_is_dcors(play: Play, name: str) -> None:
    for line in PLAY[: PLAY.index(name) + 1]:  # alone, too, a line needs what was said before it
        if line not in play.differences:
            play.differences[line] = _played(play, line)
    assert play.differences[name] == []


def _played(play: Play, name: str) -> list[str]:
    """Play a line; what in its answer is not as recorded."""
    if name == "PUT":
        return _put(play)
    if name == "JOBS":
        return _wait_for_jobs(play)
    answer, line = play.ask(name), RECORDED[name]
    if name in DIFFERENT:
        status, words = DIFFERENT[name]
        return [] if answer.status_code == status and words in answer.text else [f"{answer.status_code}: {answer.text}"]
    if (answer.status_code, answer.reason) != (line["status"], line["reason"]):
        return [f"{answer.status_code} {answer.reason}: {answer.text}"]
    if line["body"] == "(HTML page)":
        return []
    if answer.headers["Content-Type"] != line["type"]:
        return [answer.headers["Content-Type"]]
    body = answer.json()
    if name.startswith("err_malformed_json"):
        return [] if body.startswith("Bad request - JSON Error: Error decoding JSON data.") else [body]
    if isinstance(body, dict) and name != "api_root":
        action = line["path"].partition("?")[0].rpartition("/")[2]
        if body.pop("help") != f"{play.appliance.url}/api/3/action/help_show?name={action}":
            return ["help"]
    if name == "resource_upload_s3_urls":
        play.uploads = body["result"]["upload_urls"]
    return list(_differences(play, line["body"], body, ""))


def _put(play: Play) -> list[str]:
    with play.file.open("rb") as file:
        answer = requests.put(play.uploads[0], data=file, verify=str(play.appliance.certificate), timeout=DEADLINE)
    return [] if re.fullmatch(r'"[0-9a-f]{32}"', answer.headers["ETag"]) else [answer.headers["ETag"]]


def _wait_for_jobs(play: Play) -> list[str]:
    jobs = [job for resource in ("<measurement>", "<text>") for job in play.appliance.jobs_done(play.ids[resource])]
    show = lambda: play.people["alice"].get("resource_show", id=play.ids["<measurement>"]).result  # noqa: E731
    wait_for(lambda: "dc:setup:channel width" in show())
    return [str(job) for job in jobs if job["state"] != "done"]


def _differences(play: Play, expected: Any, found: Any, path: str, *, exact: bool = True) -> Iterator[str]:
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
        yield from _key_differences(play, expected, found, path, exact=exact)
    elif isinstance(expected, list):
        yield from _list_differences(play, expected, found, path)
    elif exact and (key in EXACT or path.startswith("/error")) and expected != found:
        expected = play.known(expected) if isinstance(expected, str) else expected
        if expected != found:
            yield f"{path}: {expected!r}, here {found!r}"


def _key_differences(
    play: Play, expected: dict[str, Any], found: dict[str, Any], path: str, *, exact: bool
) -> Iterator[str]:
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
        yield from _differences(play, expected[key], found[key], f"{path}/{key}", exact=exact)


def _list_differences(play: Play, expected: list[Any], found: list[Any], path: str) -> Iterator[str]:
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
            yield from _differences(play, expected[0], found[0], f"{path}/0", exact=own)
    elif len(expected) > len(found):
        yield f"{path}: {expected!r}, here {found!r}"
    else:
        for position, entry in enumerate(expected):
            yield from _differences(play, entry, found[position], f"{path}/{position}")


def _placeholder(play: Play, expected: str, found: Any, path: str) -> Iterator[str]:
    form = FORMS.get(expected, FORMS["<id>"])
    if expected == "<token>":
        play.ids["<token>"] = found
    elif not isinstance(found, str) or (expected != "<site>" and re.fullmatch(form, found) is None):
        yield f"{path}: {expected}, here {found!r}"
    elif expected not in FORMS and play.ids.setdefault(expected, found) != found:
        yield f"{path}: {expected} = {play.ids[expected]}, here {found}"
