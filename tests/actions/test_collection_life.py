"""Dataset life × sharing through collections × membership × looking, in any order, against a model of a few lines."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from appliance.actions import accounts as people
from appliance.actions import callers, collecting, communities, datasets, deletion, sharing
from appliance.actions.site import Site
from appliance.model import names
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR, Viewer
from appliance.security import policy
from appliance.settings import Settings
from appliance.store import collections as entries
from appliance.store import datasets as rows
from appliance.store import resources, rtdc, users, visibility
from appliance.store.database import Database
from appliance.store.depot import Depot

PEOPLE = ("ann", "bob")
CIRCLES = ("c1", "c2")
COLLECTIONS = ("g1", "g2")
ROLES = st.sampled_from(["member", "editor", "admin"])


@dataclass
class Entry:
    """A dataset in a collection: whose right it stands on (None: the operator's), and whether it still does."""

    maker: str | None
    grants: bool


@dataclass
class Known:
    """A dataset as the model sees it."""

    circle: str
    private: bool
    state: str = "draft"
    shared: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def public(self) -> bool:
        """Everybody sees it."""
        return self.state == "active" and not self.private


class SharingMachine(RuleBasedStateMachine):
    """Whatever people do, only those read a dataset who may, and an entry lasts as long as its maker's right."""

    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self.folder = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        self.db = Database(Path(self.folder.name) / "dcor.sqlite")
        self.db.create()
        self.site = Site(Settings(), self.db, Depot(Path(self.folder.name)))
        self.known: dict[str, Known] = {}
        self.roles: dict[tuple[str, str], str] = {}
        self.active = set(PEOPLE)
        self.admins: set[str] = set()

    @initialize(target=made)
    def found(self) -> str:
        """People, circles and collections, and a dataset that Ann shares as editor of its circle, Bob as its collaborator.

        One administrator stays throughout, so that others may go.
        """
        people.create(self.site, OPERATOR, {"name": "root", "email": "root@example.org"}, sysadmin=True)
        for name in PEOPLE:
            people.create(self.site, OPERATOR, {"name": name, "email": f"{name}@example.org"})
        for kind, listed in (("circle", CIRCLES), ("collection", COLLECTIONS)):
            for name in listed:
                communities.create(self.site, OPERATOR, kind, {"name": name})
        for who, place in (("ann", "c1"), ("ann", "g1"), ("bob", "g2")):
            self.join(who, place, "editor")
        made = self.create("ann", "c1", private=True)
        self.collaborate(made, "bob", "editor")
        self.collect(made, "ann", "g1", by_field=False)
        self.collect(made, "bob", "g2", by_field=False)
        return made

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.db.close()
        self.folder.cleanup()

    # --- the model ----------------------------------------------------------------------------------------------------

    def _role(self, who: str, place: str) -> str:
        return self.roles.get((who, place), "")

    def _edits(self, who: str, one: Known) -> bool:
        return who in self.active and (self._of_circle(who, one) or one.shared.get(who) == "editor")

    def _publishes(self, who: str, one: Known) -> bool:
        """Datasets are made public by editors of their circle, not by those they are shared with."""
        return self._edits(who, one) and (self._of_circle(who, one) or not one.private)

    def _activates(self, who: str, one: Known) -> bool:
        """A public draft is made public by that, which is for the editors of its circle."""
        return self._edits(who, one) and (one.state == "active" or one.private or self._of_circle(who, one))

    def _of_circle(self, who: str, one: Known) -> bool:
        return who in self.admins or self._role(who, one.circle) in {"editor", "admin"}

    def _reads(self, who: str, one: Known) -> bool:
        return (
            who in self.admins
            or one.public
            or bool(self._role(who, one.circle))
            or who in one.shared
            or any(entry.grants and self._role(who, place) for place, entry in one.entries.items())
        )

    def _settle(self) -> None:
        """An entry ends with the right of whoever made it, for good."""
        for one in self.known.values():
            for entry in one.entries.values():
                entry.grants = entry.grants and (entry.maker is None or self._edits(entry.maker, one))

    def _viewer(self, who: str) -> Viewer:
        with self.db.read() as conn:
            row = users.find(conn, who)
            return callers.of_user(conn, Settings(), row, scope="admin")

    def _attempt(self, allowed: bool, act: Callable[[], object]) -> bool:
        """Do it; it must succeed just when the model allows it."""
        try:
            act()
        except Problem as refused:
            assert refused.status in {403, 404, 409}, refused  # noqa: PT017
            assert not allowed, refused  # noqa: PT017
            return False
        assert allowed
        return True

    # --- what people do -----------------------------------------------------------------------------------------------

    @rule(target=made, who=st.sampled_from(PEOPLE), circle=st.sampled_from(CIRCLES), private=st.booleans())
    def create(self, who: str, circle: str, private: bool) -> str:
        """Make a draft with a measurement in it (the operator does where the person may not)."""
        may = who in self.active and (who in self.admins or self._role(who, circle) in {"editor", "admin"})
        viewer = self._viewer(who) if may else OPERATOR
        values = {"title": "T", "authors": "A", "license_id": "CC0-1.0", "private": private, "owner_org": circle}
        values["state"] = "draft"
        id_ = datasets.create(self.site, viewer, values)
        with self.db.write() as tx:
            file = names.new_id()
            resources.create(tx, file, id_, "x.rtdc", size=1, sha256=None, etag=None, mimetype="RT-DC", format_="RT-DC")
            rtdc.put(tx, file, sane=1)
        self.known[id_] = Known(circle, private)
        return id_

    @rule(id_=made, who=st.sampled_from(PEOPLE))
    def activate(self, id_: str, who: str) -> None:
        """Draft → active; to do it again changes nothing."""
        one = self.known[id_]
        if who not in self.active or one.state == "deleted":
            return
        if self._attempt(
            self._activates(who, one), lambda: datasets.update(self.site, self._viewer(who), id_, {"state": "active"})
        ):
            one.state = "active"

    @rule(id_=made, who=st.sampled_from(PEOPLE))
    def publish(self, id_: str, who: str) -> None:
        """Private → public."""
        one = self.known[id_]
        if who not in self.active or one.state == "deleted":
            return
        if self._attempt(
            self._publishes(who, one), lambda: datasets.update(self.site, self._viewer(who), id_, {"private": False})
        ):
            one.private = False

    @rule(id_=made)
    def hide(self, id_: str) -> None:
        """An administrator makes a dataset private again."""
        if self.known[id_].state != "deleted":
            datasets.update(self.site, OPERATOR, id_, {"private": True})
            self.known[id_].private = True

    @precondition(lambda self: sum(one.state != "deleted" for one in self.known.values()) > 2)
    @rule(id_=consumes(made))
    def delete(self, id_: str) -> None:
        """A deleted dataset leaves collections and collaborators."""
        deletion.delete(self.site, OPERATOR, id_)
        one = self.known[id_]
        one.state, one.entries, one.shared = "deleted", {}, {}

    @rule(id_=made, circle=st.sampled_from(CIRCLES))
    def move(self, id_: str, circle: str) -> None:
        """An administrator hands it to another circle."""
        datasets.move(self.site, OPERATOR, id_, circle)
        self.known[id_].circle = circle
        self._settle()

    @rule(who=st.sampled_from(PEOPLE), place=st.sampled_from(CIRCLES + COLLECTIONS), role=ROLES)
    def join(self, who: str, place: str, role: str) -> None:
        """Get a role, or another one."""
        kind = "circle" if place in CIRCLES else "collection"
        communities.set_member(self.site, OPERATOR, kind, place, who, role)
        self.roles[who, place] = role
        self._settle()

    @rule(who=st.sampled_from(PEOPLE), place=st.sampled_from(CIRCLES + COLLECTIONS))
    def leave(self, who: str, place: str) -> None:
        """Lose the role."""
        communities.remove_member(self.site, OPERATOR, "circle" if place in CIRCLES else "collection", place, who)
        self.roles.pop((who, place), None)
        self._settle()

    @rule(id_=made, who=st.sampled_from(PEOPLE), capacity=st.sampled_from(["member", "editor", ""]))
    def collaborate(self, id_: str, who: str, capacity: str) -> None:
        """Share with one person, or stop."""
        one = self.known[id_]
        if capacity:
            sharing.share(self.site, OPERATOR, id_, who, capacity)
            one.shared[who] = capacity
        elif who in one.shared:
            sharing.unshare(self.site, OPERATOR, id_, who)
            del one.shared[who]
        self._settle()

    @rule(who=st.sampled_from(PEOPLE))
    def disable(self, who: str) -> None:
        """An account is disabled, or enabled again: what it had shared stays ended."""
        state = "disabled" if who in self.active else "active"
        people.set_state(self.site, OPERATOR, who, state)
        self.active ^= {who}
        self._settle()

    @rule(who=st.sampled_from(PEOPLE))
    def promote(self, who: str) -> None:
        """Become an administrator, or stop being one."""
        people.set_sysadmin(self.site, OPERATOR, who, who not in self.admins)
        self.admins ^= {who}
        self._settle()

    @rule(id_=made, who=st.sampled_from((*PEOPLE, "")), place=st.sampled_from(COLLECTIONS), by_field=st.booleans())
    def collect(self, id_: str, who: str, place: str, by_field: bool) -> None:
        """Put it into a collection, by the collection's own verb or as a field of the dataset."""
        one = self.known[id_]
        if who and who not in self.active:
            return
        edits = not who or self._edits(who, one)
        looks_after = not who or who in self.admins or self._role(who, place) in {"editor", "admin"}
        held = one.entries.get(place)
        viewer = self._viewer(who) if who else OPERATOR
        if by_field:
            frozen = one.state != "draft" and bool(who) and who not in self.admins
            groups = [{"name": name} for name in sorted({*one.entries, place})]
            allowed = edits and (held is not None or (looks_after and not frozen))
            if self._attempt(allowed, lambda: datasets.update(self.site, viewer, id_, {"groups": groups})) and not held:
                one.entries[place] = Entry(who or None, grants=True)
            return
        allowed = (edits and (looks_after or held is not None)) or (
            looks_after and (one.public or (held is not None and held.grants and self._reads(who, one)))
        )
        if self._attempt(allowed, lambda: collecting.add(self.site, viewer, place, [id_])):
            if held is None:
                one.entries[place] = Entry(who or None, grants=edits)
            elif not held.grants and edits:
                one.entries[place] = Entry(who or None, grants=True)

    @rule(id_=made, who=st.sampled_from(PEOPLE), place=st.sampled_from(COLLECTIONS))
    def take_out(self, id_: str, who: str, place: str) -> None:
        """End an entry: who looks after the collection, and who may change the dataset."""
        one = self.known[id_]
        if who not in self.active:
            return
        looks_after = who in self.admins or self._role(who, place) in {"editor", "admin"}
        allowed = self._edits(who, one) or (looks_after and (place in one.entries or self._reads(who, one)))
        if self._attempt(allowed, lambda: collecting.remove(self.site, self._viewer(who), place, id_)):
            one.entries.pop(place, None)

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def readers_are_those_of_the_model(self) -> None:
        """One by one (the policy) and in lists (SQL, both forms), everybody sees what the model says."""
        if not self.known:
            return
        with self.db.read() as conn:
            for who in PEOPLE:
                viewer = self._viewer(who)
                seen = [
                    {row[0] for row in conn.execute(f"SELECT d.id FROM dataset d WHERE {condition}", parameters)}
                    for condition, parameters in (
                        visibility.condition(viewer), visibility.condition(viewer, many=True),
                    )
                ]  # fmt: skip
                expected = {id_ for id_, one in self.known.items() if self._reads(who, one)}
                assert seen == [expected, expected], (who, seen, expected)
                by_policy = {id_ for id_ in self.known if policy.may(viewer, "dataset:read", rows.facts(conn, id_))}
                assert by_policy == expected

    @invariant()
    def entries_are_those_of_the_model(self) -> None:
        """Which, and whether they grant."""
        with self.db.read() as conn:
            for id_, one in self.known.items():
                found = {row["name"]: bool(row["granted"]) for row in entries.of_dataset(conn, id_)}
                assert found == {place: entry.grants for place, entry in one.entries.items()}


SharingMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestSharing = SharingMachine.TestCase
