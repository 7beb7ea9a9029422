"""Every example of CKAN's API guide, of its filestore guide and of ckanapi's README that this server can be asked.

Sources: docs.ckan.org/en/2.11 "API guide" and "FileStore and file uploads", github.com/ckan/ckanapi README. What they show with
curl is sent byte for byte; ``--form`` keeps the order in which the parts are written.
"""

from __future__ import annotations

import io
import itertools
import json
import subprocess
import uuid
from typing import Any

import ckanapi
import pytest
import requests

from tests.support.server import Person
from tests.web.api.permission_fixture import World

TEXT = ("upload", "measured.txt", "five!")


def form(person: Person, action: str, parts: list[tuple[str, ...]]) -> requests.Response:
    """Send a form with its parts in this order: (field, value), or (field, file name, content)."""
    mark = uuid.uuid4().hex
    body = "".join(
        f'--{mark}\r\nContent-Disposition: form-data; name="{part[0]}"'
        + (f'; filename="{part[1]}"\r\nContent-Type: text/plain' if len(part) == 3 else "")
        + f"\r\n\r\n{part[-1]}\r\n"
        for part in parts
    )
    return person.http.post(
        f"{person.appliance.url}/api/action/{action}",
        data=f"{body}--{mark}--\r\n".encode(),
        headers={"Content-Type": f"multipart/form-data; boundary={mark}"},
        timeout=60,
    )


def parts_on_disk(world: World) -> int:
    return len(list(world.context.depot.parts()))


# --- FileStore and file uploads --------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_parts_of_a_form_have_no_order(world: World, order: tuple[int, ...]) -> None:
    one = world.dataset("draft")
    parts = [TEXT, ("package_id", one.id), ("description", "by hand")]
    made = form(world.people["Ce"], "resource_create", [parts[place] for place in order]).json()["result"]
    assert (made["name"], made["size"], made["description"], made["package_id"]) == (
        "measured.txt", 5, "by hand", one.id,
    )  # fmt: skip
    assert parts_on_disk(world) == 0


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("match", [("match__name", "{name}"), ("match", '{{"name": "{name}"}}'), ("match__id", "{id}")])
def test_revising_with_a_file_anywhere(world: World, order: tuple[int, ...], match: tuple[str, str]) -> None:
    one = world.dataset("draft")
    parts = [
        ("update__resources__-1__upload", "measured.txt", "five!"),
        (match[0], match[1].format(name=one.name, id=one.id)),
        ("update__resources__extend", '[{"name": "new resource"}]'),
    ]
    package = form(world.people["Ce"], "package_revise", [parts[place] for place in order]).json()["result"]["package"]
    assert [one["size"] for one in package["resources"]][-1] == 5


@pytest.mark.parametrize(
    ("who", "parts", "status", "error"),
    [
        ("Ce", [TEXT], 409, {"package_id": ["Missing value"]}),
        ("Ce", [TEXT, ("package_id", "no-such-dataset")], 404, {"message": "Not found: There is no such dataset or file, or you have no access to it"}),
        ("Ce", [("upload", "x.exe", "MZ"), ("package_id", "DRAFT")], 409, None),
        ("Ce", [TEXT, ("package_id", "PUBLIC")], 403, {"message": "Access denied: Editing resources for non-draft datasets not allowed!"}),
        ("Ge", [TEXT, ("package_id", "DRAFT")], 403, {"message": "Access denied: User ge not authorized to add files to any package"}),
        ("U", [TEXT, ("package_id", "DRAFT")], 403, {"message": "Access denied: User stranger not authorized to add files to any package"}),
        ("A", [TEXT, ("package_id", "DRAFT")], 403, {"message": "Access denied: Action resource_create requires an authenticated user"}),
    ],
)  # fmt: skip
def test_a_file_that_comes_first_opens_no_door(
    world: World, who: str, parts: list[tuple[str, ...]], status: int, error: Any
) -> None:
    known = {"DRAFT": world.dataset("draft").id, "PUBLIC": world.dataset("public").id}
    answer = form(world.people[who], "resource_create", [(*part[:-1], known.get(part[-1], part[-1])) for part in parts])
    found = answer.json()["error"]
    assert answer.status_code == status
    if error is not None:
        assert {key: value for key, value in found.items() if key != "__type"} == error
    assert parts_on_disk(world) == 0


def test_a_collaborator_may_send_the_file_first(world: World) -> None:
    """Whose only right is one dataset."""
    one = world.dataset("draft")
    name = world.user()
    token = world.people["S"].post("api_token_create", user=name, name="x")
    assert token.status == 200, token.body
    world.people["Ca"].post("package_collaborator_create", id=one.id, user_id=name, capacity="editor")
    person = Person(world.appliance, name, token.result["token"])
    assert form(person, "resource_create", [TEXT, ("package_id", one.id)]).status_code == 200


# --- API guide --------------------------------------------------------------------------------------------------------


def curl(world: World, *arguments: str, who: str = "S") -> Any:
    """What curl prints, as JSON. `{site}` in an argument stands for the server's address."""
    found = subprocess.run(
        ["curl", "-sS", "--cacert", str(world.appliance.certificate), "-H", f"Authorization: {world.people[who].token}"]
        + [one.replace("{site}", world.appliance.url) for one in arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(found.stdout)


def test_curl_as_the_api_guide_shows_it(world: World) -> None:
    assert "circle" in curl(world, "{site}/api/3/action/organization_list")["result"]
    assert curl(world, "{site}/api/3/action/group_list", "-d", '{"groups": ["collection"]}')["result"] == ["collection"]
    created = curl(
        world,
        "{site}/api/3/action/package_create",
        "-d",
        '{"name": "my_dataset_name", "title": "My dataset", "authors": "Ada L.", "license_id": "CC0-1.0",'
        ' "notes": "A long description of my dataset", "owner_org": "circle"}',
    )
    assert created["success"] is True
    assert (created["result"]["state"], created["result"]["name"]) == ("active", "my_dataset_name")
    searched = curl(world, "{site}/api/3/action/package_search?q=my_dataset_name")
    assert searched["result"]["count"] == 1
    missing = curl(world, "{site}/api/3/action/package_show?id=no-such-dataset")
    assert missing["success"] is False
    assert missing["error"]["__type"] == "Not Found Error"
    assert curl(world, "{site}/api/3/action/package_show?id=my_dataset_name")["result"]["id"] == created["result"]["id"]


def test_the_old_addresses_of_the_api_guide(world: World) -> None:
    for base in ("/api/action/", "/api/3/action/"):
        assert world.people["A"].fetch(f"{base}site_read").json()["result"] is True


# --- ckanapi's README -------------------------------------------------------------------------------------------------


def remote(world: World, who: str) -> ckanapi.RemoteCKAN:
    person = world.people[who]
    return ckanapi.RemoteCKAN(world.appliance.url, apikey=person.token, session=person.http)


def test_ckanapi_as_its_readme_shows_it(world: World) -> None:
    ckan = remote(world, "S")
    made = ckan.action.package_create(
        name="my-dataset", title="not going to work", owner_org="circle", authors="A", license_id="CC0-1.0"
    )
    assert made["state"] == "active"
    with pytest.raises(ckanapi.NotAuthorized):
        remote(world, "U").action.package_create(name="other", title="not going to work")
    ckan.action.resource_create(package_id="my-dataset", url="dummy-value", upload=io_file("upload.csv", b"a,b\n1,2\n"))
    assert ckan.action.package_show(id="my-dataset")["num_resources"] == 1
    assert "my-dataset" in ckan.action.package_list()
    assert ckan.call_action("package_patch", {"id": "my-dataset", "title": "A title"})["title"] == "A title"
    assert "my-dataset" in [one["name"] for one in ckan.action.package_autocomplete(q="my-dataset")]
    ckan.action.package_revise(match={"name": "my-dataset"}, update={"notes": "An example"})
    assert ckan.action.package_show(id="my-dataset")["notes"] == "An example"


def io_file(name: str, content: bytes) -> Any:
    file = io.BytesIO(content)
    file.name = name
    return file
