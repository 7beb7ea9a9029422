"""Whoever loses the right or the credential while bytes are on their way has not sent them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from appliance.actions import accounts, communities
from appliance.model.viewer import OPERATOR
from appliance.store import uploads
from appliance.web.transfer import presigned_links, resumable_upload
from tests.support.server import Person
from tests.support.waiting import wait_for

SIZE = 400_000


def lose_circle(ward: Any, person: Person) -> None:
    """They are a member no more."""
    communities.remove_member(ward.appliance.context, OPERATOR, "circle", "ward", person.name)


def lose_token(ward: Any, person: Person) -> None:
    """Their token is revoked."""
    accounts.revoke_token(ward.appliance.context, OPERATOR, token=person.token)


def lose_account(ward: Any, person: Person) -> None:
    """Their account is disabled."""
    accounts.set_state(ward.appliance.context, OPERATOR, person.name, "disabled")


LOSSES = [lose_circle, lose_token, lose_account]
Loss = Callable[[Any, Person], None]


@pytest.fixture
def helper(ward: Any, request: pytest.FixtureRequest) -> Person:
    """A fresh editor of the circle."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name.lower()).strip("-")[-60:]
    person: Person = ward.appliance.person(name)
    communities.set_member(ward.appliance.context, OPERATOR, "circle", "ward", person.name, "editor")
    return person


@pytest.mark.parametrize("lose", LOSSES)
def test_a_piece_of_a_browsers_upload(ward: Any, helper: Person, lose: Loss, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumable_upload, "_NOTED", 50_000)
    draft = helper.draft("ward")["id"]
    base = ward.appliance.url
    begun = helper.http.post(
        f"{base}/upload/browser", json={"dataset": draft, "name": "midway.txt", "size": SIZE}, timeout=60
    ).json()

    def received() -> int:
        with ward.appliance.context.db.read() as conn:
            return int(uploads.get(conn, begun["id"]).received)

    def pieces() -> Iterator[bytes]:
        yield bytes(150_000)
        wait_for(received)
        lose(ward, helper)
        for _ in range(10):
            yield bytes(25_000)

    try:
        answer = helper.http.patch(f"{base}{begun['url']}", data=pieces(), headers={"Upload-Offset": "0"}, timeout=60)
        assert answer.status_code in {403, 404}
    except requests.ConnectionError:
        pass  # refused while it was still sending
    assert received() < SIZE


@pytest.mark.parametrize("lose", LOSSES)
def test_a_part_for_a_signed_address(ward: Any, helper: Person, lose: Loss) -> None:
    context = ward.appliance.context
    upload_id = helper.id
    with context.db.write() as tx:
        uploads.create(
            tx, upload_id, hashlib.md5(upload_id.encode()).hexdigest(), user_id=helper.id, kind="direct", size=SIZE,
            lifetime=3600, circle_id=ward.circle["id"],
        )  # fmt: skip
    from appliance.web import authentication

    viewer = authentication.by_token(context, helper.token, "")
    url = presigned_links.upload_link(context, viewer, f"/upload/{upload_id}/1")

    def pieces() -> Iterator[bytes]:
        yield bytes(SIZE // 2)
        lose(ward, helper)
        yield bytes(SIZE // 2)

    answer = ward.appliance.nobody.http.put(url, data=pieces(), timeout=60)
    assert answer.status_code == 403
    with context.db.read() as conn:
        assert uploads.parts(conn, upload_id) == {}
        assert uploads.get(conn, upload_id).state == "open"
