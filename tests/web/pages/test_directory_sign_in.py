"""People sign in with their account of the directory: a real OpenLDAP server, a real appliance, over TLS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.actions import accounts, communities, directory_links, directory_sync, second_factor_setup
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from appliance.security import ldap, secrets
from appliance.store import alarms, audit, identities, users
from tests.support.authenticator import Phone
from tests.support.furnished import Visitor
from tests.support.server import Appliance
from tests.support.slapd import GROUPS, PEOPLE, READER, READER_PASSWORD, SUFFIX, Slapd

pytestmark = pytest.mark.slow
PASSWORD = "a word of the hospital"
LOCAL = "correct horse battery"


class Clinic:
    """An appliance and the directory that it asks. Nothing compares accounts but `compare`."""

    def __init__(self, folder: Path) -> None:
        self.slapd = Slapd(folder / "slapd")
        self.groups = {name: self.slapd.group(name) for name in ("lab-readers", "lab-editors", "bosses", "guests")}
        self.appliance = Appliance(
            folder / "data",
            **{
                "ldap.servers": f"ldaps://localhost:1, {self.slapd.ldaps}, {self.slapd.starttls}",
                "ldap.authority": str(self.slapd.authority),
                "ldap.bind_dn": READER,
                "ldap.user_base": PEOPLE,
                "ldap.group_base": GROUPS,
                "ldap.circles": f"lab-readers -> lab:member; {self.groups['lab-editors'].upper()} -> lab:editor; lab-readers -> not-there:admin",
                "ldap.administrators": "bosses",
                "ldap.users": "guests",
            },
        )
        self.context = self.appliance.context
        secrets.write_private(self.appliance.settings.secrets / ldap.PASSWORD, READER_PASSWORD.encode() + b"\n")
        self.appliance.service.jobs.stop(grace=5.0)
        self.appliance.person("keeper", password=LOCAL, sysadmin=True)
        communities.create(self.context, OPERATOR, "circle", {"name": "lab", "title": "Lab"})
        self._number = 0

    def hire(self, *groups: str, **about: Any) -> str:
        """Somebody new in the directory. → the name to sign in with."""
        self._number += 1
        login = about.pop("login", f"person{self._number}")
        self.join(self.slapd.person(login, PASSWORD, **about), *groups)
        return login

    def join(self, dn: str, *groups: str) -> None:
        """Be in these groups, and in no others."""
        for name, group in self.groups.items():
            held = self.members(name) - {dn} | ({dn} if name in groups else set())
            self.slapd.change(group, member=sorted(held) or [READER])

    def members(self, group: str) -> set[str]:
        """The DNs in a group."""
        with self.slapd.manager() as connection:
            connection.search(self.groups[group], "(objectClass=*)", attributes=["member"])
            return set(connection.entries[0].member.values) - {READER, f"cn=manager,{SUFFIX}"}

    def sign_in(self, login: str, password: str = PASSWORD) -> tuple[int, Visitor]:
        """Sign in on the page. → (status, whoever that is now)."""
        visitor = Visitor(self.appliance)
        return visitor.post("/user/login", login=login, password=password).status_code, visitor

    def compare(self) -> directory_sync.Outcome:
        """What the job does every few minutes."""
        return directory_sync.compare(self.context.db, self.context.settings)

    def account(self, name: str) -> dict[str, Any]:
        """The account, with the roles by circle."""
        with self.context.db.read() as conn:
            row = users.find(conn, name)
            return (
                {} if row is None else dict(row) | {"roles": sorted(identities.memberships(conn, row["id"]).values())}
            )

    def told(self) -> list[str]:
        """Messages of the open alarms."""
        with self.context.db.read() as conn:
            return [one["message"] for one in alarms.open_(conn)]

    def noted(self, action: str) -> list[dict[str, Any]]:
        """Entries of the audit log."""
        with self.context.db.read() as conn:
            return audit.entries(conn, audit.Filter(action=action))

    def stop(self) -> None:
        self.appliance.stop()
        self.slapd.stop()


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    made = Clinic(tmp_path_factory.mktemp("clinic"))
    yield made
    made.stop()


def inside(visitor: Visitor) -> bool:
    """Is somebody signed in?"""
    return visitor.get("/dataset").status_code == 200


# --- who gets in ---------------------------------------------------------------------------------------------------------


def test_the_first_sign_in_makes_the_account_with_the_roles_that_the_groups_give(clinic: Clinic) -> None:
    login = clinic.hire("lab-readers", "lab-editors", name="Änne Müller")
    status, visitor = clinic.sign_in(login.upper())
    assert (status, inside(visitor)) == (303, True)
    account = clinic.account(login)
    assert (account["fullname"], account["email"]) == ("Änne Müller", f"{login}@hospital.example")
    assert account["roles"] == [("editor", "ldap")]
    assert (account["password"], account["sysadmin"]) == (None, 0)
    assert clinic.noted("user.create")[0]["detail"]["directory"] == login
    assert clinic.sign_in(f"{login}@hospital.example")[0] == 303, "the address of the account does, too"


def test_a_group_of_administrators_makes_one_and_unmakes_one(clinic: Clinic) -> None:
    login = clinic.hire("bosses")
    visitor = clinic.sign_in(login)[1]
    assert visitor.get("/admin").status_code == 200
    clinic.join(f"uid={login},{PEOPLE}", "guests")
    clinic.compare()
    assert visitor.get("/admin").status_code != 200
    assert clinic.account(login)["sysadmin"] == 0
    assert inside(visitor)


@pytest.mark.parametrize("password", ["", " ", "wrong", PASSWORD.upper(), "\0", PASSWORD + "\0", "*"])
def test_only_the_right_password_opens_and_an_empty_one_never_does(clinic: Clinic, password: str) -> None:
    """An LDAP server takes an empty password for a wish to be nobody, and says yes."""
    login = clinic.hire("guests")
    assert clinic.sign_in(login, password)[0] == 401
    assert clinic.account(login) == {}


@pytest.mark.parametrize(
    "login",
    [
        "*", "person*", "*)(uid=*", "x)(|(uid=*", "person1)(objectClass=*", "person1)\0", "\\2a", "(", ")", "\\", "&", "|", "!",
        "uid=person1", "cn=*", "(uid=*)", "*)(userPassword=*", "person1,ou=people", "\u0000", "ʞ" * 300, "a" * 5000, "person1\\00",
    ],
)  # fmt: skip
def test_no_name_means_more_than_a_name(clinic: Clinic, login: str) -> None:
    clinic.hire("guests", login=f"injected{abs(hash(login))}")
    assert clinic.sign_in(login)[0] in (401, 429)
    assert not clinic.told()


def test_who_is_in_no_named_group_stays_outside(clinic: Clinic) -> None:
    login = clinic.hire()
    status, visitor = clinic.sign_in(login)
    assert (status, clinic.account(login)) == (403, {})
    assert not inside(visitor)
    assert "in none of the groups" in clinic.noted("session.refused")[0]["detail"]["reason"]


def test_the_number_of_attempts_is_limited_as_for_passwords_here(clinic: Clinic) -> None:
    login = clinic.hire("guests")
    assert [clinic.sign_in(login, "wrong")[0] for _ in range(6)][-1] == 429
    assert clinic.sign_in(login)[0] == 429, "the right one does not open either until the time is over"


# --- whose account it is -------------------------------------------------------------------------------------------------


def test_a_name_that_a_local_account_has_opens_nothing_and_the_administrator_is_told_how(clinic: Clinic) -> None:
    victim = clinic.appliance.person("double", password=LOCAL)
    clinic.hire("bosses", login="double")
    assert clinic.sign_in("double")[0] == 403
    assert clinic.sign_in("double", LOCAL)[0] == 303, "the local account goes on as before"
    assert clinic.account("double")["id"] == victim.id
    assert clinic.account("double")["sysadmin"] == 0
    assert any("dcor ldap link double --login double" in text for text in clinic.told())
    directory_links.link(clinic.context, OPERATOR, "double", "double")
    assert clinic.sign_in("double", LOCAL)[0] == 401, "its password is the directory's now"
    assert clinic.sign_in("double")[0] == 303
    assert clinic.account("double")["id"] == victim.id
    assert not clinic.told()
    assert victim.get("package_search").status == 200, "its token stays"


def test_an_address_that_a_local_account_has_opens_nothing(clinic: Clinic) -> None:
    clinic.appliance.person("owner-of-address", password=LOCAL)
    login = clinic.hire("guests", mail="owner-of-address@example.org")
    assert clinic.sign_in(login)[0] == 403
    assert clinic.account(login) == {}
    with clinic.context.db.write() as tx:
        alarms.resolve_for(tx, "directory account", clinic_subject(clinic, login))


def clinic_subject(clinic: Clinic, login: str) -> str:
    from appliance.actions import directory_login

    with directory_login.directory(clinic.context.settings).session() as session:
        found = session.by_login(login)
    assert found is not None
    return found.subject


def test_somebody_keeps_the_account_under_a_new_name_and_a_successor_with_the_old_name_gets_another(
    clinic: Clinic,
) -> None:
    first = clinic.hire("guests", login="berger")
    assert clinic.sign_in(first)[0] == 303
    account = clinic.account("berger")["id"]
    clinic.slapd.rename(f"uid=berger,{PEOPLE}", "uid=mueller-berger")
    clinic.join(f"uid=mueller-berger,{PEOPLE}", "guests")
    assert clinic.sign_in("mueller-berger")[0] == 303
    assert clinic.account("berger")["id"] == account
    assert clinic.account("mueller-berger") == {}
    clinic.hire("guests", login="berger", mail="another@hospital.example")
    assert clinic.sign_in("berger")[0] == 403, "the name belongs to the first one's account"
    assert clinic.account("berger")["id"] == account
    with clinic.context.db.write() as tx:
        alarms.resolve_for(tx, "directory account", clinic_subject(clinic, "berger"))


def test_an_account_that_was_deleted_or_disabled_here_stays_so(clinic: Clinic) -> None:
    login = clinic.hire("guests")
    clinic.sign_in(login)
    accounts.set_state(clinic.context, OPERATOR, login, "disabled")
    clinic.compare()
    assert (clinic.sign_in(login)[0], clinic.account(login)["state"]) == (403, "disabled")
    accounts.set_state(clinic.context, OPERATOR, login, "deleted")
    clinic.compare()
    assert (clinic.sign_in(login)[0], clinic.account(login)["state"]) == (403, "deleted")


# --- who is out again ------------------------------------------------------------------------------------------------------


def _disable(clinic: Clinic, dn: str) -> None:
    clinic.slapd.change(dn, pwdAccountLockedTime=["000001010000Z"])


def _leave_groups(clinic: Clinic, dn: str) -> None:
    clinic.join(dn)


@pytest.mark.parametrize("end", [_disable, _leave_groups], ids=["disabled", "in no group"])
def test_who_is_locked_out_there_is_locked_out_here_and_comes_back(clinic: Clinic, end: Any) -> None:
    login = clinic.hire("lab-editors")
    dn = f"uid={login},{PEOPLE}"
    visitor = clinic.sign_in(login)[1]
    person = clinic.appliance.person(login)
    assert person.get("organization_list_for_user").result[0]["name"] == "lab"
    end(clinic, dn)
    assert clinic.compare().locked == 1
    assert not inside(visitor)
    assert person.get("organization_list_for_user").status == 403
    assert clinic.sign_in(login)[0] in (401, 403)
    assert clinic.account(login)["roles"] == []
    assert clinic.compare().changed == 0, "a second time changes nothing"
    clinic.slapd.change(dn, pwdAccountLockedTime=[])
    clinic.join(dn, "lab-editors")
    assert clinic.compare().opened == 1
    assert person.get("organization_list_for_user").result[0]["name"] == "lab", "the token works again"
    assert not inside(visitor), "the session has ended"
    assert clinic.sign_in(login)[0] == 303


def test_who_was_removed_there_is_locked_out_here(clinic: Clinic) -> None:
    login = clinic.hire("lab-editors")
    visitor = clinic.sign_in(login)[1]
    clinic.slapd.remove(f"uid={login},{PEOPLE}")
    clinic.compare()
    assert not inside(visitor)
    assert clinic.account(login)["state"] == "disabled"
    assert "no longer in the directory" in clinic.noted("user.disabled")[0]["detail"]["reason"]


# --- what is decided there is not changed here ------------------------------------------------------------------------------


def test_memberships_from_groups_are_not_changed_by_hand_and_those_by_hand_not_by_groups(clinic: Clinic) -> None:
    login = clinic.hire("lab-readers")
    clinic.sign_in(login)
    for change in (
        lambda: communities.set_member(clinic.context, OPERATOR, "circle", "lab", login, "admin"),
        lambda: communities.remove_member(clinic.context, OPERATOR, "circle", "lab", login),
    ):
        with pytest.raises(Problem, match="comes from a group of your institution"):
            change()
    communities.create(clinic.context, OPERATOR, "circle", {"name": f"by-hand-{login}", "title": "By hand"})
    communities.set_member(clinic.context, OPERATOR, "circle", f"by-hand-{login}", login, "admin")
    clinic.join(f"uid={login},{PEOPLE}", "guests")
    clinic.compare()
    assert clinic.account(login)["roles"] == [("admin", "")]
    communities.set_member(clinic.context, OPERATOR, "circle", "lab", login, "admin")
    clinic.join(f"uid={login},{PEOPLE}", "lab-readers")
    clinic.compare()
    assert clinic.account(login)["roles"] == [("admin", ""), ("admin", "")]


def test_password_name_and_administration_are_changed_in_the_directory(clinic: Clinic) -> None:
    login = clinic.hire("bosses")
    visitor = clinic.sign_in(login)[1]
    with pytest.raises(Problem, match="that of your institution"):
        accounts.change_password(clinic.context, OPERATOR, login, "a new and long password")
    with pytest.raises(Problem, match="that of your institution"):
        accounts.one_time_link(clinic.context, OPERATOR, login)
    with pytest.raises(Problem, match="comes from your institution"):
        accounts.update(clinic.context, OPERATOR, login, {"email": "other@hospital.example"})
    with pytest.raises(Problem, match="A group of your institution makes"):
        accounts.set_sysadmin(clinic.context, OPERATOR, login, False)
    accounts.update(clinic.context, OPERATOR, login, {"about": "Own words", "email": f"{login}@hospital.example"})
    page = visitor.get(f"/user/{login}").text
    assert "come from your institution" in page
    assert 'name="old"' not in page
    clinic.slapd.change(f"uid={login},{PEOPLE}", cn=["New Name"])
    clinic.compare()
    assert clinic.account(login)["fullname"] == "New Name"


def test_the_last_administrator_who_needs_no_directory_stays(clinic: Clinic) -> None:
    clinic.sign_in(clinic.hire("bosses"))
    accounts.set_sysadmin(clinic.context, OPERATOR, "keeper", False)
    try:
        with pytest.raises(Problem, match="last administrator"):
            accounts.set_state(clinic.context, OPERATOR, "admin", "disabled")
        clinic.hire("guests", login="admin")
        with pytest.raises(Problem, match="only local administrator"):
            directory_links.link(clinic.context, OPERATOR, "admin", "admin")
    finally:
        accounts.set_sysadmin(clinic.context, OPERATOR, "keeper", True)


def test_an_unlinked_account_is_a_local_one(clinic: Clinic) -> None:
    login = clinic.hire("lab-readers")
    clinic.sign_in(login)
    directory_links.unlink(clinic.context, OPERATOR, login)
    accounts.change_password(clinic.context, OPERATOR, login, LOCAL)
    assert clinic.sign_in(login, LOCAL)[0] == 303
    assert clinic.account(login)["roles"] == [("member", "")]
    clinic.slapd.remove(f"uid={login},{PEOPLE}")
    clinic.compare()
    assert clinic.account(login)["state"] == "active"


def test_what_the_directory_said_of_a_person_is_exported_and_erased(clinic: Clinic) -> None:
    login = clinic.hire("guests")
    visitor = clinic.sign_in(login)[1]
    about = visitor.get(f"/user/{login}/everything.json").json()
    assert about["directory"][0]["login"] == login
    accounts.erase(clinic.context, OPERATOR, login)
    with clinic.context.db.read() as conn:
        assert identities.by_login(conn, "ldap", login) is None


# --- the second factor ------------------------------------------------------------------------------------------------------


def test_administrators_of_the_directory_need_the_second_factor_that_is_demanded(clinic: Clinic) -> None:
    """The directory's password alone is no second factor."""
    login, other = clinic.hire("bosses"), clinic.hire("bosses")
    visitor, page = clinic.sign_in(login)[1], f"/user/{login}/two-step"
    before = clinic.context.settings
    try:
        clinic.context.use_settings(before.replace(**{"policy.administrators_totp": True}))
        assert visitor.get("/admin").status_code == 403
        code = second_factor_setup.permit(clinic.context, OPERATOR, login)
        assert visitor.post(page, password="wrong", setup_code=code).status_code == 409
        assert visitor.post(page, password="", setup_code=code).status_code == 409
        answer = visitor.post(page, password=PASSWORD, setup_code=code)
        key = re.search(r"<code>([A-Z2-7 ]+)</code>", answer.text)
        assert key is not None, answer.text
        phone = Phone(key[1])
        assert visitor.post(f"{page}/confirm", code=phone.code(), setup_code=code).status_code == 200
        assert visitor.get("/admin").status_code == 200
        status, elsewhere = clinic.sign_in(login)
        assert (status, inside(elsewhere)) == (200, False), "a code is asked for"
        clinic.context.use_settings(before.replace(**{"policy.administrators_totp": True, "ldap.second_factor": True}))
        assert clinic.sign_in(other)[1].get("/admin").status_code == 200, "the directory asks for one itself"
    finally:
        clinic.context.use_settings(before)


# --- while nobody answers ----------------------------------------------------------------------------------------------------


def test_while_the_directory_is_away_sessions_go_on_for_the_stated_time_and_local_administrators_always(
    clinic: Clinic,
) -> None:
    login = clinic.hire("lab-editors")
    visitor = clinic.sign_in(login)[1]
    person = clinic.appliance.person(login)
    clinic.compare()
    clinic.slapd.stop()
    try:
        assert clinic.compare().away
        assert inside(visitor)
        status, _nobody = clinic.sign_in(login)
        assert status == 503
        assert clinic.sign_in("keeper", LOCAL)[0] == 303
        assert any("cannot be reached" in text for text in clinic.told())
        metrics = clinic.appliance.admin.fetch("/metrics").text
        assert "dcor_directory_up 0.0" in metrics
        with clinic.context.db.write() as tx:
            tx.execute("UPDATE meta SET value = '2026-01-01T00:00:00.000000' WHERE key = 'identities_ldap'")
        assert clinic.compare().paused >= 1
        assert not inside(visitor)
        assert person.get("organization_list_for_user").status == 403
        keeper = clinic.sign_in("keeper", LOCAL)[1]
        assert keeper.get("/admin").status_code == 200
    finally:
        clinic.slapd.start()
    clinic.compare()
    assert inside(visitor), "the session has only waited"
    assert person.get("organization_list_for_user").status == 200
    assert not clinic.told()
    assert "dcor_directory_up 1.0" in clinic.appliance.admin.fetch("/metrics").text


def test_a_search_that_is_refused_locks_nobody_out(clinic: Clinic) -> None:
    login = clinic.hire("lab-editors")
    clinic.sign_in(login)
    for key, value in (
        ("ldap.user_base", f"ou=nowhere,{SUFFIX}"),
        ("ldap.user_filter", "(broken"),
        ("ldap.circles", "x"),
    ):
        outcome = directory_sync.compare(clinic.context.db, clinic.context.settings.replace(**{key: value}))
        assert outcome.away, key
    assert clinic.account(login)["state"] == "active"
    clinic.compare()
