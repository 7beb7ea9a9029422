"""`dcor access`: files that DCOR-Aid opens."""

from __future__ import annotations

import csv
import io
import stat
from pathlib import Path

import pytest
import pyzipper
from dclab.rtdc_dataset.fmt_dcor import access_token

from appliance.backup import crypto as backup_crypto
from appliance.cli.root import run
from appliance.model import times
from tests.cli.conftest import Dcor
from tests.support.server import Appliance, Person


def tokens(dcor: Dcor, user: str) -> list[dict[str, str]]:
    return dcor("token", "list", user, "--json").json


def test_the_file_opens_the_server(appliance: Appliance, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    appliance.person("ada")
    out = tmp_path / "ada.dcor-access"
    assert run(["--data", str(appliance.root), "access", "create", "ada", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    passphrase = next(line for line in said.err.splitlines() if line.startswith("Passphrase")).split(": ")[1]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert access_token.get_hostname(out, passphrase) == f"localhost:{appliance.settings.server.port}"
    assert access_token.get_certificate(out, passphrase) == appliance.certificate.read_bytes()
    somebody = Person(appliance, token=access_token.get_api_key(out, passphrase))
    assert somebody.get("user_show").result["name"] == "ada"


def test_expiry_first_use_and_ones_own_passphrase(people: Dcor, tmp_path: Path, port: int) -> None:
    out = tmp_path / "ada.dcor-access"
    made = people(
        "access", "create", "ada", "--out", str(out), "--password-stdin", "--json", stdin="correct horse battery\n"
    )
    assert "passphrase" not in made.json
    assert access_token.get_api_key(out, "correct horse battery")
    (token,) = tokens(people, "ada")
    assert token["id"] == made.json["token_id"]
    lives = [(times.parse(token[key]) - times.parse(token["created"])).days for key in ("expires", "first_use_by")]
    assert lives == [pytest.approx(180, abs=1), pytest.approx(14, abs=1)]
    people("access", "create", "ada", "--out", str(tmp_path), "--expires", "never", "--first-use", "never")
    assert [row["expires"] for row in tokens(people, "ada")].count(None) == 1
    assert (tmp_path / f"ada_localhost-{port}.dcor-access").exists()


@pytest.mark.parametrize(
    ("arguments", "stdin", "reason"),
    [
        (["nobody", "--out", "{}/x"], "", "no user 'nobody'"),
        (["ada", "--out", "{}/missing/x"], "", "no folder"),
        (["ada", "--out", "{}/there"], "", "exists already"),
        (["ada", "--out", "{}/x", "--password-stdin"], "short\n", "at least 12 characters"),
    ],
)
def test_refusals_leave_no_token_and_no_file(
    people: Dcor, tmp_path: Path, arguments: list[str], stdin: str, reason: str
) -> None:
    (tmp_path / "there").write_text("mine")
    refused = people("access", "create", *[word.format(tmp_path) for word in arguments], stdin=stdin)
    assert (refused.code, reason in refused.err) == (1, True)
    assert tokens(people, "ada") == []
    assert not (tmp_path / "x").exists()
    assert (tmp_path / "there").read_text() == "mine"


def test_a_file_that_cannot_be_written_leaves_no_token(people: Dcor, tmp_path: Path, port: int) -> None:
    folder = tmp_path / "there"
    (folder / f"ada_localhost-{port}.dcor-access").mkdir(parents=True)
    assert people("access", "create", "ada", "--out", str(folder)).code == 1
    assert tokens(people, "ada") == []


def test_a_course_gets_its_files_and_one_sealed_list(people: Dcor, tmp_path: Path) -> None:
    users, out = tmp_path / "users.csv", tmp_path / "course"
    users.write_text("name;email;fullname\nada;;\nbob;bob@lab.example;Bob B.\n", encoding="utf-8-sig")
    keys = backup_crypto.new_keys()
    arguments = ["access", "bulk", str(users), "--out", str(out), "--recipient", keys.recipient]
    assert "no user 'bob'" in people(*arguments).err
    assert people(*arguments, "--create-users", "--json").json["list"] == "passphrases.csv.age"
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    buffer = io.BytesIO()
    backup_crypto.unseal(out / "passphrases.csv.age", backup_crypto.parse_identities(keys.identity), buffer)
    rows = list(csv.DictReader(io.StringIO(buffer.getvalue().decode())))
    assert [row["user"] for row in rows] == ["ada", "bob"]
    for row in rows:
        assert access_token.get_api_key(out / row["file"], row["passphrase"])
    assert people(*arguments).code == 1  # the folder is not empty


def test_a_removed_person_in_the_list_stops_it_before_anybody_gets_a_token(people: Dcor, tmp_path: Path) -> None:
    assert people("user", "add", "gone", "--email", "gone@lab.example").code == 0
    assert people("user", "remove", "gone", "--keep-data", "--yes").code == 0
    (tmp_path / "users.csv").write_text("name\nada\ngone\n")
    arguments = ["access", "bulk", str(tmp_path / "users.csv"), "--out", str(tmp_path / "course"), "--password-stdin"]
    refused = people(*arguments, stdin="correct horse battery\n")
    assert (refused.code, "'gone' was removed" in refused.err) == (1, True)
    assert tokens(people, "ada") == []


def test_the_list_as_a_zip(people: Dcor, tmp_path: Path) -> None:
    users, out = tmp_path / "users.csv", tmp_path / "course"
    users.write_text("name\nada\n")
    assert people("access", "bulk", str(users), "--out", str(out)).code == 2
    done = people("access", "bulk", str(users), "--out", str(out), "--password-stdin", stdin="correct horse battery\n")
    assert done.code == 0
    with pyzipper.AESZipFile(out / "passphrases.zip") as archive:
        archive.setpassword(b"correct horse battery")
        assert archive.read("passphrases.csv").startswith(b"user,file,passphrase\r\nada,")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "header line"),
        ("mail\nx\n", "header line"),
        ("name\n", "no user"),
        ("name\nada\nada\n", "Line 3: ada is listed twice"),
        ("name\nAda L\n", "Line 2"),
    ],
)
def test_faulty_lists_are_refused_whole(people: Dcor, tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "users.csv").write_text(text)
    arguments = ["access", "bulk", str(tmp_path / "users.csv"), "--out", str(tmp_path / "o"), "--password-stdin"]
    refused = people(*arguments, stdin="correct horse battery\n")
    assert (refused.code, reason in refused.err) == (1, True)
    assert not (tmp_path / "o").exists()
    assert tokens(people, "ada") == []
