"""Another site's page in a signed-in user's browser changes nothing here, whichever door it tries."""

from __future__ import annotations

import json

import pytest
import requests

from tests.support.furnished import House

#: What browsers say of a page on a neighbouring host (which gets the cookie sent, SameSite or not) and of a foreign one.
NEIGHBOUR = {"Sec-Fetch-Site": "same-site", "Origin": "https://wiki.clinic.example"}
STRANGER = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
OLD_BROWSER = {"Sec-Fetch-Site": "", "Origin": "https://evil.example"}
SANDBOXED_FRAME = {"Sec-Fetch-Site": "", "Origin": "null"}
OTHERS = [NEIGHBOUR, STRANGER, OLD_BROWSER, SANDBOXED_FRAME]


def forged(house: House, method: str, path: str, headers: dict[str, str], body: bytes, kind: str) -> requests.Response:
    """A request that carries Ada's cookie and another site's marks."""
    browser = house.visitor("ada").http
    return browser.request(
        method,
        house.appliance.url + path,
        data=body,
        headers={**headers, "Content-Type": kind},
        allow_redirects=False,
        timeout=30,
    )


@pytest.mark.parametrize("headers", OTHERS)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/json"])
def test_an_action_of_the_api_by_cookie(house: House, headers: dict[str, str], kind: str) -> None:
    body = json.dumps({"about": "taken over"}).encode()
    assert forged(house, "POST", "/api/3/action/user_patch", headers, body, kind).status_code == 403
    assert house.people["ada"].get("user_show").result["about"] == ""


@pytest.mark.parametrize("headers", OTHERS)
def test_an_upload_by_cookie(house: House, headers: dict[str, str]) -> None:
    asked = json.dumps({"dataset": house.draft["id"], "name": "planted.txt", "size": 4}).encode()
    assert forged(house, "POST", "/upload/browser", headers, asked, "text/plain").status_code == 403
    form = (
        b'--b\r\nContent-Disposition: form-data; name="package_id"\r\n\r\n' + house.draft["id"].encode()
        + b'\r\n--b\r\nContent-Disposition: form-data; name="upload"; filename="planted.txt"\r\n\r\nbad\r\n--b--\r\n'
    )  # fmt: skip
    multipart = "multipart/form-data; boundary=b"
    assert forged(house, "POST", "/api/3/action/resource_create", headers, form, multipart).status_code == 403
    found = house.people["ada"].get("package_show", id=house.draft["id"]).result
    assert [one["name"] for one in found["resources"]] == ["M1_beads.rtdc"]


@pytest.mark.parametrize("headers", OTHERS)
@pytest.mark.parametrize(
    "path", ["/user/login", "/user/logout", "/user/ada", "/user/ada/api-tokens", "/organization/lab/edit"]
)
def test_a_form_by_cookie(house: House, headers: dict[str, str], path: str) -> None:
    body = b"title=taken&about=taken&name=planted&login=eve&password=x"
    assert forged(house, "POST", path, headers, body, "application/x-www-form-urlencoded").status_code == 403


def test_our_own_pages_and_programs_with_tokens_pass(house: House) -> None:
    own = house.visitor("ada").http.post(
        house.appliance.url + "/api/3/action/user_patch", json={"about": ""}, timeout=30
    )
    assert own.status_code == 200
    program = house.people["ada"].http.post(
        house.appliance.url + "/api/3/action/user_patch", json={"about": ""}, headers=STRANGER, timeout=30
    )
    assert program.status_code == 200


def test_no_action_that_changes_something_can_be_asked_by_get(house: House) -> None:
    from appliance.security import policy
    from appliance.web.api.registry import ACTIONS

    writing = {name for name, one in ACTIONS.items() if one.get and policy.changes(one.rule)}
    assert writing == {"resource_upload_s3_urls"}, "clients ask it by GET; it hands out addresses and stores no data"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/", "/\\evil.example", "https://evil.example/", "https:evil.example", "javascript:alert(1)",
        "/%0d%0aSet-Cookie:x=1\r\nX: y", "\t//evil.example", "/\t/evil.example", " //evil.example", "///evil.example",
        "http:///evil.example", "evil.example", "/a\\..\\evil", "//", "@evil.example",
    ],
)  # fmt: skip
def test_the_login_leads_nowhere_else(house: House, target: str) -> None:
    location = house.visitor("ada").get("/user/login", params={"next": target}).headers["Location"]
    assert location.startswith("/"), location
    assert not location.startswith(("//", "/\\")), location
    assert "evil" not in location
