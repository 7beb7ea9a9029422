"""Moving everything to another DCOR: accounts, circles, collections with their members, then dataset after dataset.

Nothing is noted here: each call compares what is there with what is here and sends what is missing, so it may be killed at any moment
and repeated. Ids stay where the other server lets an administrator choose them. Nothing is changed or deleted on either side that
was there before.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from appliance.actions.site import Site
from appliance.model.problem import Problem
from appliance.model.server_address import refused
from appliance.model.viewer import Viewer
from appliance.peer.client import Client, Refusal
from appliance.peer.moving import DatasetMover, created_with_extras
from appliance.peer.progress import Progress
from appliance.peer.sending import FileSender
from appliance.security import policy
from appliance.store import audit, communities, datasets, users

KINDS = ("users", "circles", "collections", "datasets")
_CKAN = {"circle": "organization", "collection": "group"}
#: An action that appliances know and CKAN does not: they let an administrator choose the ids of files.
_OURS = "dataset_collection_list"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What did not go. :ivar kind: user, circle, collection, member, dataset, file, supplements, extras or collaborator."""

    kind: str
    name: str
    reason: str


@dataclass(slots=True)
class Report:
    """What a move has done. :ivar made: names by kind; :ivar present: how many were there before; :ivar new_ids: of files, old → new."""

    target: str
    made: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    present: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    new_ids: dict[str, str] = field(default_factory=dict)
    files: int = 0
    sent: int = 0

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def move(site: Site, viewer: Viewer, client: Client, progress: Progress) -> Report:
    """Send all that is not there yet. Raises Problem when the other server fails as a whole or the token is no administrator's."""
    policy.require(viewer, "site:administer")
    return _Move(site, viewer, client, progress).run()


class _Move:
    """One call of `move`."""

    def __init__(self, site: Site, viewer: Viewer, client: Client, progress: Progress) -> None:
        self._site, self._viewer, self._client, self._progress = site, viewer, client, progress
        self._report = Report(client.address.url)
        self._people: set[str] = set()  # ids of accounts that are the same here and there
        self._places: set[str] = set()  # ids of circles and collections, likewise
        self._caller = ""

    def run(self) -> Report:
        """Everything, in an order in which each thing finds what it needs."""
        self._require_administrator()
        with self._site.db.read() as conn:
            people = users.listed(conn)
            places = [
                (kind, row) for kind in _CKAN for row in communities.listed(conn, kind, self._viewer, counted=False)
            ]
            members = {row["id"]: communities.members(conn, row["id"]) for _, row in places}
            ids = datasets.living_ids(conn)
        with self._site.db.write() as tx:
            audit.add(tx, self._viewer, "site.move", "site", "", target=self._report.target, datasets=len(ids))
        for person in people:
            self._tried("user", person["name"], partial(self._user, person))
        for kind, row in places:
            self._tried(kind, row["name"], partial(self._place, kind, row, members[row["id"]]))
        self._datasets(ids)
        return self._report

    def _datasets(self, ids: list[str]) -> None:
        sender = FileSender(
            self._client, self._site.settings.publish.storage.split(), self._progress, keep_ids=self._keeps_ids()
        )
        mover = DatasetMover(self._site, self._client, sender, self._people, self._places)
        self._progress.expect(mover.expected(ids))
        for dataset_id in ids:
            with self._site.db.read() as conn:
                row = datasets.find(conn, dataset_id)
            if row is not None:  # else it was purged just now
                self._tried("dataset", row["name"], partial(self._dataset, mover, row))

    def _tried(self, kind: str, name: str, send: Callable[[], object]) -> None:
        """Send one thing; what the server does not want of it does not stop the others."""
        try:
            send()
        except Refusal as refusal:
            self._report.left_out.append(LeftOut(kind, name, str(refusal)))
        except Problem as problem:
            if problem.status not in (404, 409):
                raise
            self._report.left_out.append(LeftOut(kind, name, str(problem)))

    # --- the server ----------------------------------------------------------------------------------------------------

    def _require_administrator(self) -> None:
        try:
            own = self._client.call("user_show")
        except Refusal as refusal:
            raise refused(f"{self._client.address.name} does not accept the token: {refusal}") from refusal
        if not isinstance(own, Mapping) or own.get("sysadmin") is not True:
            raise refused(f"The token must be an administrator's (sysadmin) of {self._client.address.name}.")
        self._caller = str(own.get("id"))

    def _keeps_ids(self) -> bool:
        try:
            self._client.call("help_show", name=_OURS)
        except Refusal:
            self._report.notes.append(
                "This server gives files ids of its own; the list new_ids of --json tells old and new ones."
            )
            return False
        return True

    def _shown(self, action: str, **parameters: Any) -> Mapping[str, Any] | None:
        """What is there under an id, or None."""
        try:
            found = self._client.call(action, **parameters)
        except Refusal as refusal:
            if refusal.status in (403, 404):
                return None
            raise
        return found if isinstance(found, Mapping) else None

    # --- accounts, circles, collections --------------------------------------------------------------------------------

    def _user(self, row: sqlite3.Row) -> None:
        there = self._shown("user_show", id=row["id"])
        if there is not None and there.get("id") == row["id"]:
            self._report.present["users"] += 1
        else:
            texts = {key: row[key] for key in ("name", "fullname", "email", "about", "image_url")}
            self._client.call("user_create", id=row["id"], password=secrets.token_urlsafe(32), **texts)
            self._report.made["users"].append(row["name"])
            if row["sysadmin"]:
                self._report.notes.append(f"{row['name']} is an administrator here and an ordinary user there.")
        self._people.add(row["id"])

    def _place(self, kind: str, row: sqlite3.Row, members: list[sqlite3.Row]) -> None:
        word = _CKAN[kind]
        there = self._shown(f"{word}_show", id=row["id"], include_users=True, include_datasets=False)
        known: dict[str, str] = {}
        if there is not None and there.get("id") == row["id"]:
            self._report.present[f"{kind}s"] += 1
            known = {str(one.get("id")): str(one.get("capacity")) for one in there.get("users") or ()}
        else:
            texts = {key: row[key] for key in ("name", "title", "description", "image_url")}
            fields = {"id": row["id"], **texts}
            if reason := created_with_extras(self._client, f"{word}_create", fields, row["extras"]):
                self._report.left_out.append(LeftOut("extras", row["name"], reason))
            self._report.made[f"{kind}s"].append(row["name"])
            self._tried("member", row["name"], partial(self._leave, word, row, members))
        self._places.add(row["id"])
        for one in members:
            label = f"{row['name']}: {one['name']}"
            if one["id"] not in self._people:
                reason = "the account is not there"
                self._report.left_out.append(LeftOut("member", label, reason))
            elif known.get(one["id"]) != one["role"]:
                self._tried("member", label, partial(self._member, word, row["id"], one))

    def _member(self, word: str, place: str, one: sqlite3.Row) -> None:
        self._client.call(f"{word}_member_create", id=place, username=one["id"], role=one["role"])

    def _leave(self, word: str, row: sqlite3.Row, members: list[sqlite3.Row]) -> None:
        """CKAN makes whoever creates a circle its administrator."""
        if self._caller not in {one["id"] for one in members}:
            self._client.call(f"{word}_member_delete", id=row["id"], username=self._caller)

    # --- datasets -------------------------------------------------------------------------------------------------------

    def _dataset(self, mover: DatasetMover, row: sqlite3.Row) -> None:
        if row["circle_id"] not in self._places:
            raise Problem(409, "Validation Error", message="its circle is not there")
        done = mover.send(row)
        report = self._report
        if done.made:
            report.made["datasets"].append(row["name"])
        else:
            report.present["datasets"] += 1
        report.files += done.files
        report.sent += done.sent
        report.new_ids |= done.new_ids
        report.notes += done.notes
        report.left_out += [LeftOut(kind, f"{row['name']}: {name}", reason) for kind, name, reason in done.left_out]
