"""What a credential that has ended meanwhile may not leave behind: tokens, links, members, collaborators."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.actions import accounts, callers, communities, sharing
from appliance.actions.site import Site
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR, Viewer
from appliance.store import users
from tests.support.furnished import House
from tests.support.server import Appliance


@pytest.fixture(scope="module")
def house(shared: Appliance) -> House:
    """People, circles and datasets."""
    return House(shared)


def with_token(site: Site, name: str, token_id: str, scope: str) -> Viewer:
    """Who a request with this token was found to be."""
    with site.db.read() as conn:
        row = users.find(conn, name)
        assert row is not None
        return callers.of_user(conn, site.settings, row, scope=scope, token_id=token_id)


LASTING: dict[str, Callable[[House, Viewer], object]] = {
    "token": lambda house, viewer: accounts.create_token(house.appliance.context, viewer, viewer.name, "child"),
    "link": lambda house, viewer: accounts.one_time_link(house.appliance.context, viewer, "eve"),
    "member": lambda house, viewer: communities.set_member(
        house.appliance.context, viewer, "circle", "lab", "eve", "member"
    ),
    "collaborator": lambda house, viewer: sharing.share(
        house.appliance.context, viewer, house.draft["id"], "eve", "member"
    ),
}


@pytest.mark.parametrize("what", LASTING)
def test_a_request_whose_token_was_revoked_while_it_waited_leaves_nothing(house: House, what: str) -> None:
    """It was found valid, waits for the database's writer, and the revocation has been answered by then."""
    site = house.appliance.context
    _secret, token_id = accounts.create_token(site, OPERATOR, "root", "ends", scope="admin")
    found = with_token(site, "root", token_id, "admin")
    accounts.revoke_token(site, OPERATOR, token_id=token_id)
    with pytest.raises(Problem, match="since expired") as refused:
        LASTING[what](house, found)
    assert refused.value.status == 403


@pytest.mark.parametrize("what", ["member", "collaborator"])
def test_a_request_whose_sender_lost_the_role_while_it_waited_leaves_nothing(house: House, what: str) -> None:
    site = house.appliance.context
    communities.set_member(site, OPERATOR, "circle", "lab", "max", "admin")
    _secret, token_id = accounts.create_token(site, OPERATOR, "max", "role")
    found = with_token(site, "max", token_id, "write")
    communities.set_member(site, OPERATOR, "circle", "lab", "max", "member")
    with pytest.raises(Problem) as refused:
        LASTING[what](house, found)
    assert refused.value.status in {403, 404}
