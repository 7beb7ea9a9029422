"""Mirroring another DCOR: accounts, circles, collections, then each dataset with all its files, whole or not at all.

May be killed at any moment and called again: files that have arrived are noted (`store.origins`), everything else is one
transaction for each thing. What is deleted there is told, never deleted here.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from appliance.actions import accounts, profile_fields
from appliance.actions.site import Site
from appliance.model import names
from appliance.model.problem import Problem
from appliance.model.viewer import Viewer
from appliance.peer import catalogue, plan
from appliance.peer.catalogue import LeftOut, Selection
from appliance.peer.client import Refusal
from appliance.peer.dataset_rows import share, write_dataset
from appliance.peer.entries import PeerCommunity, PeerDataset, PeerFile, PeerUser, Unfit, digest
from appliance.peer.files import FileReceiver
from appliance.peer.plan import Plan
from appliance.peer.progress import Progress
from appliance.peer.source import Source
from appliance.security import policy, tokens
from appliance.store import audit, communities, mirroring, one_time_links, origins, resources, sharing, users
from appliance.store.origins import Received

#: How long the links are good by which new accounts set a password [hours].
LINK_HOURS = 14 * 24
#: Datasets that are fetched at once.
PARALLEL = 3


def _kinds() -> dict[str, list[str]]:
    return {"users": [], "circles": [], "collections": [], "datasets": []}


@dataclass(slots=True)
class Report:
    """What a pull has done. :ivar taken, updated: names by kind; :ivar fetched: bytes that came; :ivar unverified: files without a checksum there."""

    source: str
    taken: dict[str, list[str]] = field(default_factory=_kinds)
    updated: dict[str, list[str]] = field(default_factory=_kinds)
    unchanged: dict[str, int] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    deleted_there: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: int = 0
    fetched: int = 0


@dataclass(frozen=True, slots=True)
class Options:
    """How to pull. :ivar incomplete: take datasets also without files that cannot be had; :ivar link: is told (name, address of the one-time link).

    :ivar condensed: take the server's condensed files, too.
    """

    incomplete: bool = False
    parallel: int = PARALLEL
    link: Callable[[str, str], None] = lambda _name, _address: None
    condensed: bool = False


def preview(site: Site, viewer: Viewer, client: Source, wanted: Selection) -> Plan:
    """What `pull` would do. Writes nothing. Raises Problem."""
    policy.require(viewer, "site:administer")
    return plan.make(site, client.address.url, catalogue.read(client, wanted), wanted)


def pull(site: Site, viewer: Viewer, client: Source, wanted: Selection, options: Options, progress: Progress) -> Report:
    """Take what is new or has changed there. Raises Problem when the other server or the disk here fails as a whole."""
    return _Pull(site, viewer, client, options, progress).run(preview(site, viewer, client, wanted), wanted)


class _Pull:
    """One call of `pull`."""

    def __init__(self, site: Site, viewer: Viewer, client: Source, options: Options, progress: Progress) -> None:
        self._site, self._viewer, self._client, self._options = site, viewer, client, options
        self._source = client.address.url
        self._receiver = FileReceiver(site, client, self._source, progress)
        self._progress = progress
        self._report = Report(self._source)
        self._lock = threading.Lock()
        self._stop: Problem | None = None

    def run(self, todo: Plan, wanted: Selection) -> Report:
        """Carry out the plan."""
        report = self._report
        report.unchanged = dict(todo.unchanged)
        report.left_out, report.deleted_there, report.notes = todo.left_out, todo.deleted_there, todo.notes
        self._progress.expect(todo.size)
        for user in todo.users:
            self._each("user", user.name, partial(self._take_user, user))
        for one in todo.communities:
            self._each(one.kind, one.name, partial(self._take_community, one, one.id in todo.changed))
        with ThreadPoolExecutor(self._options.parallel, "pull") as pool:
            list(pool.map(lambda one: self._take_dataset_of(one, todo), todo.datasets))
            if wanted.users:
                list(pool.map(self._share_again, todo.known))
        if self._stop is not None:
            raise self._stop
        self._forget_leftovers()
        self._site.wake_jobs()
        return report

    def _each(self, kind: str, name: str, take: Callable[[], None]) -> None:
        """Take one thing; what is wrong with it does not stop the others, a full disk or a dead server does."""
        if self._stop is not None:
            return
        try:
            take()
        except (Unfit, Refusal) as reason:
            self._leave_out(kind, name, str(reason))
        except Problem as problem:
            if problem.status in (502, 507):
                self._stop = self._stop or problem
            else:
                self._leave_out(kind, name, str(problem))
        except FileExistsError:
            self._leave_out(kind, name, "another file lies in the depot under the id of one of its files")
        except OSError as error:
            self._stop = self._stop or Problem(
                507, "Insufficient Storage", message=f"The data volume refuses: {error.strerror or error}."
            )

    def _leave_out(self, kind: str, name: str, reason: str) -> None:
        with self._lock:
            self._report.left_out.append(LeftOut(kind, name, reason))

    # --- accounts, circles, collections --------------------------------------------------------------------------------

    def _take_user(self, user: PeerUser) -> None:
        profile: dict[str, Any] = profile_fields.checked_profile(
            {"fullname": user.fullname, "about": user.about, "image_url": user.image_url}
        )
        email = profile_fields.require_email(user.email)
        secret, hash_, _ = tokens.new_token()
        state = "pending" if user.state == "pending" else "active"
        with self._site.db.write() as tx:
            users.create(tx, user.name, email, **profile, id_=user.id, state=state)
            mirroring.set_created(tx, "user", user.id, user.created)
            one_time_links.create(tx, user.id, "password", hash_, hours=LINK_HOURS)
            origins.put(tx, "user", user.id, self._source, digest(user))
            audit.add(tx, self._viewer, "user.pull", "user", user.id, source=self._source)
            # before the commit: an account whose link nobody knows would be of no use
            self._options.link(user.name, accounts.link_address(self._site, secret))
        self._report.taken["users"].append(user.name)
        if user.sysadmin:
            self._report.notes.append(
                f"{user.name} is an administrator there and an ordinary user here; `dcor user promote {user.name}` changes that."
            )

    def _take_community(self, one: PeerCommunity, changed: bool) -> None:
        texts = {
            "title": one.title, "description": one.description, "image_url": one.image_url, "extras": one.extras,
        }  # fmt: skip
        with self._site.db.write() as tx:
            row = communities.find(tx, one.id, one.kind)
            name = one.name
            if row is None:
                name = _free_name(tx, one)
                communities.create(tx, one.kind, name, id_=one.id, **texts)
                mirroring.set_created(tx, one.kind, one.id, one.created)
            else:
                name = row["name"]
                communities.update(tx, one.id, **texts)
            strangers = self._set_members(tx, one)
            told = plan.fingerprint(digest(one), people_lacking=bool(strangers))
            origins.put(tx, one.kind, one.id, self._source, told)
            audit.add(tx, self._viewer, f"{one.kind}.pull", one.kind, one.id, source=self._source)
        (self._report.updated if changed else self._report.taken)[f"{one.kind}s"].append(name)
        if name != one.name:
            self._report.notes.append(f"The {one.kind} {one.name} is called {name} here because its name was taken.")
        if strangers:
            self._report.notes.append(
                f"{len(strangers)} members of the {one.kind} {name} have no account here that came from there ({_some(strangers)}); "
                "--users brings accounts."
            )

    def _set_members(self, tx: sqlite3.Connection, one: PeerCommunity) -> list[str]:
        """Give roles to accounts that came from there; → names of members without one. Nobody is put out."""
        known = origins.of_source(tx, "user", self._source)
        strangers = []
        roles = {row["id"]: (row["role"], row["name"]) for row in communities.members(tx, one.id)}
        for user_id, name, role in one.members:
            row = users.find(tx, user_id) if user_id in known else None
            if row is None or row["state"] in ("deleted", "disabled"):
                strangers.append(name)
            elif roles.get(user_id, ("", ""))[0] != role:
                communities.set_member(tx, one.id, user_id, role)
        for user_id in roles.keys() & known.keys() - {one_[0] for one_ in one.members}:
            self._report.notes.append(
                f"{roles[user_id][1]} is no longer in the {one.kind} {one.name} there, but is here."
            )
        return strangers

    # --- datasets -------------------------------------------------------------------------------------------------------

    def _take_dataset_of(self, listed: PeerDataset, todo: Plan) -> None:
        self._each("dataset", listed.name, lambda: self._take_dataset(listed, listed.id in todo.changed))
        self._client.close()

    def _take_dataset(self, listed: PeerDataset, changed: bool) -> None:
        shown = catalogue.show(self._client, listed.id)
        if shown.circle_id != listed.circle_id:
            raise Unfit("it moved to another circle just now; repeat the pull")
        plan.require_fit(self._site, shown)
        with self._site.db.read() as conn:
            new = plan.require_own_files(conn, shown.id, shown)
        received: dict[str, Received] = {}
        condensed: dict[str, str] = {}
        lacking: list[str] = []
        for number in new:
            file = shown.files[number]
            if self._stop is not None:
                return
            try:
                received[file.id] = self._receiver.fetch(shown.id, shown.circle_id, file)
                if self._options.condensed and names.is_measurement(file.name):
                    self._take_condensed(shown, file, condensed)
            except Unfit as reason:
                if not self._options.incomplete:
                    raise
                lacking.append(file.name)
                self._leave_out("file", f"{shown.name}/{file.name}", str(reason))
        shared = catalogue.collaborators(self._client, shown.id)
        fingerprint = "" if lacking else digest(listed)
        name, notes = write_dataset(
            self._site, self._viewer, self._source, shown, received, shared or [], fingerprint, condensed
        )
        self._note_dataset(shown, name, notes, received, changed=changed)

    def _take_condensed(self, dataset: PeerDataset, file: PeerFile, condensed: dict[str, str]) -> None:
        """Fetch the condensed file of a measurement; where there is none, it is made here as that of any other."""
        try:
            condensed[file.id] = self._receiver.fetch_condensed(dataset.id, dataset.circle_id, file)
        except Unfit as reason:
            with self._lock:
                self._report.notes.append(f"{dataset.name}/{file.name}: its condensed file is made anew ({reason}).")

    def _share_again(self, dataset: PeerDataset) -> None:
        """A server does not count a dataset as changed when it is shared with somebody else: ask."""
        self._each("dataset", dataset.name, partial(self._compare_sharing, dataset))
        self._client.close()

    def _compare_sharing(self, dataset: PeerDataset) -> None:
        there = catalogue.collaborators(self._client, dataset.id) or []
        with self._site.db.read() as conn:
            here = {row["user_id"]: row["capacity"] for row in sharing.collaborators(conn, dataset.id)}
        lacking = [one for one in there if here.get(one[0]) != one[1]]
        if lacking:
            notes: list[str] = []
            with self._site.db.write() as tx:
                share(tx, self._source, dataset, lacking, notes)
                audit.add(tx, self._viewer, "dataset.pull_sharing", "dataset", dataset.id, source=self._source)
            with self._lock:
                self._report.notes += notes

    def _note_dataset(
        self, shown: PeerDataset, name: str, notes: list[str], received: dict[str, Received], *, changed: bool
    ) -> None:
        report = self._report
        with self._lock:
            (report.updated if changed else report.taken)["datasets"].append(name)
            report.notes += notes
            report.files += len(received)
            report.fetched += sum(one.size for one in received.values())
            report.unverified += [
                f"{name}/{file.name}"
                for file in shown.files
                if file.id in received and file.sha256 is None and file.etag != received[file.id].etag
            ]

    def _forget_leftovers(self) -> None:
        """Files that arrived before and have become part of a dataset since."""
        with self._site.db.read() as conn:
            held = origins.all_received(conn, self._source)
            over = {one: part for one, part in held.items() if resources.get(conn, one) is not None}
        for resource_id, part in over.items():
            self._receiver.discard(resource_id, part)


def _free_name(tx: sqlite3.Connection, one: PeerCommunity) -> str:
    """Its name, or where that is taken the name with the begin of its id."""
    digits = one.id.replace("-", "")
    for count in (0, 4, 8, 32):
        name = f"{one.name[:60]}-{digits[:count]}" if count else one.name
        if not any(communities.find(tx, name, kind, deleted=True) for kind in ("circle", "collection")):
            return name
    raise Unfit("its name is taken here")


def _some(found: list[str]) -> str:
    return ", ".join(found[:5]) + (" …" if len(found) > 5 else "")


__all__ = ["LINK_HOURS", "PARALLEL", "Options", "Report", "preview", "pull"]
