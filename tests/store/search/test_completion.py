"""Completions and the search for files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

import pytest

from appliance.model.problem import Problem
from appliance.store.search import autocomplete, resource_search
from tests.store.search.conftest import ADMIN, Catalogue


@pytest.fixture
def conn(catalogue: Catalogue) -> Iterator[sqlite3.Connection]:
    """A connection to a catalogue of three datasets."""
    catalogue.add(
        "Calibration beads",
        name="beads-2020",
        tag="beads GFP",
        files=[
            {"name": "Beads_1.rtdc", "dc": {"dc:setup:medium": "CellCarrier"}, "sha256": "ab12" * 16},
            {"name": "a.txt", "format_": "TXT"},
        ],
    )
    catalogue.add("Zählung von Zellen", name="zellen", tag="beads")
    catalogue.add("Hidden", name="hidden", private=1, files=[{"name": "Beads_2.rtdc"}])
    with catalogue.db.read() as conn:
        yield conn


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cal", ["beads-2020"]),
        ("calib bea", ["beads-2020"]),
        ("zaehl", ["zellen"]),
        ("zell", ["zellen"]),
        ("2020", ["beads-2020"]),
        ("", []),
        ("!", []),
        ("libra", ["beads-2020"]),
        ("eads-2", ["beads-2020"]),
        ("idde", ["hidden"]),
        ("xyz", []),
        ('"', []),
    ],
)
def test_packages(conn: sqlite3.Connection, text: str, names: list[str]) -> None:
    assert [one["name"] for one in autocomplete.packages(conn, text, ADMIN)] == names


def test_package_says_what_matched(conn: sqlite3.Connection) -> None:
    assert autocomplete.packages(conn, "beads", ADMIN) == [
        {"name": "beads-2020", "title": "Calibration beads", "match_field": "name", "match_displayed": "beads-2020"}
    ]
    assert autocomplete.packages(conn, "Cal", ADMIN)[0]["match_displayed"] == "Calibration beads (beads-2020)"


def test_tags_formats_communities(conn: sqlite3.Connection) -> None:
    assert autocomplete.tags(conn, "", ADMIN) == ["beads", "GFP"]
    assert autocomplete.tags(conn, "gf", ADMIN) == ["GFP"]
    assert autocomplete.tags(conn, "", ADMIN, limit=1) == ["beads"]
    assert autocomplete.formats(conn, "t", ADMIN) == ["RT-DC", "TXT"]
    assert [one["name"] for one in autocomplete.communities(conn, "one", "circle")] == ["c1"]
    assert [one["name"] for one in autocomplete.communities(conn, "", "collection")] == ["g1"]


@pytest.mark.parametrize(
    ("terms", "names"),
    [
        (["name:beads"], ["Beads_1.rtdc"]),
        ("name:BEADS", ["Beads_1.rtdc"]),
        (["format:txt"], ["a.txt"]),
        (["name:a", "format:RT"], ["Beads_1.rtdc"]),
        (["dc:setup:medium:carrier"], ["Beads_1.rtdc"]),
        (["sha256:ab12ab"], ["Beads_1.rtdc"]),
        (["hash:b12"], []),
        (["name:%"], []),
        (["url:/resource/"], ["Beads_1.rtdc", "a.txt"]),
        (["name:_1"], ["Beads_1.rtdc"]),
    ],
)
def test_resources(conn: sqlite3.Connection, terms: list[str] | str, names: list[str]) -> None:
    count, texts = resource_search(conn, terms, ADMIN)
    assert [json.loads(text)["name"] for text in texts] == names
    assert count == len(names)


def test_resources_by_page_and_order(conn: sqlite3.Connection) -> None:
    count, texts = resource_search(conn, ["url:/"], ADMIN, order_by="name", offset=1, limit=1)
    assert (count, [json.loads(text)["name"] for text in texts]) == (2, ["a.txt"])


@pytest.mark.parametrize(
    ("terms", "order", "field"),
    [(["nonsense"], None, "query"), (["foo:x"], None, "query"), (["name:x"], "foo", "order_by")],
)
def test_resources_refusals(conn: sqlite3.Connection, terms: list[str], order: str | None, field: str) -> None:
    with pytest.raises(Problem) as caught:
        resource_search(conn, terms, ADMIN, order_by=order)
    assert caught.value.status == 409
    assert field in caught.value.fields
