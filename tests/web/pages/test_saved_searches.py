"""Saved searches: private, opened, renamed and deleted by their owner, ended with the account; in what is known about a person."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from appliance.actions import accounts, saved_searches
from appliance.model.viewer import OPERATOR
from appliance.store import pseudonyms, users
from tests.support.furnished import PASSWORD, House
from tests.support.server import Appliance

TITLE = "Blood at 0.06"
QUERY = "q=blood&flow_min=0.05&flow_max=0.07&region=channel&c=sample&c=date&sort=date&way=desc"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    appliance = Appliance(tmp_path_factory.mktemp("searches") / "data")
    yield House(appliance)
    appliance.stop()


def saved(house: House, name: str = "ada", title: str = TITLE, page: str = "measurements", query: str = QUERY) -> str:
    """Save a search; → its id, from the list."""
    visitor = house.visitor(name)
    answer = visitor.post("/searches", page=page, title=title, query=f"{query}&page=7&done=purged&evil=1")
    assert answer.status_code == 303, answer.text
    found = re.findall(r'href="/searches/([0-9a-f-]+)"><strong>([^<]*)', visitor.page("/searches"))
    return next(id_ for id_, text in found if html.unescape(text) == title)


def test_the_page_of_measurements_leads_to_the_form_and_the_search_comes_back_as_it_was(house: House) -> None:
    ada = house.visitor("ada")
    link = re.search(r'href="(/searches/new\?[^"]+)"', ada.page(f"/measurements?{QUERY}"))
    assert link is not None
    form = ada.page(link[1].replace("&amp;", "&"))
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    assert hidden["page"] == "measurements"
    assert parse_qs(hidden["query"].replace("&amp;", "&")) == parse_qs(QUERY)
    made = saved(house)
    where = urlsplit(ada.get(f"/searches/{made}").headers["Location"])
    assert (where.path, parse_qs(where.query)) == ("/measurements", parse_qs(QUERY))
    assert saved(house, query="q=beads") == made  # the same title: replaced
    assert ada.get(f"/searches/{made}").headers["Location"] == "/measurements?q=beads"


def test_searches_of_datasets_are_saved_by_the_same_way(house: House) -> None:
    ada = house.visitor("ada")
    assert "/searches/new?page=dataset&amp;query=q%3Dbeads" in ada.page("/dataset?q=beads")
    assert "/searches/new" not in house.visitor().get("/dataset").text
    made = saved(house, page="dataset", query="q=beads&tags=a&tags=b&events_min=10")
    query = parse_qs(urlsplit(ada.get(f"/searches/{made}").headers["Location"]).query)
    assert query == {"q": ["beads"], "tags": ["a", "b"], "events_min": ["10"]}


@pytest.mark.parametrize("page", sorted(saved_searches.PAGES))
def test_every_field_of_the_forms_is_saved(house: House, page: str) -> None:
    text = house.visitor("ada").page(f"/{page}")
    start = text.index('<form class="with-facets"' if page == "dataset" else '<form class="card compare-form')
    fields = set(re.findall(r'<(?:input|select)[^>]* name="(\w+)"', text[start : text.index("</form>", start)]))
    assert len(fields) > 5
    assert fields - {"id"} <= saved_searches.PAGES[page]


def test_nobody_else_sees_renames_or_deletes_it(house: House) -> None:
    made = saved(house, title="Ada's own")
    kim = house.visitor("kim")
    assert f"/searches/{made}" not in kim.page("/searches")
    assert kim.get(f"/searches/{made}").status_code == 404
    assert kim.get(f"/searches/{made}/rename").status_code == 404
    assert kim.post(f"/searches/{made}/rename", title="Kim's").status_code == 404
    assert kim.post(f"/searches/{made}/delete", confirmed="yes").status_code == 404
    assert house.visitor("ada").get(f"/searches/{made}").status_code == 303
    assert house.visitor("ada").get(f"/comparisons/{made}").status_code == 404


def test_renaming_and_deleting_which_asks_first(house: House) -> None:
    ada = house.visitor("ada")
    made, other = saved(house, title="First"), saved(house, title="Second")
    answer = ada.post(f"/searches/{made}/rename", title="Second")
    assert answer.status_code == 409
    assert "another search with this title" in answer.text
    assert ada.post(f"/searches/{made}/rename", title=" ").status_code == 409
    assert ada.post(f"/searches/{made}/rename", title="Third").status_code == 303
    assert ">Third</strong>" in ada.page("/searches")
    assert "Delete this search?" in ada.post(f"/searches/{other}/delete").text
    assert ada.get(f"/searches/{other}").status_code == 303
    assert ada.post(f"/searches/{other}/delete", confirmed="yes").status_code == 303
    assert ada.get(f"/searches/{other}").status_code == 404


def test_what_cannot_be_saved_is_refused_with_a_sentence(house: House) -> None:
    ada = house.visitor("ada", "de")
    answer = ada.post("/searches", page="measurements", title="", query=QUERY)
    assert answer.status_code == 409
    assert "Geben Sie der Suche einen Titel" in answer.text
    assert 'name="query" value="q=blood' in answer.text
    assert ada.post("/searches", page="admin", title="x", query="").status_code == 409
    assert ada.get("/searches/new?page=admin").status_code == 404
    long = ada.post("/searches", page="measurements", title="x", query="q=" + "ä" * 3000)
    assert long.status_code == 409
    assert "länger als 8000 Zeichen" in long.text


def test_searches_end_with_the_account(house: House) -> None:
    site = house.appliance.context
    lea = house.appliance.person("lea", password=PASSWORD)
    saved(house, "lea", title="Lea's")
    accounts.set_state(site, OPERATOR, lea.id, "deleted")
    with site.db.read() as conn:
        user = users.find(conn, lea.id)
        assert user is not None
        assert pseudonyms.everything(conn, user)["saved_pages"] == []


def test_what_is_known_about_a_person_names_searches_comparisons_and_with_whom_these_are_shared(house: House) -> None:
    ada = house.visitor("ada")
    saved(house, title="Told")
    made = ada.post("/comparisons", title="Told, too", query=f"r={house.file['id']}").headers["Location"]
    assert ada.post(f"{made}/share", username="max").status_code == 303
    known = json.loads(ada.get("/user/ada/everything.json").text)
    assert {("measurements", "Told"), ("compare", "Told, too")} <= {
        (one["page"], one["title"]) for one in known["saved_pages"]
    }
    assert {"saved_page_id": made.rpartition("/")[2], "name": "max"} in known["saved_pages_shared"]
    theirs = json.loads(house.visitor("max").get("/user/max/everything.json").text)
    assert {"saved_page_id": made.rpartition("/")[2]} in theirs["saved_pages_shared_with"]
    assert "Told, too" not in json.dumps(theirs)


#: Tables that hold nothing of a person's but hashes of secrets.
_SECRETS = {"recovery_code", "one_time_link"}


def test_every_table_about_users_is_part_of_what_is_known_about_a_person(house: House) -> None:
    """A new table with a column that refers to users must be told, too."""
    statements: list[str] = []
    with house.appliance.context.db.read() as conn:
        tables = [row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        about = {
            name
            for name in tables
            if any(row["table"] == "user" for row in conn.execute(f"PRAGMA foreign_key_list('{name}')"))
        }
        user = users.find(conn, str(house.people["ada"].id))
        assert user is not None
        conn.set_trace_callback(statements.append)
        pseudonyms.everything(conn, user)
        conn.set_trace_callback(None)
    asked = " ".join(statements)
    assert len(about) > 10
    assert {name for name in about - _SECRETS if not re.search(rf"\b{name}\b", asked)} == set()
