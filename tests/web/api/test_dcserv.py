"""`dcserv`: its versions, its refusals in their order, and what it says of files that nobody has looked into yet."""

from __future__ import annotations

import json
from typing import Any

import pytest

from appliance.actions import lookup
from appliance.store import artefacts, rtdc
from tests.web.api.permission_fixture import World


@pytest.fixture(scope="module", autouse=True)
def no_jobs(world: World) -> None:
    world.appliance.service.jobs.stop(grace=5.0)


@pytest.mark.parametrize(
    ("version", "features"), [(None, ["deform"]), ("1", ["deform"]), (1, ["deform"]), ("2", []), (2, [])]
)
@pytest.mark.parametrize("ask", ["get", "post"])
def test_a_request_without_a_version_is_one_of_the_old_programs(
    world: World, version: Any, features: list[str], ask: str
) -> None:
    one = world.dataset("private")
    sent = {"id": one.resource, "query": "feature_list"} | ({} if version is None else {"version": version})
    assert getattr(world.people["Cm"], ask)("dcserv", **sent).result == features


def test_refusals_come_in_order(world: World) -> None:
    """Parameters, then rights, then the kind of file, then the question."""
    one, editor, stranger = world.dataset("draft"), world.people["Ce"], world.people["U"]
    notes = editor.upload("resource_create", {"package_id": one.id}, "upload", "notes.txt", b"x").result["id"]
    table = [
        (stranger, {}, 409, "Please specify 'query' parameter!"),
        (stranger, {"query": "peter"}, 409, "Please specify 'id' parameter!"),
        (
            stranger,
            {"query": "peter", "id": "x", "version": "3"},
            409,
            "Version '3' of the DCOR API is not supported. Please use version '2' instead!",
        ),
        (
            stranger,
            {"query": "peter", "id": "00000000-0000-4000-8000-000000000000"},
            404,
            f"Not found: {lookup.NOT_SEEN}",
        ),
        (stranger, {"query": "peter", "id": notes}, 404, f"Not found: {lookup.NOT_SEEN}"),
        (editor, {"query": "peter", "id": notes}, 409, f"Resource ID {notes} must be an .rtdc dataset!"),
        (editor, {"query": "peter", "id": one.resource}, 409, "Invalid query parameter 'peter'!"),
        (editor, {"query": "peter", "id": one.resource, "version": "2"}, 409, "Invalid query parameter 'peter'!"),
        (editor, {"query": "feature", "id": one.resource, "version": "2"}, 409, "Invalid query parameter 'feature'!"),
    ]
    for person, sent, status, words in table:
        answer = person.get("dcserv", **sent)
        assert (answer.status, answer.message) == (status, words), sent


def test_a_file_that_nobody_has_looked_into_yet(world: World) -> None:
    one, editor = world.dataset("draft"), world.people["Ce"]
    fresh = editor.upload("resource_create", {"package_id": one.id}, "upload", "fresh.rtdc", b"not looked at").result[
        "id"
    ]
    assert editor.get("dcserv", id=fresh, query="valid", version=2).result is True
    for query in ("metadata", "size", "logs", "tables", "basins", "trace_list"):
        answer = editor.get("dcserv", id=fresh, query=query, version=2)
        assert (answer.status, answer.message) == (
            409,
            f"The server has not processed resource {fresh} yet; try again in a moment.",
        )
    world.context.depot.path(fresh).unlink()
    assert editor.get("dcserv", id=fresh, query="valid", version=2).result is False


def test_basins(world: World) -> None:
    site = world.appliance.url
    public, private = world.dataset("public"), world.dataset("private")
    for one, kind in ((public, "dcor"), (private, "dcor-presigned")):
        with world.context.db.write() as tx:
            rtdc.put(tx, one.resource, features=["deform", "image"], condensed_features=["volume", "deform"])
        condensed, resource = world.people["Cm"].get("dcserv", id=one.resource, query="basins", version=2).result
        place = f"{one.resource[:3]}/{one.resource[3:6]}/{one.resource[6:]}"
        for basin, artefact, features in (
            (condensed, "condensed", ["deform", "volume"]),
            (resource, "resource", ["deform", "image"]),
        ):
            assert basin["urls"][0].partition("?")[0] == f"{site}/objects/{artefact}/{place}"
            known = {
                "name": f"{artefact}-{one.resource[:5]}",
                "format": "http",
                "type": "remote",
                "mapping": "same",
                "features": features,
            }
            assert {key: basin[key] for key in known} == known
            assert basin["key"] == f"{kind}-{artefact}-{one.resource}"
            if one is public:
                assert (basin["perishable"], "time_request" in basin, "?" in basin["urls"][0]) == (False, False, False)
            else:
                assert basin["perishable"] is True
                assert 3600 <= basin["time_expiration"] - basin["time_request"] <= 2 * 3600
    again = world.people["Cm"].get("dcserv", id=private.resource, query="basins", version=2).result
    assert again[0]["urls"] == condensed["urls"]  # the same for a while, so that clients can cache it


def test_a_size_that_only_the_header_knows(world: World) -> None:
    assert world.people["Cm"].get("dcserv", id=world.dataset("private").resource, query="size", version=2).result == 7


def test_a_file_that_cannot_be_read_has_a_reason(world: World) -> None:
    """Not "try again in a moment" for ever."""
    one, editor = world.dataset("draft"), world.people["Ce"]
    bad = editor.upload("resource_create", {"package_id": one.id}, "upload", "bad.rtdc", b"rubbish").result["id"]
    with world.context.db.write() as tx:
        tx.execute(
            "UPDATE job SET state = 'failed', error = 'This is not an HDF5 file.' WHERE resource_id = ? AND kind = 'metadata'",
            (bad,),
        )
    for query, version in (("metadata", 2), ("logs", 2), ("feature_list", 1)):
        answer = editor.get("dcserv", id=bad, query=query, version=version)
        assert answer.status == 409
        assert "This is not an HDF5 file. Correct the file and upload it" in answer.message
        assert "try again" not in answer.message


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("kind", ["logs", "tables"])
def test_what_is_too_long_for_the_catalogue_comes_whole_out_of_its_file(world: World, kind: str, version: int) -> None:
    one, member = world.dataset("private"), world.people["Cm"]
    entries = [f"line {n} ü" for n in range(50_000)] if kind == "logs" else [["x"], [[float(n)] for n in range(50_000)]]
    path = world.context.depot.path(one.resource, kind)
    path.write_text(json.dumps({"long": entries}, ensure_ascii=False), encoding="utf-8")
    facts = {"lengths": {"long": 50_000}, "whole": False, "over": None}
    with world.context.db.write() as tx:
        artefacts.put(tx, one.resource, kind, size=path.stat().st_size, sha256="0" * 64, etag="0" * 32)
        rtdc.put(
            tx, one.resource, contents={kind: facts}, condensed_logs={"dclab-condense": ["{", "}"], "long": ["ours"]}
        )
    for _ in range(2):
        answer = member.get("dcserv", id=one.resource, query=kind, version=version)
        expected = {"long": entries} | ({"dclab-condense": ["{", "}"]} if kind == "logs" else {})
        assert answer.result == expected
        assert int(answer.headers["Content-Length"]) == len(answer.text.encode())
    with world.context.db.write() as tx:
        artefacts.remove(tx, one.resource, kind)
    answer = member.get("dcserv", id=one.resource, query=kind, version=version)
    assert (answer.status, "dcor jobs run-missing" in answer.message) == (409, True)
    with world.context.db.write() as tx:
        rtdc.put(tx, one.resource, contents={kind: facts | {"over": 128_000_000}})
    answer = member.get("dcserv", id=one.resource, query=kind, version=version)
    assert (answer.status, "more than 128 MB" in answer.message) == (409, True)
    with world.context.db.write() as tx:
        rtdc.put(tx, one.resource, contents={}, condensed_logs={})
