"""Downloads as clients make them: whole, in pieces, again, and by those who may not."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from appliance.store import artefacts
from appliance.web.http import Headers
from appliance.web.transfer import presigned_links
from appliance.web.transfer.file_response import content_disposition
from appliance.web.transfer.ranges import select
from tests.support.server import Person

SIZE = 700_001


def get(ward: Any, **headers: str) -> requests.Response:
    return ward.editor.fetch(f"{ward.base}/download/x", headers=headers)


def test_whole_file(ward: Any) -> None:
    answer = get(ward)
    assert (answer.status_code, answer.content) == (200, ward.content)
    assert int(answer.headers["Content-Length"]) == SIZE
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == f'"{hashlib.md5(ward.content).hexdigest()}"'
    assert answer.headers["Content-Disposition"] == 'attachment; filename="notes.txt"'
    assert "private" in answer.headers["Cache-Control"]
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=262144-524287", 262144, 524287),
        ("bytes=700000-", 700000, 700000),
        ("bytes=-5", SIZE - 5, SIZE - 1),
        ("bytes=-9999999", 0, SIZE - 1),
        ("bytes=600000-9999999", 600000, SIZE - 1),
        ("Bytes=0-0", 0, 0),
    ],
)
def test_ranges(ward: Any, wanted: str, first: int, last: int) -> None:
    answer = get(ward, Range=wanted)
    assert (answer.status_code, answer.reason) == (206, "PARTIAL CONTENT")
    assert answer.content == ward.content[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE - 1}", "bytes=5-4", "bytes=-0"])
def test_range_beyond_the_end_is_an_empty_416(ward: Any, wanted: str) -> None:
    answer = get(ward, Range=wanted)
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes=", "nonsense"])
def test_other_ranges_give_the_whole_file(ward: Any, wanted: str) -> None:
    assert (get(ward, Range=wanted).status_code, get(ward, Range=wanted).content) == (200, ward.content)


def test_conditions(ward: Any) -> None:
    tag, moment = get(ward).headers["ETag"], get(ward).headers["Last-Modified"]
    part = {"Range": "bytes=0-9"}
    assert get(ward, **{"If-None-Match": tag}).status_code == 304
    assert get(ward, **{"If-None-Match": f'"other", W/{tag}'}).status_code == 304
    assert get(ward, **{"If-None-Match": '"other"'}).status_code == 200
    assert get(ward, **{"If-Modified-Since": moment}).status_code == 304
    assert get(ward, **{"If-Match": '"other"'}).status_code == 412
    assert get(ward, **{"If-Match": tag}, **part).status_code == 206
    assert get(ward, **{"If-Range": tag}, **part).status_code == 206
    assert get(ward, **{"If-Range": moment}, **part).status_code == 206
    for stale in ('"other"', f"W/{tag}", "Mon, 01 Jan 2001 00:00:00 GMT", "rubbish"):
        assert get(ward, **{"If-Range": stale}, **part).status_code == 200
    assert get(ward, **{"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}).status_code == 412


def test_head_has_the_headers_of_get(ward: Any) -> None:
    answer = ward.editor.http.head(f"{ward.appliance.url}{ward.base}/download/x", timeout=60)
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(SIZE))


def test_double_slashes_and_dataset_names_are_tolerated(ward: Any) -> None:
    assert ward.editor.fetch("/" + ward.base + "/download/notes.txt").status_code == 200
    assert ward.editor.fetch(ward.base.replace(ward.draft["id"], ward.draft["name"]) + "/download/x").status_code == 200


def test_hidden_and_missing_look_alike(ward: Any) -> None:
    missing = ward.base.replace(ward.resource["id"], "00000000-0000-4000-8000-000000000000")
    other = ward.base.replace(ward.draft["id"], "00000000-0000-4000-8000-000000000000")
    answers = [ward.stranger.fetch(f"{ward.base}/download/x"), ward.editor.fetch(f"{missing}/download/x")]
    answers += [ward.editor.fetch(f"{other}/download/x"), ward.appliance.nobody.fetch(f"{ward.base}/download/x")]
    answers += [ward.editor.fetch(f"{ward.base}/condensed.rtdc"), ward.stranger.fetch(f"{ward.base}/preview.webp")]
    assert {(a.status_code, a.reason, a.text) for a in answers} == {(404, "NOT FOUND", answers[0].text)}


def test_artefacts_have_their_own_names_and_tags(ward: Any, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("a file of this test's own")
    context, resource_id = ward.appliance.context, ward.editor.add(ward.draft["id"], tmp_path / "more.txt")["id"]
    base = ward.base.replace(ward.resource["id"], resource_id)
    for kind, content in (("condensed", b"small file"), ("preview_jpeg", b"jpeg"), ("thumbnail", b"webp")):
        part = context.depot.new_part()
        part.path.write_bytes(content)
        context.depot.publish(part, resource_id, kind)
        with context.db.write() as tx:
            artefacts.put(tx, resource_id, kind, size=len(content), sha256="0" * 64, etag=f"tag-{kind}")
    answer = ward.editor.fetch(f"{base}/condensed.rtdc")
    assert (answer.content, answer.headers["ETag"]) == (b"small file", '"tag-condensed"')
    assert answer.headers["Content-Disposition"] == 'attachment; filename="more_condensed.txt"'
    assert ward.editor.fetch(f"{base}/preview.jpg").headers["Content-Type"] == "image/jpeg"
    assert ward.editor.fetch(f"{base}/thumbnail.webp").headers["Content-Disposition"].startswith("inline")
    assert ward.editor.fetch(f"{base}/preview.webp").status_code == 404


def link_for(ward: Any, person: Person, artefact: str = "resource") -> str:
    from appliance.web import authentication
    from appliance.web.http import Request

    request = Request("GET", "/", "/", headers=Headers([("Authorization", person.token)]))
    viewer = authentication.viewer(ward.appliance.context, request)
    return presigned_links.object_link(ward.appliance.context, viewer, ward.resource["id"], artefact)[0]


def bare(ward: Any, url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, verify=str(ward.appliance.certificate), timeout=60)


def test_signed_address_needs_no_token(ward: Any) -> None:
    for person in (ward.editor, ward.appliance.admin):
        answer = bare(ward, link_for(ward, person), Range="bytes=5-9")
        assert (answer.status_code, answer.content) == (206, ward.content[5:10])


def test_signed_address_can_not_be_changed(ward: Any) -> None:
    url = link_for(ward, ward.editor)
    assert bare(ward, url.replace("/resource/", "/condensed/")).status_code == 403
    assert bare(ward, url.replace("expires=1", "expires=2")).status_code == 403
    assert bare(ward, url + "&as=admin").status_code == 403
    assert bare(ward, url.partition("?")[0]).status_code == 404


def test_signed_address_of_a_stranger_opens_nothing(ward: Any) -> None:
    assert bare(ward, link_for(ward, ward.stranger)).status_code == 404


def test_signed_address_dies_with_the_access(ward: Any) -> None:
    guest = ward.appliance.person("guest")
    ward.editor.post("organization_member_create", id="ward", username="guest", role="member").result  # noqa: B018
    url = link_for(ward, guest)
    assert bare(ward, url).status_code == 200
    ward.editor.post("organization_member_delete", id="ward", username="guest").result  # noqa: B018
    assert bare(ward, url).status_code == 404


def test_signed_address_dies_with_its_time_however_often_it_was_used(
    ward: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = link_for(ward, ward.editor)
    assert [bare(ward, url, Range="bytes=0-9").status_code for _ in range(3)] == [206, 206, 206]
    monkeypatch.setattr(presigned_links.time, "time", lambda now=time.time: now() + 10 * 86400)
    answer = bare(ward, url, Range="bytes=0-9")
    assert (answer.status_code, "expired" in answer.text) == (403, True)


def test_signed_address_dies_with_its_token(ward: Any) -> None:
    leaver = ward.appliance.person("leaver")
    ward.editor.post("organization_member_create", id="ward", username="leaver", role="member").result  # noqa: B018
    url = link_for(ward, leaver)
    assert bare(ward, url).status_code == 200
    leaver.post("api_token_revoke", token=leaver.token).result  # noqa: B018
    assert bare(ward, url).status_code == 404


@given(st.text(min_size=1, max_size=60))
def test_any_name_makes_a_clean_header(name: str) -> None:
    value = content_disposition("attachment", name.encode("utf-8", "replace").decode())
    value.encode("latin-1")
    assert not set(value) & set("\r\n\0")


@given(st.integers(0, 10**9), st.text("bytes=-,0123456789 ", max_size=30))
def test_any_range_stays_inside_the_file(size: int, wanted: str) -> None:
    found = select("GET", Headers([("Range", wanted)]), size, '"abcde"', 0)
    assert found.status in {200, 206, 416}
    assert found.start >= 0
    assert found.start + found.length <= size
    assert found.status != 206 or found.length > 0
