"""Whoever loses a right or the credential while a request arrives has not sent it, whatever carries the request and however it is sent."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from appliance.actions import accounts, communities, login
from appliance.actions.site import Sanity
from appliance.model.viewer import OPERATOR
from appliance.security import session_cookies
from appliance.store import uploads
from appliance.web import authentication, route_table
from appliance.web.transfer import presigned_links
from tests.support.furnished import PASSWORD, House
from tests.support.samples import synthetic
from tests.support.server import Appliance, Person

TIMEOUT = 60.0


def halfway(
    appliance: Appliance,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    lose: Callable[[], object],
    how: str,
) -> int:
    """The status of a request that is asked to go on, and whose sender goes on only after `lose` has happened."""
    trust = ssl.create_default_context(cafile=str(appliance.certificate))
    server = appliance.settings.server
    with (
        socket.create_connection((str(server.bind), server.port), timeout=TIMEOUT) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as wire,
    ):
        fields = {"Host": f"localhost:{server.port}", "Connection": "close", "Expect": "100-continue"} | headers
        fields |= {"Transfer-Encoding": "chunked"} if how == "chunked" else {"Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        wire.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode())
        answer = wire.recv(65536)
        if answer.startswith(b"HTTP/1.1 100"):  # the handler reads, so it has asked who sends
            lose()
            wire.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if how == "chunked" else body)
            answer = answer.partition(b"\r\n\r\n")[2] or wire.recv(65536)
        return int(answer.split()[1])


HOW = ["in one piece", "chunked"]
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def helper(house: House, request: pytest.FixtureRequest) -> Person:
    """A fresh editor of the circle, with a password."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name.lower()).strip("-")[-60:]
    person = house.appliance.person(name, password=PASSWORD)
    communities.set_member(house.appliance.context, OPERATOR, "circle", "lab", name, "editor")
    return person


def removed(house: House, person: Person) -> Callable[[], object]:
    site = house.appliance.context
    return lambda: communities.remove_member(site, OPERATOR, "circle", "lab", person.name)


def test_every_route_that_reads_a_body_is_tried_here() -> None:
    """A new one belongs into this file: does its handler use `request.viewer` after the body?"""
    reading = {one.handler.__name__ for one in route_table.routes() if {"POST", "PUT", "PATCH"} & one.methods}
    assert reading == {"call", "create", "append", "finish", "put_part", "complete"}


@pytest.mark.parametrize("how", HOW)
def test_a_dataset_is_not_changed(house: House, helper: Person, how: str) -> None:
    draft = house.people["ada"].draft("lab", private=True)["id"]
    body = json.dumps({"id": draft, "title": "stolen"}).encode()
    headers = JSON | {"Authorization": helper.token}
    status = halfway(house.appliance, "POST", "/api/3/action/package_patch", headers, body, removed(house, helper), how)
    assert status in {403, 404}
    assert house.people["ada"].get("package_show", id=draft).result["title"] != "stolen"


@pytest.mark.parametrize("how", HOW)
def test_a_dataset_is_not_shown(house: House, helper: Person, how: str) -> None:
    draft = house.people["ada"].draft("lab", private=True)["id"]
    headers = JSON | {"Authorization": helper.token}
    body = json.dumps({"id": draft}).encode()
    path = "/api/3/action/package_show"
    assert halfway(house.appliance, "POST", path, headers, body, removed(house, helper), how) in {403, 404}


@pytest.mark.parametrize("how", HOW)
def test_a_removed_admin_does_not_come_back(house: House, helper: Person, how: str) -> None:
    communities.set_member(house.appliance.context, OPERATOR, "circle", "lab", helper.name, "admin")
    body = json.dumps({"id": "lab", "username": helper.name, "role": "admin"}).encode()
    headers = JSON | {"Authorization": helper.token}
    path = "/api/3/action/organization_member_create"
    assert halfway(house.appliance, "POST", path, headers, body, removed(house, helper), how) in {403, 404}


@pytest.mark.parametrize("how", HOW)
def test_a_revoked_token_makes_no_other(house: House, helper: Person, how: str) -> None:
    site = house.appliance.context
    headers, body = JSON | {"Authorization": helper.token}, json.dumps({"name": "ghost"}).encode()
    lose = lambda: accounts.revoke_token(site, OPERATOR, token=helper.token)  # noqa: E731
    path = "/api/3/action/api_token_create"
    assert halfway(house.appliance, "POST", path, headers, body, lose, how) == 403


def test_an_ended_session_makes_no_token(house: House, helper: Person) -> None:
    site = house.appliance.context
    cookie = login.sign_in(site, helper.name, PASSWORD)
    headers = JSON | {"Cookie": f"{session_cookies.COOKIE}={cookie}", "Origin": house.appliance.url}
    lose = lambda: accounts.change_password(site, OPERATOR, helper.name, PASSWORD + " more")  # noqa: E731
    body = json.dumps({"name": "ghost"}).encode()
    assert halfway(house.appliance, "POST", "/api/3/action/api_token_create", headers, body, lose, HOW[0]) == 403


def test_a_demoted_administrator_lists_nobody(house: House, helper: Person) -> None:
    site = house.appliance.context
    boss = house.appliance.person(f"boss-of-{helper.name}"[:90], sysadmin=True)
    lose = lambda: accounts.set_sysadmin(site, OPERATOR, boss.name, False)  # noqa: E731
    headers = JSON | {"Authorization": boss.token}
    assert halfway(house.appliance, "POST", "/api/3/action/user_list", headers, b'{"q": ""}', lose, HOW[0]) == 403


@pytest.mark.parametrize("how", HOW)
def test_no_upload_begins_in_the_browser(house: House, helper: Person, how: str) -> None:
    draft = house.people["ada"].draft("lab", private=True)["id"]
    body = json.dumps({"dataset": draft, "name": "x.txt", "size": 5}).encode()
    headers = JSON | {"Authorization": helper.token}
    status = halfway(house.appliance, "POST", "/upload/browser", headers, body, removed(house, helper), how)
    assert status in {403, 404}


def begun(house: House, helper: Person, size: int) -> tuple[str, dict[str, Any]]:
    """The id of a draft, and an upload of the helper's for it."""
    draft = house.people["ada"].draft("lab", private=True)["id"]
    answer = helper.http.post(
        f"{house.appliance.url}/upload/browser", json={"dataset": draft, "name": "x.txt", "size": size}, timeout=60
    )
    return draft, answer.json()


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("checksum", [True, False])
def test_no_piece_counts_as_arrived(house: House, helper: Person, how: str, checksum: bool) -> None:
    _, upload = begun(house, helper, 5)
    headers = {"Authorization": helper.token, "Upload-Offset": "0"}
    if checksum:
        headers["Upload-Checksum"] = "sha256 LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="  # of b"hello"
    status = halfway(house.appliance, "PATCH", upload["url"], headers, b"hello", removed(house, helper), how)
    assert status in {403, 404}


@pytest.mark.parametrize("how", HOW)
def test_no_upload_ends_as_a_file(house: House, helper: Person, how: str) -> None:
    draft, upload = begun(house, helper, 5)
    url = f"{house.appliance.url}{upload['url']}"
    assert helper.http.patch(url, data=b"hello", headers={"Upload-Offset": "0"}, timeout=60).status_code == 204
    headers = JSON | {"Authorization": helper.token}
    path = f"{upload['url']}/finish"
    assert halfway(house.appliance, "POST", path, headers, b"{}", removed(house, helper), how) in {403, 404}
    assert house.people["ada"].get("package_show", id=draft).result["num_resources"] == 0


@pytest.mark.parametrize("how", HOW)
def test_no_direct_upload_is_complete(house: House, helper: Person, how: str) -> None:
    context = house.appliance.context
    circle = house.people["ada"].get("organization_show", id="lab").result["id"]
    with context.db.write() as tx:
        uploads.create(
            tx, helper.id, helper.id[::-1], user_id=helper.id, kind="direct", size=5, lifetime=3600, circle_id=circle
        )
    viewer = authentication.by_token(context, helper.token, "")
    address = presigned_links.upload_link(context, viewer, f"/upload/{helper.id}/complete")
    path = address.removeprefix(house.appliance.url)
    assert halfway(house.appliance, "POST", path, {}, b"<x/>", removed(house, helper), how) == 403


def test_a_right_that_ends_elsewhere_does_not_end_a_file(house: House, helper: Person) -> None:
    """A file may take hours; of these, only what its own dataset asks for matters."""
    _, upload = begun(house, helper, 5)
    house.people["ada"].circle(f"other-{helper.id[:8]}")
    site = house.appliance.context
    communities.set_member(site, OPERATOR, "circle", f"other-{helper.id[:8]}", helper.name, "member")

    def lose() -> None:
        communities.remove_member(site, OPERATOR, "circle", f"other-{helper.id[:8]}", helper.name)

    headers = {"Authorization": helper.token, "Upload-Offset": "0"}
    assert halfway(house.appliance, "PATCH", upload["url"], headers, b"hello", lose, HOW[0]) == 204


@pytest.mark.parametrize("loss", ["the role", "the token"])
def test_a_check_takes_a_minute_and_the_right_ends(
    house: House, helper: Person, loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Activating looks into the files before its transaction."""
    site = house.appliance.context
    made = house.people["ada"].draft("lab", private=True)
    file = house.people["ada"].add(made["id"], synthetic(), "M1_beads.rtdc")
    house.appliance.jobs_done(file["id"])
    with site.db.write() as tx:
        tx.execute("UPDATE rtdc SET sane = NULL WHERE resource_id = ?", (file["id"],))

    def check(path: object, caller: str) -> Sanity:
        if loss == "the role":
            removed(house, helper)()
        else:
            accounts.revoke_token(site, OPERATOR, token=helper.token)
        return Sanity(True)

    monkeypatch.setattr(site, "check_sanity", check)
    assert helper.post("package_patch", id=made["id"], state="active", private=False).status in {403, 404}
    assert house.people["ada"].get("package_show", id=made["id"]).result["state"] == "draft"
