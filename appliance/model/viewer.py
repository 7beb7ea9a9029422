"""The caller of a request: everything the policy needs to know about them, read once per request."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

NOTHING: Mapping[str, str] = MappingProxyType({})
#: Each role includes the ones before it.
_RANK = {"": 0, "member": 1, "editor": 2, "admin": 3}


@dataclass(frozen=True, slots=True)
class Viewer:
    """A caller and their roles.

    :ivar user_id: id of the user, None for an anonymous caller.
    :ivar name: log-in name, "" for an anonymous caller.
    :ivar sysadmin: administrator, and the credential permits using it.
    :ivar scope: what the credential permits: "read", "write" or "admin" (a session has "admin").
    :ivar sees_public: may see what is public (every signed-in user; anybody where the site allows it).
    :ivar may_create: kinds of community that this caller may found: "circle", "collection".
    :ivar circles: role by circle id; likewise `collections`.
    :ivar collaborations: capacity ("member" or "editor") by dataset id.
    :ivar token_id: public id of the token that the caller presented; likewise `session_id` of their session.
    :ivar address: network address of the caller, for the audit log.
    :ivar rights: all of it but the address, hashable: equal for two callers only if each may do what the other may.
    """

    user_id: str | None = None
    name: str = ""
    sysadmin: bool = False
    scope: str = "read"
    sees_public: bool = False
    may_create: frozenset[str] = frozenset()
    circles: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    collections: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    collaborations: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    token_id: str | None = None
    session_id: str | None = None
    address: str = ""
    rights: tuple[Hashable, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rights", tuple(_frozen(getattr(self, name)) for name in _RIGHTS))

    @property
    def anonymous(self) -> bool:
        """Not signed in."""
        return self.user_id is None

    def includes(self, other: Viewer) -> bool:
        """Whether this is the same caller with the same credential and at least the rights of `other`."""
        same = (self.user_id, self.token_id, self.session_id, self.scope) == (
            other.user_id, other.token_id, other.session_id, other.scope,
        )  # fmt: skip
        return (
            same
            and self.sysadmin >= other.sysadmin
            and self.sees_public >= other.sees_public
            and self.may_create >= other.may_create
            and all(
                _RANK[now.get(id_, "")] >= _RANK[role]
                for now, then in (
                    (self.circles, other.circles),
                    (self.collections, other.collections),
                    (self.collaborations, other.collaborations),
                )
                for id_, role in then.items()
            )
        )

    def role(self, community_id: str) -> str | None:
        """The caller's role in a circle or collection, None without one."""
        return self.circles.get(community_id) or self.collections.get(community_id)


def _frozen(value: object) -> Hashable:
    return frozenset(value.items()) if isinstance(value, Mapping) else value


_RIGHTS = tuple(one.name for one in fields(Viewer) if one.name not in {"address", "rights"})

ANONYMOUS = Viewer()

#: The command line on the machine itself: access to the data root implies all rights.
OPERATOR = Viewer(
    user_id="",
    name="operator",
    sysadmin=True,
    scope="admin",
    sees_public=True,
    may_create=frozenset({"circle", "collection"}),
)


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """The properties of a dataset on which rights to it depend.

    :ivar collection_ids: the collections that hold it. :ivar granting_ids: those whose members may read it for that.
    """

    id: str
    circle_id: str
    creator_id: str
    private: bool
    state: str
    collection_ids: frozenset[str] = frozenset()
    granting_ids: frozenset[str] = frozenset()

    @property
    def public(self) -> bool:
        """Visible to everybody who may use this server."""
        return self.state == "active" and not self.private


@dataclass(frozen=True, slots=True)
class CommunityFacts:
    """The properties of a circle or a collection (`kind`) on which rights to it depend."""

    id: str
    kind: str
    state: str = "active"
