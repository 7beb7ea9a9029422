"""Whatever takes something away asks first, without scripts too, and changes nothing until the answer is yes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from appliance.actions import communities
from appliance.model.viewer import OPERATOR
from appliance.store import saved_pages, sessions, tokens
from tests.support.furnished import House
from tests.web.pages.test_pages_routes import app  # noqa: F401 - a fixture

#: Words in the addresses of forms that take something away.
WORDS = re.compile(r"/(remove|delete|revoke|end|disable|demote|unshare|leave|purge)\b|(disable|demote)")
#: These ask on a page of their own, at the same address by GET.
OWN_PAGE = {"/dataset/<ref>/delete", "/dataset/<ref>/purge"}


def cases(house: House) -> dict[str, tuple[str, str, dict[str, str], Callable[[], object]]]:
    """Route → (who, address, fields, what must stay as it is)."""
    context = house.appliance.context

    def asking(statement: str) -> Callable[[], object]:
        def answer() -> object:
            with context.db.read() as conn:
                return [tuple(row) for row in conn.execute(statement)]

        return answer

    def count(table: str) -> Callable[[], object]:
        return asking(f"SELECT count(*) FROM {table}")

    house.people["ada"].circle("asking")
    communities.set_member(context, OPERATOR, "circle", "asking", "kim", "member")
    communities.create(context, OPERATOR, "collection", {"name": "asked"})
    for name, role in (("ada", "admin"), ("kim", "member")):
        communities.set_member(context, OPERATOR, "collection", "asked", name, role)
    shared = house.people["ada"].draft("asking", title="Shared with Eve")["id"]
    house.share(shared, "eve", "member")
    for name in ("ada", "kim", "root"):
        house.visitor(name)
    ada_id = house.people["ada"].id
    with context.db.read() as conn:
        session = sessions.of_user(conn, ada_id)[0].id
        token = tokens.of_user(conn, ada_id)[0]["id"]
    with context.db.write() as tx:
        saved = saved_pages.put(tx, ada_id or "", "compare", "Asked for", "")
        search = saved_pages.put(tx, ada_id or "", "dataset", "Asked for", "")
    assert house.visitor("ada").post(f"/comparisons/{saved}/share", username="eve").status_code == 303
    member, state = count("member"), asking("SELECT id, state FROM user ORDER BY id")
    return {
        "/organization/<ref>/members/remove": ("ada", "/organization/asking/members/remove", {"username": "kim"}, member),
        "/group/<ref>/members/remove": ("ada", "/group/asked/members/remove", {"username": "kim"}, member),
        "/<any(organization, group):where>/<ref>/leave": ("kim", "/group/asked/leave", {}, member),
        "/organization/<ref>/delete": ("root", "/organization/asking/delete", {}, count("community")),
        "/group/<ref>/delete": ("ada", "/group/asked/delete", {}, count("community")),
        "/user/<name>/api-tokens/<token_id>/revoke": ("ada", f"/user/ada/api-tokens/{token}/revoke", {}, count("token")),
        "/user/<name>/sessions/<session_id>/end": ("ada", f"/user/ada/sessions/{session}/end", {}, count("session")),
        "/admin/users/<name>/<any(disable, enable, promote, demote):what>": ("root", "/admin/users/kim/disable", {}, state),
        "demote": ("root", "/admin/users/root/demote", {}, asking("SELECT id, sysadmin FROM user ORDER BY id")),
        "/comparisons/<comparison_id>/delete": ("ada", f"/comparisons/{saved}/delete", {}, count("saved_page")),
        "/searches/<search_id>/delete": ("ada", f"/searches/{search}/delete", {}, count("saved_page")),
        "/comparisons/<comparison_id>/unshare": ("ada", f"/comparisons/{saved}/unshare", {"username": "eve"}, count("saved_page_share")),
        "/dataset/<ref>/unshare": ("ada", f"/dataset/{shared}/unshare", {"username": "eve"}, count("collaborator")),
    }  # fmt: skip


def test_every_form_that_takes_something_away_asks_first(house: House, app: Any) -> None:  # noqa: F811
    known = cases(house)
    found = {rule.rule for rule in app.url_map.iter_rules() if "POST" in rule.methods and WORDS.search(rule.rule)}
    assert found - OWN_PAGE == known.keys() - {"demote"}, "a new form that takes something away: add it, and let it ask"
    for who, address, fields, kept in known.values():
        visitor = house.visitor(who)
        before = kept()
        asked = visitor.post(address, **fields)
        assert asked.status_code == 200, (address, asked.status_code, asked.text[:300])
        assert 'name="confirmed" value="yes"' in asked.text
        for name, value in fields.items():
            assert f'name="{name}" value="{value}"' in asked.text
        assert kept() == before, address


def test_the_answer_yes_does_it(house: House) -> None:
    ada, context = house.visitor("ada"), house.appliance.context
    house.people["ada"].circle("answering")
    communities.set_member(context, OPERATOR, "circle", "answering", "eve", "member")
    answer = ada.post("/organization/answering/members/remove", username="eve", confirmed="yes")
    assert answer.status_code == 303
    assert 'value="eve"' not in ada.page("/organization/answering/members")
