"""Adding local files to datasets with the same actions as uploads: for import, demo and append."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.actions import datasets, lookup, resources, upload_limits
from appliance.actions.site import Site
from appliance.model import names
from appliance.model.crc32 import Crc32
from appliance.model.multipart_parts import EtagHasher
from appliance.model.problem import invalid
from appliance.model.viewer import OPERATOR, Viewer

_CHUNK = 1 << 20


@dataclass(frozen=True)
class File:
    """A local file that is to become a resource.

    :ivar supplements: supplementary metadata, ``{section: {key: value}}``.
    :ivar resource_id: its id; by default a new one. :ivar md5: what its MD5 must be, if known.
    """

    path: Path
    name: str
    supplements: dict[str, dict[str, Any]] = field(default_factory=dict)
    description: str = ""
    resource_id: str | None = None
    md5: str | None = None


def acting_as(conn: sqlite3.Connection, user: str | None) -> Viewer:
    """The operator, acting for a user who becomes the creator. Raises Problem 404 for an unknown one."""
    if user is None:
        return OPERATOR
    row = lookup.user(conn, user)
    return Viewer(user_id=row["id"], name=row["name"], sysadmin=True, scope="admin")


def add_files(site: Site, viewer: Viewer, dataset_ref: str, files: Sequence[File]) -> list[str]:
    """Copy files into the depot and add them to a dataset; returns the ids of the new resources.

    :raises Problem: a name that is taken or not allowed, no room (507), a wrong MD5, a file that somebody still writes; the
        dataset is unchanged then.
    """
    received: list[resources.Incoming] = []
    try:
        received.extend(_receive(site, file) for file in files)
        entries = [_entry(file, incoming) for file, incoming in zip(files, received, strict=True)]
        datasets.revise(site, viewer, dataset_ref, lambda current: {"resources": [*current["resources"], *entries]})
    except Exception:
        for incoming in received:
            with suppress(OSError):
                incoming.path.unlink()
        raise
    return [incoming.resource_id for incoming in received]


def usable_name(name: str) -> str:
    """A file name as DCOR-Aid writes it: suffix in lower case, spaces as "_", other special characters as "."."""
    stem, dot, suffix = name.rpartition(".")
    clean = (stem + dot + suffix.lower() if dot else name).replace(" ", "_")
    return "".join(letter if not names.resource_name_errors(f"{letter}.txt") else "." for letter in clean)


def id_from(*parts: str) -> str:
    """The id that importers derive from texts: an MD5 in the form of a UUID, so that a repeated import finds the same objects."""
    digest = hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))


def _receive(site: Site, file: File) -> resources.Incoming:
    size = file.path.stat().st_size
    with site.db.read() as conn:
        upload_limits.require_room(site, conn, size)
    sha256, md5, etag = hashlib.sha256(), hashlib.md5(usedforsecurity=False), EtagHasher(size)
    crc32 = Crc32()
    part = site.depot.new_part()
    try:
        with file.path.open("rb") as source, open(part.fd, "wb", closefd=False) as target:
            while block := source.read(_CHUNK):
                sha256.update(block)
                md5.update(block)
                etag.update(block)
                crc32.update(block)
                target.write(block)
            received = target.tell()
        os.fsync(part.fd)  # here rather than in the transaction, where other writers would wait
        if received != size:
            raise invalid(message=f"{file.path} changed while it was being read. Is it still being written?")
        if file.md5 is not None and md5.hexdigest() != file.md5:
            raise invalid(message=f"{file.path} is damaged: its MD5 is {md5.hexdigest()}, not {file.md5}.")
    except Exception:
        part.discard()
        raise
    part.close()
    return resources.Incoming(
        part.path,
        file.name,
        size,
        sha256.hexdigest(),
        etag.etag(),
        file.resource_id or names.new_id(),
        crc32.value,
    )


def _entry(file: File, incoming: resources.Incoming) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": file.name, "upload": incoming}
    if file.description:
        entry["description"] = file.description
    for section, values in file.supplements.items():
        entry |= {f"sp:{section}:{key}": value for key, value in values.items()}
    return entry
