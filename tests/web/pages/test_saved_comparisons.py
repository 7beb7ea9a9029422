"""Saved comparisons: kept, replaced, shared; whoever may not read a measurement learns only that it is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from appliance.actions import accounts, sharing
from appliance.model.viewer import OPERATOR
from tests.support.furnished import PASSWORD, House
from tests.support.server import Appliance

TITLE = "Neutrophils before and after"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    appliance = Appliance(tmp_path_factory.mktemp("comparisons") / "data")
    made = House(appliance)
    for file in (made.file, made.private_file):
        appliance.jobs_done(file["id"])
    yield made
    appliance.stop()


def saved(house: House, name: str = "ada", title: str = TITLE, query: str = "") -> str:
    """Save a comparison of the public and the private measurement; → its id."""
    query = (
        query
        or f"?r={house.private_file['id']}&r={house.file['id']}&f=deform&role=control&role=treatment&x=area_um&evil=1"
    )
    answer = house.visitor(name).post("/comparisons", title=title, query=query)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"].rpartition("/")[2])


def test_what_is_saved_comes_back_as_it_was_and_a_second_time_replaces_it(house: House) -> None:
    first = saved(house)
    ada = house.visitor("ada")
    location = ada.get(f"/comparisons/{first}").headers["Location"]
    query = parse_qs(urlsplit(location).query)
    assert query == {
        "r": [house.private_file["id"], house.file["id"]], "f": ["deform"], "role": ["control", "treatment"], "x": ["area_um"],
        "saved": [first],
    }  # fmt: skip
    page = ada.page(location)
    assert TITLE in page
    assert "compare-grouped" in page
    assert saved(house) == first
    assert ada.page("/comparisons").count(f'href="/comparisons/{first}"') == 1
    assert f'href="/comparisons/{first}"' not in house.visitor("max").page("/comparisons")


def test_sharing_shows_what_one_may_read_and_that_the_rest_is_missing(house: House) -> None:
    made = saved(house)
    ada, kim, eve = (house.visitor(name) for name in ("ada", "kim", "eve"))
    for who in (kim, eve):
        assert who.get(f"/comparisons/{made}").status_code == 404
    for name in ("kim", "eve"):
        assert ada.post(f"/comparisons/{made}/share", username=name).status_code == 303
    listing = kim.page("/comparisons")
    assert TITLE in listing
    page = kim.page(kim.get(f"/comparisons/{made}").headers["Location"])
    assert "1 measurement of this link is not available to you. Missing: 1" in page
    assert "Private blood" not in page
    assert 'class="series series-2"' in page
    assert 'class="series series-1"' not in page
    sharing.share(house.appliance.context, OPERATOR, house.private["id"], "kim", "member")
    assert "is not available" not in kim.page(kim.get(f"/comparisons/{made}").headers["Location"])
    sharing.unshare(house.appliance.context, OPERATOR, house.private["id"], "kim")
    assert ada.post(f"/comparisons/{made}/unshare", username="kim", confirmed="yes").status_code == 303
    assert kim.get(f"/comparisons/{made}").status_code == 404
    assert eve.post(f"/comparisons/{made}/unshare", username="eve", confirmed="yes").status_code == 303
    assert TITLE not in eve.page("/comparisons")


def test_who_may_read_none_of_it_does_not_see_its_title(house: House) -> None:
    made = saved(house, title="Secret title", query=f"r={house.private_file['id']}")
    assert house.visitor("ada").post(f"/comparisons/{made}/share", username="eve").status_code == 303
    eve = house.visitor("eve")
    assert "Secret title" not in eve.page("/comparisons")
    assert eve.get(f"/comparisons/{made}").status_code == 404
    assert "Secret title" not in eve.get(f"/compare?r={house.file['id']}&saved={made}").text


@pytest.mark.parametrize("what", ["share", "delete", "people"])
def test_only_its_owner_shares_and_deletes(house: House, what: str) -> None:
    made = saved(house, title=f"Mine to {what}")
    assert house.visitor("ada").post(f"/comparisons/{made}/share", username="max").status_code == 303
    other = house.visitor("max")
    if what == "people":
        assert other.get(f"/comparisons/{made}/people").status_code == 404
        return
    answer = other.post(f"/comparisons/{made}/{what}", username="eve", confirmed="yes")
    assert answer.status_code == 404
    assert other.get(f"/comparisons/{made}").status_code == 303


def test_what_cannot_be_saved_or_shared_is_refused_with_a_sentence(house: House) -> None:
    ada, eve = house.visitor("ada"), house.visitor("eve")
    known = f"r={house.file['id']}"
    assert ada.post("/comparisons", title=" ", query=known).status_code == 409
    assert ada.post("/comparisons", title="x" * 201, query=known).status_code == 409
    assert ada.post("/comparisons", title="None", query="f=deform").status_code == 409
    assert eve.post("/comparisons", title="Not mine", query=f"r={house.private_file['id']}").status_code == 404
    made = saved(house)
    answer = ada.post(f"/comparisons/{made}/share", username="nobody-here")
    assert answer.status_code == 409
    assert "No such user." in answer.text
    assert "own comparison" in ada.post(f"/comparisons/{made}/share", username="ada").text


def test_deleting_asks_first(house: House) -> None:
    made = saved(house, title="To be deleted")
    ada = house.visitor("ada")
    assert "Delete this comparison?" in ada.post(f"/comparisons/{made}/delete").text
    assert ada.get(f"/comparisons/{made}").status_code == 303
    assert ada.post(f"/comparisons/{made}/delete", confirmed="yes").status_code == 303
    assert ada.get(f"/comparisons/{made}").status_code == 404


def query_of(house: House, name: str, made: str) -> dict[str, list[str]]:
    """The parameters of the address that a saved comparison leads to."""
    return parse_qs(urlsplit(house.visitor(name).get(f"/comparisons/{made}").headers["Location"]).query)


def test_groups_by_a_supplement_and_a_gate_just_added_are_saved(house: House) -> None:
    wanted = {"by": ["sp:cells:organism=mouse"], "gate": ["deform"], "gate_min": ["0.01"], "gate_max": ["0.1"]}
    query = urlencode({"r": [house.file["id"]], "f": ["deform"], **wanted}, doseq=True)
    found = query_of(house, "ada", saved(house, title="By a supplement", query=query))
    assert {key: found.get(key) for key in wanted} == wanted


def test_roles_stay_with_their_measurements_when_one_is_named_twice_or_empty(house: House) -> None:
    one, other = house.private_file["id"], house.file["id"]
    pairs = [
        ("r", one), ("r", ""), ("r", one), ("r", other),
        *[("role", role) for role in ("control", "control", "", "treatment")],
        *[("rep", replicate) for replicate in ("1", "5", "6", "2")],
    ]  # fmt: skip
    found = query_of(house, "ada", saved(house, title="Named twice", query=urlencode(pairs)))
    assert (found["r"], found["role"], found["rep"]) == ([one, other], ["control", "treatment"], ["1", "2"])


def test_an_address_that_becomes_too_long_when_encoded_is_refused(house: House) -> None:
    query = f"r={house.file['id']}&g=" + "[" * 40_000
    answer = house.visitor("ada").post("/comparisons", title="Too long", query=query)
    assert answer.status_code == 409
    assert "The address is longer than" in answer.text


def test_nobody_learns_by_unsharing_who_has_an_account(house: House) -> None:
    made = saved(house, title="Whom it names")
    ada, kim = house.visitor("ada"), house.visitor("kim")
    assert ada.post(f"/comparisons/{made}/share", username="kim").status_code == 303
    assert ada.post(f"/comparisons/{made}/share", username="max").status_code == 303
    for who, names in ((kim, ("max", "eve", "no-such-person")), (ada, ("eve", "no-such-person"))):
        for name in names:
            answer = who.post(f"/comparisons/{made}/unshare", username=name, confirmed="yes")
            assert answer.status_code == 404, (who.name, name)
    assert house.visitor("max").get(f"/comparisons/{made}").status_code == 303


def test_a_comparison_ends_with_the_account_of_its_owner(house: House) -> None:
    site, kim = house.appliance.context, house.visitor("kim")
    lea = house.appliance.person("lea", password=PASSWORD)
    made = saved(house, "lea", title="Lea's own", query=f"r={house.file['id']}")
    assert house.visitor("lea").post(f"/comparisons/{made}/share", username="kim").status_code == 303
    accounts.set_state(site, OPERATOR, lea.id, "disabled")
    assert kim.get(f"/comparisons/{made}").status_code == 404
    assert "Lea&#39;s own" not in kim.page(f"/compare?r={house.file['id']}&saved={made}")
    accounts.set_state(site, OPERATOR, lea.id, "active")
    assert kim.get(f"/comparisons/{made}").status_code == 303
    theirs = saved(house, title="For Lea", query=f"r={house.file['id']}")
    assert house.visitor("ada").post(f"/comparisons/{theirs}/share", username="lea").status_code == 303
    accounts.set_state(site, OPERATOR, lea.id, "deleted")
    assert kim.get(f"/comparisons/{made}").status_code == 404
    assert 'value="lea"' not in house.visitor("ada").page(f"/comparisons/{theirs}/people")
    accounts.set_state(site, OPERATOR, lea.id, "active")
    assert kim.get(f"/comparisons/{made}").status_code == 404


@pytest.mark.parametrize(("language", "words"), [("en", "Not in the session"), ("de", "Nicht in der Sitzung")])
def test_the_page_names_the_gates_that_the_session_lacks(house: House, language: str, words: str) -> None:
    inside = {"name": "inside", "conditions": [{"feature": "deform", "max": 0.05}]}
    outside = {"name": "outside it", "conditions": [{"gate": "inside", "inverted": True}]}
    ada = house.visitor("ada", language)

    def shown(*gates: object) -> str:
        return ada.page("/compare?" + urlencode({"r": house.file["id"], "f": "deform", "g": json.dumps(gates)}))

    assert words not in shown(inside)
    (line,) = [one for one in shown(inside, outside).splitlines() if words in one]
    assert ": outside it</p>" in line
