"""`dcor ldap`: what an administrator is told, with a real OpenLDAP server."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import unused_port
from tests.support.slapd import GROUPS, PEOPLE, READER, READER_PASSWORD, Slapd

from .conftest import Dcor


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    made = Slapd(tmp_path_factory.mktemp("slapd"))
    anna = made.person("anna", "a word", name="Anna B.")
    made.person("nobody-knows", "a word")
    made.person("ada", "a word")
    made.group("lab-editors", anna, f"uid=ada,{PEOPLE}")
    made.group("choir", anna)
    yield made
    made.stop()


@pytest.fixture
def clinic(people: Dcor, slapd: Slapd) -> Dcor:
    """`dcor` with a directory set up."""
    for key, value in {
        "servers": slapd.ldaps, "authority": str(slapd.authority), "bind_dn": READER, "user_base": PEOPLE,
        "group_base": GROUPS, "circles": "lab-editors -> lab:editor",
    }.items():  # fmt: skip
        assert people("config", "set", f"ldap.{key}", value).code == 0
    assert people("ldap", "password", "--password-stdin", stdin=f"{READER_PASSWORD}\n").code == 0
    return people


@pytest.mark.slow
def test_check_says_what_a_sign_in_would_find(clinic: Dcor, slapd: Slapd) -> None:
    said = clinic("ldap", "check", "--user", "anna")
    assert said.code == 0, said.out
    for text in (
        f"{slapd.ldaps}: reached by TLS, its certificate is valid, {READER} may search {PEOPLE}.",
        f"anna is uid=anna,{PEOPLE}: Anna B., anna@hospital.example.",
        "Groups found with ldap.group_filter: choir, lab-editors.",
        "Of these the settings name: lab-editors.",
        "They grant: editor of lab.",
        "anna may sign in; the account 'anna' will be created then.",
    ):
        assert text in said.out


@pytest.mark.slow
def test_check_names_each_thing_that_is_wrong(clinic: Dcor, slapd: Slapd) -> None:
    with unused_port() as port:
        wrong = {
            ("servers", f"ldaps://localhost:{port}"): "Connection refused",
            ("servers", "http://localhost"): "is not a directory server",
            ("authority", ""): "its certificate is not valid here",
            ("authority", "/nowhere/at-all.pem"): "No such file",
            ("bind_dn", "cn=somebody,dc=hospital,dc=example"): "refuses the account",
            ("user_base", "ou=nowhere,dc=hospital,dc=example"): "does not exist, or may not be read",
            ("circles", "lab-editors -> elsewhere:editor"): "dcor circle create elsewhere",
            ("circles", "lab-editors = lab"): "write GROUP -> CIRCLE:ROLE",
            ("circles", ""): "no one from the directory may sign in",
            ("id_attribute", "objectGUID"): "has no attribute objectGUID",
        }
        for (key, value), text in wrong.items():
            before = clinic("config", "show", f"ldap.{key}", "--json").json[f"ldap.{key}"]
            clinic("config", "set", f"ldap.{key}", value)
            said = clinic("ldap", "check", "--user", "anna")
            assert (said.code, text in said.out + said.err) == (1, True), (key, value, said)
            clinic("config", "set", f"ldap.{key}", before)
    for login, text in {
        "nobody-knows": "in none of the groups that may sign in",
        "not-there": "Nobody in",
        "ada": "dcor ldap link ada --login ada",
    }.items():
        said = clinic("ldap", "check", "--user", login)
        assert (said.code, text in said.out) == (1, True), said


@pytest.mark.slow
def test_a_local_account_is_linked_and_unlinked(clinic: Dcor) -> None:
    assert "belongs to uid=ada" in clinic("ldap", "link", "ada").err
    assert "only by" not in clinic("ldap", "sync").out
    assert clinic("ldap", "link", "ada", "--login", "anna").code == 1
    assert clinic("user", "passwd", "ada", "--password-stdin", stdin="correct horse battery\n").code == 1
    assert clinic("ldap", "unlink", "ada").code == 0
    assert clinic("user", "passwd", "ada", "--password-stdin", stdin="correct horse battery\n").code == 0
    assert "local account already" in clinic("ldap", "unlink", "ada").err


@pytest.mark.slow
def test_inspect_finds_a_directory_that_is_away(clinic: Dcor) -> None:
    assert "answers" in clinic("inspect", "--json").out
    with unused_port() as port:
        clinic("config", "set", "ldap.servers", f"ldaps://localhost:{port}")
        said = clinic("inspect", "--json")
    found = [one for one in said.json["findings"] if one["check"] == "directory"]
    assert [(one["level"], one["fix"]) for one in found] == [("problem", "sudo dcor ldap check")]


def test_without_a_directory_the_commands_say_how_to_set_one_up(people: Dcor) -> None:
    for command in (("check",), ("sync",)):
        said = people("ldap", *command)
        assert (said.code, "dcor config set ldap.servers" in said.err) == (1, True)


def test_the_password_of_the_searching_account_is_the_services_alone(people: Dcor, root: Path) -> None:
    people("ldap", "password", "--password-stdin", stdin="of the reader\n")
    file = root / "secrets" / "ldap.password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"of the reader" not in (root / "dcor.sqlite").read_bytes()
