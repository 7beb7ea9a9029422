"""Passwords and sessions of people."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.actions import accounts, login
from appliance.actions.site import Site
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR, Viewer
from appliance.security import passwords, session_cookies
from appliance.settings import Settings
from appliance.store import sessions, users
from appliance.store.database import Database
from appliance.store.depot import Depot

GOOD, BETTER = "four words make sense", "another four words make sense"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    db = Database(tmp_path / "dcor.sqlite")
    db.create()
    made = Site(Settings(), db, Depot(tmp_path))
    accounts.create(made, OPERATOR, {"name": "ann", "email": "ann@example.org", "password": GOOD})
    return made


def _viewer(site: Site) -> Viewer:
    with site.db.read() as conn:
        row = users.find(conn, "ann")
    assert row is not None
    return Viewer(user_id=row["id"], name="ann", scope="admin", sees_public=True)


def _lives(site: Site, cookie: str | None) -> bool:
    with site.db.read() as conn:
        return cookie is not None and sessions.find(conn, session_cookies.session_hash(cookie)) is not None


def test_signing_in_by_name_or_address(site: Site) -> None:
    assert _lives(site, login.sign_in(site, "ann", GOOD))
    assert _lives(site, login.sign_in(site, "ANN@example.org", GOOD))
    assert login.sign_in(site, "ann", BETTER) is None
    assert login.sign_in(site, "nobody", GOOD) is None


def test_a_new_password_ends_all_sessions(site: Site) -> None:
    cookie = login.sign_in(site, "ann", GOOD)
    with pytest.raises(Problem, match="old_password"):
        accounts.change_password(site, _viewer(site), "ann", BETTER, old="wrong")
    assert _lives(site, cookie)
    accounts.change_password(site, _viewer(site), "ann", BETTER, old=GOOD)
    assert not _lives(site, cookie)
    assert login.sign_in(site, "ann", GOOD) is None
    assert login.sign_in(site, "ann", BETTER)


def test_a_link_works_once(site: Site) -> None:
    secret = accounts.one_time_link(site, OPERATOR, "ann")
    with pytest.raises(Problem, match="characters or longer"):
        accounts.use_link(site, secret, "weak")
    assert accounts.use_link(site, secret, BETTER) == "ann"
    with pytest.raises(Problem, match="has been used or has expired"):
        accounts.use_link(site, secret, GOOD)
    with pytest.raises(Problem, match="has been used or has expired"):
        accounts.use_link(site, "nonsense", GOOD)
    assert login.sign_in(site, "ann", BETTER)


def test_somebody_elses_password_is_out_of_reach(site: Site) -> None:
    stranger = Viewer(user_id="u", name="u", scope="admin", sees_public=True)
    for attempt in (
        lambda: accounts.change_password(site, stranger, "ann", BETTER, old=GOOD),
        lambda: accounts.update(site, stranger, "ann", {"password": BETTER}),
        lambda: accounts.one_time_link(site, stranger, "ann"),
    ):
        with pytest.raises(Problem) as refused:
            attempt()
        assert refused.value.status == 403
    assert login.sign_in(site, "ann", GOOD)


@pytest.mark.parametrize(
    "change",
    [
        lambda site: accounts.create(site, OPERATOR, {"name": "bob", "email": "bob@example.org", "password": GOOD}),
        lambda site: accounts.update(site, OPERATOR, "ann", {"password": BETTER}),
        lambda site: accounts.change_password(site, OPERATOR, "ann", BETTER),
        lambda site: accounts.use_link(site, accounts.one_time_link(site, OPERATOR, "ann"), BETTER),
    ],
    ids=["create", "update", "change_password", "use_link"],
)
def test_nobody_waits_for_a_hash_to_write(
    site: Site, change: Callable[[Site], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing takes 50 ms on purpose; meanwhile another thread must get the writer."""
    wrote: list[bool] = []
    real = passwords.hash_password

    def hash_password(password: str) -> str:
        def write() -> None:
            with site.db.write() as tx:
                users.seen(tx, "nobody")
            wrote.append(True)

        other = threading.Thread(target=write, daemon=True)
        other.start()
        other.join(5)
        return real(password)

    monkeypatch.setattr(passwords, "hash_password", hash_password)
    change(site)
    assert wrote == [True]
