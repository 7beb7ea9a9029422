"""Circles, collections, members; tokens and access files; the administrators' pages."""

from __future__ import annotations

import io
import re
import zipfile

import requests

from tests.support.furnished import PASSWORD, House, Visitor


def test_founding_a_circle_and_inviting(house: House) -> None:
    house.appliance.person("founder", password=PASSWORD)
    visitor = Visitor(house.appliance, "founder")
    made = visitor.post("/organization/new", title="Ward für Blut", name="", description="*x*")
    assert made.headers["Location"].startswith("/organization/ward-fur-blut/members")
    assert visitor.post("/organization/new", title="Again", name="lab", description="").status_code == 409
    assert visitor.post("/organization/ward-fur-blut/members", username="nobody-here", role="member").status_code == 409
    visitor.post("/organization/ward-fur-blut/members", username="eve", role="editor")
    assert "Editor" in house.visitor("eve").page("/organization/ward-fur-blut/members")
    house.visitor("eve").post("/organization/ward-fur-blut/leave", confirmed="yes")
    assert house.visitor("eve").get("/organization/ward-fur-blut/members").status_code == 404
    last = visitor.post("/organization/ward-fur-blut/members/remove", username="founder", confirmed="yes")
    assert last.status_code == 403
    assert "last admin" in last.text


def test_collections_are_founded_changed_and_deleted(house: House) -> None:
    visitor = house.visitor("max")
    visitor.post("/group/new", title="Paper 7", name="paper-7", description="")
    visitor.post("/group/paper-7/edit", title="Paper seven", description="d")
    assert "Paper seven" in visitor.page("/group")
    assert visitor.post("/group/paper-7/delete", confirmed="yes").status_code == 303
    assert visitor.get("/group/paper-7").status_code == 404


def test_names_are_completed(house: House) -> None:
    found = house.visitor("ada").get("/user/complete?q=ma").json()
    assert {"name": "max", "fullname": "Max"} in found["users"]
    assert house.visitor("ada").get("/user/complete?q=m").json() == {"users": []}


def test_a_token_is_shown_once_works_and_can_be_revoked(house: House) -> None:
    visitor = house.visitor("max")
    page = visitor.post("/user/max/api-tokens", name="for a test", scope="read", expires="90")
    assert page.headers["Cache-Control"] == "no-store"
    token = re.search(r'data-copy="([\w-]{40,})"', page.text)
    assert token is not None
    headers = {"Authorization": token[1]}
    show = f"{house.appliance.url}/api/3/action/package_show?id={house.private['id']}"
    ask = lambda: requests.get(show, headers=headers, verify=str(house.appliance.certificate), timeout=60).status_code  # noqa: E731
    assert ask() == 200
    listed = visitor.page("/user/max/api-tokens")
    assert token[1] not in listed
    revoke = re.search(r'for a test.*?action="([^"]+/revoke)"', listed, re.DOTALL)
    assert revoke is not None
    visitor.post(revoke[1], confirmed="yes")
    assert ask() == 404, "hidden and missing look alike"


def test_scope_admin_is_for_admins(house: House) -> None:
    assert house.visitor("max").post("/user/max/api-tokens", name="x", scope="admin", expires="").status_code == 409


def test_an_access_file_opens_with_the_passphrase_that_was_shown(house: House) -> None:
    visitor = house.visitor("max")
    page = visitor.get("/user/max/access-file")
    assert page.headers["Cache-Control"] == "no-store"
    passphrase = re.search(r'name="passphrase" value="([^"]+)"', page.text)
    assert passphrase is not None
    file = visitor.post("/user/max/access-file", passphrase=passphrase[1])
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        assert archive.read("server.cert", pwd=passphrase[1].encode()).startswith(b"-----BEGIN CERTIFICATE")
    assert visitor.post("/user/max/access-file", passphrase="short").status_code == 409


def test_connect_page_has_this_servers_values(house: House) -> None:
    page = house.visitor().page("/connect")
    assert house.appliance.url.removeprefix("https://") in page
    archive = house.visitor().get("/connect/client-setup.zip")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
        assert {name.rpartition("/")[2] for name in files.namelist()} >= {"setup.sh", "setup.ps1", "server.cert"}


def test_admin_makes_an_account_with_a_one_time_link(house: House) -> None:
    root = house.visitor("root")
    page = root.post("/admin/users/new", name="fresh", fullname="Fresh Person", email="fresh@example.org")
    link = re.search(r'data-copy="https://[^"]+(/user/password/[^"]+)"', page.text)
    assert link is not None
    assert page.headers["Cache-Control"] == "no-store"
    Visitor(house.appliance).post(link[1], password=PASSWORD, again=PASSWORD)
    fresh = Visitor(house.appliance, "fresh")
    root.post("/admin/users/fresh/disable", confirmed="yes")
    assert fresh.get("/dashboard").status_code == 303
    assert "Disabled" in root.page("/admin/users")
    root.post("/admin/users/fresh/enable")
    root.post("/admin/users/fresh/promote")
    assert Visitor(house.appliance, "fresh").get("/admin").status_code == 200
    assert root.post("/admin/users/new", name="fresh", email="x@example.org").status_code == 409


def test_announcement_and_maintenance(house: House) -> None:
    root = house.visitor("root")
    root.post("/admin/notices/announcement", text="Closed on <Friday>")
    assert "Closed on &lt;Friday&gt;" in house.visitor("eve").page("/")
    root.post("/admin/notices/announcement", text="")
    assert "Closed on" not in house.visitor("eve").page("/")
    root.post("/admin/notices/maintenance", on="1", text="Moving house")
    refused = house.people["eve"].get("package_search")
    root.post("/admin/notices/maintenance", off="1")
    assert (refused.status, house.people["eve"].get("package_search").status) == (503, 200)


def test_audit_log_is_filtered_exported_and_verified(house: House) -> None:
    root = house.visitor("root")
    page = root.page("/admin/audit?action=dataset.create&actor=ada&verify=1")
    assert "dataset.create" in page
    assert "resource.create" not in page
    assert "chain is unbroken" in page
    lines = root.page("/admin/audit/export.csv?action=dataset.create").splitlines()
    assert lines[0].startswith("seq,at,actor")
    assert root.get("/admin/audit/export.json?action=nothing").json() == []


def test_settings_show_their_origin(house: House) -> None:
    page = house.visitor("root").page("/admin/settings")
    assert "server.hostname" in page
    assert "dcor.toml" in page
    assert "default" in page


def test_health_checks_and_jobs(house: House) -> None:
    root = house.visitor("root")
    assert "Checks" in root.page("/admin/checks")
    assert "Preview" in root.page("/admin/jobs?state=done")
    assert root.get("/admin/jobs", headers={"X-Fragment": "rows"}).status_code == 200


def test_failures_are_pages_with_a_number_that_admins_can_look_up(house: House) -> None:
    app = house.appliance.service
    assert app is not None
    from appliance.web.app import create_app

    pages = create_app(house.appliance.context)

    @pages.get("/broken")
    def broken() -> str:
        raise ZeroDivisionError("secret detail")

    answer = pages.test_client().get("/broken", base_url="https://localhost")
    number = re.search(r"<code>([0-9a-f]{12})</code>", answer.text)
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert number is not None
    assert "secret detail" in house.visitor("root").page(f"/admin/incidents/{number[1]}")


def test_registering_is_for_playgrounds_only(house: House) -> None:
    assert house.visitor().get("/user/register").status_code in (303, 403)
    assert (
        Visitor(house.appliance)
        .post("/user/register", name="intruder", email="i@example.org", password=PASSWORD)
        .status_code
        == 403
    )
    site = house.appliance.context
    before = site.settings
    site.settings = before.replace(**{"policy.self_registration": True})
    try:
        stranger = Visitor(house.appliance)
        weak = stranger.post("/user/register", name="player", email="p@example.org", password="password")
        good = stranger.post("/user/register", name="player", email="p@example.org", password=PASSWORD)
        assert (weak.status_code, good.status_code) == (409, 303)
        assert Visitor(house.appliance, "player").get("/dashboard").status_code == 200
    finally:
        site.settings = before


def test_people_get_everything_that_is_stored_about_them(house: House) -> None:
    found = house.visitor("max").get("/user/max/everything.json")
    assert found.json()["profile"]["email"] == "max@example.org"
    assert "password" not in found.json()["profile"]
    assert house.visitor("eve").get("/user/max/everything.json").status_code == 403


def test_addresses_of_ckan_lead_to_the_pages(house: House) -> None:
    visitor = house.visitor("ada")
    for old, new in (
        ("/organization/members/lab", "/organization/lab/members"),
        ("/group/about/study", "/group/study/about"),
        ("/ckan-admin", "/admin"),
    ):
        assert visitor.get(old).headers["Location"] == new
    assert visitor.get(f"/dataset/edit/{house.draft['name']}").status_code == 200
