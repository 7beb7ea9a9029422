"""The answers of a real DCOR, asked again of a running appliance. Where it answers otherwise on purpose, `DIFFERENT` says so, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests

from tests.support.server import DEADLINE, Appliance
from tests.support.waiting import wait_for
from tests.web.api.replay import PLAY, RECORDED, Play
from tests.web.api.response_match import differences

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
    # what is hidden answers like what is missing, and says both (upstream: 403 for the one, "Not found" for the other)
    **dict.fromkeys(
        (
            "err_package_show_purged",
            "err_not_found",
            "err_not_found_resource",
            "err_bad_token",
            "err_not_authorized_private_anon",
            "err_not_authorized_private_bob",
            "err_revise_bob",
            "err_revise_notfound",
            "err_dcserv_notfound",
            "err_dcserv_private_anon",
            "err_dcserv_private_bob",
        ),
        (404, "There is no such dataset or file, or you have no access to it"),
    ),
    "download_private_redirect": (200, ""),  # the bytes come from here: no redirect to an object store
    "condensed_private_redirect": (200, ""),
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
    return list(differences(play, line["body"], body, ""))


def _put(play: Play) -> list[str]:
    with play.file.open("rb") as file:
        answer = requests.put(play.uploads[0], data=file, verify=str(play.appliance.certificate), timeout=DEADLINE)
    return [] if re.fullmatch(r'"[0-9a-f]{32}"', answer.headers["ETag"]) else [answer.headers["ETag"]]


def _wait_for_jobs(play: Play) -> list[str]:
    jobs = [job for resource in ("<measurement>", "<text>") for job in play.appliance.jobs_done(play.ids[resource])]
    show = lambda: play.people["alice"].get("resource_show", id=play.ids["<measurement>"]).result  # noqa: E731
    wait_for(lambda: "dc:setup:channel width" in show())
    return [str(job) for job in jobs if job["state"] != "done"]
