"""ckanapi, as a library and from the command line: what scripts of DCOR's users are made of."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from ckanapi import NotAuthorized, NotFound, RemoteCKAN, SearchQueryError, ValidationError
from ckanapi.errors import CKANAPIError

from tests.web.api.permission_fixture import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.stop()


def remote(world: World, who: str, **options: Any) -> RemoteCKAN:
    """A script of somebody."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(world.appliance.certificate)
    return RemoteCKAN(world.appliance.url, apikey=world.people[who].token or None, session=session, **options)


# --- as a library -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"get_only": True}], ids=["post", "get"])
def test_reading(world: World, options: dict[str, Any]) -> None:
    one = world.dataset("private")
    ckan = remote(world, "Cm", **options)
    assert ckan.action.status_show()["ckan_version"].startswith("2.11")
    assert ckan.action.package_show(id=one.name)["id"] == one.id
    found = ckan.action.package_search(
        q=f"name:{one.name}", include_private=True, rows=5, **({} if options else {"facet.field": ["tags"]})
    )
    assert [hit["id"] for hit in found["results"]] == [one.id]
    if not options:
        assert found["facets"] == {"tags": {f"tag-{one.name}": 1}}
    assert "circle" in ckan.action.organization_list()
    assert ckan.action.organization_list(all_fields=True, sort="name desc", limit=1)[0]["package_count"] >= 0
    assert ckan.action.user_show()["name"] == "cm"
    assert ckan.action.resource_search(query="name:data", limit=1)["count"] >= 0
    assert "private" in ckan.action.help_show(name="package_search")


def test_a_dataset_from_beginning_to_end(world: World) -> None:
    ckan = remote(world, "Ce")
    dataset = ckan.action.package_create(
        title="By script",
        authors="Ada L.",
        license_id="CC-BY-4.0",
        owner_org="circle",
        private=True,
        state="draft",
        tags=[{"name": "scripted"}],
    )
    resource = ckan.action.resource_create(
        package_id=dataset["id"], upload=("notes.txt", io.BytesIO(b"some text")), name="other.txt"
    )
    assert (resource["size"], resource["name"]) == (9, "notes.txt")
    with io.BytesIO(b"a,b\n1,2\n") as table:
        table.name = "table.csv"
        named = ckan.action.resource_create(
            package_id=dataset["id"], upload=("table.csv", table), description="A table"
        )
    assert (named["name"], named["format"], named["description"]) == ("table.csv", "CSV", "A table")
    assert ckan.action.resource_patch(id=named["id"], description="Another")["description"] == "Another"
    assert ckan.action.package_patch(id=dataset["id"], notes="changed")["notes"] == "changed"
    whole = ckan.action.package_show(id=dataset["id"])
    assert ckan.action.package_update(**whole | {"title": "Renamed"})["title"] == "Renamed"
    revised = ckan.action.package_revise(
        match={"id": dataset["id"]}, update={"notes": "revised"}, include=["+package__notes", "-package__*"]
    )
    assert revised == {"package": {"id": dataset["id"], "notes": "revised"}}
    assert ckan.action.follow_dataset(id=dataset["id"])["object_id"] == dataset["id"]
    assert ckan.action.am_following_dataset(id=dataset["id"]) is True
    assert ckan.action.dataset_follower_count(id=dataset["id"]) == 1
    assert ckan.action.unfollow_dataset(id=dataset["id"]) is None
    assert ckan.action.package_delete(id=dataset["id"]) is None
    assert ckan.action.dataset_purge(id=dataset["id"]) is None
    with pytest.raises(NotFound):
        ckan.action.package_show(id=dataset["id"])


def test_circles_and_members(world: World) -> None:
    ckan = remote(world, "U")
    made = ckan.action.organization_create(
        name="script-circle", title="Script's circle", users=[{"name": "cm", "capacity": "editor"}]
    )
    assert {user["name"]: user["capacity"] for user in made["users"]} == {"stranger": "admin", "cm": "editor"}
    assert ckan.action.organization_patch(id="script-circle", description="d")["description"] == "d"
    assert (
        ckan.action.organization_member_create(id="script-circle", username="ce", role="member")["capacity"] == "member"
    )
    assert sorted(entry[2] for entry in ckan.action.member_list(id="script-circle", object_type="user")) == [
        "Admin",
        "Editor",
        "Member",
    ]
    assert ckan.action.organization_member_delete(id="script-circle", username="ce") is None
    assert [role["value"] for role in ckan.action.member_roles_list()] == ["admin", "editor", "member"]
    assert ckan.action.organization_autocomplete(q="script")[0]["name"] == "script-circle"


def test_tokens(world: World) -> None:
    ckan = remote(world, "U")
    token = ckan.action.api_token_create(user="stranger", name="for a script")["token"]
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert len(token) != 36
    listed = ckan.action.api_token_list(user_id="stranger")
    assert listed[0]["name"] == "for a script"
    assert token not in json.dumps(listed)
    assert ckan.action.api_token_revoke(jti=listed[0]["id"]) is None
    with pytest.raises(NotAuthorized):
        ckan.action.api_token_revoke(token=token)


def test_errors_have_ckanapis_types(world: World) -> None:
    ckan = remote(world, "U")
    with pytest.raises(NotFound):
        ckan.action.package_show(id=world.dataset("private").id)
    with pytest.raises(NotAuthorized):
        ckan.action.package_patch(id=world.dataset("public").id, license_id="CC0-1.0")
    with pytest.raises(NotFound):
        ckan.action.organization_show(id="nothing")
    with pytest.raises(ValidationError) as refused:
        ckan.action.organization_create(name="circle")
    assert refused.value.error_dict["name"] == ["Group name already exists in database"]
    with pytest.raises(SearchQueryError):
        ckan.action.package_search(q="x", nonsense=1)
    with pytest.raises(CKANAPIError):
        ckan.action.no_such_action()


# --- from the command line ----------------------------------------------------------------------------------------------


def command(world: World, who: str, *arguments: str, stdin: str = "") -> str:
    """Run ``ckanapi`` as somebody; returns what it writes."""
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {
        "REQUESTS_CA_BUNDLE": str(world.appliance.certificate),
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
    }
    credentials = ["-r", world.appliance.url, "-a", world.people[who].token]
    done = subprocess.run(
        [f"{scripts}/ckanapi", *arguments, *credentials],
        input=stdin,
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def dumped(world: World, who: str, thing: str, *arguments: str) -> list[dict[str, Any]]:
    """What ``ckanapi dump`` writes, by line."""
    return [json.loads(line) for line in command(world, who, "dump", thing, "-q", "-p", "1", *arguments).splitlines()]


def test_asking_from_the_command_line(world: World) -> None:
    one = world.dataset("private")
    shown = json.loads(command(world, "Ce", "action", "package_show", f"id={one.name}"))
    assert shown["id"] == one.id
    assert json.loads(command(world, "Ce", "action", "organization_list", "-g", "all_fields=True"))


def test_dumping_and_loading_datasets(world: World, tmp_path: Path) -> None:
    one = world.dataset("public")
    entries = dumped(world, "S", "datasets", one.name, "--resource-views")
    assert entries == [world.people["S"].get("package_show", id=one.id).result]
    assert one.name in [entry["name"] for entry in dumped(world, "S", "datasets", "--all")]
    entries[0]["title"] = "Loaded again"
    entries.append(
        {
            "name": "loaded-anew",
            "title": "Anew",
            "authors": "A",
            "license_id": "CC0-1.0",
            "owner_org": world.circle,
            "state": "draft",
        }
    )
    file = tmp_path / "datasets.jsonl"
    file.write_text("\n".join(map(json.dumps, entries)) + "\n")
    command(world, "S", "load", "datasets", "-I", str(file), "-p", "1")
    shown = world.people["S"].get("package_show", id=one.id).result
    assert (shown["title"], [entry["id"] for entry in shown["resources"]]) == ("Loaded again", [one.resource])
    assert world.people["S"].get("package_show", id="loaded-anew").result["title"] == "Anew"


@pytest.mark.parametrize("thing", ["organizations", "groups"])
def test_dumping_and_loading_communities(world: World, tmp_path: Path, thing: str) -> None:
    name = {"organizations": "circle", "groups": "collection"}[thing]
    entries = dumped(world, "S", thing, name, "--include-users")
    letter = "c" if thing == "organizations" else "g"
    assert {user["name"] for user in entries[0]["users"]} >= {f"{letter}a", f"{letter}e", f"{letter}m"}
    entries[0]["description"] = "Loaded"
    new = {key: entries[0][key] for key in ("title", "description")} | {
        "name": f"{name}-loaded",
        "users": [{"name": "cm", "capacity": "editor"}],
    }
    file = tmp_path / "communities.jsonl"
    file.write_text("\n".join(map(json.dumps, [*entries, new])) + "\n")
    command(world, "S", "load", thing, "-I", str(file), "-p", "1")
    show = f"{thing[:-1]}_show"
    assert world.people["S"].get(show, id=name).result["description"] == "Loaded"
    members = world.people["S"].get(show, id=f"{name}-loaded", include_users=True).result["users"]
    assert {user["name"]: user["capacity"] for user in members}["cm"] == "editor"


def test_dumping_and_loading_users(world: World, tmp_path: Path) -> None:
    entries = dumped(world, "S", "users", "cm")
    assert (entries[0]["name"], entries[0]["email"]) == ("cm", "cm@example.org")
    assert not {"password", "password_hash"} & entries[0].keys()
    entries[0]["fullname"] = "Loaded again"
    entries.append({"name": "loaded-user", "email": "loaded@example.org", "password": "four words make sense"})
    file = tmp_path / "users.jsonl"
    file.write_text("\n".join(map(json.dumps, entries)) + "\n")
    command(world, "S", "load", "users", "-I", str(file), "-p", "1")
    assert world.people["Cm"].get("user_show").result["fullname"] == "Loaded again"
    assert world.people["S"].get("user_show", id="loaded-user").result["email"] == "loaded@example.org"
