"""Searching a catalogue that changes finds what a loop over a model of it finds: text, fields, ranges, and, or, not, rights and facets."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from appliance.model.viewer import Viewer
from appliance.store import datasets, tags
from appliance.store.database import Database
from tests.store.search.conftest import ADMIN, Catalogue
from tests.support.memory_folder import memory_folder

#: None begins like another; the index finds words also by their beginning.
WORDS = ("kidney", "plasma", "zebrafish", "monocyte", "ox", "Größe", "5mm")
TAGS = ("blue", "red", "green")
CIRCLES = ("c1", "c2")
STRANGER = Viewer(user_id="nobody", name="nobody", sees_public=True)


@dataclass
class Entry:
    """A dataset as the model has it."""

    title: list[str]
    tags: set[str]
    circle: str
    private: bool
    state: str
    events: int
    note: str = ""


Holds = Callable[[Entry], bool]
Query = tuple[str, Holds]


def _leaf(kind: str, word: str, tag: str, low: int, span: int) -> Query:
    circle = CIRCLES[low % 2]
    return {
        "text": (f"text:{word}", lambda one: word in one.title or word == one.note),
        "title": (f"title:{word}", lambda one: word in one.title),
        "begun": (f"notes:{word[:-1]}*", lambda one: one.note[: len(word) - 1] == word[:-1]),
        "tag": (f"tags:{tag}", lambda one: tag in one.tags),
        "tag start": (f"tags:{tag[:2]}*", lambda one: any(name.startswith(tag[:2]) for name in one.tags)),
        "circle": (f"organization:{circle}", lambda one: one.circle == circle),
        "private": ("private:true", lambda one: one.private),
        "events": (f"num_events:[{low} TO {low + span}]", lambda one: low <= one.events <= low + span),
        "open range": (f"num_events:{{{low} TO *}}", lambda one: one.events > low),
        "everything": ("*:*", lambda one: True),
        "no field": ("sp:nothing:here:x", lambda one: False),
    }[kind]


def _both(pair: tuple[Query, Query]) -> Query:
    (a, first), (b, second) = pair
    return f"({a} AND {b})", lambda one: first(one) and second(one)


def _either(pair: tuple[Query, Query]) -> Query:
    (a, first), (b, second) = pair
    return f"({a} OR {b})", lambda one: first(one) or second(one)


def _but_not(pair: tuple[Query, Query]) -> Query:
    (a, first), (b, second) = pair
    return f"({a} AND NOT {b})", lambda one: first(one) and not second(one)


LEAVES = st.builds(
    _leaf,
    st.sampled_from(
        (
            "text",
            "title",
            "begun",
            "tag",
            "tag start",
            "circle",
            "private",
            "events",
            "open range",
            "everything",
            "no field",
        )
    ),
    st.sampled_from(WORDS[:4]) | st.sampled_from(WORDS),
    st.sampled_from(TAGS),
    st.integers(0, 4),
    st.integers(0, 2),
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(inner, inner).flatmap(
        lambda pair: st.sampled_from((_both, _either, _but_not)).map(lambda join: join(pair))
    ),
    max_leaves=6,
)


class SearchMachine(RuleBasedStateMachine):
    """A catalogue, and a dictionary with the same in it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = memory_folder()
        self.db = Database(Path(self.folder.name) / "dcor.sqlite")
        self.db.create()
        self.catalogue = Catalogue(self.db)
        for name in CIRCLES:
            self.catalogue.circle(name)
        self.member = self.catalogue.user("member")
        self.catalogue.member("c1", self.member)
        self.entries: dict[str, Entry] = {}
        self.numbers = itertools.count()
        self.asked: Query = ("*:*", lambda one: True)

    def teardown(self) -> None:
        self.db.close()
        self.folder.cleanup()

    @rule(
        title=st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
        tag=st.sets(st.sampled_from(TAGS)),
        circle=st.sampled_from(CIRCLES),
        private=st.booleans(),
        state=st.sampled_from(["active", "active", "active", "draft"]),
        events=st.integers(0, 6),
        note=st.sampled_from(["", *WORDS]),
    )
    def add(
        self, title: list[str], tag: set[str], circle: str, private: bool, state: str, events: int, note: str
    ) -> None:
        name = f"n{next(self.numbers)}"
        self.catalogue.add(
            " ".join(title), name=name, circle=circle, tag=" ".join(tag), private=int(private), state=state,
            notes=note, files=[{"name": "m.rtdc", "events": events}],
        )  # fmt: skip
        self.entries[name] = Entry(title, set(tag), circle, private, state, events, note)

    @precondition(lambda self: self.entries)
    @rule(data=st.data(), title=st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))
    def rename(self, data: st.DataObject, title: list[str]) -> None:
        name = data.draw(st.sampled_from(sorted(self.entries)))
        with self.catalogue.changed(name) as (tx, id_):
            datasets.update(tx, id_, title=" ".join(title))
        self.entries[name].title = title

    @precondition(lambda self: self.entries)
    @rule(data=st.data(), tag=st.sets(st.sampled_from(TAGS)))
    def tag(self, data: st.DataObject, tag: set[str]) -> None:
        name = data.draw(st.sampled_from(sorted(self.entries)))
        with self.catalogue.changed(name) as (tx, id_):
            tags.assign(tx, id_, sorted(tag))
        self.entries[name].tags = set(tag)

    @precondition(lambda self: self.entries)
    @rule(
        data=st.data(),
        circle=st.sampled_from(CIRCLES),
        private=st.booleans(),
        state=st.sampled_from(["active", "draft"]),
    )
    def move(self, data: st.DataObject, circle: str, private: bool, state: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.entries)))
        with self.catalogue.changed(name) as (tx, id_):
            datasets.update(tx, id_, circle_id=self.catalogue.id_of(tx, circle), private=int(private), state=state)
        entry = self.entries[name]
        entry.circle, entry.private, entry.state = circle, private, state

    @precondition(lambda self: self.entries)
    @rule(data=st.data())
    def purge(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.entries)))
        with self.catalogue.changed(name) as (tx, id_):
            datasets.purge(tx, id_)
        del self.entries[name]

    @rule(query=QUERIES)
    def ask(self, query: Query) -> None:
        self.asked = query

    @invariant()
    def the_same_is_found(self) -> None:
        text, holds = self.asked
        for viewer in (ADMIN, self.member, STRANGER):
            seen = {name for name, one in self.entries.items() if self._sees(viewer, one)}
            for drafts in (False, True):
                states = ("active", "draft") if drafts else ("active",)
                hits = {name for name in seen if self.entries[name].state in states and holds(self.entries[name])}
                for asked in (
                    {"q": text, "defType": "lucene"},
                    {"fq": text},
                    {"q": text, "fq": text, "defType": "lucene"},
                ):
                    found = self.catalogue.found(viewer=viewer, rows=100, include_drafts=drafts, **asked)
                    assert len(found) == len(set(found))
                    assert set(found) == hits, (asked, viewer.name)
                result = self.catalogue.search(
                    fq=text, viewer=viewer, rows=0, include_drafts=drafts, **{"facet.field": ["tags"]}
                )
                counted = Counter(tag for name in hits for tag in self.entries[name].tags)
                assert (result.count, result.facets["tags"]) == (len(hits), counted), (text, viewer.name)

    def _sees(self, viewer: Viewer, entry: Entry) -> bool:
        if viewer is ADMIN:
            return True
        public = entry.state == "active" and not entry.private
        return public or (viewer is self.member and entry.circle == "c1")


def test_searches_find_what_the_model_has() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        SearchMachine,
        settings=settings(
            max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
