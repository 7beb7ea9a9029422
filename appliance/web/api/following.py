"""Actions on following: datasets, circles, collections and users.

Who follows whom is seen by the follower and by administrators; others learn numbers, of what they may see.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from appliance.actions import following as verbs
from appliance.actions import lookup
from appliance.model.problem import Problem, invalid
from appliance.store import documents, following, users
from appliance.web.api import shapes
from appliance.web.api.registry import Call, action, text

_OWNER = text("id", "Id or name of the user; default: the caller", aliases=("user_id", "user"))

#: Word in action names → what is stored as followed, rule under which its followers are counted, what is asked about it.
_FOLLOWED = {
    "dataset": ("dataset", "site:read", "dataset:read"),
    "group": ("community", "site:read", None),
    "organization": ("community", "site:read", None),
    "user": ("user", "site:user", "user:find"),
}
_NAMES = {
    "dataset": "a dataset",
    "group": "a collection",
    "organization": "a circle",
    "user": "a user",
    "community": "a circle or collection",
}


@contextmanager
def _named(word: str) -> Iterator[None]:
    """What is missing, or hidden, is a wrong value of `id` to CKAN's actions on following: 409 instead of 404."""
    try:
        yield
    except Problem as problem:
        if problem.status != 404:
            raise
        raise invalid({"id": [f"Not found: {word.title()}"]}) from problem


def _declare_follow(word: str) -> None:
    """Follow, unfollow and "do I?"; `group` is any community, as in CKAN."""
    kind, _rule, asks = _FOLLOWED[word]
    name = _NAMES["community" if word == "group" else word]
    id_ = text("id", f"Id or name of {name}", required=True)

    @action(f"follow_{word}", id_, rule="follow:change", asks=asks, doc=f"Follow {name}; again is fine.")
    def follow(call: Call) -> dict[str, Any]:
        """Add the caller to its followers."""
        with _named(word):
            return verbs.follow(call.context, call.viewer, kind, call["id"])

    @action(f"unfollow_{word}", id_, rule="follow:change", asks=None, doc=f"Follow {name} no longer.")
    def unfollow(call: Call) -> None:
        """Remove the caller from its followers."""
        with _named(word):
            verbs.unfollow(call.context, call.viewer, kind, call["id"])

    @action(
        f"am_following_{word}",
        id_,
        rule="site:user",
        asks=asks,
        get=True,
        cacheable=True,
        doc=f"Does one follow {name}?",
    )
    def am_following(call: Call) -> bool:
        """Is the caller among its followers?"""
        with _named(word), call.context.db.read() as conn:
            id_ = verbs.find(conn, call.viewer, kind, call["id"])
            return following.follows(conn, call.viewer.user_id or "", kind, id_)


def _declare_followers(word: str) -> None:
    """How many follow something, and who; `group` is any community, as in CKAN."""
    kind, rule, asks = _FOLLOWED[word]
    name = _NAMES["community" if word == "group" else word]
    id_ = text("id", f"Id or name of {name}", required=True)

    def found(call: Call, conn: sqlite3.Connection) -> str:
        """The id of what is asked about."""
        with _named(word):
            if word == "organization":
                return str(lookup.community(conn, call["id"], "circle")["id"])
            return verbs.find(conn, call.viewer, kind, call["id"])

    @action(
        f"{word}_follower_count",
        id_,
        rule=rule,
        asks=asks,
        get=True,
        doc=f"How many users follow {name}.",
    )
    def follower_count(call: Call) -> int:
        """Number of followers."""
        with call.context.db.read() as conn:
            return following.count(conn, kind, found(call, conn))

    @action(
        f"{word}_follower_list",
        id_,
        rule="user:list",
        asks=asks,
        get=True,
        doc=f"Who follows {name} (administrators only).",
    )
    def follower_list(call: Call) -> list[dict[str, Any]]:
        """The followers as whole users."""
        with call.context.db.read() as conn:
            return [_whole(conn, row) for row in following.followers(conn, kind, found(call, conn))]


def _whole(conn: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    return shapes.user(row, number_created_packages=users.datasets_created(conn, row["id"]), private=True)


# --- what one follows -------------------------------------------------------------------------------------------------


def _users(call: Call, conn: sqlite3.Connection, user_id: str) -> list[dict[str, Any]]:
    rows = following.followed_users(conn, user_id)
    return [_whole(conn, row) if call.viewer.sysadmin else shapes.acquaintance(row) for row in rows]


def _datasets(call: Call, conn: sqlite3.Connection, user_id: str) -> list[dict[str, Any]]:
    texts = documents.packages(conn, following.followed_datasets(conn, user_id, call.viewer))
    return [json.loads(one) for one in texts]


def _communities(kind: str) -> Callable[[Call, sqlite3.Connection, str], list[dict[str, Any]]]:
    def found(call: Call, conn: sqlite3.Connection, user_id: str) -> list[dict[str, Any]]:
        """Those of one kind."""
        rows = following.followed_communities(conn, user_id, kind)
        return [shapes.community(row, followers=following.count(conn, "community", row["id"])) for row in rows]

    return found


#: Word in action names → what a user follows of that kind, as far as the caller may see it.
_FOLLOWEES = {
    "user": _users,
    "dataset": _datasets,
    "group": _communities("collection"),
    "organization": _communities("circle"),
}
_PLURALS = {"user": "users", "dataset": "datasets", "group": "collections", "organization": "circles"}


def _of_owner(call: Call, *words: str) -> list[tuple[str, dict[str, Any]]]:
    with call.context.db.read() as conn:
        row = lookup.person(conn, call.viewer, call["id"] or call.viewer.user_id, "follow:read")
        return [(word, one) for word in words for one in _FOLLOWEES[word](call, conn, row["id"])]


def _declare_followees(word: str) -> None:
    """What a user follows of one kind."""
    doc = f"The {_PLURALS[word]} that one follows."

    @action(f"{word}_followee_list", _OWNER, rule="site:user", asks="follow:read", get=True, doc=doc)
    def followee_list(call: Call) -> list[dict[str, Any]]:
        """What is followed."""
        return [one for _, one in _of_owner(call, word)]

    doc = f"How many {_PLURALS[word]} one follows."

    @action(f"{word}_followee_count", _OWNER, rule="site:user", asks="follow:read", get=True, doc=doc)
    def followee_count(call: Call) -> int:
        """Number of what is followed."""
        return len(_of_owner(call, word))


@action(
    "followee_list",
    _OWNER,
    text("q", "Only those whose displayed name begins so", default=""),
    rule="site:user",
    asks="follow:read",
    get=True,
)
def followee_list(call: Call) -> list[dict[str, Any]]:
    """All that one follows, by displayed name: type, display_name, dict."""
    found = [
        {"type": word, "display_name": one.get("display_name") or one["title"], "dict": one}
        for word, one in _of_owner(call, *_FOLLOWEES)
    ]
    start = (call["q"] or "").strip().lower()
    chosen = [one for one in found if str(one["display_name"]).strip().lower().startswith(start)]
    return sorted(chosen, key=lambda one: str(one["display_name"]))


@action("followee_count", _OWNER, rule="site:user", asks="follow:read", get=True)
def followee_count(call: Call) -> int:
    """How many datasets, circles, collections and users one follows."""
    return len(_of_owner(call, *_FOLLOWEES))


for _word in ("dataset", "group", "user"):
    _declare_follow(_word)
for _word in _FOLLOWED:
    _declare_followers(_word)
    _declare_followees(_word)
