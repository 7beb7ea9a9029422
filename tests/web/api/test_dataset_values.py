"""What a dataset may be made of: every field, every refusal, in the words that clients know."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from tests.support.server import Person
from tests.web.api.permission_fixture import World

VALUES: dict[str, Any] = {"title": "A title", "authors": "Ada L.", "license_id": "CC-BY-4.0", "state": "draft"}


def create(world: World, who: str = "Ce", **values: Any) -> Any:
    """Ask for a dataset in the world's circle; a value of None leaves the field out."""
    chosen = VALUES | {"owner_org": world.circle} | values
    return world.people[who].post(
        "package_create", **{key: value for key, value in chosen.items() if value is not None}
    )


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"authors": "Ada L.,Max P. ,"}, {"authors": "Ada L., Max P."}),
        ({"doi": "https://doi.org/10.1371/journal.pone.0088458"}, {"doi": "10.1371/journal.pone.0088458"}),
        ({"references": "https://arxiv.org/abs/1507.00466,x"}, {"references": "arXiv:1507.00466, x"}),
        ({"notes": "Some **notes**\nin two lines"}, {"notes": "Some **notes**\nin two lines"}),
        ({"tags": [{"name": "HL60"}, {"name": "GFP"}]}, {"num_tags": 2}),
        ({"tag_string": "b-tag, a_tag ,"}, {"num_tags": 2}),
        ({"private": "True"}, {"private": True}),
        ({"private": "false"}, {"private": False}),
        ({"private": None}, {"private": False}),
        ({"state": None}, {"state": "draft"}),
        ({"name": "my-own-name"}, {"name": "a-title"}),
        ({"id": ""}, {}),
        ({"author": "x", "maintainer_email": "y", "url": "z", "version": "1", "type": "dataset", "extras": []}, {}),
        ({"doi": None, "references": None, "notes": None}, {"doi": "", "references": "", "notes": ""}),
        ({"title": "Zellen: süß"}, {"name": "zellen-suss", "title": "Zellen: süß"}),
    ],
)
def test_fields_are_brought_into_their_form(world: World, sent: dict[str, Any], kept: dict[str, Any]) -> None:
    found = create(world, **sent).result
    name, wanted = found.pop("name"), kept.pop("name", None)
    assert {key: found[key] for key in kept} == kept
    if wanted:
        assert re.fullmatch(f"{wanted}(-[0-9a-f]+)?", name)
    assert found["creator_user_id"] == world.people["Ce"].id
    assert found["owner_org"] == found["organization"]["id"] == world.circle
    for key in ("author", "author_email", "maintainer", "maintainer_email", "url", "version"):
        assert key not in found


LICENCES = "['CC0-1.0', 'CC-BY-4.0', 'CC-BY-SA-4.0', 'CC-BY-NC-4.0']"


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"authors": None}, {"authors": ["Missing value"]}),
        ({"authors": " , "}, {"authors": ["Missing value"]}),
        ({"license_id": None}, {"license_id": [f"Please choose a license_id: {LICENCES}"]}),
        ({"license_id": "none"}, {"license_id": [f"Please choose a license_id: {LICENCES}"]}),
        ({"license_id": "GPL"}, {"license_id": [f"Please choose a license_id: {LICENCES}"]}),
        (
            {"authors": "", "license_id": ""},
            {"authors": ["Missing value"], "license_id": [f"Please choose a license_id: {LICENCES}"]},
        ),
        ({"owner_org": None}, {"owner_org": ["An organization must be provided"]}),
        (
            {"owner_org": None, "private": True},
            {
                "owner_org": ["An organization must be provided"],
                "private": ["Datasets with no organization can't be private."],
            },
        ),
        ({"owner_org": "nowhere"}, {"owner_org": ["Organization does not exist"]}),
        ({"tags": [{"name": "a"}]}, {"tags": ['Tag "a" length is less than minimum 2']}),
        ({"tags": [{"name": "a" * 101}]}, {"tags": [f'Tag "{"a" * 101}" length is more than maximum 100']}),
        (
            {"tags": [{"name": "a/b"}]},
            {
                "tags": [
                    'Tag "a/b" can only contain alphanumeric characters, spaces (" "), hyphens ("-"), underscores ("_") or dots (".")'
                ]
            },
        ),
        ({"tags": "HL60"}, {"tags": ["Not a list"]}),
        ({"groups": "collection"}, {"groups": ["Not a list"]}),
        ({"title": {"en": "x"}}, {"title": ["Must be a text"]}),
        ({"notes": ["x"]}, {"notes": ["Must be a text"]}),
        ({"title": "x" * 2001}, {"title": ["At most 2000 characters are accepted"]}),
        ({"private": "perhaps"}, {"private": ["Must be true or false"]}),
        (
            {"state": "active"},
            {"state": ["Cannot set state of dataset to 'active', because it does not contain any resources!"]},
        ),
        ({"state": "deleted"}, {"state": ["A new dataset is a draft, not 'deleted'"]}),
        ({"resources": [{"name": "x.rtdc"}]}, {"resources": ["Create the dataset first, then upload its files"]}),
    ],
    ids=lambda value: str(value)[:60],
)
def test_values_that_are_refused(world: World, sent: dict[str, Any], error: dict[str, Any]) -> None:
    refused = create(world, **sent)
    assert (refused.status, refused.reason) == (409, "CONFLICT")
    assert refused.error == error


def test_rights_that_are_missing(world: World) -> None:
    other = world.fresh("circle")
    collection, unknown = world.collection, str(uuid.uuid4())
    table = [
        ("Ce", {"id": unknown}, 403, "Only sysadmins may specify a dataset ID"),
        ("Ce", {"groups": [{"id": collection}]}, 403, "User ce not authorized to edit these groups"),
        ("Ce", {"groups": [{"name": "collection"}]}, 403, "User ce not authorized to edit these groups"),
        ("Ce", {"groups": [{"name": "nothing"}]}, 404, "Group was not found."),
        ("Ce", {"groups": [{"name": "circle"}]}, 404, "Group was not found."),
        ("Cm", {}, 403, "User cm not authorized to create packages"),
        ("A", {}, 403, "User  not authorized to create packages"),
        ("S", {"id": "not-an-id"}, 409, None),
    ]
    for who, sent, status, words in table:
        refused = create(world, who, **sent)
        assert refused.status == status, (who, sent, refused.body)
        if words:
            assert refused.message == f"{'Access denied' if status == 403 else 'Not found'}: {words}"
    foreign = world.people["Ga"].circle("their-circle")
    refused = create(world, owner_org=foreign["id"])
    assert refused.message == "Access denied: User ce not authorized to add dataset to this organization"
    assert create(world, owner_org=other).status == 200


def test_a_dataset_enters_the_collections_of_its_maker(world: World) -> None:
    mine = world.people["Ce"].post("group_create", name="my-collection", title="Mine").result
    found = create(world, groups=[mine]).result  # the whole dict, as DCOR-Aid sends it
    assert [group["id"] for group in found["groups"]] == [mine["id"]]
    assert [
        one["id"] for one in world.people["Ce"].get("group_package_show", id="my-collection").result
    ] == []  # a draft


def test_an_administrator_chooses_id_and_name(world: World) -> None:
    chosen = str(uuid.uuid4())
    found = create(world, "S", id=chosen, name="chosen-name", license_id="none").result
    assert (found["id"], found["name"], found["license_id"]) == (chosen, "chosen-name", "none")
    assert create(world, "S", id=chosen).error == {"id": ["Dataset id already exists"]}
    assert create(world, "S", name="chosen-name").error == {"name": ["That URL is already in use."]}
    assert "name" in create(world, "S", name="Not A Name").error
    assert create(world, "S").result["name"].startswith("a-title")  # a generated one without a wish
    renamed = world.people["S"].post("package_patch", id=chosen, name="other-name").result
    assert renamed["name"] == "other-name"
    assert world.people["S"].get("package_show", id="other-name").result["id"] == chosen


def test_the_name_of_a_deleted_dataset_is_free(world: World) -> None:
    first = create(world, title="Only one of its name").result
    world.people["Ce"].post("package_delete", id=first["id"])
    again = create(world, title="Only one of its name").result
    assert again["name"] == first["name"] == "only-one-of-its-name"
    assert world.people["Ce"].get("package_show", id=first["name"]).result["id"] == again["id"]
    assert world.people["Ce"].get("package_show", id=first["id"]).result["state"] == "deleted"


def test_an_empty_title_gives_a_random_name(world: World) -> None:
    found = create(world, title="").result
    assert re.fullmatch(r"[0-9a-f]{2,}", found["name"])
    assert found["title"] == found["name"]


def test_fields_of_a_draft_change(world: World) -> None:
    one, editor = world.dataset("draft"), world.people["Ce"]
    changes = {
        "title": "New", "notes": "N", "authors": "B, A", "doi": "https://doi.org/10.1/x", "references": "https://doi.org/10.1/y",
        "tags": [{"name": "new-tag"}], "license_id": "CC0-1.0",
    }  # fmt: skip
    found = editor.post("package_patch", id=one.id, **changes).result
    assert (found["title"], found["notes"], found["authors"]) == ("New", "N", "B, A")
    assert (found["doi"], found["references"], found["license_id"]) == ("10.1/x", "doi:10.1/y", "CC0-1.0")
    assert [tag["name"] for tag in found["tags"]] == ["new-tag"]
    assert found["metadata_modified"] > found["metadata_created"]
    assert found["name"] == one.name


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"name": "other"}, 403, "Access denied: Editing not allowed: {'name': 'other'}"),
        ({"private": True}, 200, ""),
        ({"license_id": "CC-BY-SA-4.0"}, 403, "Access denied: Cannot switch to more-restrictive license"),
        ({"license_id": "CC-BY-NC-4.0"}, 403, "Access denied: Cannot switch to more-restrictive license"),
        ({"state": "deleted"}, 403, "Access denied: Use package_delete to delete a dataset"),
        ({"authors": ""}, 409, '{"authors": ["Missing value"]}'),
        ({"license_id": ""}, 409, '{"license_id": ["Please choose a license_id: ' + LICENCES + '"]}'),
        ({"owner_org": "nowhere"}, 409, '{"owner_org": ["Organization does not exist"]}'),
        ({"state": "purple"}, 409, '{"state": ["A dataset is draft, active or deleted, not \'purple\'"]}'),
        ({"colour": "red"}, 409, '{"colour": ["There is no field \'colour\'"]}'),
    ],
)
def test_changes_of_a_draft_that_are_refused(world: World, change: dict[str, Any], status: int, words: str) -> None:
    answer = world.people["Ce"].post("package_patch", id=world.dataset("draft").id, **change)
    assert answer.status == status, answer.body
    if status != 200:
        assert answer.message == words


def test_a_draft_that_is_public_does_not_become_private(world: World) -> None:
    refused = world.people["Ce"].post("package_patch", id=world.dataset("open").id, private=True)
    assert refused.message == "Access denied: Changing visibility to private not allowed"


def test_a_collaborator_does_not_move_a_draft(world: World) -> None:
    own = world.people["Ke"].circle("circle-of-ke")
    refused = world.people["Ke"].post("package_patch", id=world.dataset("draft").id, owner_org=own["id"])
    assert refused.message == "Access denied: You cannot move this dataset to another organization"


@pytest.mark.parametrize(
    ("sent", "state"), [(None, "active"), ("active", "active"), ("", "active"), ("draft", "draft")]
)
def test_a_system_administrator_makes_active_datasets(world: World, sent: str | None, state: str) -> None:
    """As upstream: scripts and mirrors do; everybody else gets a draft, see above."""
    found = create(world, "S", state=sent, title=f"Mirrored {uuid.uuid4().hex}").result
    assert (found["state"], found["num_resources"]) == (state, 0)
    listed = world.people["A"].get("package_list").result
    assert (found["name"] in listed) == (state == "active")
    hits = world.people["A"].get("package_search", q=found["title"].split()[1]).result
    assert [one["id"] for one in hits["results"]] == ([found["id"]] if state == "active" else [])


@pytest.mark.parametrize("scope", ["write", "admin"])
def test_only_a_token_of_scope_admin_has_the_powers(world: World, scope: str) -> None:
    token = world.people["S"].post("api_token_create", name="script", scope=scope).result["token"]
    script = Person(world.appliance, "admin", token)
    answer = script.post("package_create", **VALUES | {"state": ""}, owner_org=world.circle)
    assert (answer.result["state"] if answer.status == 200 else answer.status) == (
        "active" if scope == "admin" else 403
    )
