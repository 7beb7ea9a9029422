"""Authorization: the only module that decides who may do what.

A *rule* is ``noun:verb``. Every route and every action declares its rule; rules about one dataset, circle or collection are
checked again with the facts of that object. Rules not defined here are refused. Lists are not checked here: the store filters
them with `appliance.store.visibility`, which expresses ``dataset:read`` in SQL (a test compares the two).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from appliance.model import roles
from appliance.model.messages import Message
from appliance.model.problem import Problem, not_authorized
from appliance.model.viewer import CommunityFacts, DatasetFacts, Viewer

Facts = DatasetFacts | CommunityFacts | str | None
_Check = Callable[[Viewer, Facts], bool]

#: Rules without an object. All others are about one, and are granted only after they were checked for it.
SITE_RULES = frozenset({
    "open", "site:read", "site:user", "site:administer", "user:list", "user:create", "user:complete", "user:delete", "user:link",
    "dataset:create", "circle:create", "collection:create", "follow:change", "upload:begin", "write",
    "access:request", "notification:change",
})  # fmt: skip

#: Rules granted about objects inside `recorded`.
_granted: ContextVar[set[str] | None] = ContextVar("granted", default=None)


def may(viewer: Viewer, rule: str, facts: Facts = None) -> bool:
    """Whether `viewer` has the permission `rule` for the object that `facts` describes."""
    entry = _RULES.get(rule)
    if entry is None:
        return False
    check, writes = entry
    if writes and viewer.scope == "read":
        return False
    granted = viewer.sysadmin or check(viewer, facts)
    if granted and facts is not None and (noted := _granted.get()) is not None:
        noted.add(rule)
    return granted


def require(viewer: Viewer, rule: str, facts: Facts = None) -> None:
    """Like `may`, but raises Problem 403 with the refusal text that clients know."""
    if not may(viewer, rule, facts):
        raise refusal(viewer, rule, facts)


def refusal(viewer: Viewer, rule: str, facts: Facts = None) -> Problem:
    """The Problem that tells `viewer` why `rule` was refused."""
    entry = _RULES.get(rule)
    if entry is not None and entry[1] and viewer.scope == "read" and not viewer.anonymous:
        return not_authorized("This token is read-only; create one with the scope 'write'.")
    object_id = facts if isinstance(facts, str) else getattr(facts, "id", "")
    reason = _REASONS.get(rule, "").format(user=viewer.name, id=object_id)
    what = reason.removeprefix(f"User {viewer.name} not authorized to ")
    return not_authorized(reason) if what == reason else refused(viewer, what)


def refused(viewer: Viewer, what: str) -> Problem:
    """The Problem that says, in CKAN's wording, that `viewer` may not do `what` ("edit package x")."""
    return not_authorized(Message("User %(user)s not authorized to %(what)s", user=viewer.name, what=what))


def admit(viewer: Viewer, rule: str) -> None:
    """Check what can be checked of `rule` before its object is known: `viewer` may use the site, and a change needs a user's
    credential with a writing scope.

    Raises Problem 403.
    """
    if rule in SITE_RULES:
        require(viewer, rule)
    elif changes(rule):
        require(viewer, "write")
    else:
        require(viewer, "site:read")


def changes(rule: str) -> bool:
    """Whether the rule permits a change, for which read-only credentials do not suffice. True for an unknown rule."""
    return _RULES[rule][1] if rule in _RULES else True


@contextmanager
def recorded() -> Iterator[set[str]]:
    """Record the rules that are granted about an object inside the context, in this thread."""
    found: set[str] = set()
    mark = _granted.set(found)
    try:
        yield found
    finally:
        _granted.reset(mark)


def rules() -> tuple[str, ...]:
    """The names of all rules."""
    return tuple(_RULES)


# --- checks ---------------------------------------------------------------------------------------------------------


def _anyone(viewer: Viewer, facts: Facts) -> bool:
    return True


def _may_use_site(viewer: Viewer, facts: Facts) -> bool:
    return viewer.sees_public


def _user(viewer: Viewer, facts: Facts) -> bool:
    return not viewer.anonymous


def _administrators_only(viewer: Viewer, facts: Facts) -> bool:
    return False  # administrators pass before this is called


def _self(viewer: Viewer, facts: Facts) -> bool:
    return viewer.user_id is not None and facts == viewer.user_id


def _founder(kind: str) -> _Check:
    return lambda viewer, facts: not viewer.anonymous and kind in viewer.may_create


def _reads_dataset(viewer: Viewer, facts: Facts) -> bool:
    if not isinstance(facts, DatasetFacts):
        return False
    if facts.public and viewer.sees_public:
        return True
    return (
        facts.circle_id in viewer.circles
        or facts.id in viewer.collaborations
        or not facts.granting_ids.isdisjoint(viewer.collections)
    )


def _edits_dataset(viewer: Viewer, facts: Facts) -> bool:
    if not isinstance(facts, DatasetFacts):
        return False
    return (
        roles.allows(viewer.circles.get(facts.circle_id), "update_dataset")
        or viewer.collaborations.get(facts.id) == "editor"
    )


def _collects_dataset(viewer: Viewer, facts: Facts) -> bool:
    """Adding a dataset to a collection lets the collection's members read it, so a private one needs the right to edit or administer it."""
    if not isinstance(facts, DatasetFacts):
        return False
    if facts.public and not viewer.anonymous:
        return True
    return _edits_dataset(viewer, facts) or _administers_dataset(viewer, facts)


def _administers_dataset(viewer: Viewer, facts: Facts) -> bool:
    return isinstance(facts, DatasetFacts) and viewer.circles.get(facts.circle_id) == "admin"


def _annotates_dataset(viewer: Viewer, facts: Facts) -> bool:
    """Private annotations of readable datasets; nobody else sees them."""
    return not viewer.anonymous and _reads_dataset(viewer, facts)


def _edits_for_circle(viewer: Viewer, facts: Facts) -> bool:
    """What affects the whole circle (shared annotations, publishing) is not for collaborators who may edit a single dataset."""
    return isinstance(facts, DatasetFacts) and roles.allows(viewer.circles.get(facts.circle_id), "update_dataset")


def _purges_dataset(viewer: Viewer, facts: Facts) -> bool:
    return isinstance(facts, DatasetFacts) and roles.allows(viewer.circles.get(facts.circle_id), "delete_dataset")


def _versions_dataset(viewer: Viewer, facts: Facts) -> bool:
    """A new version belongs to the same circle: its members who may edit and create datasets there can make one."""
    return (
        isinstance(facts, DatasetFacts)
        and facts.state == "active"
        and roles.allows(viewer.circles.get(facts.circle_id), "create_dataset")
    )


def _role(permission: str, kind: str | None = None) -> _Check:
    """A check: whether the caller has a role with this permission in the circle or collection."""

    def check(viewer: Viewer, facts: Facts) -> bool:
        """Whether the caller's role in the community has the permission."""
        if not isinstance(facts, CommunityFacts) or (kind and facts.kind != kind):
            return False
        return roles.allows(viewer.role(facts.id), permission)

    return check


def _uploads_somewhere(viewer: Viewer, facts: Facts) -> bool:
    edits = any(roles.allows(role, "update_dataset") for role in viewer.circles.values())
    return edits or "editor" in viewer.collaborations.values()


def _creates_somewhere(viewer: Viewer, facts: Facts) -> bool:
    return any(roles.allows(role, "create_dataset") for role in viewer.circles.values())


#: rule → (check for everybody but administrators, whether it permits a change)
_RULES: dict[str, tuple[_Check, bool]] = {
    "open": (_anyone, False),
    "site:read": (_may_use_site, False),
    "site:user": (_user, False),
    "site:administer": (_administrators_only, True),
    "user:complete": (_user, False),
    "user:list": (_administrators_only, False),
    "user:create": (_administrators_only, True),
    "user:read": (_self, False),
    "user:find": (_user, False),
    "user:update": (_self, True),
    "user:delete": (_administrators_only, True),
    "user:link": (_administrators_only, True),
    "token:manage": (_self, True),
    "token:list": (_self, False),
    "upload:discard": (_self, True),
    "dataset:create": (_creates_somewhere, True),
    "upload:begin": (_uploads_somewhere, True),
    "dataset:read": (_reads_dataset, False),
    "dataset:update": (_edits_dataset, True),
    "dataset:delete": (_edits_dataset, True),
    "dataset:restore": (_edits_dataset, True),
    "dataset:purge": (_purges_dataset, True),
    "dataset:share": (_administers_dataset, True),
    "dataset:collect": (_collects_dataset, True),
    "dataset:withdraw": (_edits_dataset, True),
    "dataset:collections": (_edits_dataset, False),
    "dataset:collaborators": (_administers_dataset, False),
    "dataset:move": (_administrators_only, True),
    "dataset:publish": (_edits_for_circle, True),
    "dataset:license": (_edits_for_circle, True),
    "dataset:version": (_versions_dataset, True),
    "dataset:annotate": (_annotates_dataset, True),
    "dataset:annotate_shared": (_edits_for_circle, True),
    "resource:delete": (_administrators_only, True),
    "resource:arrange": (_edits_dataset, True),
    "follow:read": (_self, False),
    "follow:change": (_user, True),
    "access:request": (_user, True),
    "notification:change": (_user, True),
    "circle:create": (_founder("circle"), True),
    "circle:add_dataset": (_role("create_dataset", "circle"), True),
    "circle:update": (_role("update", "circle"), True),
    "circle:members": (_role("membership", "circle"), True),
    "circle:member_list": (_role("read", "circle"), False),
    "circle:publish": (_role("update", "circle"), True),
    "circle:withdraw": (_administrators_only, True),
    "circle:delete": (_administrators_only, True),
    "circle:purge": (_administrators_only, True),
    "collection:create": (_founder("collection"), True),
    "collection:datasets": (_role("manage_group", "collection"), True),
    "collection:update": (_role("update", "collection"), True),
    "collection:member_list": (_role("read", "collection"), False),
    "collection:members": (_role("membership", "collection"), True),
    "collection:delete": (_role("delete", "collection"), True),
    "collection:purge": (_administrators_only, True),
    "write": (_user, True),
}

#: Refusal texts; they are an interface (clients and scripts match parts of them).
_REASONS = {
    "site:read": "This server requires signing in.",
    "site:user": "This requires an authenticated user",
    "access:request": "This requires an authenticated user",
    "notification:change": "This requires an authenticated user",
    "write": "This requires an authenticated user",
    "user:complete": "Only logged-in users may use autocomplete.",
    "user:find": "This requires an authenticated user",
    "user:list": "Listing users is forbidden.",
    "user:read": "Users may only view their own details",
    "user:update": "User {user} not authorized to edit user {id}",
    "user:create": "User {user} not authorized to create users",
    "dataset:create": "User {user} not authorized to create packages",
    "upload:begin": "User {user} not authorized to add files to any package",
    "dataset:read": "User {user} not authorized to read package {id}",
    "dataset:update": "User {user} not authorized to edit package {id}",
    "dataset:delete": "User {user} not authorized to delete package {id}",
    "dataset:restore": "User {user} not authorized to restore package {id}",
    "dataset:purge": "User {user} not authorized to delete package {id}",
    "dataset:share": "User {user} not authorized to share package {id}",
    "dataset:collect": "User {user} not authorized to share package {id}: only those who may change it may add it to a collection",
    "dataset:withdraw": "User {user} not authorized to take package {id} out of a collection",
    "dataset:publish": "User {user} not authorized to make package {id} public: only editors of its circle may",
    "dataset:license": "User {user} not authorized to change the license of package {id}: only editors of its circle may",
    "dataset:version": "User {user} not authorized to make a new version of package {id}",
    "dataset:annotate": "User {user} not authorized to annotate package {id}",
    "dataset:annotate_shared": "User {user} not authorized to share annotations of package {id} with its circle",
    "dataset:collections": "User {user} not authorized to list who shares package {id}",
    "dataset:collaborators": "User {user} not authorized to list the collaborators of package {id}",
    "resource:arrange": "User {user} not authorized to edit package {id}",
    "resource:delete": "Only admins may do so.",
    "circle:create": "User {user} not authorized to create organizations",
    "circle:add_dataset": "User {user} not authorized to add dataset to this organization",
    "circle:update": "User {user} not authorized to edit organization {id}",
    "circle:members": "User {user} not authorized to edit organization {id}",
    "circle:member_list": "Only members of organization {id} may list its members",
    "circle:publish": "User {user} not authorized to edit organization {id}",
    "circle:withdraw": "Only admins may do so.",
    "circle:delete": "User {user} not authorized to delete organizations",
    "collection:create": "User {user} not authorized to create groups",
    "collection:datasets": "User {user} not authorized to edit collection {id}",
    "collection:update": "User {user} not authorized to edit collection {id}",
    "collection:member_list": "Only members of collection {id} may list its members",
    "collection:members": "User {user} not authorized to edit collection {id}",
    "collection:delete": "User {user} not authorized to delete group {id}",
}
