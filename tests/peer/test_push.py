"""`dcor push`: a dataset is published on another server once, whole, and only when nothing forbids it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from appliance.actions import outgoing
from appliance.model.viewer import OPERATOR
from appliance.store import datasets, mirroring, publications, rtdc
from appliance.store import tags as tag_rows
from tests.peer.conftest import Publisher, Said, leads_back
from tests.support.peers import Between, Reply
from tests.support.samples import synthetic
from tests.support.server import Appliance

Push = Callable[..., Said]
There = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def there(receiving: Appliance, circle: str) -> Callable[[], list[dict[str, Any]]]:
    """All datasets of the circle that was published to, drafts included."""

    def listed() -> list[dict[str, Any]]:
        found = receiving.admin.post(
            "package_search", fq=f"organization:{circle}", include_drafts=True, include_private=True
        )
        return list(found.result["results"])

    return listed


@pytest.fixture(scope="module")
def measurement() -> bytes:
    """A file that another server takes."""
    return synthetic().read_bytes()


@pytest.fixture
def published(publisher: Publisher, measurement: bytes) -> str:
    """Name of a dataset that may be published."""
    publisher.dataset("Public beads", {"M1_beads.rtdc": measurement})
    return "public-beads"


def test_a_dataset_arrives_equal_and_both_name_each_other(
    push: Push,
    published: str,
    publisher: Publisher,
    receiving: Appliance,
    target_between: Between,
    there: There,
    circle: str,
) -> None:
    said = push(published)
    assert (said.code, said.json[0]["state"]) == (0, "draft"), said.out
    own = publisher.package(published)
    assert "published_as" not in own, "a draft there is nobody's business"

    said = push(published, "--activate", "--yes")
    assert (said.code, said.json[0]["state"], said.json[0]["sent"]) == (0, "active", 0), said.out
    (found,) = there()
    own = publisher.package(published)
    for key in ("title", "authors", "license_id", "notes"):
        assert found[key] == own[key]
    assert found["private"] is True, "nothing becomes public without --public"
    assert found["references"] == f"{publisher.url}/dataset/{own['id']}"
    assert own["published_as"] == [f"{target_between.url}/dataset/{found['name']}"]
    (file,), (sent,) = own["resources"], found["resources"]
    assert (sent["name"], sent["sha256"]) == (file["name"], file["sha256"])
    content = receiving.admin.fetch(f"/dataset/{found['id']}/resource/{sent['id']}/download/x").content
    assert hashlib.sha256(content).hexdigest() == file["sha256"]
    assert [put.authorized for put in target_between.puts] == [False], "the token goes into no address for files"
    with publisher.site.db.read() as conn:
        (noted,) = publications.of_dataset(conn, own["id"])
    assert (noted.state, noted.circle, noted.url) == ("active", circle, own["published_as"][0])


def test_a_server_without_addresses_for_parts_gets_a_form(
    push: Push, published: str, target_between: Between, publisher: Publisher, there: There
) -> None:
    def forms_only(path: str, _request: dict[str, Any], reply: Reply) -> None:
        if path.endswith("resource_upload_s3_urls"):
            reply.status, reply.body = 400, b'"Bad request: Action name not known: resource_upload_s3_urls"'

    target_between.hook = forms_only
    said = push(published, "--public")
    assert said.code == 0, said.out
    (found,) = there()
    own = publisher.package(published)
    assert [one["sha256"] for one in found["resources"]] == [one["sha256"] for one in own["resources"]]
    assert found["private"] is False
    assert [put.path.rpartition("/")[2] for put in target_between.puts] == ["package_revise"]


def test_supplements_and_descriptions_come_along(
    push: Push, publisher: Publisher, published: str, there: There
) -> None:
    values = {"description": "the second chip", "sp:chip:channel width": 21.0}
    file = publisher.package(published)["resources"][0]["id"]
    with publisher.site.db.write() as tx:
        texts = {"description": values["description"], "supplements": '{"sp:chip:channel width": 21.0}'}
        mirroring.put_resource(tx, file, texts)
    assert push(published).code == 0
    (found,) = there()
    assert {key: found["resources"][0][key] for key in values} == values


def test_what_is_shown_before_sends_nothing(push: Push, published: str, target_between: Between) -> None:
    said = push(published, "--dry-run", "--licence", "CC0-1.0", "--title", "Other title")
    assert said.code == 0
    assert said.json[0]["fields"]["title"] == "Other title"
    assert [one["name"] for one in said.json[0]["files"]] == ["M1_beads.rtdc"]
    assert "M1_beads.rtdc" in push(published, "--dry-run", as_json=False).out
    assert target_between.actions == []


def test_only_servers_that_an_administrator_named_get_anything(
    push: Push, published: str, target_between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = push(published, to="https://elsewhere.example")
    assert said.code == 1
    assert "publish.targets" in said.err
    monkeypatch.setenv("DCOR_PUBLISH_TARGETS", "")
    assert push(published).code == 1
    assert target_between.actions == []


def test_what_is_not_active_is_refused(push: Push, publisher: Publisher, target_between: Between) -> None:
    publisher.dataset("A draft", {"a.rtdc": b"x"}, state="draft")
    assert "it is a draft" in push("a-draft").json[0]["error"]
    assert "There is no dataset" in push("no-such").json[0]["error"]
    assert target_between.actions == []


def test_a_licence_that_permits_nothing_is_refused(push: Push, published: str, publisher: Publisher) -> None:
    with publisher.site.db.write() as tx:
        datasets.update(tx, publisher.package(published)["id"], license_id="none")
    said = push(published)
    assert "does not permit publication" in said.json[0]["error"]
    assert push(published, "--licence", "CC-BY-4.0").code == 0


def test_a_licence_cannot_become_more_restrictive(push: Push, published: str) -> None:
    assert "more restrictive" in push(published, "--licence", "CC-BY-NC-4.0").json[0]["error"]


def test_personal_data_forbid_it(push: Push, published: str, publisher: Publisher, target_between: Between) -> None:
    own = publisher.package(published)
    found = [{"where": "log cfg", "kind": "e-mail address", "excerpt": "anna@clinic.example"}]
    with publisher.site.db.write() as tx:
        rtdc.put(tx, own["resources"][0]["id"], personal=found)
    said = push(published)
    assert "e-mail address in log cfg" in said.json[0]["error"]
    assert target_between.actions == []
    with publisher.site.db.write() as tx:
        rtdc.put(tx, own["resources"][0]["id"], personal=[])
    said = push(published, "--title", "Blood of patient no. 4711")
    assert "title holds a patient number" in said.json[0]["error"]


@pytest.mark.parametrize(
    ("supplements", "tags", "told"),
    [
        ({}, ["dr-med", "patient no. 4711"], "its tag 'patient no. 4711' holds a patient number"),
        ({"user:patient id": 471112}, [], "patient number"),
        ({"sp:cells:comments": ["cells of", "anna@clinic.example"]}, [], "e-mail address"),
        ({"sp:cells:more": {"date of birth": "1.2.1980"}}, [], "birth date"),
    ],
)
def test_personal_data_in_tags_and_in_supplements_that_are_no_texts_forbid_it(
    push: Push, published: str, publisher: Publisher, supplements: dict[str, object], tags: list[str], told: str
) -> None:
    own = publisher.package(published)
    with publisher.site.db.write() as tx:
        tx.execute(
            "UPDATE resource SET supplements = ? WHERE id = ?", (json.dumps(supplements), own["resources"][0]["id"])
        )
        tag_rows.assign(tx, own["id"], tags)
    assert told in push(published).json[0]["error"]


def test_it_is_sent_once_however_often_it_is_said(
    push: Push, published: str, target_between: Between, there: There
) -> None:
    for _ in range(3):
        assert push(published).code == 0
    assert len(there()) == 1
    assert len(target_between.puts) == 1


def test_another_wish_is_not_mixed_with_the_first(
    push: Push, published: str, receiving: Appliance, there: There, circle: str
) -> None:
    assert push(published).code == 0
    said = push(published, "--licence", "CC0-1.0")
    assert said.code == 0, "the licence is the one that it has"
    receiving.person("kim").circle("second")
    assert "--anew" in push(published, into="second").json[0]["error"]
    assert push(published, "--anew", into="second").code == 0
    found = receiving.admin.post("package_search", fq="organization:second", include_drafts=True, include_private=True)
    assert len(there()) == len(found.result["results"]) == 1


# --- servers that fail ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [0, 500, 503])
@pytest.mark.parametrize("moment", ["package_create", "package_revise", "/upload/"])
def test_a_request_that_fails_once_is_repeated(
    push: Push, published: str, target_between: Between, answer: int, moment: str, there: There
) -> None:
    failed: list[str] = []

    def once(path: str, _number: int) -> int | None:
        if moment in path and not failed:
            failed.append(path)
            return answer
        return None

    target_between.before = once
    assert push(published).code == 0
    assert failed
    assert len(there()) == 1


@pytest.mark.parametrize("action", ["package_create", "package_revise"])
def test_an_answer_that_is_lost_makes_nothing_twice(
    push: Push, published: str, receiving: Appliance, target_between: Between, action: str, there: There
) -> None:
    lost: list[str] = []

    def lose(path: str, _request: dict[str, Any], reply: Reply) -> None:
        leads_back(receiving, target_between, path, reply)
        if path.endswith(action) and not lost:
            lost.append(path)
            reply.status, reply.body = 502, b"{}"

    target_between.hook = lose
    assert push(published).code == 0
    assert lost
    (found,) = there()
    assert len(found["resources"]) == len(target_between.puts) == 1


def test_a_server_that_never_answers_is_told_and_the_next_call_goes_on(
    push: Push, published: str, target_between: Between, there: There
) -> None:
    target_between.before = lambda path, _number: 500 if "/upload/" in path else None
    said = push(published)
    assert said.code == 1
    assert "does not take M1_beads.rtdc: it says 500" in said.json[0]["error"]
    target_between.before = lambda _path, _number: None
    assert push(published).code == 0
    assert len(there()) == 1


def test_a_file_that_arrives_damaged_is_told_and_nothing_is_activated(
    push: Push, published: str, receiving: Appliance, target_between: Between, there: There
) -> None:
    def damaged(path: str, _request: dict[str, Any], reply: Reply) -> None:
        leads_back(receiving, target_between, path, reply)
        if path.endswith("package_show") and isinstance(reply.body, dict):
            for one in reply.body["result"]["resources"]:
                one["sha256"] = "0" * 64

    target_between.hook = damaged
    said = push(published, "--activate", "--yes")
    assert "arrived damaged" in said.json[0]["error"]
    assert [one["state"] for one in there()] == ["draft"]


def test_without_a_checksum_there_nothing_is_activated(
    push: Push, published: str, receiving: Appliance, target_between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(path: str, _request: dict[str, Any], reply: Reply) -> None:
        leads_back(receiving, target_between, path, reply)
        if path.endswith("package_show") and isinstance(reply.body, dict):
            for one in reply.body["result"]["resources"]:
                one["sha256"] = one["etag"] = None

    target_between.hook = silent
    with monkeypatch.context() as patch:
        patch.setattr("appliance.peer.push.PATIENCE", (0.0,))
        said = push(published, "--activate", "--yes")
    assert (said.code, said.json[0]["state"], said.json[0]["unverified"]) == (1, "draft", ["M1_beads.rtdc"])
    target_between.hook = lambda path, _request, reply: leads_back(receiving, target_between, path, reply)
    assert push(published, "--activate", "--yes").json[0]["state"] == "active"


@pytest.mark.parametrize("status", [301, 307])
def test_a_server_that_leads_elsewhere_gets_nothing(
    push: Push, published: str, target_between: Between, status: int
) -> None:
    def away(path: str, _request: dict[str, Any], reply: Reply) -> None:
        if path.endswith("package_create"):
            reply.status, reply.body = status, b"{}"
            reply.headers["Location"] = "https://elsewhere.example/"

    target_between.hook = away
    said = push(published)
    assert "redirects" in said.json[0]["error"]


def test_files_go_to_no_host_that_was_not_named(
    push: Push, published: str, receiving: Appliance, target_between: Between
) -> None:
    with_storage = target_between.url.replace("127.0.0.1", "localhost")

    def elsewhere(path: str, _request: dict[str, Any], reply: Reply) -> None:
        if path.endswith("resource_upload_s3_urls"):
            reply.body = json.loads(json.dumps(reply.body).replace(receiving.url, with_storage))

    target_between.hook = elsewhere
    said = push(published)
    assert "publish.storage" in said.json[0]["error"]
    assert target_between.puts == []


def test_a_token_that_has_expired_is_told(push: Push, published: str, there: There) -> None:
    said = push(published, token="nobodys-token")
    assert said.code == 1
    assert "token" in said.json[0]["error"]
    assert there() == []


def test_no_token_and_no_answer_are_kept(
    push: Push, published: str, publisher: Publisher, receiving: Appliance
) -> None:
    token = receiving.person("kim").token
    assert push(published, "--activate", "--yes", token=token).code == 0
    with publisher.site.db.read() as conn:
        own = publisher.package(published)
        (noted,) = publications.of_dataset(conn, own["id"])
        assert noted.state == "active"
        assert token not in "\n".join(conn.iterdump())
    for log in (publisher.root / "log").rglob("*"):
        assert token not in log.read_text(encoding="utf-8", errors="replace")


# --- pseudonymised copies ---------------------------------------------------------------------------------------------

_PATIENT = "Kunigunde Zwackelmann"


@pytest.fixture
def patient(publisher: Publisher, measurement: bytes, tmp_path: Path) -> str:
    """Name of a dataset whose file names a person, and is known to."""
    path = tmp_path / "patient.rtdc"
    path.write_bytes(measurement)
    with h5py.File(path, "r+") as h5:
        h5.attrs["experiment:sample"] = _PATIENT
        h5.require_group("logs")["cfg"] = np.array([f"patient: {_PATIENT}".encode()])
    _, (file,) = publisher.dataset("Blood", {"M1_Zwackelmann.rtdc": path.read_bytes()})
    with publisher.site.db.write() as tx:
        rtdc.put(tx, file, personal=[{"where": "log cfg", "kind": "person's name", "excerpt": _PATIENT}])
        mirroring.put_resource(
            tx, file, {"description": f"of {_PATIENT}", "supplements": '{"sp:chip:channel width": 21.0}'}
        )
    return "blood"


def test_a_pseudonymised_copy_is_sent_and_named_so(
    push: Push, patient: str, publisher: Publisher, receiving: Appliance, there: There
) -> None:
    own = publisher.package(patient)["resources"][0]
    before = publisher.site.depot.path(own["id"]).read_bytes()
    assert "personal data" in push(patient).json[0]["error"]
    said = push(patient, "--pseudonymise", "--activate", "--yes")
    assert (said.code, said.json[0]["state"]) == (0, "active"), said.out
    (found,) = there()
    (sent,) = found["resources"]
    assert sent["name"] == "measurement_1.rtdc"
    assert "pseudonymised" in found["notes"]
    assert sent["sp:chip:channel width"] == 21.0
    content = receiving.admin.fetch(f"/dataset/{found['id']}/resource/{sent['id']}/download/x").content
    assert hashlib.sha256(content).hexdigest() == sent["sha256"] != own["sha256"]
    shown = json.dumps(found).encode() + content
    assert not [word for word in (b"Kunigunde", b"Zwackelmann") if word in shown]
    with publisher.site.db.read() as conn:
        (noted,) = publications.of_dataset(conn, found["references"].rpartition("/")[2])
    assert (noted.pseudonymised, noted.state) == (1, "active")
    assert publisher.site.depot.path(own["id"]).read_bytes() == before
    assert not list((publisher.root / "tmp").rglob("*.rtdc"))


def test_copies_and_files_are_not_mixed(push: Push, published: str, target_between: Between, there: There) -> None:
    assert push(published, "--pseudonymise", "--yes").code == 0
    sent = len(target_between.puts)
    assert "pseudonymised copies" in push(published).json[0]["error"]
    assert push(published, "--pseudonymise", "--yes").json[0]["sent"] == 0
    assert len(target_between.puts) == sent
    assert len(there()) == 1


def test_other_files_stay_when_copies_are_sent(
    push: Push, publisher: Publisher, measurement: bytes, there: There
) -> None:
    publisher.dataset("Mixed", {"notes.csv": b"who", "M1.rtdc": measurement, "M2.rtdc": measurement})
    said = push("mixed", "--pseudonymise", "--yes")
    assert said.code == 0, said.out
    assert [one["name"] for one in there()[0]["resources"]] == ["measurement_1.rtdc", "measurement_2.rtdc"]
    assert any("notes.csv" in note for note in said.json[0]["notes"])


def test_what_copies_change_is_shown_and_nothing_is_sent_without_a_person(
    push: Push, patient: str, target_between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    (planned,) = push(patient, "--pseudonymise", "--dry-run").json
    (file,) = planned["files"]
    changed = {one["where"]: one["becomes"] for one in file["changes"]}
    assert changed["metadata experiment:sample"] == "sample 1"
    assert changed["log cfg"] == ""
    assert f"{_PATIENT} → sample 1" in push(patient, "--pseudonymise", "--dry-run", as_json=False).out
    monkeypatch.setattr("appliance.cli.push.TERMINAL", "/nonexistent/tty")
    said = push(patient, "--pseudonymise")
    assert said.code == 2
    assert target_between.actions == []


def test_a_copy_that_breaks_off_is_made_and_sent_again(
    push: Push, patient: str, target_between: Between, there: There
) -> None:
    target_between.before = lambda path, _number: 500 if "/upload/" in path else None
    assert push(patient, "--pseudonymise", "--yes").code == 1
    target_between.before = lambda _path, _number: None
    assert push(patient, "--pseudonymise", "--yes").code == 0
    (found,) = there()
    assert [one["name"] for one in found["resources"]] == ["measurement_1.rtdc"]


def test_the_creator_is_looked_up_once_however_many_files_are_copied(publisher: Publisher, measurement: bytes) -> None:
    def asked(title: str, count: int) -> int:
        publisher.dataset(title, {f"M{number}.rtdc": measurement for number in range(count)})
        statements: list[str] = []
        with publisher.site.db.read() as conn:
            conn.set_trace_callback(statements.append)
        outgoing.gather(publisher.site, OPERATOR, title.lower(), outgoing.Wishes(pseudonymise=True))
        with publisher.site.db.read() as conn:
            conn.set_trace_callback(None)
        assert statements
        return sum(" user " in one or "FROM dataset" in one for one in statements)

    assert asked("Many", 5) == asked("One", 1)
