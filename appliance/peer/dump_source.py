"""What is left of a DCOR that does not run any more: a dump of its database, and its files in a folder. Answers as its API did."""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.model.problem import invalid
from appliance.model.server_address import Address
from appliance.model.values import decoded
from appliance.peer import dump_tables
from appliance.peer.client import Passing, Refusal
from appliance.peer.dump_tables import Row

#: Names of the server when nobody knows the former one; `.invalid` belongs to nobody.
UNKNOWN = Address("https", "from-dump.invalid", 443)
_DUMPS = ("*.sql", "*.sql.gz", "*.dump", "*.pgdump", "*.backup", "*.pgsql", "*/toc.dat")
_DEPTH = 4
_PATH = re.compile(
    r"/dataset/[0-9a-f-]{36}/resource/(?P<id>[0-9a-f-]{36})/(?P<what>condensed\.rtdc|download/.*)", re.ASCII
)
#: Fields that DCOR keeps among a dataset's extras.
_TEXTS = ("authors", "doi", "references")


class DumpSource:
    """A dump and its files. :ivar notes: what of the dump has no place in an appliance.

    :param folder: holds one dump, and somewhere below it files as DCOR lays them out: `resources/abc/def/…` of a depot, or
        `BUCKET/resource/abc/def/…` of an object storage.
    :raises Problem: 409 without exactly one dump, or when it cannot be read.
    """

    waits: Sequence[float] = (0.0,)

    def __init__(self, folder: Path, address: Address = UNKNOWN) -> None:
        self.address = address
        self._folder = folder.resolve()
        self._roots = _roots(self._folder)
        self._tables = dump_tables.read(_dump(self._folder))
        self._index()
        self.notes: Sequence[str] = self._told()

    # --- as a server answers --------------------------------------------------------------------------------------------

    def call(self, action: str, **parameters: Any) -> Any:
        """The result of one of the actions that a mirror asks. Raises Refusal for what is not there."""
        if action == "package_search":
            start, rows = int(parameters.get("start", 0)), int(parameters.get("rows", 100))
            return {"results": [self._dataset(one) for one in self._listed[start : start + rows]]}
        if action == "package_show":
            return self._dataset(self._found(self._packages, parameters["id"]))
        if action in ("organization_show", "group_show"):
            return self._community(self._found(self._groups[action == "organization_show"], parameters["id"]))
        if action in ("organization_list", "group_list"):
            names = sorted(str(row["name"]) for row in self._groups[action == "organization_list"].values())
            start = int(parameters.get("offset", 0))
            return names[start : start + int(parameters.get("limit", len(names)))]
        if action == "user_list":
            return [self._user(row) for row in self._tables["user"] if row["state"] != "deleted"]
        if action == "package_collaborator_list":
            return self._shared[parameters["id"]]
        raise Refusal(404, f"a dump does not answer {action}")

    @contextmanager
    def file(self, path: str, offset: int = 0) -> Iterator[FolderBody]:
        """A file of the folder from `offset` on. Raises Refusal when there is none, or when it lies elsewhere."""
        asked = _PATH.fullmatch(path)
        found = self._path(asked["id"], condensed=asked["what"] == "condensed.rtdc") if asked else None
        if found is None:
            raise Refusal(404, "the folder holds no such file")
        try:
            descriptor = os.open(found, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise Refusal(403, f"the folder's file cannot be opened: {error.strerror}") from error
        try:
            yield FolderBody(descriptor, offset)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Nothing is kept open."""

    # --- tables ---------------------------------------------------------------------------------------------------------

    def _index(self) -> None:
        tables = self._tables
        self._packages = {
            str(row["id"]): row
            for row in tables["package"]
            if row["state"] in ("active", "draft") and row.get("type") in (None, "dataset")
        }
        self._listed = sorted(self._packages, key=lambda id_: (self._packages[id_]["metadata_created"] or "", id_))
        self._groups: dict[bool, dict[str, Row]] = {True: {}, False: {}}
        for row in tables["group"]:
            if row["state"] == "active":
                self._groups[row.get("is_organization") == "t" or row.get("type") == "organization"][str(row["id"])] = (
                    row
                )
        self._resources = _by(tables["resource"], "package_id")
        self._extras = _by(tables["package_extra"], "package_id")
        self._group_extras = _by(tables["group_extra"], "group_id")
        self._tags = {str(row["id"]): row for row in tables["tag"] if row.get("vocabulary_id") is None}
        self._tagged = _by(tables["package_tag"], "package_id")
        self._shared: dict[str, list[Row]] = defaultdict(list, _by(tables["package_member"], "package_id"))
        users = {str(row["id"]): row for row in tables["user"]}
        self._members: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._collections: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in _living(tables["member"]):
            group, object_id = str(row["group_id"]), str(row["table_id"])
            if row["table_name"] == "user" and (user := users.get(object_id)) is not None:
                self._members[group].append(
                    {"id": object_id, "name": user["name"], "capacity": row["capacity"], "state": user["state"]}
                )
            elif row["table_name"] == "package" and group in self._groups[False]:
                self._collections[object_id].append({"id": group, "name": self._groups[False][group]["name"]})

    def _told(self) -> list[str]:
        """What the dump holds that an appliance has no place for."""
        notes = []
        related = len(list(_living(self._tables["package_relationship"])))
        if related:
            notes.append(f"{related} relationships between datasets have no place here; `references` may hold them.")
        nested = sum(row["table_name"] == "group" for row in _living(self._tables["member"]))
        if nested:
            notes.append(f"{nested} circles or collections lie in others there; here they stand side by side.")
        others = sum(row.get("type") not in (None, "dataset") for row in self._tables["package"])
        if others:
            notes.append(f"{others} entries of the dump are no datasets but pages of extensions.")
        deleted = sum(row["state"] == "deleted" for row in self._tables["package"])
        if deleted:
            notes.append(f"{deleted} datasets had been deleted there and are not taken.")
        return notes

    @staticmethod
    def _found(rows: Mapping[str, Row], ref: str) -> str:
        """The id of what has this id or name. Raises Refusal."""
        if ref in rows:
            return ref
        for id_, row in rows.items():
            if row["name"] == ref:
                return id_
        raise Refusal(404, "the dump does not hold it")

    def _dataset(self, dataset_id: str) -> dict[str, Any]:
        row = self._packages[dataset_id]
        extras = [one for one in _living(self._extras[dataset_id]) if one["key"] is not None]
        texts = {str(one["key"]): one["value"] or "" for one in extras if one["key"] in _TEXTS}
        owner = self._groups[True].get(str(row["owner_org"]))
        tags = [self._tags.get(str(one["tag_id"])) for one in _living(self._tagged[dataset_id])]
        files = sorted(_living(self._resources[dataset_id]), key=_position)
        return {
            **row,
            **texts,
            "private": row["private"] == "t",
            "organization": owner and {"id": owner["id"], "name": owner["name"]},
            "tags": [tag for tag in tags if tag is not None],
            "groups": self._collections[dataset_id],
            "extras": [_pair(one) for one in extras if one["key"] not in _TEXTS],
            "resources": [_resource(one) for one in files],
        }

    def _community(self, group_id: str) -> dict[str, Any]:
        row = self._groups[False].get(group_id) or self._groups[True][group_id]
        extras = [_pair(one) for one in _living(self._group_extras[group_id])]
        return {**row, "users": self._members[group_id], "extras": extras}

    @staticmethod
    def _user(row: Row) -> dict[str, Any]:
        return {**row, "sysadmin": row["sysadmin"] == "t"}

    # --- files ----------------------------------------------------------------------------------------------------------

    def _path(self, file_id: str, *, condensed: bool) -> Path | None:
        """Where the file lies, links followed; None when it is nowhere. Raises Refusal when it lies outside of the folder."""
        places = (file_id[:3], file_id[3:6], file_id[6:])
        for root in self._roots:
            if root.name == "resources":
                path = root.joinpath(*places[:2], places[2] + ("_condensed.rtdc" if condensed else ""))
            else:
                path = root.with_name("condensed" if condensed else "resource").joinpath(*places)
            try:
                found = path.resolve(strict=True)
                if not stat.S_ISREG(found.stat().st_mode):
                    continue
            except FileNotFoundError:
                if path.is_symlink():
                    raise Refusal(404, _LEADS_OUT) from None
                continue
            except (OSError, RuntimeError) as error:
                raise Refusal(403, f"the folder's file cannot be opened: {error}") from error
            if not found.is_relative_to(self._folder):
                raise Refusal(403, _LEADS_OUT)
            return found
        return None


_LEADS_OUT = "it is a link that leads out of the folder; copy the files themselves (rsync --copy-links)"


class FolderBody:
    """The bytes of a file of the folder. :ivar start: offset of the first; :ivar total: size of the file [bytes]."""

    def __init__(self, descriptor: int, offset: int) -> None:
        self.total = os.fstat(descriptor).st_size
        self.start = offset if offset <= self.total else 0
        self._descriptor, self._at = descriptor, self.start

    def read_into(self, buffer: memoryview) -> int:
        """Fill `buffer` as far as bytes are there; 0 at the end. Raises Passing."""
        try:
            count = os.preadv(self._descriptor, [buffer], self._at)
        except OSError as error:
            raise Passing(error.strerror or str(error)) from error
        self._at += count
        return count


def _resource(row: Row) -> dict[str, Any]:
    """A file as the API tells it: its row, and what DCOR keeps in the column `extras`."""
    try:
        extras = decoded((row["extras"] or "{}").encode())
    except ValueError:
        extras = {}
    return {
        **(extras if isinstance(extras, dict) else {}),
        **{key: value for key, value in row.items() if key != "extras"},
    }


def _pair(row: Row) -> dict[str, Any]:
    """An extra field as the API tells it."""
    return {"key": row["key"], "value": row["value"] or ""}


def _position(row: Row) -> int:
    text = row["position"] or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _living(rows: Sequence[Row]) -> Iterator[Row]:
    return (row for row in rows if row.get("state") in (None, "active"))


def _by(rows: Sequence[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[str(row[column])].append(row)
    return found


def _dump(folder: Path) -> Path:
    """The one dump in the folder. Raises Problem 409."""
    found = sorted({path.parent if path.name == "toc.dat" else path for form in _DUMPS for path in folder.glob(form)})
    if len(found) != 1:
        named = ", ".join(path.name for path in found[:5]) or "none"
        raise invalid(
            message=f"{folder} must hold exactly one dump of the database (pg_dump's .sql, .sql.gz or .dump); found: {named}."
        )
    return found[0]


def _roots(folder: Path) -> list[Path]:
    """All folders named `resources` (of a depot) and `resource` (of a bucket) that lie not too deep."""
    found = []
    for place, names, _ in os.walk(folder, onerror=_unreadable):
        path = Path(place)
        if path.name in ("resources", "resource") and path != folder:
            found.append(path)
            names.clear()
        elif len(path.relative_to(folder).parts) >= _DEPTH:
            names.clear()
        else:
            names[:] = sorted(name for name in names if name not in ("condensed", "preview"))
    return sorted(found)


def _unreadable(error: OSError) -> None:
    raise invalid(
        message=f"{error.filename} cannot be read by the account of this service ({error.strerror}); give it the right to.",
    )
