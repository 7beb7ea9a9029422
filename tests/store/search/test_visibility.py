"""Who finds what: the viewer's condition is a part of every statement, counts and facets included."""

from __future__ import annotations

import dataclasses

import pytest

from appliance.model.viewer import ANONYMOUS
from appliance.store import communities, sharing
from appliance.store.cache import Cache
from appliance.store.search import SearchQuery, autocomplete, package_search, resource_search
from tests.store.search.conftest import ADMIN, Catalogue

QUERY = SearchQuery(include_private=True, include_drafts=True, facet_fields=("tags", "organization"), rows=100)


@pytest.fixture
def shared(catalogue: Catalogue) -> Catalogue:
    """A public dataset and four hidden ones, all about beads, each with a tag of its own."""
    catalogue.add("public beads", name="public", tag="t-public")
    catalogue.add("private beads", name="private", tag="t-private", private=1)
    catalogue.add("collected beads", name="collected", circle="c2", collection="g1", tag="t-collected", private=1)
    catalogue.add("lent beads", name="lent", circle="c2", tag="t-lent", private=1, files=[{"name": "secret.rtdc"}])
    catalogue.add("draft beads", name="draft", tag="t-draft", state="draft", private=1)
    return catalogue


def seen(catalogue: Catalogue, viewer: object) -> set[str]:
    """Names that every kind of search finds, which must be the same for all of them."""
    found = []
    for q in ("", "beads", "title:beads", "name:*", "-nothing:x"):
        result = catalogue.search(q, viewer=viewer, include_drafts=True, rows=100, **{"facet.field": '["tags"]'})  # type: ignore[arg-type]
        names = catalogue.found(q, viewer=viewer, include_drafts=True, rows=100)  # type: ignore[arg-type]
        assert result.count == len(names)
        assert set(result.facets["tags"]) == {f"t-{name}" for name in names}
        found.append(set(names))
    assert all(one == found[0] for one in found)
    return found[0]


def test_admin_sees_all(shared: Catalogue) -> None:
    assert seen(shared, ADMIN) == {"public", "private", "collected", "lent", "draft"}


def test_stranger_sees_what_is_public(shared: Catalogue) -> None:
    assert seen(shared, shared.user("stranger")) == {"public"}


def test_anonymous_sees_nothing_unless_allowed(shared: Catalogue) -> None:
    assert seen(shared, ANONYMOUS) == set()
    assert seen(shared, dataclasses.replace(ANONYMOUS, sees_public=True)) == {"public"}


@pytest.mark.parametrize("role", ["member", "editor", "admin"])
def test_members_of_circle_and_collection(shared: Catalogue, role: str) -> None:
    one, two = shared.user("one"), shared.user("two")
    shared.member("c1", one, role)
    shared.member("g1", two, role)
    assert seen(shared, one) == {"public", "private", "draft"}
    assert seen(shared, two) == {"public", "collected"}


def test_collaborator_until_revoked(shared: Catalogue) -> None:
    viewer = shared.user("helper")
    cache = Cache(shared.db.generation)
    with shared.changed("lent") as (tx, id_):
        sharing.set_collaborator(tx, id_, str(viewer.user_id), "member")
    assert seen(shared, viewer) == {"public", "lent"}
    with shared.db.read() as conn:
        assert package_search(conn, QUERY, viewer, cache).count == 2
    with shared.db.write() as tx:
        sharing.remove_collaborator(tx, id_, str(viewer.user_id))
    assert seen(shared, viewer) == {"public"}
    with shared.db.read() as conn:
        assert package_search(conn, QUERY, viewer, cache).count == 1


def test_privacy_counts_from_the_commit_on_even_without_indexing(shared: Catalogue) -> None:
    """State, privacy and circle are not copied into the index, so they can't be stale there."""
    viewer = shared.user("stranger")
    with shared.db.write() as tx:
        tx.execute("UPDATE dataset SET private = 1 WHERE name = 'public'")
    assert seen(shared, viewer) == set()


def test_many_hits_follow_the_same_condition(shared: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.store.search.run.MANY", 0)
    monkeypatch.setattr("appliance.store.search.facets._FEW", 0)
    test_members_of_circle_and_collection(shared, "member")
    assert seen(shared, shared.user("stranger")) == {"public"}


def test_zero_counts_do_not_betray_hidden_values(shared: Catalogue) -> None:
    result = shared.search(
        viewer=shared.user("stranger"), **{"facet.field": '["tags", "organization"]', "facet.mincount": 0}
    )
    assert result.facets == {"tags": {"t-public": 1}, "organization": {"c1": 1}}


def test_completions_and_files(shared: Catalogue) -> None:
    stranger = shared.user("stranger")
    with shared.db.read() as conn:
        assert [one["name"] for one in autocomplete.packages(conn, "bead", stranger)] == ["public"]
        assert autocomplete.tags(conn, "t-", stranger) == ["t-public"]
        assert autocomplete.formats(conn, "rt", stranger) == []
        assert autocomplete.formats(conn, "rt", ADMIN) == ["RT-DC"]
        assert resource_search(conn, ["name:secret"], ADMIN)[0] == 0  # public datasets only, whoever asks


def test_cache_knows_viewers_apart(shared: Catalogue) -> None:
    cache = Cache(shared.db.generation)
    one, two = shared.user("one"), shared.user("two")
    shared.member("c1", one)
    with shared.db.read() as conn:
        counts = [
            package_search(conn, QUERY, viewer, cache).count
            for viewer in (ADMIN, one, two, ANONYMOUS, ADMIN, one, two, ANONYMOUS)
        ]
    assert counts == [5, 3, 1, 0] * 2


def test_cache_notices_other_connections(shared: Catalogue) -> None:
    cache = Cache(shared.db.generation)
    with shared.db.read() as conn:
        first = package_search(conn, QUERY, ADMIN, cache)
        assert package_search(conn, QUERY, ADMIN, cache) is first
        with shared.db.write() as tx:
            communities.update(tx, shared.id_of(tx, "c1"), title="Renamed")
        assert (
            package_search(conn, QUERY, ADMIN, cache).search_facets["organization"]["items"][0]["display_name"]
            == "Renamed"
        )
