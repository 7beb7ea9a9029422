"""`dcor pull --from-dump`: a dump of a CKAN database, written here as pg_dump writes it, and files as DCOR lays them out."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.cli.root import run
from tests.peer.conftest import Root, Said

IDS = {name: f"{number:08x}-0000-4000-8000-000000000000" for number, name in enumerate(
    ("ada", "eve", "gone", "lab", "study", "beads", "draft", "deleted", "m1", "notes", "lost", "tag"), start=0xABC00001)}  # fmt: skip
MOMENT = "2024-05-17 10:11:12.5"
FILES = {"m1": b"measured" * 1000, "notes": b"22 degrees"}
Dump = Callable[..., Said]


def block(table: str, rows: list[dict[str, Any]]) -> str:
    """Rows as pg_dump writes them."""
    columns = list(rows[0]) if rows else ["id"]
    text = f"COPY public.{table} ({', '.join(columns)}) FROM stdin;\n"
    for row in rows:
        text += "\t".join(_field(row[column]) for column in columns) + "\n"
    return text + "\\.\n\n"


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def tables() -> dict[str, list[dict[str, Any]]]:
    """A small CKAN."""

    def user(name: str, **more: Any) -> dict[str, Any]:
        return {
            "id": IDS[name], "name": name, "password": "$pbkdf2-sha512$hidden-secret", "apikey": "key-hidden-secret", "fullname": name.title(),
            "email": f"{name}@example.org", "about": None, "state": "active", "sysadmin": False, "created": MOMENT, "image_url": None,
        } | more  # fmt: skip

    def dataset(name: str, **more: Any) -> dict[str, Any]:
        return {
            "id": IDS[name], "name": name, "title": f"{name} über\tTab\nLine \\", "notes": "a\\b", "license_id": "CC0-1.0",
            "metadata_created": MOMENT, "metadata_modified": MOMENT, "creator_user_id": IDS["ada"], "owner_org": IDS["lab"],
            "private": False, "state": "active", "type": "dataset",
        } | more  # fmt: skip

    def file(name: str, package: str, **more: Any) -> dict[str, Any]:
        content = FILES.get(name, b"")
        extras = {
            "sha256": hashlib.sha256(content).hexdigest(),
            "s3_available": True,
            "barcode": "B-17",
            "sp:general:sample type": "primary cells",
        }
        return {
            "id": IDS[name], "package_id": IDS[package], "name": f"{name}.txt", "description": "x", "position": 0, "state": "active",
            "extras": json.dumps(extras), "format": "", "size": len(content), "url_type": "s3_upload", "created": MOMENT,
            "last_modified": MOMENT, "metadata_modified": MOMENT,
        } | more  # fmt: skip

    def extra(name: str, key: str, value: str, state: str = "active") -> dict[str, Any]:
        return {"package_id": IDS[name], "key": key, "value": value, "state": state}

    def member(group: str, table: str, name: str, capacity: str, state: str = "active") -> dict[str, Any]:
        return {
            "table_name": table,
            "table_id": IDS[name],
            "group_id": IDS[group],
            "capacity": capacity,
            "state": state,
        }

    def group(name: str, *, organization: bool) -> dict[str, Any]:
        kind = "organization" if organization else "group"
        return {"id": IDS[name], "name": name, "title": name.title(), "description": "d", "image_url": "", "created": MOMENT,
                "state": "active", "type": kind, "is_organization": organization}  # fmt: skip

    return {
        "user": [user("ada", sysadmin=True), user("eve"), user("gone", state="deleted")],
        "\"group\"": [group("lab", organization=True), group("study", organization=False)],
        "group_extra": [{"group_id": IDS["lab"], "key": "room", "value": "1.23", "state": "active"}],
        "member": [
            member("lab", "user", "ada", "admin"), member("lab", "user", "eve", "member"), member("study", "user", "eve", "member"),
            member("lab", "user", "gone", "editor"), member("study", "package", "beads", "public"),
            member("study", "package", "draft", "public", "deleted"),
        ],
        "package": [dataset("beads"), dataset("draft", state="draft", private=True), dataset("deleted", state="deleted")],
        "package_extra": [
            extra("beads", "authors", "Ada L."), extra("beads", "doi", "10.5555/1"), extra("beads", "own", "field"),
            extra("beads", "old", "field", "deleted"), extra("draft", "authors", "Ada L."),
        ],
        "package_member": [{"package_id": IDS["draft"], "user_id": IDS["eve"], "capacity": "editor", "modified": MOMENT}],
        "package_relationship": [{"subject_package_id": IDS["beads"], "object_package_id": IDS["draft"], "type": "depends_on", "state": "active"}],
        "package_tag": [{"package_id": IDS["beads"], "tag_id": IDS["tag"], "state": "active"}],
        "tag": [{"id": IDS["tag"], "name": "rtdc", "vocabulary_id": None}],
        "resource": [
            file("notes", "beads", position=1), file("m1", "beads"), file("lost", "beads", state="deleted"),
        ],
        "api_token": [{"id": "token-hidden-secret", "user_id": IDS["ada"]}],
    }  # fmt: skip


def written(found: dict[str, list[dict[str, Any]]]) -> str:
    return "SET client_encoding = 'UTF8';\n\n" + "".join(block(*one) for one in found.items())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The dump, one file in a depot and one in a bucket."""
    found = tmp_path / "old"
    for name, place in (("m1", f"bucket/circle-{IDS['lab']}/resource"), ("notes", "depot/resources")):
        path = found / place / IDS[name][:3] / IDS[name][3:6] / IDS[name][6:]
        path.parent.mkdir(parents=True)
        path.write_bytes(FILES[name])
    (found / "ckan.sql").write_text(written(tables()), encoding="utf-8")
    return found


@pytest.fixture
def from_dump(
    still: Root, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Dump:
    """Run `dcor pull --from-dump` into `still`."""
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def call(*options: str) -> Said:
        capsys.readouterr()
        links = ["--links", str(tmp_path / "links.txt")]
        code = run(["--data", str(still.root), "pull", "--from-dump", str(folder), "--json", *links, *options])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


def test_everything_comes_that_the_dump_and_the_folder_hold(from_dump: Dump, still: Root) -> None:
    said = from_dump("--users")
    assert said.code == 0, said.reasons
    assert {kind: sorted(names) for kind, names in said.json["taken"].items()} == {
        "users": ["ada", "eve"],
        "circles": ["lab"],
        "collections": ["study"],
        "datasets": ["beads", "draft"],
    }
    assert (said.json["files"], said.json["unverified"]) == (2, [])
    assert any("1 relationships" in one for one in said.json["notes"])
    assert any("1 datasets had been deleted" in one for one in said.json["notes"])
    beads = still.package("beads")
    assert beads["id"] == IDS["beads"]
    assert (beads["title"], beads["notes"]) == ("beads über\tTab\nLine \\", "a\\b")
    assert (beads["authors"], beads["doi"], beads["extras"]) == (
        "Ada L.",
        "10.5555/1",
        [{"key": "own", "value": "field"}],
    )
    assert (beads["metadata_created"], beads["private"]) == ("2024-05-17T10:11:12.500000", False)
    assert [tag["id"] for tag in beads["tags"]] == [IDS["tag"]]
    assert [one["name"] for one in beads["groups"]] == ["study"]
    assert [(one["id"], one["name"], one["barcode"]) for one in beads["resources"]] == [
        (IDS["m1"], "m1.txt", "B-17"), (IDS["notes"], "notes.txt", "B-17"),
    ]  # fmt: skip
    for one, name in zip(beads["resources"], ("m1", "notes"), strict=True):
        assert one["sha256"] == hashlib.sha256(FILES[name]).hexdigest()
        assert still.site.depot.path(one["id"]).read_bytes() == FILES[name]
    members = "SELECT u.name, m.role FROM member m JOIN user u ON u.id = m.user_id JOIN community c ON c.id = m.community_id WHERE c.name = ?"
    assert sorted(still.rows(members, "lab")) == [("ada", "admin"), ("eve", "member")]
    shared = "SELECT u.name, k.capacity FROM collaborator k JOIN user u ON u.id = k.user_id WHERE k.dataset_id = ?"
    assert still.rows(shared, IDS["draft"]) == [("eve", "editor")]


def test_no_password_key_or_token_comes(from_dump: Dump, still: Root) -> None:
    from_dump("--users")
    assert "hidden-secret" not in "\n".join(still.dump())


def test_repeating_it_takes_nothing_and_changes_come(from_dump: Dump, folder: Path, still: Root) -> None:
    from_dump("--users")
    said = from_dump("--users")
    assert said.json["unchanged"] == {"users": 2, "circles": 1, "collections": 1, "datasets": 2}
    assert said.json["files"] == 0
    changed = tables()
    changed["package"][0]["notes"] = "other"
    (folder / "ckan.sql").write_text(written(changed), encoding="utf-8")
    assert from_dump().json["updated"]["datasets"] == ["beads"]
    assert still.package("beads")["notes"] == "other"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.unlink(), "holds no such file"),
        (lambda path: path.write_bytes(b"measured" * 999 + b"Measured"), "is damaged"),
        (lambda path: (path.unlink(), path.symlink_to("/etc/hostname")), "leads out of the folder"),
        (lambda path: (path.unlink(), path.mkdir()), "holds no such file"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_named(
    from_dump: Dump, folder: Path, still: Root, spoil: Callable[[Path], Any], reason: str
) -> None:
    spoil(next(folder.glob(f"bucket/*/resource/*/*/{IDS['m1'][6:]}")))
    said = from_dump()
    assert said.code == 1
    assert "dataset beads" in said.reasons
    assert reason in said.reasons
    assert said.json["taken"]["datasets"] == ["draft"]
    again = from_dump("--incomplete")
    assert "file beads/m1.txt" in again.reasons
    assert [one["name"] for one in still.package("beads")["resources"]] == ["notes.txt"]


def test_columns_that_an_older_ckan_lacks_are_empty(from_dump: Dump, folder: Path, still: Root) -> None:
    older = tables()
    for table, column in (("resource", "metadata_modified"), ("user", "image_url"), ("package_member", "modified")):
        for row in older[table]:
            del row[column]
    for row in older["resource"]:
        row["position"] = "x"
    (folder / "ckan.sql").write_text(written(older), encoding="utf-8")
    assert from_dump("--users").code == 0
    assert {one["id"] for one in still.package("beads")["resources"]} == {IDS["m1"], IDS["notes"]}


def test_a_packed_dump_is_read_too(from_dump: Dump, folder: Path) -> None:
    plain = folder / "ckan.sql"
    (folder / "ckan.sql.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    assert sorted(from_dump().json["taken"]["datasets"]) == ["beads", "draft"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT 1;\n", "as COPY blocks"),
        ("INSERT INTO public.package VALUES ('x');\n", "--inserts"),
        ("SET client_encoding = 'LATIN1';\n", "--encoding=UTF8"),
        (written(tables()).rpartition("\\.")[0], "not complete"),
        (written(tables()).replace("\tada@example.org\t", "\t"), "damaged"),
        (written(tables()).encode().replace("ü".encode(), b"\xfc"), "UTF-8"),
        (b"PGDMP\x01garbage", "pg_restore"),
        (b"\x1f\x8bgarbage", "cannot be read"),
    ],
)
def test_what_is_no_whole_dump_is_refused(
    from_dump: Dump, folder: Path, still: Root, text: str | bytes, reason: str
) -> None:
    (folder / "ckan.sql").write_bytes(text.encode() if isinstance(text, str) else text)
    before = still.dump()
    said = from_dump("--users")
    assert said.code == 1
    assert reason in said.err
    assert still.dump() == before


def test_a_folder_without_a_dump_or_with_two_is_refused(from_dump: Dump, folder: Path) -> None:
    shutil.copy(folder / "ckan.sql", folder / "older.sql")
    assert "exactly one dump" in from_dump().err
    for path in folder.glob("*.sql"):
        path.unlink()
    assert "exactly one dump" in from_dump().err


def test_a_dump_asks_no_server(from_dump: Dump) -> None:
    assert from_dump("--token-stdin").code == 2
