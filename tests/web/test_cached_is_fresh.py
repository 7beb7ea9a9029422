"""A cached answer is the answer that would be made now, whatever was committed and asked before, and in whatever order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from appliance.actions import accounts, login
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from appliance.security import csrf, session_cookies
from appliance.store import announcements, communities, datasets, sharing, users
from appliance.store.cache import Cache
from appliance.web import authentication, route_table, wsgi
from appliance.web.app import create_app
from appliance.web.context import Context
from appliance.web.http import FileBody, Headers, Request, problem_text
from appliance.web.routes import find
from tests.web.api.permission_fixture import World

PASSWORD = "correct horse 1 battery"
PEOPLE = ("ann", "bob")
CREDENTIALS = [(name, kind) for name in PEOPLE for kind in ("session", "read", "write", "admin")] + [("", "")]
ADDRESSES = [
    "/",
    "/dataset/{public}",
    "/dataset/{private}",
    "/dataset/{public}/resource/{public_file}",
    "/dataset/{private}/resource/{private_file}",
    "/dataset?q=dataset",
    "/dataset/{private}/resource/{private_file}/download",
    "/api/3/action/package_show?id={public}",
    "/api/3/action/package_show?id={private}",
    "/api/3/action/resource_show?id={private_file}",
    "/api/3/action/package_search?q=dataset&include_private=true",
    '/api/3/action/package_search?q=*:*&facet.field=["tags"]&rows=1',
    "/api/3/action/organization_list?all_fields=true",
    "/api/3/action/group_list",
    "/api/3/action/dcserv?id={private_file}&query=metadata&version=2",
    "/api/3/action/status_show",
]
LANGUAGES = ["en", "de"]
ROLES = [None, "member", "editor", "admin"]
Answer = tuple[int, Any, Any]


class Site:
    """One way to ask: the whole application over a database, with a cache of its own."""

    def __init__(self, world: World, limit: int) -> None:
        one = world.context
        self.context = Context(one.settings, one.db, one.depot, signer=one.signer)
        self.context.cache = Cache(one.db.generation, limit)
        self.routes = (*route_table.routes(), wsgi.pages_route(create_app(self.context)))

    def ask(self, path: str, headers: dict[str, str]) -> Answer:
        """Status, what matters of the headers, and body."""
        plain, _, query = path.partition("?")
        fields = Headers([("Host", "localhost"), *headers.items()])
        request = Request("GET", path, plain, query, fields, client="192.0.2.7", host="localhost")
        found = find(self.routes, request)
        assert found is not None
        try:
            response = found[0].answer(self.context, request, found[1])
        except Problem as problem:
            response = problem_text(problem)
        kept = {name: value for name, value in response.headers if name not in {"Date", "Set-Cookie"}}
        body: Any = response.body
        if isinstance(body, FileBody):
            body = (body.start, body.length)
        response.close()
        return response.status, kept, body


class Estate:
    """Two sites over one database, and people with every kind of credential."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.db = world.context.db
        self.cached, self.fresh = Site(world, 1 << 20), Site(world, 0)
        self.datasets = [world.dataset("public"), world.dataset("private")]
        self.ids, self.headers = {}, {("", ""): dict[str, str]()}
        for name in PEOPLE:
            values = {"name": name, "email": f"{name}@example.org", "password": PASSWORD}
            self.ids[name] = accounts.create(world.context, OPERATOR, values)
            cookie = login.sign_in(world.context, name, PASSWORD)
            self.headers[name, "session"] = {"Cookie": f"{session_cookies.COOKIE}={cookie}"}
            for scope in ("read", "write", "admin"):
                with self.db.write() as tx:
                    users.set_sysadmin(tx, self.ids[name], scope == "admin")
                token, _ = accounts.create_token(world.context, OPERATOR, name, scope, scope=scope)
                self.headers[name, scope] = {"Authorization": token}
            for credential in CREDENTIALS:
                if credential in self.headers:  # the first use is noted, which is a commit
                    self.fresh.ask("/api/3/action/status_show", self.headers[credential])

    def path(self, address: str) -> str:
        """An address with the names of the datasets filled in."""
        public, private = self.datasets
        return address.format(
            public=public.name, private=private.name, public_file=public.resource, private_file=private.resource
        )


def role(kind: str) -> Callable[[Estate, Any, str, Any], None]:
    def change(estate: Estate, tx: Any, name: str, value: Any) -> None:
        community = getattr(estate.world, kind)
        if value is None:
            communities.remove_member(tx, community, estate.ids[name])
        else:
            communities.set_member(tx, community, estate.ids[name], value)

    return change


def collaborator(estate: Estate, tx: Any, name: str, value: Any) -> None:
    private = estate.datasets[1].id
    if value in {"member", "editor"}:
        sharing.set_collaborator(tx, private, estate.ids[name], value)
    else:
        sharing.remove_collaborator(tx, private, estate.ids[name])


CHANGES: dict[str, Callable[[Estate, Any, str, Any], object]] = {
    "circle": role("circle"),
    "collection": role("collection"),
    "collaborator": collaborator,
    "administrator": lambda estate, tx, name, value: users.set_sysadmin(tx, estate.ids[name], value is not None),
    "account": lambda estate, tx, name, value: users.set_state(tx, estate.ids[name], "deleted" if value is None else "active"),
    "privacy": lambda estate, tx, name, value: datasets.update(tx, estate.datasets[1].id, private=int(value != "member")),
    "title": lambda estate, tx, name, value: datasets.update(tx, estate.datasets[0].id, title=f"dataset of {name} {value}"),
    "announcement": lambda estate, tx, name, value: announcements.announce(tx, f"{name} {value}" if value else ""),
    "maintenance": lambda estate, tx, name, value: announcements.set_maintenance(tx, "closed" if value == "editor" else ""),
}  # fmt: skip
#: Where another commit comes in between: the caller has just been found, or all that pages read before they are rendered.
POINTS = [
    (authentication, "by_session"),
    (authentication, "by_token"),
    (authentication, "anonymous"),
    (csrf, "refusal"),
]
credentials, addresses = st.sampled_from(CREDENTIALS), st.sampled_from(ADDRESSES)
changes, names, values = st.sampled_from(sorted(CHANGES)), st.sampled_from(PEOPLE), st.sampled_from(ROLES)


@pytest.fixture(scope="module")
def estate() -> Iterator[Estate]:
    world = World()
    world.appliance.service.jobs.stop(grace=5.0)  # nobody else commits
    yield Estate(world)
    world.stop()


def machine(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> type[RuleBasedStateMachine]:
    """Commits and requests in any order."""
    pending: dict[str, tuple[str, str, Any]] = {}
    for module, point in POINTS:
        original = getattr(module, point)

        def interrupted(*args: Any, original: Any = original, point: str = point, **more: Any) -> Any:
            found = original(*args, **more)
            if point in pending:
                commit(*pending.pop(point))
            return found

        monkeypatch.setattr(module, point, interrupted)

    def commit(what: str, name: str, value: Any) -> None:
        with estate.db.write() as tx:
            CHANGES[what](estate, tx, name, value)
            for one in estate.datasets:
                datasets.touch(tx, one.id)

    class Machine(RuleBasedStateMachine):
        """What may happen."""

        @rule(who=st.lists(credentials, min_size=1, max_size=6), address=addresses)
        def ask(self, who: list[tuple[str, str]], address: str) -> None:
            """Several callers, each in both languages."""
            path = estate.path(address)
            for one in who:
                for language in LANGUAGES:
                    headers = estate.headers[one] | {"Accept-Language": language}
                    assert estate.cached.ask(path, headers) == estate.fresh.ask(path, headers), (one, path)

        @rule(what=changes, name=names, value=values)
        def commit(self, what: str, name: str, value: Any) -> None:
            commit(what, name, value)

        @rule(
            what=changes, who=credentials, address=addresses, before=values, after=values, point=st.sampled_from(POINTS)
        )
        def commit_in_mid_request(
            self, what: str, who: tuple[str, str], address: str, before: Any, after: Any, point: tuple[Any, str]
        ) -> None:
            """Something changes and changes again when a request has just found out who asks, or a little later."""
            name = who[0] or PEOPLE[0]
            commit(what, name, before)
            pending[point[1]] = (what, name, after)
            estate.cached.ask(estate.path(address), estate.headers[who] | {"Accept-Language": "en"})
            pending.clear()
            self.ask([who], address)

    return Machine


def test_a_cached_answer_equals_a_fresh_one(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = datetime.now(UTC)
    monkeypatch.setattr("appliance.web.pages.frame.format.datetime", SimpleNamespace(now=lambda zone: frozen))
    monkeypatch.setattr("appliance.web.pages.frame.site._TOTALS_AGE", -1.0)  # sums may be a minute old, see its test
    run_state_machine_as_test(
        machine(estate, monkeypatch),
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
    assert estate.cached.context.cache.size > 0
    assert len(estate.fresh.context.cache) == 0
