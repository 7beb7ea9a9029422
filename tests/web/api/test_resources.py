"""Files of a draft: what they may be called, what may be said of them, and what only the server says."""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

import pytest
import requests

from appliance.store import resources
from tests.support.server import Answer, Person
from tests.web.api.permission_fixture import Dataset, World

ALLOWED = "Allowed file extensions are ['.rtdc', '.ini', '.csv', '.tsv', '.pdf', '.txt', '.jpg', '.png', '.tif', '.py', '.ipynb', '.poly', '.sof', '.so2']."


def revise(person: Person, one: Dataset, name: str, **fields: Any) -> Answer:
    """Upload a file as DCOR-Aid does."""
    entry = json.dumps([{"name": name} | fields])
    sent = {"match__id": one.id, "update__resources__extend": entry}
    return person.upload("package_revise", sent, "update__resources__-1__upload", name, b"some text")


def create(person: Person, one: Dataset, name: str, **fields: str) -> Answer:
    """Upload a file as ckanapi does."""
    return person.upload("resource_create", {"package_id": one.id} | fields, "upload", name, b"some text")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x.docx", f"Unsupported file extension '.docx'. {ALLOWED}"),
        ("x.TXT", f"Unsupported file extension '.TXT'. {ALLOWED}"),
        ("x", f"Unsupported file extension 'None'. {ALLOWED}"),
        ("my file.txt", "Invalid characters in file name:  "),
        ("data.rtdc", "Resource with name 'data.rtdc' already exists!"),
    ],
)
def test_names_that_are_refused(world: World, name: str, words: str) -> None:
    one, before = world.dataset("draft"), list(world.context.depot.parts())
    for answer in (create(world.people["Ce"], one, name), revise(world.people["Ce"], one, name)):
        assert (answer.status, answer.reason) == (409, "CONFLICT")
        error = answer.error if "name" in answer.error else next(entry for entry in answer.error["resources"] if entry)
        assert error == {"name": [words]}
    assert len(world.people["Ce"].get("package_show", id=one.id).result["resources"]) == 1
    assert list(world.context.depot.parts()) == before


def test_files_keep_the_order_of_their_upload(world: World) -> None:
    one, editor = world.dataset("draft"), world.people["Ce"]
    for name in ("b.txt", "a.csv", "c[1].rtdc"):
        revise(editor, one, name).result  # noqa: B018
    listed = editor.get("package_show", id=one.id).result["resources"]
    assert [(entry["name"], entry["position"]) for entry in listed] == [
        ("data.rtdc", 0),
        ("b.txt", 1),
        ("a.csv", 2),
        ("c[1].rtdc", 3),
    ]
    assert [entry["mimetype"] for entry in listed] == ["RT-DC", "text/plain", "text/csv", "RT-DC"]
    assert [entry["format"] for entry in listed] == ["RT-DC", "TXT", "CSV", "RT-DC"]
    wanted = [listed[2]["id"], listed[0]["id"]]
    order = editor.post("package_resource_reorder", id=one.id, order=wanted).result["order"]
    assert order == [listed[place]["id"] for place in (2, 0, 1, 3)]
    assert [entry["id"] for entry in editor.get("package_show", id=one.id).result["resources"]] == order
    for wrong in ([str(uuid.uuid4())], [order[0], order[0]]):
        assert editor.post("package_resource_reorder", id=one.id, order=wrong).status == 409


def test_what_a_resource_says_of_itself(world: World) -> None:
    one = world.dataset("draft")
    found = create(world.people["Ce"], one, "Notes.txt", description="my notes").result
    expected = {
        "name": "Notes.txt", "description": "my notes", "size": 9, "package_id": one.id, "state": "active", "url_type": "upload", "hash": "",
        "mimetype": "text/plain", "mimetype_inner": None, "format": "TXT", "cache_url": None, "cache_last_updated": None, "resource_type": None,
        "url": f"{world.appliance.url}/dataset/{one.id}/resource/{found['id']}/download/notes.txt",
        "etag": "552e21cd4cd9918678e3c1a0df491bc3", "s3_available": True,
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected
    assert list(found)[:3] == ["cache_last_updated", "cache_url", "created"]  # as the manual prints them


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sha256": "0" * 64}, "Regular users may not specify 'sha256' when creating a resource."),
        ({"etag": "0" * 32}, "Regular users may not specify 'etag' when creating a resource."),
        ({"dc:setup:medium": "water"}, "For legacy resource uploads, you may only specify the metadata ["),
        ({"position": 7}, "For legacy resource uploads, you may only specify the metadata ["),
        ({"id": str(uuid.uuid4())}, "For legacy resource uploads, you may only specify the metadata ["),
    ],
)
def test_what_the_server_alone_says(world: World, fields: dict[str, Any], words: str) -> None:
    one = world.dataset("draft")
    answer = revise(world.people["Ce"], one, "x.txt", **fields)
    assert answer.status == 403
    assert answer.message.startswith(f"Access denied: {words}")
    answer = create(world.people["Ce"], one, "y.txt", **{key: str(value) for key, value in fields.items()})
    assert answer.message.startswith(f"Access denied: {words}")


def test_supplements(world: World) -> None:
    one, editor = world.dataset("draft"), world.people["Ce"]
    answer = editor.post(
        "resource_patch",
        id=one.resource,
        **{"sp:chip:channel width": "21", "sp:cells:fixed": "yes", "description": "d"},
    )
    assert (answer.result["sp:chip:channel width"], answer.result["sp:cells:fixed"]) == (21.0, True)
    short = {
        "match__id": one.id,
        f"update__resources__{one.resource[:7]}": {"sp:chip:maker": "me", "sp:cells:fixed": ""},
    }
    kept = editor.post("package_revise", **short).result["package"]["resources"][0]
    assert {key: value for key, value in kept.items() if key.startswith("sp:")} == {
        "sp:chip:channel width": 21.0,
        "sp:chip:maker": "me",
    }
    assert kept["description"] == "d"
    wrong = {"sp:chip:production date": "2020-15-31", "sp:cells:passage number": "peter"}
    refused = editor.post("resource_patch", id=one.resource, **wrong)
    assert (refused.status, refused.reason) == (409, "CONFLICT")
    assert refused.error == {key: [f"Invalid value for '{key}': '{value}'!"] for key, value in wrong.items()}
    refused = editor.post("package_revise", match={"id": one.id}, **{f"update__resources__{one.resource}": wrong})
    assert refused.error["resources"][0].keys() == wrong.keys()
    assert editor.post("resource_patch", id=one.resource, **{"sp:chip:colour": "red"}).status == 409


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "other.rtdc"}, "Editing not allowed: name=other.rtdc"),
        ({"size": 1}, "Editing not allowed: size=1"),
        ({"sha256": "1" * 64}, "Regular users may not edit 'sha256'."),
        ({"etag": "1" * 32}, "Regular users may not edit 'etag'."),
        ({"dc:setup:medium": "beer"}, "Editing not allowed: dc:setup:medium=beer"),
        ({"url": "https://example.org"}, "Editing not allowed: url=https://example.org"),
        ({"package_id": "elsewhere"}, "Editing not allowed: package_id=elsewhere"),
        ({"position": 3, "state": "deleted"}, "Editing not allowed: position=3, state=deleted"),
    ],
)
def test_what_does_not_change(world: World, change: dict[str, Any], words: str) -> None:
    one, editor = world.dataset("draft"), world.people["Ce"]
    for answer in (
        editor.post("resource_patch", id=one.resource, **change),
        editor.post("package_revise", match={"id": one.id}, **{f"update__resources__{one.resource}": change}),
    ):
        assert (answer.status, answer.message) == (403, f"Access denied: {words}")


def test_a_file_does_not_leave_through_a_shorter_list(world: World) -> None:
    one, editor = world.dataset("draft"), world.people["Ce"]
    refused = editor.post("package_patch", id=one.id, resources=[])
    assert (refused.status, refused.message) == (403, "Access denied: Only admins may do so.")
    assert world.people["S"].post("package_patch", id=one.id, resources=[]).result["resources"] == []


def test_jobs_that_write_meanwhile_do_not_disturb(world: World) -> None:
    """A job writes what it read out of a file while its owner describes it: neither undoes or refuses the other."""
    one, editor = world.dataset("draft"), world.people["Ce"]
    done = threading.Event()

    def work() -> None:
        number = 0
        while not done.is_set():
            number += 1
            with world.context.db.write() as tx:
                resources.patch(tx, one.resource, dc={"dc:experiment:event count": number}, format="RT-FDC")

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for number in range(25):
            sent = {f"update__resources__{one.resource}": {"description": f"version {number}"}}
            shown = editor.post("package_revise", match={"id": one.id}, **sent).result["package"]["resources"][0]
            assert shown["description"] == f"version {number}"
    finally:
        done.set()
        worker.join()
    assert editor.get("resource_show", id=one.resource).result["dc:experiment:event count"] > 1


# --- direct uploads -----------------------------------------------------------------------------------------------------


def upload(world: World, person: Person, circle: str | None = None, content: bytes = b"direct") -> str:
    """Send a file to the address that the server gives; returns the id it will have."""
    urls = person.get("resource_upload_s3_urls", organization_id=circle or world.circle, file_size=len(content)).result
    answer = requests.put(urls["upload_urls"][0], data=content, verify=str(world.appliance.certificate))
    assert answer.status_code == 200
    assert urls["complete_url"] is None
    return str(urls["resource_id"])


def attach(person: Person, one: Dataset, resource_id: str, **fields: Any) -> Answer:
    """Make an uploaded file a resource."""
    entry = {"id": resource_id, "name": "direct.txt", "s3_available": True} | fields
    return person.post("package_revise", match={"id": one.id}, update__resources__extend=[entry])


def test_a_direct_upload_becomes_a_resource(world: World) -> None:
    one, editor = world.dataset("draft"), world.people["Ce"]
    resource_id = upload(world, editor)
    found = attach(editor, one, resource_id, **{"description": "d", "sp:chip:maker": "me"}).result["package"][
        "resources"
    ][-1]
    assert (found["id"], found["name"], found["size"], found["url_type"]) == (resource_id, "direct.txt", 6, "s3_upload")
    assert found["sp:chip:maker"] == "me"
    again = attach(editor, one, resource_id, name="again.txt")
    assert again.status in {403, 409}  # by its id it is the resource that is there already


def test_direct_uploads_that_do_not_fit(world: World) -> None:
    one, editor = world.dataset("draft"), world.people["Ce"]
    missing, other = str(uuid.uuid4()), world.fresh("circle")
    foreign = upload(world, editor, other)
    somebody = upload(world, world.people["Ca"])
    mine = upload(world, editor)
    table = [
        (missing, {}, f"Resource {missing} not available on S3!"),
        (foreign, {}, f"Resource {foreign} not available on S3!"),
        (somebody, {}, f"Resource {somebody} not available on S3!"),
        (mine, {"s3_available": False}, '"s3_available" must be set to True'),
        (mine, {"size": 6}, "For resource uploads via S3, you may only change the metadata keys ["),
        (mine, {"sha256": "0" * 64}, "Regular users may not specify 'sha256' when creating a resource."),
    ]
    for resource_id, fields, words in table:
        refused = attach(editor, one, resource_id, **fields)
        assert refused.status == 403, words
        assert refused.message.startswith(f"Access denied: {words}")
    assert attach(editor, one, mine).status == 200
    taken = world.dataset("draft")
    refused = attach(editor, taken, mine)
    assert refused.message == f"Access denied: Resource {mine} already exists!"


@pytest.mark.parametrize(
    ("who", "parameters", "words"),
    [
        ("Ce", {"file_size": 1}, "No `organization_id` provided"),
        ("Ce", {"organization_id": "CIRCLE"}, "No `file_size` provided"),
        ("Ce", {"organization_id": "circle", "file_size": 1}, "User ce not a member of the circle circle"),
        ("Cm", {"organization_id": "CIRCLE", "file_size": 1}, "User cm not a member of the circle CIRCLE"),
        ("U", {"organization_id": "CIRCLE", "file_size": 1}, "User stranger not a member of the circle CIRCLE"),
        (
            "A",
            {"organization_id": "CIRCLE", "file_size": 1},
            "Action resource_upload_s3_urls requires an authenticated user",
        ),
    ],
)
def test_addresses_for_direct_uploads_that_are_refused(
    world: World, who: str, parameters: dict[str, Any], words: str
) -> None:
    sent = {key: world.circle if value == "CIRCLE" else value for key, value in parameters.items()}
    refused = world.people[who].get("resource_upload_s3_urls", **sent)
    assert refused.status == 403
    assert refused.message.startswith(f"Access denied: {words.replace('CIRCLE', world.circle)}")


def test_a_large_file_has_as_many_parts_as_clients_count(world: World) -> None:
    for size, count in ((1, 1), (1 << 30, 1), ((1 << 30) + 1, 2), (3 << 30, 3), (4 << 30, 4)):
        who = "Ca" if count == 4 else "Ce"  # what one has begun may take half of the room, and disks may be small
        found = world.people[who].get("resource_upload_s3_urls", organization_id=world.circle, file_size=size).result
        assert len(found["upload_urls"]) == count
        assert bool(found["complete_url"]) == (count > 1)


def test_a_duplicate_name_has_one_shape_with_and_without_a_file(world: World) -> None:
    one = world.dataset("draft")
    editor = world.people["Ce"]
    (held,) = editor.get("package_show", id=one.id).result["resources"]
    fields = {"match__id": one.id, "update__resources__extend": json.dumps([{"name": held["name"]}])}
    refused = editor.upload("package_revise", fields, "update__resources__-1__upload", held["name"], b"x")
    assert refused.status == 409
    assert refused.error == {"resources": [{}, {"name": [f"Resource with name '{held['name']}' already exists!"]}]}


@pytest.mark.parametrize("name", ["x.exe", "ä.txt"])
def test_an_unfit_name_has_the_same_shape(world: World, name: str) -> None:
    one = world.dataset("draft")
    fields = {"match__id": one.id, "update__resources__extend": json.dumps([{"name": name}])}
    refused = world.people["Ce"].upload("package_revise", fields, "update__resources__-1__upload", name, b"x")
    assert [list(entry) for entry in refused.error["resources"]] == [[], ["name"]]


def test_a_system_administrator_chooses_the_id_of_a_file(world: World) -> None:
    one, id_ = world.dataset("draft"), str(uuid.uuid4())

    def send(who: str, wanted: str) -> Answer:
        fields = {"package_id": one.id, "id": wanted}
        return world.people[who].upload("resource_create", fields, "upload", f"{wanted[:2]}-{who}.txt", b"x")

    assert send("S", id_).result["id"] == id_
    assert send("S", "no/id").error == {"id": ["resource ID must be a valid UUID"]}
    again = world.people["S"].upload("resource_create", {"package_id": one.id, "id": id_}, "upload", "y.txt", b"x")
    assert again.error == {"id": ["Resource id already exists."]}
    assert send("Ce", str(uuid.uuid4())).status == 403
