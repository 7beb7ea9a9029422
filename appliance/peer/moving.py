"""One dataset on its way to another DCOR that takes everything: draft, files, checksums, state, collections, collaborators."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.actions import virus_gate
from appliance.actions.outgoing import values_of
from appliance.actions.site import Site
from appliance.archive.moving import Mover
from appliance.model.problem import Problem
from appliance.peer.client import Client, Refusal
from appliance.peer.sending import Draft, FileSender, compared, shown
from appliance.store import collections, datasets, resources, sharing, tags
from appliance.store.publications import SentFile

#: Seconds between two questions whether the other server knows the checksums.
PATIENCE = (0.2, 0.5, 1.0, 2.0, *(5.0,) * 12)
_TEXTS = ("name", "title", "authors", "doi", "notes", "license_id")


@dataclass(slots=True)
class Done:
    """What was done for one dataset. :ivar left_out: (kind, name, reason); :ivar new_ids: of files, old → new."""

    made: bool = False
    files: int = 0
    sent: int = 0
    new_ids: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str, str]] = field(default_factory=list)


class DatasetMover:
    """Sends datasets. :param people, places: ids of the accounts, and of the circles and collections, that are there under the same id."""

    def __init__(self, site: Site, client: Client, sender: FileSender, people: set[str], places: set[str]) -> None:
        self._site, self._client, self._sender = site, client, sender
        self._people, self._places = people, places

    def expected(self, ids: Iterable[str]) -> int:
        """Bytes of all their files."""
        with self._site.db.read() as conn:
            return sum(file["size"] or 0 for one in ids for file in resources.of_dataset(conn, one))

    def send(self, row: sqlite3.Row) -> Done:
        """Bring a dataset there, or what is missing of it. Raises Problem 409 or Refusal when it cannot go; 502."""
        done = Done()
        with self._site.db.read() as conn:
            files = resources.of_dataset(conn, row["id"])
            waiting = [one["name"] for one in files if virus_gate.is_waiting(conn, self._site.settings, one["id"])]
            fields = self._fields(conn, row)
        unready = waiting + [one["name"] for one in files if one["sha256"] is None]
        if unready:
            raise Problem(
                409, "Validation Error", message=f"jobs have not finished with {unready[0]}; repeat the call later"
            )
        there = self._there(row["id"])
        if there is None:
            fields |= {"id": row["id"], "owner_org": row["circle_id"], "state": "draft"}
            if reason := created_with_extras(self._client, "package_create", fields, row["extras"]):
                done.left_out.append(("extras", row["name"], reason))
            done.made, there = True, shown(self._client, row["id"])
        if there.get("state") not in ("draft", "active"):
            raise Problem(409, "Validation Error", message="it was deleted there")
        sent = self._files(row, files, there, done)
        self._finish(row, sent, str(there.get("state")), done)
        self._share(row["id"], done)
        return done

    def _there(self, dataset_id: str) -> Mapping[str, Any] | None:
        try:
            found = self._client.call("package_show", id=dataset_id)
        except Refusal as refusal:
            if refusal.status in (403, 404):
                return None
            raise
        return found if isinstance(found, Mapping) and found.get("id") == dataset_id else None

    def _fields(self, conn: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
        texts = {key: row[key] for key in _TEXTS}
        named = [{"name": name} for name in tags.of_dataset(conn, row["id"])]
        return {**texts, "references": row["reference_list"], "tags": named, "private": bool(row["private"])}

    # --- files ----------------------------------------------------------------------------------------------------------

    def _files(
        self, row: sqlite3.Row, files: list[sqlite3.Row], there: Mapping[str, Any], done: Done
    ) -> list[SentFile]:
        """Send what is missing; → all files, as they are called there."""
        draft = Draft(row["id"], row["circle_id"])
        listed = {one.get("name"): one for one in there.get("resources") or () if isinstance(one, Mapping)}
        found = []
        for file in files:
            entry = SentFile(
                file["id"], file["name"], file["size"], file["sha256"], file["etag"], file["id"], "sending"
            )
            known = listed.get(file["name"])
            if known is not None:
                sent = SentFile(*entry_of(entry), str(known.get("id")), "sent")
                self._sender.skip(file["size"])
                if there.get("state") == "draft":  # a call that was killed may not have described it
                    self._describe(draft, sent, file, known, done)
            elif there.get("state") == "active":
                raise Problem(409, "Validation Error", message=f"it is active there, without {file['name']}")
            else:
                site = self._site
                with Mover(site.db, site.depot, site.settings).local(file["id"]) as path:
                    sent = self._sender.send(draft, entry, path, lambda _sent: None)
                done.files += 1
                done.sent += sent.size
                self._describe(draft, sent, file, {}, done)
            if sent.remote_id != file["id"]:
                done.new_ids[file["id"]] = sent.remote_id
            found.append(sent)
        return found

    def _describe(self, draft: Draft, sent: SentFile, file: sqlite3.Row, known: Mapping[str, Any], done: Done) -> None:
        """Give a file what it has here and not there. :param known: what the server says of it."""
        for kind, values in (("supplements", values_of(file)), ("extras", json.loads(file["extras"]))):
            missing = {key: value for key, value in values.items() if known.get(key) in (None, "")}
            if reason := self._sender.describe(draft, sent, missing):
                done.left_out.append((kind, sent.name, reason))

    def _finish(self, row: sqlite3.Row, files: list[SentFile], state: str, done: Done) -> None:
        """Compare checksums, and activate what is active here. Raises Problem 409 for a damaged file."""
        unverified = [one.name for one in files]
        for wait in (0.0, *PATIENCE):
            time.sleep(wait if unverified else 0)
            told = {one.get("id"): one for one in shown(self._client, row["id"])["resources"]}
            unverified = [one.name for one in files if not _arrived(one, told.get(one.remote_id, {}))]
            if not unverified:
                break
        for name in unverified:
            done.left_out.append(
                ("file", name, "no checksum there yet, so the dataset stays a draft; repeat the call later")
            )
        if row["state"] == "active" and state == "draft" and not unverified:
            self._client.call("package_revise", match={"id": row["id"]}, update={"state": "active"})

    # --- who sees it ----------------------------------------------------------------------------------------------------

    def _share(self, dataset_id: str, done: Done) -> None:
        with self._site.db.read() as conn:
            gathered = [one for one in collections.of_dataset(conn, dataset_id) if one["id"] in self._places]
            people = sharing.collaborators(conn, dataset_id)
            facts = datasets.facts(conn, dataset_id)
        for one in gathered if facts is not None and facts.state == "active" else ():
            if facts is not None and facts.private and not one["granted"]:
                done.left_out.append(("collection", one["name"], "its members may not read the dataset here either"))
                continue
            call = {"id": one["id"], "object": dataset_id, "object_type": "package", "capacity": "public"}
            self._told("collection", one["name"], done, "member_create", call)
        for one in people:
            if one["user_id"] not in self._people:
                done.left_out.append(("collaborator", one["name"], "the account is not there"))
                continue
            call = {"id": dataset_id, "user_id": one["user_id"], "capacity": one["capacity"]}
            self._told("collaborator", one["name"], done, "package_collaborator_create", call)

    def _told(self, kind: str, name: str, done: Done, action: str, parameters: Mapping[str, Any]) -> None:
        try:
            self._client.call(action, **parameters)
        except Refusal as refusal:
            done.left_out.append((kind, name, str(refusal)))


def created_with_extras(client: Client, action: str, fields: Mapping[str, Any], extras: str) -> str:
    """Create something with its extra fields, or without them on a server that does not want them; → why it did not, "" = it did.

    :param extras: JSON list of {"key", "value"}. Raises Refusal when the server does not create it at all; Problem 502.
    """
    listed = json.loads(extras)
    reason = ""
    if listed:
        try:
            client.call(action, **fields, extras=listed)
        except Refusal as refusal:
            reason = str(refusal)
        else:
            return ""
    client.call(action, **fields)
    return reason


def entry_of(file: SentFile) -> tuple[str, str, int, str, str | None]:
    """What of a file is the same here and there."""
    return file.resource_id, file.name, file.size, file.sha256, file.etag


def _arrived(sent: SentFile, there: Mapping[str, Any]) -> bool:
    """Is it there as it is here? False while the server has not told. Raises Problem 409 when it is another one."""
    equal = compared(sent, there)
    if equal is False:
        told = str(there["sha256"])[:64]
        raise Problem(409, "Validation Error", message=f"{sent.name} has another SHA-256 there ({told})")
    return bool(equal)
