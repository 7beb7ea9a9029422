"""Searching a catalogue: what is found, in which order, and how it is refused."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from appliance.model.problem import Problem
from appliance.store.search import SearchQuery, limits, package_search
from tests.store.search.conftest import ADMIN, Catalogue

RTDC = {
    "dc:setup:flow rate": 0.05999999865889549,
    "dc:setup:channel width": 20.0,
    "dc:setup:chip region": "channel",
    "dc:setup:identifier": "ZMDD-AcC-fe3cdd",
    "dc:experiment:date": "2018-12-11",
    "dc:experiment:sample": "calibration_beads",
    "dc:experiment:event count": 12000,
    "dc:online_contour:no absdiff": True,
}
HUMAN = {
    "sp:cells:organism": "Homo sapiens",
    "sp:general:sample type": "primary cells",
    "sp:cells:live": True,
    "sp:identifiers:tags": ["GFP", "anti CD45"],
}


@pytest.fixture
def filled(catalogue: Catalogue) -> Catalogue:
    """Five datasets; each has something of its own."""
    catalogue.add(
        "Calibration beads 0123456789", name="beads", tag="beads GFP", authors="Jochen Guck, Paul Müller", doi="10.1038/S41592-020-0831-y",
        files=[{"name": "calibration_beads_47.rtdc", "dc": RTDC, "events": 12000, "supplements": HUMAN}, {"name": "notes.txt", "format_": "TXT", "mimetype": "text/plain", "size": 5}],
    )  # fmt: skip
    catalogue.add(
        "Blutzellen von Zählern",
        name="blut",
        circle="c2",
        collection="g1",
        notes="Messung der Deformierbarkeit",
        private=1,
        creator_id="other",
    )
    catalogue.add(
        "Stiffness of HL60/S4 cells",
        name="hl60",
        license_id="CC-BY-4.0",
        reference_list="arXiv:1809.01843",
        notes="Compared to beads, by RT-DC.",
    )
    catalogue.add(
        "Zellkultur",
        name="kultur",
        files=[
            {
                "dc": RTDC
                | {"dc:setup:flow rate": 0.16, "dc:setup:chip region": "reservoir", "dc:experiment:sample": "culture"},
                "events": 500,
                "sha256": "ab" * 32,
                "etag": "cd" * 16,
            }
        ],
    )
    catalogue.add("A draft of mine", name="draft", state="draft", private=1)
    return catalogue


ALL = {"beads", "blut", "hl60", "kultur"}


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("", ALL), ("*:*", ALL), ('""', ALL), ("''", ALL), ("*", ALL),
        # words: case, accents, umlauts, inflection, compounds, parts
        ("bead", {"beads", "hl60"}), ("BEADS", {"beads", "hl60"}), ("mueller", {"beads"}), ("muller", {"beads"}),
        ("Zaehler", {"blut"}), ("zähler", {"blut"}), ("Blut", {"blut"}), ("Zell", {"kultur"}), ("Zellkulturen", {"kultur"}),
        ("0123456789", {"beads"}), ("calibration_beads_47.rtdc", {"beads"}), ("47", {"beads"}), ("hl60", {"hl60"}), ("HL60/S4", {"hl60"}), ("RTDC", {"beads", "hl60", "kultur"}),
        ("rt-dc", {"beads", "hl60", "kultur"}), ("Deformierbarkeit", {"blut"}), ("sapiens", {"beads"}), ("CD45", {"beads"}), ("1809.01843", {"hl60"}), ("circle one", {"beads", "hl60", "kultur"}),
        # how many words must be found
        ("beads stiffness", {"hl60"}), ("beads nothing", set()), ("stiffness beads nothing", {"hl60"}), ("stiffness nothing never", set()),
        ("the beads of calibration", {"beads"}), ("beads OR kultur", {"beads", "hl60"} | {"kultur"}), ("beads -stiffness", {"beads"}), ("+beads", {"beads", "hl60"}),
        ('"calibration beads"', {"beads"}), ('"beads calibration"', set()), ("beads AND stiffness", {"hl60"}), ("beads NOT stiffness", {"beads"}), ("-beads", {"blut", "kultur"}),
        ("&!()", set()), ("stiff*", {"hl60"}),
        # fields
        ("title:beads", {"beads"}), ("notes:beads", {"hl60"}), ("title:(beads OR zellkultur)", {"beads", "kultur"}), ('title:"hl60 s4"', {"hl60"}), ("title:b?ads", {"beads"}),
        ("title:*kultur", {"kultur"}), ("text:stiff*", {"hl60"}), ("authors:guck", {"beads"}), ("extras_authors:guck", {"beads"}), ("res_name:calibration", {"beads"}),
        ("name:beads", {"beads"}), ("name:bead", set()), ("name:b*", {"beads", "blut"}), ("name:(beads OR blut)", {"beads", "blut"}), ("tags:GFP", {"beads"}), ("tags:gfp", set()), ("tags:*", {"beads"}),
        ("doi:10.1038/s41592-020-0831-y", {"beads"}), ("doi:10.1038*", {"beads"}), ("references:1809.01843", {"hl60"}),
        ("organization:c2", {"blut"}), ("organization:(c1 OR c2)", ALL), ("-organization:c1", {"blut"}), ("organization:*", ALL), ("organization:c?", ALL),
        ("groups:g1", {"blut"}), ("groups:*", {"blut"}), ("-groups:*", ALL - {"blut"}), ("license_id:CC-BY-4.0", {"hl60"}), ("private:true", {"blut"}), ("capacity:public", ALL - {"blut"}),
        ("creator_user_id:other", {"blut"}), ("-creator_user_id:other", ALL - {"blut"}), ("type:dataset", ALL), ("entity_type:package", ALL), ("type:harvest", set()),
        ("res_format:TXT", {"beads"}), (f"res_extras_sha256:{'ab' * 32}", {"kultur"}), (f"etag:{'cd' * 16}", {"kultur"}), ("res_mimetype:text/plain", {"beads"}),
        ("unknown:x", set()), ("unknown:*", set()), ("unknown:[1 TO 2]", set()), ("-unknown:x", ALL), ("beads AND Note:well", set()), ("permission_labels:public", set()),
        # numbers and metadata
        ("num_events:>10000", {"beads"}), ("num_events:[1 TO 12000]", {"beads", "kultur"}), ("num_events:12000", {"beads"}), ("num_resources:0", {"blut", "hl60"}), ("num_resources:[1 TO *]", {"beads", "kultur"}),
        ("num_tags:2", {"beads"}), ("size:>=1005", {"beads"}),
        ("dc:setup:flow rate:[0.04 TO 0.12]", {"beads"}), ("dc:setup:flow rate:0.06", {"beads"}), ("dc:setup:flow rate:[* TO 0.06]", {"beads"}), ("dc:setup:flow rate:{* TO 0.06}", set()), ("dc:setup:flow rate:>0.1", {"kultur"}),
        (r"dc\:setup\:flow\ rate:[0.04 TO 0.12]", {"beads"}), ("dc:setup:flow rate:*", {"beads", "kultur"}), ("-dc:setup:flow rate:*", {"blut", "hl60"}),
        ("dc:setup:chip region:channel", {"beads"}), ("dc:setup:chip region:(channel OR reservoir)", {"beads", "kultur"}), ("dc:setup:identifier:ZMDD*", {"beads", "kultur"}),
        ("dc:experiment:date:[2018-12-01 TO 2018-12-31]", {"beads", "kultur"}), ("dc:experiment:date:2018-12-11", {"beads", "kultur"}), ("dc:experiment:event count:>=12000", {"beads", "kultur"}),
        ("sp:cells:organism:homo", {"beads"}), ("sp:cells:organism:HOMO", {"beads"}), ('sp:cells:organism:"homo sapiens"', {"beads"}), ('sp:cells:organism:"homo"', set()), ("sp:cells:live:true", {"beads"}),
        ("sp:identifiers:tags:CD45", {"beads"}), ("sp:cells:nothing:x", set()), ("dc:online_contour:no absdiff:true", {"beads", "kultur"}),
        # combinations
        ("beads AND organization:c1", {"beads", "hl60"}), ("title:beads OR organization:c2", {"beads", "blut"}), ("(title:beads OR title:hl60) -tags:GFP", {"hl60"}), ("beads AND (-title:calibration)", {"hl60"}),
    ],
)  # fmt: skip
def test_what_is_found(filled: Catalogue, q: str, names: set[str]) -> None:
    found = filled.found(q)
    assert set(found) == names
    assert len(found) == len(set(found))


@pytest.mark.parametrize("q", ["state:draft", "+state:draft"])
def test_drafts_only_when_asked_for(filled: Catalogue, q: str) -> None:
    assert filled.found("*:*", q) == (["draft"] if q[0] == "+" else [])
    assert filled.found("*:*", "state:draft", include_drafts="True") == ["draft"]
    assert set(filled.found("", include_drafts=True)) == ALL | {"draft"}


def test_private_only_when_asked_for(filled: Catalogue) -> None:
    assert set(filled.found("", include_private="False")) == ALL - {"blut"}


def test_deleted_only_when_asked_for(filled: Catalogue) -> None:
    with filled.changed("kultur") as (tx, id_):
        tx.execute("UPDATE dataset SET state = 'deleted' WHERE id = ?", (id_,))
    assert "kultur" not in filled.found()
    assert "kultur" in filled.found(include_deleted="true")


def test_filters_must_all_hold(filled: Catalogue) -> None:
    assert filled.found("beads", ("organization:c1", "-tags:GFP")) == ["hl60"]
    assert set(filled.found("beads", "")) == {"beads", "hl60"}
    assert filled.found("", "stiffness") == ["hl60"]


def test_order_by_place_of_the_word(catalogue: Catalogue) -> None:
    catalogue.add("Page not found", name="in-notes", notes="beads " * 10)
    catalogue.add("Something there", name="in-tags", tag="beads")
    catalogue.add("A rather long title of many words that also has beads somewhere in it", name="in-title")
    catalogue.add("Zzz", name="other")
    assert catalogue.found("beads") == ["in-title", "in-tags", "in-notes"]


def test_exact_words_before_compounds(catalogue: Catalogue) -> None:
    catalogue.add("Zellkultur im Test", name="compound")
    catalogue.add("Zell im Test", name="exact")
    catalogue.add("Zellkerne im Test", name="compound2")
    assert catalogue.found("Zell")[0] == "exact"


@pytest.mark.parametrize("many", [2000, 3])
def test_order_is_the_same_kind_for_many_hits(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    """With many hits, tiers keep the promise: title and tags first; pages fit together."""
    monkeypatch.setattr("appliance.store.search.run.MANY", many)
    for number in range(12):
        place = (
            {"title": f"beads {number}"}
            if number % 3 == 0
            else {"title": f"t{number}", "notes": "beads cells"}
            if number % 3 == 1
            else {"title": f"t{number}", "tag": "beads"}
        )
        catalogue.add(**(place | {"name": f"d{number}"}))
    found = catalogue.found("beads")
    assert {int(name[1:]) % 3 for name in found[:8]} == {0, 2}
    assert {int(name[1:]) % 3 for name in found[8:]} == {1}
    for facet in ({}, {"facet.field": '["tags"]'}):
        for q in ("beads", "beads cells nothing"):
            whole = catalogue.found(q, rows=100, **facet)
            pages = [catalogue.found(q, rows=5, start=start, **facet) for start in range(0, 15, 5)]
            assert list(itertools.chain(*pages)) == whole
            assert len(set(whole)) == len(whole) == catalogue.search(q, **facet).count


def test_sorting(filled: Catalogue) -> None:
    assert filled.found(sort="name asc") == ["beads", "blut", "hl60", "kultur"]
    assert filled.found(sort="title_string desc") == ["kultur", "hl60", "beads", "blut"]
    assert filled.found(sort="metadata_created desc") == ["kultur", "hl60", "blut", "beads"]
    assert filled.found(sort="metadata_created asc", fq="organization:c1") == ["beads", "hl60", "kultur"]
    assert filled.found("beads", sort="name DESC") == ["hl60", "beads"]
    assert filled.found(sort="num_events desc, name asc")[0] == "beads"
    assert filled.found(sort="organization desc, name asc") == ["blut", "beads", "hl60", "kultur"]
    assert filled.search(sort="name asc").sort == "name asc"
    assert filled.search().sort == filled.search(sort="").sort == "score desc, metadata_modified desc"


@pytest.mark.parametrize(
    "sort", ["", "metadata_created desc", "name asc", "title_string asc", "id desc", "num_events desc"]
)
@pytest.mark.parametrize("q", ["", "beads", "organization:c1", "tags:*"])
def test_count_and_pages_agree(filled: Catalogue, q: str, sort: str) -> None:
    whole = filled.search(q, sort=sort, rows=1000)
    assert whole.count == len(whole.pks)
    for rows in (1, 2, 3):
        pages = [filled.search(q, sort=sort, rows=rows, start=start) for start in range(0, whole.count, rows)]
        assert [pk for page in pages for pk in page.pks] == whole.pks
        assert {page.count for page in pages} <= {whole.count}
    beyond = filled.search(q, sort=sort, start=100)
    assert (beyond.count, beyond.pks) == (whole.count, [])
    nothing = filled.search(q, sort=sort, rows=0)
    assert (nothing.count, nothing.pks) == (whole.count, [])


def test_times(filled: Catalogue) -> None:
    filled.add("Old", modified="2020-05-01T12:00:00.500000", created="2019-05-01T00:00:00.000000")
    assert filled.found(
        "", r"(organization:c1 AND metadata_modified:[1970-01-01T00\:00\:00Z TO 2021-01-01T00\:00\:00Z])"
    ) == ["old"]
    assert "old" not in filled.found("", r"metadata_modified:[2026-01-01T00\:00\:00Z TO NOW]")
    assert filled.found("", "metadata_created:[2019-05-01 TO 2019-05-01]") == ["old"]
    assert filled.found("", "metadata_created:2019-05") == ["old"]
    assert filled.found("", "metadata_modified:2020-05-01T12:00:00.500Z") == ["old"]
    assert filled.found("", "metadata_modified:[* TO NOW-1YEAR]") == ["old"]
    assert "old" not in filled.found("", "metadata_modified:[NOW/DAY-1DAY TO NOW+1DAY]")
    assert filled.found("", "metadata_modified:{* TO 2020-05-01T12:00:00.500Z}") == []


def test_facets(filled: Catalogue) -> None:
    fields = [
        "organization",
        "groups",
        "tags",
        "license_id",
        "res_format",
        "year",
        "capacity",
        "dc:setup:chip region",
        "sp:general:sample type",
        "nothing",
    ]
    result = filled.search(**{"facet.field": fields, "rows": 0})
    year = next(iter(result.facets["year"]))
    assert result.facets == {
        "organization": {"c1": 3, "c2": 1},
        "groups": {"g1": 1},
        "tags": {"GFP": 1, "beads": 1},
        "license_id": {"CC0-1.0": 3, "CC-BY-4.0": 1},
        "res_format": {"RT-DC": 2, "TXT": 1},
        "year": {year: 4},
        "capacity": {"public": 3, "private": 1},
        "dc:setup:chip region": {"channel": 1, "reservoir": 1},
        "sp:general:sample type": {"primary cells": 1},
        "nothing": {},
    }
    assert result.search_facets["organization"] == {
        "title": "organization",
        "items": [
            {"name": "c1", "display_name": "Circle One", "count": 3},
            {"name": "c2", "display_name": "c2", "count": 1},
        ],
    }
    assert result.search_facets["license_id"]["items"][0]["display_name"] == "Creative Commons Public Domain Dedication"


def test_facets_over_many_hits_are_the_same(filled: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = [
        "organization",
        "owner_org",
        "groups",
        "tags",
        "license_id",
        "res_format",
        "year",
        "dc:setup:chip region",
        "state",
        "nothing",
    ]
    few = [filled.search(q, **{"facet.field": fields}).items for q in ("", "beads", "nothingness")]
    monkeypatch.setattr("appliance.store.search.facets._FEW", 0)
    monkeypatch.setattr("appliance.store.search.facets._SMALL", 0)
    assert [filled.search(q, **{"facet.field": fields}).items for q in ("", "beads", "nothingness")] == few
    filled.add("New", tag="beads")
    assert filled.search("", **{"facet.field": ["tags"]}).facets["tags"] == {"beads": 2, "GFP": 1}


def test_facet_limits(filled: Catalogue) -> None:
    assert filled.search(**{"facet.field": '["organization"]', "facet.limit": "1"}).facets == {
        "organization": {"c1": 3}
    }
    assert filled.search(**{"facet.field": '["organization"]', "facet.limit": -1, "facet.mincount": 2}).facets == {
        "organization": {"c1": 3}
    }
    assert filled.search(**{"facet.field": '["organization"]', "facet": "false"}).facets == {}


def test_fields_with_too_many_values_have_no_facet(filled: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.store.search.columns.MOST_VALUES", 1)
    monkeypatch.setattr("appliance.store.search.facets._SMALL", 0)
    result = filled.search(**{"facet.field": ["dc:setup:flow rate", "dc:setup:channel width"]})
    assert result.facets == {"dc:setup:flow rate": {}, "dc:setup:channel width": {"20": 2}}


def test_ranges_for_pages(filled: Catalogue) -> None:
    query = SearchQuery(include_private=True, range_fields=("dc:setup:flow rate", "num_events", "dc:setup:nothing"))
    with filled.db.read() as conn:
        assert package_search(conn, query, ADMIN).ranges == {
            "dc:setup:flow rate": (0.06, 0.16),
            "num_events": (0, 12000),
        }


def test_a_search_that_takes_too_long_is_stopped(filled: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STEPS", 1)
    with filled.db.read() as conn, pytest.raises(Problem, match="longer than"), limits.time_limit(conn, 0.0):
        conn.execute("SELECT count(*) FROM dataset a, dataset b, dataset c").fetchone()
    with filled.db.read() as conn:
        assert conn.execute("SELECT count(*) FROM dataset").fetchone()[0] == 5


def test_statements_do_not_grow_with_hits(filled: Catalogue) -> None:
    def statements(**more: Any) -> int:
        seen: list[str] = []
        with filled.db.read() as conn:
            conn.set_trace_callback(seen.append)
            package_search(conn, SearchQuery.from_parameters({"rows": 1000} | more), ADMIN)
            conn.set_trace_callback(None)
        return sum(
            sql.startswith("SELECT") and "'main'." not in sql for sql in seen
        )  # without the full-text index's own

    few = statements(), statements(q="beads", **{"facet.field": '["tags", "organization"]'})
    for number in range(30):
        filled.add(f"beads {number}", tag=f"tag{number}")
    assert (statements(), statements(q="beads", **{"facet.field": '["tags", "organization"]'})) == few
    assert few[0] <= 2
    assert few[1] <= 4


def test_hundreds_of_alternatives(filled: Catalogue) -> None:
    names = " OR ".join(f"name:n{number}" for number in range(900))
    assert filled.found("*:*", f"({names} OR name:beads)") == ["beads"]
    assert filled.found(" OR ".join(f"title:w{number}" for number in range(900)) + " OR title:zellkultur") == ["kultur"]
    assert filled.found(" ".join(f"w{number}" for number in range(40))) == []
    mixed = " OR ".join(f"(title:x{number} AND name:y{number})" for number in range(200))
    assert filled.found(mixed + " OR name:hl60") == ["hl60"]
