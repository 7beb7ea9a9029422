"""Asking for access to what one may not see: the circle learns of it, the asker nothing until access is granted."""

from __future__ import annotations

import re

from tests.support.furnished import PASSWORD, House, Visitor

MISSING = "0b5b4b9c-7a43-4f4e-a4c0-0c1f2d3e4f50"


def asked(visitor: Visitor, ref: str, message: str = "For our study") -> tuple[int, str]:
    """Send a request; status and page without the address."""
    answer = visitor.post(f"/dataset/{ref}/request-access", message=message)
    return answer.status_code, answer.text.replace(ref, "")


def request_of(page: str, title: str) -> str:
    """The id of the request about a dataset on the page of requests."""
    part = next(part for part in page.split("<section")[1:] if title in part)
    return re.findall(r'action="/requests/([0-9a-f-]+)"', part)[0]


def test_a_request_is_granted_by_an_admin_of_the_circle_and_both_are_told(house: House) -> None:
    made, _file = house.dataset("Wanted by Eve", activate=True, private=True)
    eve, ada, max_ = house.visitor("eve"), house.visitor("ada"), house.visitor("max")
    refused = eve.get(f"/dataset/{made['id']}")
    assert (refused.status_code, f"/dataset/{made['id']}/request-access" in refused.text) == (404, True)
    assert "Wanted by Eve" not in refused.text
    assert asked(eve, made["id"])[0] == 200
    assert "Wanted by Eve" in ada.page("/notifications")
    requests = ada.page("/requests")
    assert "For our study" in requests
    assert "Wanted by Eve" not in max_.page("/requests"), "an editor decides nothing"
    one = request_of(requests, "Wanted by Eve")
    assert max_.post(f"/requests/{one}", do="grant").status_code == 403
    assert eve.post(f"/requests/{one}", do="grant").status_code == 404
    assert eve.get(f"/dataset/{made['id']}").status_code == 404
    assert ada.post(f"/requests/{one}", do="grant").status_code == 303
    assert eve.get(f"/dataset/{made['id']}").status_code == 200
    assert "Wanted by Eve" in eve.page("/notifications")
    assert "Wanted by Eve" not in ada.page("/requests")
    assert ada.post(f"/requests/{one}", do="grant").status_code == 404


def test_hidden_missing_repeated_and_declined_look_alike(house: House) -> None:
    made, _file = house.dataset("Declined", activate=True, private=True)
    kim, ada = house.visitor("kim"), house.visitor("ada")
    first = asked(kim, made["id"])
    assert asked(kim, MISSING) == first
    assert asked(kim, made["id"]) == first
    requests = ada.page("/requests")
    assert requests.count("Declined</a>") == 1, "asked twice, shown once"
    assert ada.post(f"/requests/{request_of(requests, 'Declined')}", do="decline").status_code == 303
    assert asked(kim, made["id"]) == first
    assert "Declined</a>" not in ada.page("/requests"), "not again so soon"
    assert kim.get(f"/dataset/{made['id']}").status_code == 404
    assert made["id"] not in kim.page("/notifications")


def test_requests_are_few_short_and_for_people_with_an_account(house: House) -> None:
    made, _file = house.dataset("Besieged", activate=True, private=True)
    limiter = house.appliance.context.limiter
    pest = house.appliance.person("pest", password=PASSWORD)
    visitor = house.visitor("pest")
    assert house.visitor().post(f"/dataset/{made['id']}/request-access", message="x").status_code in (303, 403)
    assert asked(visitor, made["id"], "x" * 1001)[0] == 409
    while limiter.access_request(pest.id) == 0:
        pass
    assert asked(visitor, made["id"])[0] == 429
    assert "Besieged" not in house.visitor("ada").page("/requests")


def test_the_public_is_not_asked_for_and_readers_need_not_ask(house: House) -> None:
    asked(house.visitor("max"), house.private["id"])
    asked(house.visitor("max"), house.public["id"])
    page = house.visitor("root").page("/requests")
    assert "Private blood" not in page
    assert "Public beads" not in page


def test_who_lacks_a_right_is_told_which_and_whom_to_ask(house: House) -> None:
    eve, max_ = house.visitor("eve"), house.visitor("max")
    for visitor, path, words, link in (
        (eve, f"/dataset/{house.public['id']}/edit", "editor or admin of the circle", "/organization/lab"),
        (max_, f"/dataset/{house.public['id']}/share", "an admin of the circle", "/organization/lab/members"),
        (max_, "/organization/lab/edit", "an admin of the circle", "/organization/lab/members"),
        (eve, "/group/study/edit", "an admin of the collection", "/group/study"),
    ):
        answer = visitor.get(path)
        assert answer.status_code == 403
        assert words in answer.text, path
        assert f'href="{link}"' in answer.text, path


def test_a_person_without_a_circle_reaches_the_ways_to_one(house: House) -> None:
    page = house.visitor("eve").page("/upload")
    assert "No circle to upload to" in page
    assert 'href="/organization/new"' in page
    assert 'href="/organization"' in page
    assert house.visitor("eve").post("/upload", title="x").status_code == 403
