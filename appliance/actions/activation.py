"""Activation of drafts: requires files, at least one of them a valid measurement."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Mapping
from typing import Any

from appliance.actions.site import Site
from appliance.model import names
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import datasets, resources, rtdc

_LONGEST = 60.0  # seconds
NO_RESOURCES = "Cannot set state of dataset to 'active', because it does not contain any resources!"
NO_VALID_RESOURCE = "Before activating a dataset, make sure that it contains a valid DC resource!"


def prepare(site: Site, viewer: Viewer, ref: str | None, data: Mapping[str, Any], *, every: bool = False) -> None:
    """Before the transaction: look into the files whose job has not done so yet.

    That takes a child process and seconds, so it can not happen while the database's writer is held. Stops at the first
    valid file; the verdicts are stored, `require_ready` reads them. Refusing is for the transaction.

    :param every: look into all of them, not only until one is valid.
    :raises Problem: 503 when the files cannot be looked into now, or not in the time of a request; what is known by then is kept.
    """
    if data.get("state") != "active":
        return
    with site.db.read() as conn:
        facts = datasets.facts(conn, ref)
        if facts is None or facts.state != "draft" or not policy.may(viewer, "dataset:update", facts):
            return
        verdicts = rtdc.verdicts(conn, facts.id)
        unknown = [
            row["id"]
            for row in resources.of_dataset(conn, facts.id)
            if names.is_measurement(row["name"]) and verdicts.get(row["id"]) is None
        ]
    if any(verdicts.values()) and not every:
        return
    until = time.monotonic() + _LONGEST
    for resource_id in unknown:
        if time.monotonic() > until:
            raise Problem(503, "Busy", message=Message("The files are still being checked; try again in a minute."))
        sanity = site.check_sanity(site.depot.path(resource_id), viewer.user_id or "")
        with site.db.write() as tx:
            rtdc.set_verdict(tx, resource_id, sanity.valid, list(sanity.reasons))
        if sanity.valid and not every:
            return


def require_confirmed(
    tx: sqlite3.Connection, dataset_id: str, confirmed: Collection[str], *, personal_confirmed: bool
) -> None:
    """Broken measurements block unless each is in `confirmed` (resource ids), personal data unless confirmed.

    :raises Problem: 409 with the names of the files under ``broken`` or ``personal``.
    """
    verdicts = rtdc.verdicts(tx, dataset_id)
    files = resources.of_dataset(tx, dataset_id)
    broken = [
        row["name"]
        for row in files
        if names.is_measurement(row["name"]) and not verdicts.get(row["id"]) and row["id"] not in confirmed
    ]
    if broken:
        raise invalid({"broken": broken})
    found = [row["name"] for row in files if (rtdc.get(tx, row["id"]) or {}).get("personal")]
    if found and not personal_confirmed:
        raise invalid({"personal": found})


def require_ready(tx: sqlite3.Connection, dataset_id: str) -> None:
    """A dataset can become active with at least one resource, one of them valid. Raises Problem 409."""
    if not resources.of_dataset(tx, dataset_id):
        raise invalid({"state": [NO_RESOURCES]})
    verdicts = rtdc.verdicts(tx, dataset_id)
    if not any(verdicts.values()):
        reasons = rtdc.insane(tx, dataset_id)
        raise invalid({"state": [NO_VALID_RESOURCE, *reasons]})
