"""A small world to ask questions in: people with every kind of role, and as many datasets as one likes.

Datasets are written through the store, so that a fresh copy for each question costs milliseconds: a table of permissions
asks a thousand of them.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.actions import accounts, communities
from appliance.model import names
from appliance.model.viewer import OPERATOR
from appliance.store import artefacts, collections, datasets, resources, rtdc, sharing, tags
from appliance.store import communities as stored
from tests.support.server import Appliance, Person, appliance_at

#: Column of the table → who that is.
WHO = {
    "A": "nobody has signed in",
    "U": "a user without any role",
    "Cm": "member of the circle",
    "Ce": "editor of the circle",
    "Ca": "admin of the circle",
    "Gm": "member of a collection that holds the dataset",
    "Ge": "editor of that collection",
    "Ga": "admin of that collection",
    "Km": "collaborator who may read",
    "Ke": "collaborator who may edit",
    "Cr": "made the dataset, has no role any more",
    "S": "administrator",
}
STATES = ("public", "private", "draft", "deleted")
CONTENT = b"not really a measurement\n"
_HEADER = json.dumps(
    {"version": 1, "rows": 0, "events": 0, "subsampled": False, "columns": [], "made of": "data.rtdc"}
).encode()
COLUMNS = b"DCORCOL1" + len(_HEADER).to_bytes(4, "little") + _HEADER


@dataclass(frozen=True)
class Dataset:
    """A dataset of the world: its id and name, its resource, and the state it was made in."""

    id: str
    name: str
    resource: str
    kind: str


class World:
    """One appliance with people in every role of one circle and one collection."""

    def __init__(self, **options: Any) -> None:
        memory = Path("/dev/shm")  # a thousand commits: on a disk they would take a minute
        self._folder = tempfile.TemporaryDirectory(prefix="dcor-world-", dir=memory if memory.is_dir() else None)
        options = {"policy.anonymous_access": True, "depot.direct_upload": True} | options
        temporary = os.environ.get("TMPDIR"), tempfile.tempdir
        self.appliance = appliance_at(Path(self._folder.name) / "data", Appliance, **options)
        _restore(*temporary)  # the folder goes away before the tests end
        self.context = self.appliance.context
        founder = self.appliance.person("founder")
        self.circle = self._found("circle", "circle")
        self.collection = self._found("collection", "collection")
        self.people: dict[str, Person] = {"A": self.appliance.nobody, "S": self.appliance.admin}
        for column in WHO.keys() - {"A", "S"}:
            self.people[column] = self.appliance.person(column.lower() if len(column) > 1 else "stranger")
        for column, role in (("m", "member"), ("e", "editor"), ("a", "admin")):
            self._enter("circle", self.circle, f"C{column}", role)
            self._enter("collection", self.collection, f"G{column}", role)
        self.founder = founder
        self._number = 0

    def datasets(
        self, kind: str, count: int = 1, *, circle: str | None = None, creator: str = "Cr", files: bool = True
    ) -> list[Dataset]:
        """Fresh datasets in the collection, with collaborators and one file each: public, private, draft or deleted.

        "open" is a draft that will be public. Without `files`, the files exist as rows only.
        """
        with self.context.db.write() as tx:
            return [self._dataset(tx, kind, circle or self.circle, creator, files) for _ in range(count)]

    def dataset(self, kind: str) -> Dataset:
        """One fresh dataset."""
        return self.datasets(kind)[0]

    def fresh(self, kind: str) -> str:
        """Id of a fresh circle or collection with the same people."""
        self._number += 1
        community = self._found(kind, f"{kind}-{self._number}")
        letter = "C" if kind == "circle" else "G"
        with self.context.db.write() as tx:
            for suffix, role in (("m", "member"), ("e", "editor"), ("a", "admin")):
                stored.set_member(tx, community, self.people[letter + suffix].id, role)
        return community

    def user(self) -> str:
        """Name of a fresh user."""
        self._number += 1
        name = f"user-{self._number}"
        accounts.create(self.context, OPERATOR, {"name": name, "email": f"{name}@example.org"})
        return name

    def stop(self) -> None:
        """End the appliance."""
        self.appliance.stop()
        self._folder.cleanup()

    def _found(self, kind: str, name: str) -> str:
        return communities.create(self.context, OPERATOR, kind, {"name": name, "title": name.title()})

    def _enter(self, kind: str, community: str, column: str, role: str) -> None:
        communities.set_member(self.context, OPERATOR, kind, community, self.people[column].name, role)

    def _dataset(self, tx: Any, kind: str, circle: str, creator: str, files: bool) -> Dataset:
        self._number += 1
        name, resource = f"dataset-{self._number}", names.new_id()
        values = {
            "name": name, "title": name, "authors": "Ada L.", "license_id": "CC-BY-4.0", "circle_id": circle,
            "private": int(kind not in {"public", "open"}), "creator_id": self.people[creator].id,
            "state": "active" if kind in {"public", "private"} else "draft",
        }  # fmt: skip
        dataset_id = datasets.create(tx, values)
        tags.assign(tx, dataset_id, [f"tag-{name}"])
        if files:
            self._file(resource)
        resources.create(
            tx, resource, dataset_id, "data.rtdc", size=len(CONTENT), sha256="0" * 64, etag="0" * 32, mimetype="RT-DC", format_="RT-DC"
        )  # fmt: skip
        rtdc.put(tx, resource, sane=1, config={"experiment": {"event count": 7}}, features=["deform"])
        rtdc.mark_extracted(tx, resource)
        for artefact in (
            "condensed",
            "preview",
            "preview_jpeg",
            "thumbnail",
            "columns",
            "density",
        ):  # nothing left to do
            artefacts.put(tx, resource, artefact, size=len(CONTENT), sha256="1" * 64, etag="1" * 32)
        collections.add(tx, self.collection, dataset_id, basis="operator")
        for column, capacity in (("Km", "member"), ("Ke", "editor")):
            sharing.set_collaborator(tx, dataset_id, self.people[column].id, capacity)
        datasets.touch(tx, dataset_id)
        if kind == "deleted":
            datasets.mark_deleted(tx, dataset_id)
        return Dataset(dataset_id, name, resource, kind)

    def _file(self, resource: str) -> None:
        for kind in ("original", "condensed", "preview", "preview_jpeg", "thumbnail", "columns", "density"):
            path = self.context.depot.path(resource, kind)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(COLUMNS if kind == "columns" else CONTENT)


def _restore(variable: str | None, folder: str | None) -> None:
    tempfile.tempdir = folder
    if variable is None:
        os.environ.pop("TMPDIR", None)
    else:
        os.environ["TMPDIR"] = variable
