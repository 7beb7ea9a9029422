"""What a pull has to do: what is new there, what has changed, what cannot come and why. Nothing is written."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass, field

from appliance.actions import dataset_fields
from appliance.actions.site import Site
from appliance.model import licences
from appliance.model.problem import Problem
from appliance.peer.catalogue import Catalogue, LeftOut, Selection
from appliance.peer.entries import PeerCommunity, PeerDataset, PeerUser, Unfit, digest
from appliance.store import communities, datasets, origins, resources, users

_WITHOUT_PEOPLE = " without people"


@dataclass(slots=True)
class Plan:
    """What is to be done.

    :ivar changed: ids of those that are here already, in an older state; :ivar unchanged: number of things by kind;
    :ivar known: unchanged datasets, with whom they are shared may have changed all the same;
    :ivar deleted_there: names here of datasets that came from there and are gone there.
    """

    users: list[PeerUser] = field(default_factory=list)
    communities: list[PeerCommunity] = field(default_factory=list)
    datasets: list[PeerDataset] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    unchanged: Counter[str] = field(default_factory=Counter)
    left_out: list[LeftOut] = field(default_factory=list)
    known: list[PeerDataset] = field(default_factory=list)
    deleted_there: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: int = 0
    size: int = 0


def make(site: Site, source: str, found: Catalogue, wanted: Selection) -> Plan:
    """Compare what is there with what is here."""
    plan = Plan(left_out=list(found.left_out), notes=list(found.notes))
    with site.db.read() as conn:
        for user in found.users:
            _plan_user(conn, source, user, plan)
        usable = _plan_communities(conn, source, found, wanted, plan)
        for dataset in found.datasets:
            try:
                _plan_dataset(site, conn, source, dataset, usable, wanted, plan)
            except Unfit as reason:
                plan.left_out.append(LeftOut("dataset", dataset.name, str(reason)))
        if wanted.whole:
            for dataset_id in sorted(origins.of_source(conn, "dataset", source).keys() - found.held):
                row = datasets.find(conn, dataset_id)
                if row is not None and row["state"] != "deleted":
                    plan.deleted_there.append(row["name"])
    return plan


def require_fit(site: Site, dataset: PeerDataset) -> None:
    """Do the rules of this server allow the dataset? Raises Unfit."""
    try:
        licences.require_listed(dataset.license_id, site.settings.policy.licences)
    except Problem:
        raise Unfit(
            f"its licence '{dataset.license_id}' is not in the list of this server (setting policy.licences)"
        ) from None
    try:
        dataset_fields.initial_visibility(site, dataset.private)
    except Problem:
        raise Unfit(
            "it is public, and this server allows private datasets only (setting policy.public_datasets)"
        ) from None
    try:
        dataset_fields.parsed(
            {"title": dataset.title, "notes": dataset.notes, "authors": dataset.authors, "doi": dataset.doi,
             "references": dataset.references}
        )  # fmt: skip
    except Problem as problem:
        raise Unfit(str(problem)) from problem


def fingerprint(told: str, *, people_lacking: bool) -> str:
    """What is noted of something taken, for `_is_known`. `people_lacking`: somebody who belongs to it has no account here."""
    return f"{told}{_WITHOUT_PEOPLE}" if people_lacking else told


def _is_known(origin: sqlite3.Row | None, told: str, wanted: Selection) -> bool:
    """Is it here as it is there, as far as accounts are wanted?"""
    if origin is None:
        return False
    return origin["digest"] == told or (not wanted.users and origin["digest"] == told + _WITHOUT_PEOPLE)


def _plan_user(conn: sqlite3.Connection, source: str, user: PeerUser, plan: Plan) -> None:
    """Accounts are made once; afterwards their owners look after them here."""
    origin = origins.get(conn, "user", user.id)
    if origin is not None and origin["source"] == source and users.find(conn, user.id) is not None:
        plan.unchanged["users"] += 1
        return
    reason = ""
    if users.find(conn, user.id) is not None:
        reason = "an account with this id is here already, and did not come from there"
    elif users.find(conn, user.name) is not None:
        reason = "another account has this name here"
    elif not user.email:
        reason = "the server tells no e-mail address of it"
    elif users.by_email(conn, user.email) is not None:
        reason = "another account has this e-mail address here"
    if reason:
        plan.left_out.append(LeftOut("user", user.name, reason))
    else:
        plan.users.append(user)


def _plan_communities(
    conn: sqlite3.Connection, source: str, found: Catalogue, wanted: Selection, plan: Plan
) -> set[str]:
    """→ ids of the circles and collections that are or will be here, and come from there."""
    usable = set()
    for one in found.communities:
        origin = origins.get(conn, one.kind, one.id)
        row = next((row for kind in ("circle", "collection") if (row := communities.find(conn, one.id, kind, deleted=True))), None)  # fmt: skip
        if row is not None and (origin is None or origin["source"] != source or row["kind"] != one.kind):
            plan.left_out.append(
                LeftOut(one.kind, one.name, "something with this id is here already, and did not come from there")
            )
            continue
        if row is not None and row["state"] == "deleted":
            plan.left_out.append(LeftOut(one.kind, one.name, "it was deleted here"))
            continue
        usable.add(one.id)
        if row is not None and _is_known(origin, digest(one), wanted):
            plan.unchanged[f"{one.kind}s"] += 1
        else:
            plan.communities.append(one)
            plan.changed |= {one.id} if row is not None else set()
    return usable


def _plan_dataset(
    site: Site,
    conn: sqlite3.Connection,
    source: str,
    dataset: PeerDataset,
    usable: set[str],
    wanted: Selection,
    plan: Plan,
) -> None:
    origin, row = origins.get(conn, "dataset", dataset.id), datasets.find(conn, dataset.id)
    if row is not None and row["id"] != dataset.id:
        raise Unfit(f"the dataset {row['name']} here has its ID as name")
    if row is not None and (origin is None or origin["source"] != source):
        raise Unfit("a dataset with this id is here already, and did not come from there")
    if row is not None and row["state"] == "deleted":
        raise Unfit(f"it was deleted here; `dcor trash restore {row['name']}` brings it back")
    if dataset.circle_id not in usable:
        raise Unfit(f"its circle {dataset.circle_name} cannot come")
    if row is not None and _is_known(origin, digest(dataset), wanted):
        plan.unchanged["datasets"] += 1
        plan.known.append(dataset)
        return
    require_fit(site, dataset)
    new = require_own_files(conn, dataset.id, dataset)
    plan.datasets.append(dataset)
    plan.changed |= {dataset.id} if row is not None else set()
    plan.files += len(new)
    plan.size += sum(dataset.files[number].size or 0 for number in new)


def require_own_files(conn: sqlite3.Connection, dataset_id: str, dataset: PeerDataset) -> list[int]:
    """Places of the files that are not here yet. Raises Unfit when a file's id or name belongs to another one here."""
    new = []
    here = {row["name"]: row["id"] for row in resources.of_dataset(conn, dataset_id)}
    for number, file in enumerate(dataset.files):
        row = resources.get(conn, file.id)
        if row is None:
            new.append(number)
            if here.get(file.name, file.id) != file.id:
                raise Unfit(f"another file of this dataset is called {file.name} here")
        elif row["dataset_id"] != dataset_id:
            raise Unfit(f"the id of its file {file.name} belongs to a file of another dataset here")
        elif file.sha256 is not None and row["sha256"] not in (None, file.sha256):
            raise Unfit(f"its file {file.name} now has different content there")
    return new
