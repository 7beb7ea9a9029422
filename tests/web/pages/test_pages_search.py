"""Finding datasets: words, facets, ranges, sorting; the address is the state."""

from __future__ import annotations

import re

from werkzeug.datastructures import MultiDict

from appliance.actions import sharing
from appliance.model.viewer import OPERATOR
from appliance.web.pages.dataset.dataset_search import Filters
from tests.support.furnished import House, Visitor


def titles(page: str) -> list[str]:
    return re.findall(r'<h3 class="hit-title"><a [^>]*>([^<]+)</a>', page)


def test_a_word_of_the_title_finds_the_dataset(house: House) -> None:
    assert titles(house.visitor("ada").page("/dataset?q=public"))[:1] == ["Public beads"]


def test_people_find_what_they_may_see_and_nothing_else(house: House) -> None:
    assert "Private blood" in titles(house.visitor("max").page("/dataset"))
    assert "Private blood" not in house.visitor("eve").page("/dataset?q=blood")


def test_facets_count_and_narrow_down(house: House) -> None:
    page = house.visitor("ada").page("/dataset?tags=blood&organization=lab")
    assert titles(page) == ["Private blood"]
    assert 'name="tags" value="blood" checked' in page
    assert re.search(r'class="chip chip-on" href="/dataset\?organization=lab"', page), "a chip takes its filter away"


def test_ranges_of_measured_values(house: House) -> None:
    visitor = house.visitor("ada")
    assert "Public beads" in titles(visitor.page("/dataset?flow_min=0,01&flow_max=1"))
    assert "Public beads" not in titles(visitor.page("/dataset?flow_min=5"))


def test_sorting_by_title(house: House) -> None:
    page = titles(house.visitor("ada").page("/dataset?sort=title"))
    assert page.index("Private blood") < page.index("Public beads")


def test_plain_text_with_a_colon_is_searched_for_and_broken_queries_are_explained(house: House) -> None:
    visitor = house.visitor("ada")
    assert visitor.get("/dataset", params={"q": "beads: public"}).status_code == 200
    assert visitor.get("/dataset", params={"q": 'title:("'}).status_code == 200


def test_scripts_get_the_changing_parts_only(house: House) -> None:
    part = house.visitor("ada").get("/dataset?q=beads", headers={"X-Fragment": "results"}).text
    assert 'id="results"' in part
    assert "<header" not in part


def test_addresses_round_trip_and_ignore_nonsense() -> None:
    asked = MultiDict(
        [
            ("q", " a b "),
            ("tags", "x"),
            ("tags", "y"),
            ("flow_min", "0,04"),
            ("width_max", "nan"),
            ("page", "-3"),
            ("sort", "nope"),
        ]
    )
    filters = Filters.read(asked)
    assert filters == Filters("a b", "", 1, {"tags": ["x", "y"]}, {"flow": (0.04, None)})
    assert filters.url("/dataset", page=2) == "/dataset?q=a+b&tags=x&tags=y&flow_min=0.04&page=2"
    assert filters.filter_queries() == ('tags:("x" OR "y")', "dc\\:setup\\:flow\\ rate:[0.04 TO *]")


def test_values_cannot_break_out_of_a_filter() -> None:
    filters = Filters(facets={"tags": ['a" OR state:"draft']})
    assert filters.filter_queries() == ('tags:("a\\" OR state:\\"draft")',)


def test_bulk_download_and_script(house: House) -> None:
    visitor = house.visitor("ada")
    archive = visitor.post("/dataset/selection", id=[house.public["id"], house.private["id"]], do="zip")
    assert archive.headers["Location"] == f"/datasets.zip?dataset={house.public['id']}&dataset={house.private['id']}"
    script = visitor.post("/dataset/selection", id=[house.public["id"]], do="script").text
    assert f"{house.appliance.url}/dataset/{house.public['id']}/download.sh" in script
    assert visitor.post("/dataset/selection", do="zip").status_code == 409
    assert (
        house.private["id"]
        not in house.visitor("eve").post("/dataset/selection", id=[house.private["id"]], do="script").text
    )


def _figure(page: str, name: str) -> str:
    found = re.search(rf"<dt>{name}</dt><dd>([^<]+)</dd>", page)
    assert found
    return found[1]


def test_sums_on_the_front_page_follow_rights_at_once(house: House) -> None:
    visitor = Visitor(house.appliance, "kim")
    before = int(_figure(visitor.page("/"), "Datasets"))
    house.share(house.private["id"], "kim", "member")
    assert int(_figure(visitor.page("/"), "Datasets")) == before + 1
    sharing.unshare(house.appliance.context, OPERATOR, house.private["id"], "kim")
    assert int(_figure(visitor.page("/"), "Datasets")) == before
