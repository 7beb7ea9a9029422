"""Rights through a dataset's life: whatever is done in whatever order, everybody may do what a model of twenty lines says."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from appliance.actions import accounts, callers, collecting, communities, datasets, deletion, sharing
from appliance.actions.site import Site
from appliance.model import names
from appliance.model.problem import Problem
from appliance.model.viewer import ANONYMOUS, OPERATOR, Viewer
from appliance.security import policy
from appliance.settings import Settings
from appliance.store import datasets as rows
from appliance.store import resources, rtdc
from appliance.store.database import Database
from appliance.store.depot import Depot
from appliance.store.search import SearchQuery, package_search
from tests.support.memory_folder import memory_folder

PEOPLE = ("ann", "bob", "eve")
GUEST = Viewer(sees_public=True)
ACTORS = st.sampled_from([*PEOPLE, "operator", "guest", "nobody"])
NUMBERS = itertools.count()
EVERYTHING = SearchQuery(rows=100, include_private=True, include_drafts=True, include_deleted=True)


class Model:
    """One dataset, one circle, one collection, and what follows from their rules."""

    def __init__(self) -> None:
        self.exists = False
        self.state = "draft"
        self.deleted_from = ""
        self.private = True
        self.title = "one"
        self.licence = "CC-BY-4.0"
        self.circle: dict[str, str] = {}
        self.collection: dict[str, str] = {}
        self.shared: dict[str, str] = {}
        self.collected = False
        self.put_aside: tuple[dict[str, str], bool] = ({}, False)

    def reads(self, who: str) -> bool:
        public = self.state == "active" and not self.private
        return (
            who == "operator"
            or (public and who != "nobody")
            or who in self.circle
            or who in self.shared
            or (self.collected and who in self.collection)
        )

    def edits(self, who: str) -> bool:
        return who == "operator" or self.circle.get(who) in ("editor", "admin") or self.shared.get(who) == "editor"

    def administers(self, who: str) -> bool:
        return who == "operator" or self.circle.get(who) == "admin"

    def of_circle(self, who: str) -> bool:
        """What is made public, or given another licence, or purged, is so by the circle's editors, not by guests."""
        return who == "operator" or self.circle.get(who) in ("editor", "admin")

    def refusal(self, who: str, allowed: bool) -> int:
        """Status of the answer to somebody who asks for what they may or may not do; 0 = it is done."""
        return 404 if not self.reads(who) else 0 if allowed else 403


class RightsMachine(RuleBasedStateMachine):
    """Does everything to the appliance and to the model, and compares."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site = site
        self.model = Model()
        self.dataset = ""

    @initialize()
    def found(self) -> None:
        number = next(NUMBERS)
        self.ids = {
            who: accounts.create(
                self.site, OPERATOR, {"name": f"{who}-{number}", "email": f"{who}-{number}@example.org"}
            )
            for who in PEOPLE
        }
        self.circle = communities.create(self.site, OPERATOR, "circle", {"name": f"lab-{number}"})
        self.collection = communities.create(self.site, OPERATOR, "collection", {"name": f"topic-{number}"})

    def viewer(self, who: str) -> Viewer:
        if who not in PEOPLE:
            return {"operator": OPERATOR, "guest": GUEST, "nobody": ANONYMOUS}[who]
        with self.site.db.read() as conn:
            user = conn.execute("SELECT * FROM user WHERE id = ?", (self.ids[who],)).fetchone()
            return callers.of_user(conn, self.site.settings, user, scope="write")

    def tried(self, who: str, expected: int, act: Callable[[Viewer], object]) -> bool:
        """Let somebody do something that is to end with this status; returns whether it was done."""
        try:
            act(self.viewer(who))
            status = 0
        except Problem as problem:
            status = problem.status
        assert status == expected, who
        return status == 0

    # --- the world around the dataset

    @rule(who=st.sampled_from(PEOPLE), role=st.sampled_from(["member", "editor", "admin"]))
    def join_circle(self, who: str, role: str) -> None:
        communities.set_member(self.site, OPERATOR, "circle", self.circle, self.ids[who], role)
        self.model.circle[who] = role

    @rule(who=st.sampled_from(PEOPLE))
    def leave_circle(self, who: str) -> None:
        if self.model.circle.pop(who, None):
            communities.remove_member(self.site, OPERATOR, "circle", self.circle, self.ids[who])

    @rule(who=st.sampled_from(PEOPLE), role=st.sampled_from(["member", "admin"]))
    def join_collection(self, who: str, role: str) -> None:
        communities.set_member(self.site, OPERATOR, "collection", self.collection, self.ids[who], role)
        self.model.collection[who] = role

    @rule(who=st.sampled_from(PEOPLE))
    def leave_collection(self, who: str) -> None:
        if self.model.collection.pop(who, None):
            communities.remove_member(self.site, OPERATOR, "collection", self.collection, self.ids[who])

    @precondition(lambda self: not self.model.exists)
    @rule(private=st.booleans())
    def create(self, private: bool) -> None:
        values = {"title": "one", "authors": "A", "license_id": "CC-BY-4.0", "private": private, "state": "draft"}
        self.dataset = datasets.create(self.site, OPERATOR, values | {"owner_org": self.circle})
        file = names.new_id()
        with self.site.db.write() as tx:
            resources.create(
                tx, file, self.dataset, "x.rtdc", size=1, sha256=None, etag=None, mimetype="RT-DC", format_="RT-DC"
            )
            rtdc.put(tx, file, sane=1)
        model = self.model
        model.exists, model.state, model.private, model.title, model.deleted_from = True, "draft", private, "one", ""
        model.licence, model.shared, model.collected, model.put_aside = "CC-BY-4.0", {}, False, ({}, False)

    # --- what people do to it

    @precondition(lambda self: self.model.exists and self.model.state != "deleted")
    @rule(who=ACTORS, whom=st.sampled_from(PEOPLE), capacity=st.sampled_from(["member", "editor"]))
    def share(self, who: str, whom: str, capacity: str) -> None:
        expected = self.model.refusal(who, self.model.administers(who))
        if self.tried(who, expected, lambda me: sharing.share(self.site, me, self.dataset, self.ids[whom], capacity)):
            self.model.shared[whom] = capacity

    @precondition(lambda self: self.model.exists and self.model.shared)
    @rule(who=ACTORS)
    def unshare(self, who: str) -> None:
        whom = next(iter(self.model.shared))
        expected = self.model.refusal(who, self.model.administers(who))
        if self.tried(who, expected, lambda me: sharing.unshare(self.site, me, self.dataset, self.ids[whom])):
            del self.model.shared[whom]

    @precondition(lambda self: self.model.exists and self.model.state != "deleted")
    @rule(into=st.booleans())
    def collect(self, into: bool) -> None:
        if into:
            collecting.add(self.site, OPERATOR, self.collection, [self.dataset])
        else:
            collecting.remove(self.site, OPERATOR, self.collection, self.dataset)
        self.model.collected = into

    @precondition(lambda self: self.model.exists)
    @rule(who=ACTORS, title=st.sampled_from(["one", "two"]))
    def describe(self, who: str, title: str) -> None:
        model = self.model
        free = model.state == "draft" or who == "operator" or title == model.title
        expected = model.refusal(who, model.edits(who) and free)
        if self.tried(who, expected, lambda me: datasets.update(self.site, me, self.dataset, {"title": title})):
            model.title = title

    @precondition(lambda self: self.model.exists and self.model.private)
    @rule(who=ACTORS)
    def publish(self, who: str) -> None:
        model = self.model
        free = who == "operator" or (model.state in ("draft", "active") and model.of_circle(who))
        expected = model.refusal(who, model.edits(who) and free)
        if self.tried(who, expected, lambda me: datasets.update(self.site, me, self.dataset, {"private": False})):
            model.private = False

    @precondition(lambda self: self.model.exists)
    @rule(who=ACTORS, licence=st.sampled_from(["CC0-1.0", "CC-BY-4.0"]))
    def license(self, who: str, licence: str) -> None:
        model = self.model
        same = licence == model.licence
        looser = same or licence == "CC0-1.0"
        free = same or who == "operator" or (model.state in ("draft", "active") and model.of_circle(who) and looser)
        expected = model.refusal(who, model.edits(who) and free)
        if self.tried(who, expected, lambda me: datasets.update(self.site, me, self.dataset, {"license_id": licence})):
            model.licence = licence

    @precondition(lambda self: self.model.exists)
    @rule(who=ACTORS)
    def activate(self, who: str) -> None:
        model = self.model
        free = who == "operator" or (
            model.state == "active" or (model.state == "draft" and (model.private or model.of_circle(who)))
        )
        expected = model.refusal(who, model.edits(who) and free)
        if self.tried(who, expected, lambda me: datasets.update(self.site, me, self.dataset, {"state": "active"})):
            if model.state == "deleted":
                model.shared, model.collected = model.put_aside
            model.state, model.deleted_from = "active", ""

    @precondition(lambda self: self.model.exists and self.model.state != "deleted")
    @rule(who=ACTORS)
    def delete(self, who: str) -> None:
        model = self.model
        expected = model.refusal(who, model.edits(who) and (model.state == "draft" or who == "operator"))
        if self.tried(who, expected, lambda me: deletion.delete(self.site, me, self.dataset)):
            model.deleted_from, model.state = model.state, "deleted"
            model.put_aside, model.shared, model.collected = (model.shared, model.collected), {}, False

    @precondition(lambda self: self.model.exists)
    @rule(who=ACTORS)
    def restore(self, who: str) -> None:
        model = self.model
        expected = model.refusal(who, model.edits(who))
        if expected == 0 and (model.state, model.deleted_from) != ("deleted", "draft"):
            expected = 409
        if self.tried(who, expected, lambda me: deletion.restore(self.site, me, self.dataset)):
            model.state, model.deleted_from = "draft", ""
            model.shared, model.collected = model.put_aside

    @precondition(lambda self: self.model.exists)
    @rule(who=ACTORS)
    def purge(self, who: str) -> None:
        free = self.model.state == "deleted" or who == "operator"
        expected = self.model.refusal(who, self.model.of_circle(who) and free)
        if self.tried(who, expected, lambda me: deletion.purge(self.site, me, self.dataset)):
            self.model.exists = False

    # --- what must hold after every step

    @invariant()
    def everybody_may_what_the_model_says(self) -> None:
        if not self.model.exists:
            return
        with self.site.db.read() as conn:
            facts = rows.facts(conn, self.dataset)
            assert facts is not None
            assert (facts.state, facts.private) == (self.model.state, self.model.private)
            for who in (*PEOPLE, "operator", "guest", "nobody"):
                me = self.viewer(who)
                reads = self.model.reads(who)
                assert policy.may(me, "dataset:read", facts) == reads, who
                assert (rows.visible(conn, self.dataset, me) is not None) == reads, who
                assert (self.dataset in package_search(conn, EVERYTHING, me).ids) == reads, who
                assert policy.may(me, "dataset:update", facts) == self.model.edits(who), who
                assert policy.may(me, "dataset:share", facts) == self.model.administers(who), who
                assert policy.may(me, "dataset:purge", facts) == self.model.of_circle(who), who

    def teardown(self) -> None:
        if self.model.exists:
            deletion.purge(self.site, OPERATOR, self.dataset)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with memory_folder() as folder:
        db = Database(Path(folder) / "dcor.sqlite")
        db.create()
        yield Site(Settings(), db, Depot(Path(folder)))
        db.close()


def test_rights_follow_the_model(site: Site) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: RightsMachine(site),
        settings=settings(
            max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
