"""Groups of a directory and what they give."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model.directory import Grants, Group, comparable, group_rules
from appliance.model.problem import Problem
from appliance.security.ldap import escaped, servers_of


def group(name: str) -> Group:
    return Group(f"CN={name},OU=groups,DC=hospital,DC=example", name)


def test_of_several_roles_in_a_circle_the_highest_counts() -> None:
    rules = group_rules("ldap", "a -> lab:editor; b -> lab:admin; c -> lab:member; c -> other:member", "", "")
    assert rules.grants([group("C"), group("A")]) == Grants({"lab": "editor", "other": "member"}, False, True)
    assert rules.grants([group("b"), group("a")]).circles == {"lab": "admin"}


def test_groups_are_named_by_name_or_dn() -> None:
    rules = group_rules("ldap", "cn=A, ou=Groups, dc=hospital,dc=example -> lab:editor", "B; C", "")
    assert rules.grants([group("a")]).circles == {"lab": "editor"}
    assert rules.grants([group("c")]).administrator
    assert not rules.grants([Group("CN=a,OU=elsewhere,DC=hospital,DC=example", "a")]).admitted


def test_nobody_is_admitted_without_a_group_unless_everybody_is() -> None:
    assert not group_rules("ldap", "", "", "").grants([group("a")]).admitted
    assert group_rules("ldap", "", "", "*").grants([]) == Grants({}, False, True)
    assert group_rules("ldap", "", "", "staff").grants([group("Staff")]).admitted


@pytest.mark.parametrize(
    "text", ["a", "a -> lab", "a -> lab:owner", "-> lab:admin", "a -> :admin", "a = lab:admin", "a ->"]
)
def test_what_cannot_be_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Problem, match="GROUP -> CIRCLE:ROLE"):
        group_rules("ldap", text, "", "")


@given(st.text(max_size=40))
def test_every_text_stays_one_value_of_a_filter(text: str) -> None:
    made = escaped(text)
    assert made.isascii()
    assert not set(made) & set("()*\0&|!=<>~")
    plain = bytearray()
    rest = made
    while rest:
        if rest[0] == "\\":
            plain.append(int(rest[1:3], 16))
            rest = rest[3:]
        else:
            plain += rest[0].encode()
            rest = rest[1:]
    assert bytes(plain) == text.encode("utf-8", "surrogatepass")


def test_servers_are_always_encrypted() -> None:
    found = servers_of("ldaps://dc1.hospital.example, ldap://dc2.hospital.example:3389;ldaps://[::1]:7")
    assert [(one.host, one.port, one.tls) for one in found] == [
        ("dc1.hospital.example", 636, True), ("dc2.hospital.example", 3389, False), ("::1", 7, True),
    ]  # fmt: skip
    for text in ("dc1", "http://dc1", "ldaps://", "ldaps://a/b", "ldaps://a:99999"):
        with pytest.raises(Problem, match="not a directory server"):
            servers_of(text)


def test_two_ways_to_write_a_dn_are_the_same() -> None:
    assert comparable("CN=Lab A , OU=x,DC=y") == comparable("cn=lab a,ou=X,dc=Y")
    assert comparable("Lab A") != comparable("cn=Lab A")
