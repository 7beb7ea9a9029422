"""Who may do what, rule by rule: the table that `security.policy` has to agree with, for every standing and every kind of object."""

from __future__ import annotations

import pytest

from appliance.model.problem import Problem
from appliance.model.viewer import ANONYMOUS, CommunityFacts, DatasetFacts, Viewer
from appliance.security import policy

ME, OTHER = "me", "somebody-else"
CIRCLE, GRANTING, HOLDING, ELSEWHERE = "c", "g", "h", "x"


def user(**more: object) -> Viewer:
    return Viewer(user_id=ME, name="me", scope="write", sees_public=True, **more)  # type: ignore[arg-type]


VIEWERS = {
    "nobody": ANONYMOUS,
    "guest": Viewer(sees_public=True),
    "user": user(),
    "founder": user(may_create=frozenset({"circle"})),
    "collector": user(may_create=frozenset({"collection"})),
    "member": user(circles={CIRCLE: "member"}),
    "editor": user(circles={CIRCLE: "editor"}),
    "admin": user(circles={CIRCLE: "admin"}),
    "admin elsewhere": user(circles={ELSEWHERE: "admin"}),
    "reader": user(collaborations={"d": "member"}),
    "writer": user(collaborations={"d": "editor"}),
    "writer elsewhere": user(collaborations={ELSEWHERE: "editor"}),
    "topic member": user(collections={GRANTING: "member"}),
    "topic editor": user(collections={GRANTING: "editor"}),
    "topic admin": user(collections={GRANTING: "admin"}),
    "holder": user(collections={HOLDING: "admin"}),
    "sysadmin": user(sysadmin=True),
}
USERS = set(VIEWERS) - {"nobody", "guest"}
SYSADMIN = {"sysadmin"}
EDITORS = {"editor", "admin", "writer"} | SYSADMIN
ADMINS = {"admin"} | SYSADMIN
READERS = EDITORS | {"member", "reader", "topic member", "topic editor", "topic admin"}

PLACE = {"collection_ids": frozenset({GRANTING, HOLDING}), "granting_ids": frozenset({GRANTING})}
PRIVATE = DatasetFacts("d", CIRCLE, OTHER, private=True, state="active", **PLACE)  # type: ignore[arg-type]
PUBLIC = DatasetFacts("d", CIRCLE, OTHER, private=False, state="active", **PLACE)  # type: ignore[arg-type]
DRAFT = DatasetFacts("d", CIRCLE, ME, private=False, state="draft", **PLACE)  # type: ignore[arg-type]
DELETED = DatasetFacts("d", CIRCLE, ME, private=False, state="deleted", **PLACE)  # type: ignore[arg-type]

#: Rules about a dataset → who may, whatever its state and visibility.
DATASET = {
    "dataset:update": EDITORS, "dataset:delete": EDITORS, "dataset:restore": EDITORS, "dataset:withdraw": EDITORS,
    "dataset:collections": EDITORS, "resource:arrange": EDITORS, "dataset:purge": {"editor", "admin"} | SYSADMIN,
    "dataset:annotate_shared": {"editor", "admin"} | SYSADMIN, "dataset:publish": {"editor", "admin"} | SYSADMIN, "dataset:license": {"editor", "admin"} | SYSADMIN, "dataset:share": ADMINS, "dataset:collaborators": ADMINS, "dataset:move": SYSADMIN, "resource:delete": SYSADMIN,
}  # fmt: skip
#: Rules about a circle, and about a collection.
CIRCLE_RULES = {
    "circle:add_dataset": {"editor", "admin"} | SYSADMIN, "circle:update": ADMINS, "circle:members": ADMINS,
    "circle:publish": ADMINS, "circle:member_list": {"member", "editor", "admin"} | SYSADMIN,
    "circle:withdraw": SYSADMIN, "circle:delete": SYSADMIN, "circle:purge": SYSADMIN,
}  # fmt: skip
COLLECTION_RULES = {
    "collection:datasets": {"topic editor", "topic admin"} | SYSADMIN,
    "collection:update": {"topic admin"} | SYSADMIN, "collection:members": {"topic admin"} | SYSADMIN,
    "collection:delete": {"topic admin"} | SYSADMIN, "collection:purge": SYSADMIN,
    "collection:member_list": {"topic member", "topic editor", "topic admin"} | SYSADMIN,
}  # fmt: skip
#: Rules about a user's own things.
OWN = {"user:read", "user:update", "token:manage", "token:list", "upload:discard", "follow:read"}
#: Rules about no object.
SITE = {
    "open": set(VIEWERS), "site:read": set(VIEWERS) - {"nobody"}, "site:user": USERS, "user:complete": USERS,
    "follow:change": USERS, "write": USERS, "access:request": USERS, "notification:change": USERS, "site:administer": SYSADMIN, "user:list": SYSADMIN, "user:create": SYSADMIN,
    "user:delete": SYSADMIN, "user:link": SYSADMIN, "dataset:create": {"editor", "admin", "admin elsewhere"} | SYSADMIN,
    "upload:begin": {"editor", "admin", "admin elsewhere", "writer", "writer elsewhere"} | SYSADMIN,
    "circle:create": {"founder"} | SYSADMIN, "collection:create": {"collector"} | SYSADMIN,
}  # fmt: skip


def who_may(rule: str, facts: policy.Facts = None) -> set[str]:
    return {name for name, viewer in VIEWERS.items() if policy.may(viewer, rule, facts)}


def test_every_rule_stands_in_the_table() -> None:
    told = {
        *DATASET,
        *CIRCLE_RULES,
        *COLLECTION_RULES,
        *OWN,
        *SITE,
        "dataset:read",
        "dataset:collect",
        "dataset:version",
        "dataset:annotate",
        "user:find",
    }
    assert set(policy.rules()) == told


def test_reading() -> None:
    assert who_may("dataset:read", PUBLIC) == set(VIEWERS) - {"nobody"} | READERS
    for facts in (PRIVATE, DRAFT, DELETED):
        assert who_may("dataset:read", facts) == READERS, facts


def test_collecting() -> None:
    """What everybody reads may be gathered by everybody with an account; else it needs the right to change it."""
    assert who_may("dataset:collect", PUBLIC) == USERS
    for facts in (PRIVATE, DRAFT, DELETED):
        assert who_may("dataset:collect", facts) == EDITORS, facts


def test_annotating() -> None:
    """Whoever reads a dataset may keep notes at it, with an account."""
    assert who_may("dataset:annotate", PUBLIC) == USERS
    for facts in (PRIVATE, DRAFT, DELETED):
        assert who_may("dataset:annotate", facts) == READERS, facts


def test_new_versions_are_made_of_what_is_active() -> None:
    for facts in (PRIVATE, PUBLIC):
        assert who_may("dataset:version", facts) == {"editor", "admin"} | SYSADMIN, facts
    for facts in (DRAFT, DELETED):
        assert who_may("dataset:version", facts) == SYSADMIN, facts


@pytest.mark.parametrize("rule", DATASET)
def test_datasets(rule: str) -> None:
    for facts in (PRIVATE, PUBLIC, DRAFT, DELETED):
        assert who_may(rule, facts) == DATASET[rule], facts


@pytest.mark.parametrize("rule", [*CIRCLE_RULES, *COLLECTION_RULES])
def test_circles_and_collections(rule: str) -> None:
    circle, collection = CommunityFacts(CIRCLE, "circle"), CommunityFacts(GRANTING, "collection")
    own, foreign = (circle, collection) if rule.startswith("circle") else (collection, circle)
    assert who_may(rule, own) == {**CIRCLE_RULES, **COLLECTION_RULES}[rule]
    assert who_may(rule, foreign) == SYSADMIN, "a rule about the other kind"


@pytest.mark.parametrize("rule", sorted(OWN))
def test_own_things(rule: str) -> None:
    assert who_may(rule, ME) == USERS
    assert who_may(rule, OTHER) == SYSADMIN
    assert who_may(rule) == SYSADMIN


def test_everybody_with_an_account_finds_others() -> None:
    for facts in (ME, OTHER):
        assert who_may("user:find", facts) == USERS


@pytest.mark.parametrize("rule", SITE)
def test_the_site(rule: str) -> None:
    assert who_may(rule) == SITE[rule]


@pytest.mark.parametrize("rule", sorted(set(policy.rules()) - set(SITE) - {"user:find"}))
def test_objects_of_another_kind_are_granted_to_nobody(rule: str) -> None:
    wrong = CommunityFacts("d", "circle") if rule.startswith(("dataset", "resource")) else PUBLIC
    assert who_may(rule, wrong) == SYSADMIN


def test_site_rules_are_those_without_an_object() -> None:
    assert set(SITE) == policy.SITE_RULES


def test_which_rules_are_about_reading() -> None:
    """For all others, a credential has to permit changes."""
    assert {rule for rule in policy.rules() if not policy.changes(rule)} == {
        "open", "site:read", "site:user", "user:complete", "user:list", "user:read", "user:find", "token:list", "dataset:read",
        "dataset:collections", "dataset:collaborators", "follow:read", "circle:member_list", "collection:member_list",
    }  # fmt: skip


@pytest.mark.parametrize("rule", policy.rules())
def test_what_is_refused_is_raised(rule: str) -> None:
    with pytest.raises(Problem) as refused:
        policy.require(ANONYMOUS, rule, PRIVATE) if rule != "open" else policy.require(ANONYMOUS, "no:rule")
    assert refused.value.status == 403
    policy.require(VIEWERS["sysadmin"], rule, PRIVATE)


def test_a_credential_for_reading_is_told_what_it_lacks() -> None:
    reader = Viewer(user_id=ME, name="me", scope="read", sees_public=True, circles={CIRCLE: "admin"})
    with pytest.raises(Problem, match="scope"):
        policy.require(reader, "dataset:update", PRIVATE)
    with pytest.raises(Problem, match=r"^User me not authorized to read package d$"):
        policy.require(VIEWERS["user"], "dataset:read", PRIVATE)
    assert "scope" not in str(policy.refusal(Viewer(scope="read"), "dataset:update", PRIVATE))


@pytest.mark.parametrize("rule", policy.rules())
def test_before_the_object_is_known(rule: str) -> None:
    """`admit` asks what can be asked by then: rules about the site, else reading, or a credential that may change something."""
    admitted = {name for name, viewer in VIEWERS.items() if _admits(viewer, rule)}
    if rule in SITE:
        assert admitted == SITE[rule]
    else:
        assert admitted == (USERS if policy.changes(rule) else set(VIEWERS) - {"nobody"})


def _admits(viewer: Viewer, rule: str) -> bool:
    try:
        policy.admit(viewer, rule)
    except Problem:
        return False
    return True


def test_an_unknown_rule_changes_something() -> None:
    assert policy.changes("no:rule")
    assert not _admits(VIEWERS["nobody"], "no:rule")


def test_what_was_granted_about_objects_is_recorded() -> None:
    with policy.recorded() as granted:
        policy.may(VIEWERS["admin"], "dataset:update", PRIVATE)
        policy.may(VIEWERS["user"], "dataset:share", PRIVATE)
        policy.may(VIEWERS["user"], "site:user")
        with policy.recorded() as inner:
            policy.may(VIEWERS["sysadmin"], "dataset:move", PRIVATE)
    policy.may(VIEWERS["admin"], "dataset:delete", PRIVATE)
    assert (granted, inner) == ({"dataset:update"}, {"dataset:move"})
