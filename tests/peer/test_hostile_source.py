"""`dcor pull` from servers that lie, break off, send elsewhere, or never end: nothing but what was checked gets in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.actions import accounts, communities, datasets, ingest
from appliance.model.problem import Problem
from appliance.model.server_address import parse
from appliance.model.viewer import OPERATOR
from appliance.peer.client import Client
from tests.peer.conftest import Pull, Root
from tests.support.furnished import House
from tests.support.peers import Between, Reply, between
from tests.support.ports import free_port

Hook = Callable[[str, dict[str, Any], Reply], None]


def of_datasets(change: Callable[[dict[str, Any]], object]) -> Hook:
    """Spoil every dataset that is told of."""

    def hook(path: str, given: dict[str, Any], reply: Reply) -> None:
        if path.endswith("/package_show") and reply.status == 200:
            change(reply.body["result"])
        if path.endswith("/package_search"):
            for one in reply.body["result"]["results"]:
                change(one)

    return hook


def of_files(change: Callable[[Reply], None]) -> Hook:
    """Spoil every answer with a file."""

    def hook(path: str, given: dict[str, Any], reply: Reply) -> None:
        if "/download/" in path:
            change(reply)

    return hook


def nothing_came(still: Root) -> None:
    """No dataset, no file in the depot."""
    assert still.rows("SELECT name FROM dataset") == []
    assert [path for path in (still.root / "depot" / "resources").rglob("*") if path.is_file()] == []


def test_a_wrong_hash_is_seen(pull: Pull, source: Between, still: Root) -> None:
    source.hook = of_datasets(lambda one: [file.update(sha256="0" * 64) for file in one["resources"]])
    said = pull()
    assert said.code == 1
    assert said.reasons.count("is damaged: its SHA-256 is") == 3
    nothing_came(still)
    assert not still.parts


def test_an_endless_body_ends_at_the_told_size(pull: Pull, source: Between, still: Root) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"\0" * 65536

    def change(reply: Reply) -> None:
        reply.body, reply.headers = endless(), {}

    source.hook = of_files(change)
    said = pull("--dataset", "public-beads")
    assert "sends more of" in said.reasons
    nothing_came(still)


def test_another_length_than_was_told_is_refused_before_a_byte_is_taken(
    pull: Pull, source: Between, still: Root
) -> None:
    source.hook = of_files(lambda reply: reply.headers.update({"Content-Length": str(1 << 40)}))
    assert "bytes; " in pull("--dataset", "public-beads").reasons
    nothing_came(still)


def test_a_size_beyond_the_disk_is_not_begun(pull: Pull, source: Between, still: Root) -> None:
    size = 1 << 49
    source.hook = of_datasets(
        lambda one: [file.update(size=size, sha256="0" * 64) for file in one["resources"]] and None
    )
    assert pull("--dataset", "public-beads").code == 1
    nothing_came(still)


def test_truncated_answers_are_continued_where_they_broke_off(
    pull: Pull, source: Between, house: House, still: Root
) -> None:
    source.hook = of_files(lambda reply: setattr(reply, "cut", 100_000))
    said = pull("--dataset", "public-beads")
    assert said.code == 0
    assert said.json["taken"]["datasets"] == ["public-beads"]
    offsets = [one.offset for one in source.asked(house.file["id"])]
    assert offsets == sorted(set(offsets))
    assert len(offsets) > 3


def test_a_server_without_ranges_sends_the_whole_file_again(pull: Pull, source: Between, house: House) -> None:
    first = [True]

    def change(reply: Reply) -> None:
        if first.pop() if first else False:
            reply.cut = 50_000
        elif reply.status == 206:
            whole = house.people["ada"].fetch(f"/dataset/{house.public['id']}/resource/{house.file['id']}/download/x")
            reply.status, reply.body, reply.headers = 200, whole.content, {}

    source.hook = of_files(change)
    assert pull("--dataset", "public-beads").json["taken"]["datasets"] == ["public-beads"]


def test_a_server_that_fails_for_a_while_is_asked_again(pull: Pull, source: Between) -> None:
    failures = {"package_search": 2, "download": 1}

    def hook(path: str, given: dict[str, Any], reply: Reply) -> None:
        for word in failures:
            if word in path and failures[word]:
                failures[word] -= 1
                reply.status, reply.body, reply.headers = 503, b"<html>", {}

    source.hook = hook
    said = pull("--circle", "lab")
    assert said.code == 0
    assert len(said.json["taken"]["datasets"]) >= 3


def test_a_server_that_only_fails_is_given_up(pull: Pull, source: Between) -> None:
    source.hook = lambda path, given, reply: setattr(reply, "status", 500)
    said = pull()
    assert said.code == 1
    assert "does not answer package_search: it says 500" in said.err


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "nowhere.invalid"])
def test_a_server_that_has_never_answered_is_told_at_once(host: str) -> None:
    client = Client(
        parse(f"{host}:{free_port()}"), waits=(3600.0,)
    )  # a repetition would last longer than this test may
    with pytest.raises(Problem, match="does not answer package_search"):
        client.call("package_search")


@pytest.mark.parametrize(
    "text", ["..", "../../etc/passwd", "a..example", "x" * 64 + ".example", "ftp://a.example", "", "a b"]
)
def test_what_is_no_address_is_refused_in_words(text: str) -> None:
    with pytest.raises(Problem, match="not the address of a server"):
        parse(text)


def test_files_come_from_nowhere_else_unless_that_was_allowed(
    pull: Pull, source: Between, house: House, still: Root
) -> None:
    with between(house.appliance.url, str(house.appliance.certificate)) as storage:

        def change(reply: Reply) -> None:
            reply.status, reply.body = 302, b""
            reply.headers = {
                "Location": f"{storage.url}/dataset/{house.public['id']}/resource/{house.file['id']}/download/x"
            }

        source.hook = of_files(change)
        said = pull("--dataset", "public-beads")
        place = storage.url.removeprefix("http://")
        assert said.code == 1
        assert f"--files-from {place}" in said.err
        assert storage.files == []
        nothing_came(still)

        house_is_open = house.appliance.context.settings.policy.anonymous_access
        assert not house_is_open
        assert pull("--dataset", "public-beads", "--files-from", place).code == 1
        assert storage.files
        assert not any(one.authorized for one in storage.files)


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://localhost/x", "http://user:pass@localhost/", "//", "http://169.254.169.254/latest"],
)
def test_redirections_to_strange_places_are_not_followed(
    pull: Pull, source: Between, still: Root, location: str
) -> None:
    def change(reply: Reply) -> None:
        reply.status, reply.body, reply.headers = 302, b"", {"Location": location}

    source.hook = of_files(change)
    assert pull("--dataset", "public-beads").code == 1
    nothing_came(still)


def test_redirections_in_a_circle_end(pull: Pull, source: Between) -> None:
    def hook(path: str, given: dict[str, Any], reply: Reply) -> None:
        if "/download/" in path:
            reply.status, reply.body, reply.headers = 302, b"", {"Location": path}

    source.hook = hook
    assert "in a circle" in pull("--dataset", "public-beads").err


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x.rtdc", "/etc/passwd", "..", "a\0.rtdc", "a\nb.rtdc", "x" * 300 + ".rtdc", 7, None]
)
def test_names_with_tricks_are_refused(pull: Pull, source: Between, still: Root, name: Any) -> None:
    source.hook = of_datasets(lambda one: one["resources"][0].update(name=name))
    said = pull("--dataset", "public-beads")
    assert "the name of a file cannot be used" in said.reasons
    nothing_came(still)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "../../x"), ("name", "../x"), ("title", {"a": 1}), ("notes", "x\0"), ("state", "published"), ("private", "maybe"),
        ("license_id", "made-up"), ("tags", [{"name": "<script>"}]), ("resources", "none"), ("organization", None),
        ("groups", [{"id": "x", "name": "y"}]), ("authors", "x" * 30_000),
    ],
)  # fmt: skip
def test_values_that_do_not_fit_leave_the_dataset_out_and_take_the_others(
    pull: Pull, source: Between, house: House, field: str, value: Any
) -> None:
    def change(one: dict[str, Any]) -> None:
        if one["id"] == house.public["id"]:
            one[field] = value

    source.hook = of_datasets(change)
    said = pull("--circle", "lab")
    assert "public-beads" not in said.json["taken"]["datasets"]
    assert "private-blood" in said.json["taken"]["datasets"]
    assert said.json["left_out"]


def test_ids_of_things_here_are_not_taken_over(pull: Pull, source: Between, house: House, still: Root) -> None:
    circle_id = communities.create(still.site, OPERATOR, "circle", {"name": "ours"})
    fields = {"title": "Mine", "owner_org": "ours", "authors": "Me", "license_id": "CC0-1.0", "state": "draft"}
    mine = datasets.create(still.site, OPERATOR, fields)
    (file,) = ingest.add_files(still.site, OPERATOR, mine, [ingest.File(Path(__file__), "mine.py")])
    before = still.package(mine)

    def change(one: dict[str, Any]) -> None:
        if one["id"] == house.public["id"]:
            one["id"] = mine
        elif one["id"] == house.private["id"]:
            one["resources"][0]["id"] = file
        else:
            one["owner_org"] = one["organization"]["id"] = circle_id

    source.hook = of_datasets(change)
    said = pull()
    assert said.json["taken"]["datasets"] == []
    assert "a dataset with this id is here already" in said.reasons
    assert "belongs to a file of another dataset here" in said.reasons
    assert still.package(mine) == before


def test_accounts_are_never_taken_over_and_never_administrators(
    pull: Pull, source: Between, house: House, still: Root
) -> None:
    boss = accounts.create(still.site, OPERATOR, {"name": "boss", "email": "boss@example.org"}, sysadmin=True)

    def hook(path: str, given: dict[str, Any], reply: Reply) -> None:
        if path.endswith("/user_list"):
            for one in reply.body["result"]:
                one["sysadmin"] = True
                if one["name"] == "ada":
                    one["email"] = "boss@example.org"
                if one["name"] == "max":
                    one["id"] = boss
        if path.endswith("/organization_show"):
            for one in reply.body["result"]["users"]:
                one["id"], one["capacity"] = boss, "admin"

    source.hook = hook
    said = pull("--users")
    assert "user ada: another account has this e-mail address here" in said.reasons
    assert "user max: an account with this id is here already" in said.reasons
    assert still.rows("SELECT name FROM user WHERE sysadmin = 1") == [("boss",)]
    assert still.rows("SELECT * FROM member WHERE user_id = ?", boss) == []


def test_answers_that_are_too_large_or_no_json_end_the_pull(
    pull: Pull, source: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hook(path: str, given: dict[str, Any], reply: Reply) -> None:
        reply.body = b"[" * 100_000

    source.hook = hook
    assert "something that is not JSON" in pull().err


def test_a_server_that_answers_with_what_was_not_asked_for_is_not_believed(
    pull: Pull, source: Between, house: House, still: Root
) -> None:
    def hook(path: str, given: dict[str, Any], reply: Reply) -> None:
        if path.endswith("/package_search"):
            reply.body["result"]["results"] *= 2 if not given["start"] else 0

    source.hook = hook
    assert pull("--dataset", "private-blood").json["taken"]["datasets"] == ["private-blood"]
    assert len(pull("--circle", "lab").json["taken"]["datasets"]) >= 2


def test_a_file_that_is_lost_there_leaves_its_dataset_out_unless_it_may_be_incomplete(
    pull: Pull, source: Between, house: House, still: Root
) -> None:
    def change(reply: Reply) -> None:
        reply.status, reply.body, reply.headers = 404, b"", {}

    source.hook = of_files(change)
    assert "the file is answered with 404" in pull("--dataset", "public-beads").reasons
    nothing_came(still)
    said = pull("--dataset", "public-beads", "--incomplete")
    assert said.json["taken"]["datasets"] == ["public-beads"]
    assert said.json["left_out"][0]["kind"] == "file"
    source.hook = None
    assert pull("--dataset", "public-beads").json["updated"]["datasets"] == ["public-beads"]
    assert still.package("public-beads")["num_resources"] == 1


def test_a_file_whose_jobs_have_not_run_there_comes_and_is_named_as_unverified(
    pull: Pull, source: Between, still: Root, house: House
) -> None:
    """As CKAN tells of a file for some seconds after its upload."""
    unknown = {
        "sha256": None,
        "etag": None,
        "size": None,
        "url_type": None,
        "format": "",
        "url": "",
        "s3_available": True,
    }
    source.hook = of_datasets(lambda one: [file.update(unknown) for file in one["resources"]])
    said = pull("--dataset", "public-beads")
    assert said.json["unverified"] == ["public-beads/M1_beads.rtdc"]
    assert still.package("public-beads")["resources"][0]["sha256"] == house.file["sha256"]
    source.hook = None
    assert pull("--dataset", "public-beads").json["updated"]["datasets"] == ["public-beads"]
    assert len(source.files) == 1


def test_links_are_no_files(pull: Pull, source: Between, still: Root) -> None:
    link = {"sha256": None, "url_type": None, "s3_available": None, "url": "https://elsewhere.example.org/x.rtdc"}
    source.hook = of_datasets(lambda one: [file.update(link) for file in one["resources"]])
    assert "is a link, not a file" in pull("--dataset", "public-beads").reasons
    nothing_came(still)


@pytest.mark.parametrize("name", ["circle-{}", "x" * 300 + "{}"])
def test_a_list_of_circles_without_end_ends_the_pull(
    pull: Pull, source: Between, still: Root, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("appliance.peer.catalogue.MOST_COMMUNITIES", 5000)
    calls = 0

    def endless(path: str, given: dict[str, Any], reply: Reply) -> None:
        nonlocal calls
        if path.endswith("/organization_list"):
            calls += 1
            reply.body["result"] = [name.format(f"{calls}-{number}") for number in range(1000)]

    source.hook = endless
    said = pull()
    assert said.code == 1
    assert calls < 10
    nothing_came(still)
