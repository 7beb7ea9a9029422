"""`dcor user`, `dcor token`, `dcor audit`."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.cli.conftest import Dcor


def names(dcor: Dcor, *options: str) -> list[str]:
    return [row["name"] for row in dcor("user", "list", "--json", *options).json]


def test_add_prints_a_link_unless_there_is_a_password(dcor: Dcor, port: int) -> None:
    made = dcor("user", "add", "ada", "--email", "ada@lab.example", "--json").json
    assert made["link"].startswith(f"https://localhost:{port}/")
    assert (
        "link"
        not in dcor(
            "user",
            "add",
            "bob",
            "--email",
            "bob@lab.example",
            "--password-stdin",
            "--json",
            stdin="long enough words\n",
        ).json
    )
    assert dcor("user", "add", "eve", "--email", "eve@lab.example", "--password-stdin", stdin="password\n").code == 1
    assert names(dcor) == ["ada", "bob"]


def test_show_never_shows_the_hash(people: Dcor) -> None:
    shown = people("user", "show", "ada", "--json").json
    assert shown["circles"] == {"lab": "admin"}
    assert "password" not in shown
    assert people("user", "list").out.splitlines()[0].split()[:2] == ["name", "full"]


def test_roles_and_locks(people: Dcor) -> None:
    assert people("user", "promote", "ada").code == 0
    assert people("user", "demote", "boss").code == 0
    assert people("user", "demote", "ada").code == 1  # the last one
    assert people("user", "disable", "boss").code == 0
    assert names(people) == ["ada"]
    assert names(people, "--state", "disabled") == ["boss"]
    assert people("user", "promote", "boss").code == 0
    assert people("user", "demote", "boss").code == 0  # locked, so ada was the only one anyway
    assert people("user", "enable", "boss").code == 0


def test_profile_and_password(people: Dcor) -> None:
    assert people("user", "set", "ada", "--fullname", "Ada Lovelace").code == 0
    assert people("user", "show", "ada", "--json").json["fullname"] == "Ada Lovelace"
    assert people("user", "set", "ada").code == 2
    assert people("user", "passwd", "ada", "--password-stdin", stdin="another good phrase\n").code == 0
    assert people("user", "passwd", "ada", "--link").out.startswith("https://")
    assert people("user", "passwd", "ada").code == 2  # no terminal to ask on


def test_remove_erases_the_person_but_not_the_account(people: Dcor) -> None:
    user_id = people("user", "show", "ada", "--json").json["id"]
    assert people("user", "remove", "ada", "--dry-run").code == 0
    assert people("user", "remove", "ada").code == 1  # nobody to ask
    assert people("user", "remove", "ada", "--yes").code == 0
    gone = people("user", "list", "--state", "deleted", "--json").json
    assert [(row["id"], row["name"], row["fullname"]) for row in gone] == [(user_id, f"removed-{user_id[:8]}", "")]
    assert people("user", "add", "ada", "--email", "ada@lab.example").code == 0  # name and address are free again


def test_a_removed_account_that_kept_its_name_comes_back_or_is_erased_later(people: Dcor, tmp_path: Path) -> None:
    assert people("user", "remove", "ada", "--keep-data", "--yes").code == 0
    assert people("user", "enable", "ada").code == 0
    assert names(people) == ["ada", "boss"]
    assert people("user", "remove", "ada", "--keep-data", "--yes").code == 0
    assert people("user", "export", "ada", "--out", str(tmp_path / "ada.json")).code == 0
    assert people("user", "remove", "ada", "--yes").code == 0
    assert names(people, "--state", "deleted") != ["ada"]


def test_search_takes_the_text_as_it_stands(people: Dcor) -> None:
    assert people("user", "add", "a_b", "--email", "a_b@lab.example").code == 0
    assert people("user", "add", "axb", "--email", "axb@lab.example").code == 0
    assert names(people, "--search", "a_b") == ["a_b"]
    assert names(people, "--search", "%") == []


def test_export_holds_everything_but_secrets(people: Dcor, tmp_path: Path) -> None:
    people("token", "create", "ada")
    out = tmp_path / "ada.json"
    out.write_text("an older export\n")
    out.chmod(0o644)
    assert people("user", "export", "ada", "--out", str(out)).code == 0
    text = out.read_text()
    for word in ("ada@lab.example", '"memberships"', "command line"):
        assert word in text
    assert out.stat().st_mode & 0o777 == 0o600


def test_zombies(people: Dcor) -> None:
    assert names(people, "--zombies") == []
    assert names(people, "--zombies", "--weeks", "0") == ["ada"]


def test_the_token_stands_alone_on_stdout(people: Dcor) -> None:
    said = people("token", "create", "ada", "--expires", "180d", "--scope", "read")
    assert len(said.out.split()) == 1
    assert said.out.strip() not in said.err
    rows = people("token", "list", "ada", "--json").json
    assert [(row["scope"], row["name"]) for row in rows] == [("read", "command line")]
    assert said.out.strip() not in str(rows)
    assert people("token", "revoke", rows[0]["id"]).code == 0
    assert people("token", "list", "ada", "--json").json == []
    assert people("token", "create", "ada", "--expires", "soon").code == 2
    assert people("token", "create", "nobody").code == 1


def test_audit(people: Dcor, tmp_path: Path) -> None:
    entries = people("audit", "list", "--json", "--action", "user.create").json
    assert len(entries) == 2
    assert people("audit", "verify").code == 0
    out = tmp_path / "audit.csv"
    assert people("audit", "export", "--out", str(out)).code == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["action"] for row in rows][:2] == ["user.create", "user.create"]
    assert len(people("audit", "export", "--format", "jsonl").out.splitlines()) == len(rows)
