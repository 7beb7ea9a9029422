"""Whatever a user tries, in whatever order: a dataset's life goes one way, except that a deleted draft can be restored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.actions import accounts, callers, communities, datasets, deletion
from appliance.actions.site import Site
from appliance.model import names
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR, Viewer
from appliance.settings import Settings
from appliance.store import datasets as rows
from appliance.store import documents, resources, rtdc
from appliance.store.database import Database
from appliance.store.depot import Depot
from tests.support.memory_folder import memory_folder

RANK = {"CC0-1.0": 0, "CC-BY-4.0": 1, "CC-BY-SA-4.0": 2, "CC-BY-NC-4.0": 2}
Step = tuple[str, Any]
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.tuples(st.just("license_id"), st.sampled_from(list(RANK))),
        st.tuples(st.just("private"), st.booleans()),
        st.tuples(st.just("state"), st.sampled_from(["draft", "active", "deleted"])),
        st.tuples(st.just("title"), st.sampled_from(["one", "two"])),
        st.tuples(st.just("delete"), st.none()),
        st.tuples(st.just("restore"), st.none()),
        st.tuples(st.just("purge"), st.none()),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[Site, Viewer, str]]:
    with memory_folder() as folder:
        db = Database(Path(folder) / "dcor.sqlite")
        db.create()
        made = Site(Settings(), db, Depot(Path(folder)))
        user_id = accounts.create(made, OPERATOR, {"name": "ann", "email": "ann@example.org"})
        circle = communities.create(made, OPERATOR, "circle", {"name": "lab"})
        communities.set_member(made, OPERATOR, "circle", circle, user_id, "editor")
        with db.read() as conn:
            row = conn.execute("SELECT * FROM user WHERE id = ?", (user_id,)).fetchone()
            editor = callers.of_user(conn, Settings(), row, scope="write")
        yield made, editor, circle
        db.close()


@given(steps=STEPS, private=st.booleans(), licence=st.sampled_from(list(RANK)))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_life_goes_one_way(site: tuple[Site, Viewer, str], steps: list[Step], private: bool, licence: str) -> None:
    made, editor, circle = site
    values = {"title": "T", "authors": "A", "license_id": licence, "private": private, "owner_org": circle}
    dataset_id = datasets.create(made, editor, values)
    with made.db.write() as tx:
        resource = names.new_id()
        resources.create(
            tx, resource, dataset_id, "x.rtdc", size=1, sha256=None, etag=None, mimetype="RT-DC", format_="RT-DC"
        )
        rtdc.put(tx, resource, sane=1)
    verbs: dict[str, Callable[[], object]] = {
        "delete": lambda: deletion.delete(made, editor, dataset_id),
        "restore": lambda: deletion.restore(made, editor, dataset_id),
        "purge": lambda: deletion.purge(made, editor, dataset_id),
    }
    for verb, value in steps:
        before = _row(made, dataset_id)
        try:
            verbs.get(verb, lambda: datasets.update(made, editor, dataset_id, {verb: value}))()  # noqa: B023
        except Problem as refused:
            assert refused.status in {403, 404, 409}  # noqa: PT017
            assert _row(made, dataset_id) == before
        after = _row(made, dataset_id)
        if before is None or after is None:
            assert before is None or after is not None or before["state"] == "deleted"
            continue
        assert (before["state"], after["state"]) in {
            ("draft", "draft"), ("draft", "active"), ("draft", "deleted"), ("active", "active"), ("deleted", "deleted"),
            ("deleted", "draft"),
        }  # fmt: skip
        assert not (after["private"] and not before["private"])
        assert RANK[after["license_id"]] <= RANK[before["license_id"]]
        if before["state"] != "draft":
            assert after["title"] == before["title"]
        if before["state"] == "deleted" and verb != "restore":
            assert after == before


def _row(site: Site, dataset_id: str) -> dict[str, Any] | None:
    with site.db.read() as conn:
        row = rows.find(conn, dataset_id)
        if row is None:
            return None
        assert documents.package(conn, dataset_id)
        return {key: row[key] for key in ("state", "private", "license_id", "title", "name", "modified")}
