"""The races of `test_races`, a thousand times each: part, name, membership, activation, token."""

# Each call ends before its round does:
# ruff: noqa: B023

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator

import pytest

from appliance.actions import accounts, communities
from appliance.model.viewer import OPERATOR
from appliance.store import resources, rtdc, users
from tests.security.attacks.test_races import at_once, twin
from tests.support.furnished import House
from tests.support.samples import synthetic
from tests.support.server import DEADLINE, Person

pytestmark = [pytest.mark.timeout(7200)]
#: Rounds of the long run.
MANY = int(os.environ.get("SOAK_ROUNDS", "1000"))
ROUNDS = [pytest.param(3, id="quick"), pytest.param(MANY, id="soak", marks=pytest.mark.soak)]


@pytest.fixture
def pair(house: House) -> Iterator[tuple[Person, Person]]:
    """The same person on two connections, which stay open."""
    ada = house.people["ada"]
    both = twin(ada), twin(ada)
    yield both
    for one in both:
        one.http.close()


@pytest.mark.parametrize("rounds", ROUNDS)
def test_two_send_the_same_part(house: House, pair: tuple[Person, Person], rounds: int) -> None:
    """One of both files arrives, whole, and with its own checksums; the other is told."""
    url, context = house.appliance.url, house.appliance.context
    told: Counter[tuple[int, ...]] = Counter()
    for number in range(rounds):
        draft = pair[0].draft("lab")["id"]
        contents = [bytes([65 + which]) * 50_000 + os.urandom(8) for which in range(2)]
        asked = {"dataset": draft, "name": f"part{number}.txt", "size": len(contents[0])}
        address = url + pair[0].http.post(f"{url}/upload/browser", json=asked, timeout=DEADLINE).json()["url"]
        sent = at_once(
            *[
                lambda one=one, data=data: (
                    one.http.patch(  # type: ignore[misc]
                        address, data=data, headers={"Upload-Offset": "0"}, timeout=DEADLINE
                    ).status_code
                )
                for one, data in zip(pair, contents, strict=True)
            ]
        )
        assert sorted(sent) in ([204, 409],), sent
        told[tuple(sorted(sent))] += 1
        made = pair[0].http.post(f"{address}/finish", json={}, timeout=DEADLINE).json()
        kept = context.depot.path(made["id"]).read_bytes()
        assert kept == contents[sent.index(204)]
        assert made["sha256"] == hashlib.sha256(kept).hexdigest()
    assert told.total() == rounds


@pytest.mark.parametrize("rounds", ROUNDS)
def test_two_give_the_same_name(house: House, pair: tuple[Person, Person], rounds: int) -> None:
    for _ in range(rounds):
        draft = pair[0].draft("lab")["id"]
        found = at_once(
            *[
                lambda one=one: (
                    one.upload(  # type: ignore[misc]
                        "resource_create", {"package_id": draft}, "upload", "same.txt", b"text"
                    ).status
                )
                for one in pair
            ]
        )
        assert sorted(found) == [200, 409]
        assert len(pair[0].get("package_show", id=draft).result["resources"]) == 1
    assert list(house.appliance.context.depot.parts()) == []


@pytest.mark.parametrize("rounds", ROUNDS)
def test_the_last_two_admins_leave(house: House, rounds: int) -> None:
    site = house.appliance.context
    ada, other = twin(house.people["ada"]), twin(house.people["max"])
    ada.circle("leaving")
    for _ in range(rounds):
        for name in ("ada", "max"):
            communities.set_member(site, OPERATOR, "circle", "leaving", name, "admin")
        found = at_once(
            *[
                lambda who=who: (
                    who.post(  # type: ignore[misc]
                        "organization_member_delete", id="leaving", username=who.name
                    ).status
                )
                for who in (ada, other)
            ]
        )
        assert sorted(found) == [200, 403]


@pytest.mark.parametrize("rounds", ROUNDS)
def test_activation_and_one_more_file(house: House, pair: tuple[Person, Person], rounds: int) -> None:
    """An active dataset takes no file; a file that was taken was there when it became active."""
    site, valid = house.appliance.context, synthetic()
    outcomes: Counter[tuple[int, int]] = Counter()
    for number in range(rounds):
        draft = pair[0].draft("lab", title=f"race {number}")["id"]
        first = pair[0].add(draft, valid, "M1.rtdc")["id"]
        with site.db.write() as tx:  # as the metadata job would say; it is not what races here
            rtdc.set_verdict(tx, first, True, [])
        activated, added = at_once(
            lambda: pair[0].post("package_revise", match={"id": draft}, update={"state": "active"}).status,
            lambda: pair[1].upload("resource_create", {"package_id": draft}, "upload", "late.txt", b"x").status,
        )
        outcomes[activated, added] += 1
        shown = pair[0].get("package_show", id=draft).result
        assert activated == 200
        assert added in {200, 403}
        assert shown["state"] == "active"
        assert len(shown["resources"]) == 1 + (added == 200)
        with site.db.read() as conn:
            assert all(site.depot.path(row["id"]).is_file() for row in resources.of_dataset(conn, draft))
        pair[0].post("package_delete", id=draft)
        house.people["root"].post("dataset_purge", id=draft)
    assert outcomes.total() == rounds


@pytest.mark.parametrize("rounds", ROUNDS)
def test_a_token_is_used_while_it_is_revoked(house: House, rounds: int) -> None:
    """Once the revocation is answered, nothing is allowed any more, and no child of the token is left that was made meanwhile."""
    site = house.appliance.context
    with site.db.read() as conn:
        user = users.find(conn, "eve")
    assert user is not None
    for _ in range(rounds):
        secret, token_id = accounts.create_token(site, OPERATOR, "eve", "race")
        user_of, maker = Person(house.appliance, "eve", secret), Person(house.appliance, "eve", secret)
        found = at_once(
            lambda: accounts.revoke_token(site, OPERATOR, token_id=token_id) or "revoked",
            lambda: maker.post("api_token_create", user="eve", name="child"),
            lambda: user_of.get("organization_list_for_user").status,
        )
        assert user_of.post("user_patch", id="eve", about="still here").status == 403
        child = found[1]
        if child.status == 200:
            bearer = Person(house.appliance, "eve", child.result["token"])
            assert bearer.post("user_patch", id="eve", about="still here").status == 403
            bearer.http.close()
        user_of.http.close()
        maker.http.close()
