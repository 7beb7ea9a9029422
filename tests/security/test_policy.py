"""Lists are filtered in SQL, single datasets by the policy: in worlds made at random, both must say the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.actions import callers
from appliance.model.viewer import ANONYMOUS, Viewer
from appliance.security import policy
from appliance.settings import Policy, Settings
from appliance.store import collections, communities, datasets, sharing, visibility
from appliance.store.database import Database
from appliance.web import authentication

USERS, CIRCLES, COLLECTIONS = ("ann", "bob", "eve"), ("c1", "c2"), ("g1", "g2")
ROLES = st.sampled_from([None, None, "member", "editor", "admin"])

DATASETS = st.lists(
    st.fixed_dictionaries(
        {
            "circle": st.sampled_from(CIRCLES),
            "state": st.sampled_from(["draft", "active", "deleted"]),
            "private": st.booleans(),
            "collections": st.sets(st.sampled_from(COLLECTIONS)),
            "shared": st.dictionaries(st.sampled_from(USERS), st.sampled_from(["member", "editor"])),
            "creator": st.sampled_from(USERS),
        }
    ),
    min_size=1,
    max_size=8,
)
MEMBERS = st.fixed_dictionaries({(user, place): ROLES for user in USERS for place in CIRCLES + COLLECTIONS})
GONE = st.sets(st.sampled_from(COLLECTIONS))


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = Database(tmp_path_factory.mktemp("visibility") / "dcor.sqlite")
    made.create()
    yield made
    made.close()


class _RolledBack(Exception):
    pass


@given(rows=DATASETS, members=MEMBERS, gone=GONE, anonymous_access=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sql_and_policy_agree(
    db: Database, rows: list[dict], members: dict, gone: set[str], anonymous_access: bool
) -> None:
    with suppress(_RolledBack), db.write() as tx:
        for user in USERS:
            tx.execute("INSERT INTO user (id, name, email, created) VALUES (?1, ?1, ?1, '2026')", (user,))
        for kind, names in (("circle", CIRCLES), ("collection", COLLECTIONS)):
            for name in names:
                communities.create(tx, kind, name, id_=name)
        for number, row in enumerate(rows):
            values = {
                "name": f"ds-{number}", "circle_id": row["circle"], "private": int(row["private"]), "state": row["state"],
                "creator_id": row["creator"],
            }  # fmt: skip
            datasets.create(tx, values, id_=f"ds-{number}")
            for collection in row["collections"]:
                collections.add(tx, collection, f"ds-{number}", basis="operator")
            for user, capacity in row["shared"].items():
                sharing.set_collaborator(tx, f"ds-{number}", user, capacity)
        for (user, place), role in members.items():
            if role:
                communities.set_member(tx, place, user, role)
        for collection in gone:
            communities.set_state(tx, collection, "deleted")
        options = Policy(anonymous_access=anonymous_access)
        for viewer in _viewers(tx, options):
            condition, parameters = visibility.condition(viewer)
            seen = {row[0] for row in tx.execute(f"SELECT d.id FROM dataset d WHERE {condition}", parameters)}
            for number in range(len(rows)):
                facts = datasets.facts(tx, f"ds-{number}")
                assert facts is not None
                assert policy.may(viewer, "dataset:read", facts) == (f"ds-{number}" in seen), (viewer, facts)
                assert (datasets.visible(tx, f"ds-{number}", viewer) is not None) == (f"ds-{number}" in seen)
        raise _RolledBack


def _viewers(tx, options: Policy) -> Iterator[Viewer]:
    yield ANONYMOUS
    yield authentication.anonymous(options, "192.0.2.1")
    for user in USERS:
        row = tx.execute("SELECT * FROM user WHERE id = ?", (user,)).fetchone()
        yield callers.of_user(tx, Settings(policy=options), row, scope="write")
    yield Viewer(user_id="ann", name="ann", sysadmin=True, scope="admin", sees_public=True)


# --- the rules themselves -------------------------------------------------------------------------------------------------


def test_an_unknown_rule_is_refused_even_to_administrators() -> None:
    admin = Viewer(user_id="a", name="a", sysadmin=True, scope="admin", sees_public=True)
    assert not policy.may(admin, "dataset:everything")


def test_nobody_reads_or_changes_an_object_whose_facts_are_missing() -> None:
    user = Viewer(user_id="u", name="u", scope="write", sees_public=True)
    for rule in policy.rules():
        if rule.partition(":")[0] in {"dataset", "circle", "collection", "resource"} and not rule.endswith(":create"):
            assert not policy.may(user, rule), rule


@pytest.mark.parametrize("rule", policy.rules())
def test_a_credential_for_reading_passes_no_rule_that_changes_anything(rule: str) -> None:
    reader = Viewer(user_id="a", name="a", sysadmin=True, scope="read", sees_public=True)
    reads = {
        "open",
        "site:read",
        "site:user",
        "user:complete",
        "user:find",
        "user:list",
        "user:read",
        "token:list",
        "dataset:read",
    }
    reads |= {
        "dataset:collaborators",
        "dataset:collections",
        "follow:read",
        "circle:member_list",
        "collection:member_list",
    }
    assert policy.may(reader, rule) == (rule in reads)
