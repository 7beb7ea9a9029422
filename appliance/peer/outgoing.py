"""What of a dataset would go to another server, and why it may not: licence, personal data, state."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.actions import virus_gate
from appliance.actions.site import Site
from appliance.model import licences, names, personal_data
from appliance.model.problem import Problem, not_found
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import datasets, resources, rtdc, tags

_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file that may be sent. :ivar values: description and supplements."""

    id: str
    name: str
    path: Path
    size: int
    sha256: str
    etag: str | None
    values: dict[str, Any]


@dataclass(slots=True)
class Outgoing:
    """A dataset that may be sent. :ivar fields: of `package_create`, without the circle."""

    id: str
    name: str
    fields: dict[str, Any]
    files: list[OutgoingFile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How it shall be there. :ivar licence, title: "" = as here; :ivar public: for everybody there."""

    licence: str = ""
    title: str = ""
    public: bool = False


def gather(site: Site, viewer: Viewer, ref: str, wishes: Wishes) -> Outgoing:
    """The dataset, ready to be sent. Raises Problem: 404, or 409 with every reason why it may not be."""
    policy.require(viewer, "site:administer")
    with site.db.read() as conn:
        row = datasets.find(conn, ref)
        if row is None:
            raise not_found(f"There is no dataset '{ref}'.")
        found = Outgoing(row["id"], row["name"], _fields(conn, site, row, wishes))
        files = resources.of_dataset(conn, row["id"])
        reasons = [*_state(row), *_licence(row, wishes), *_texts(found.fields)]
        for file in files:
            reasons += _add_file(site, conn, file, found)
    if not any(names.is_measurement(file.name) for file in found.files):
        reasons.append("it holds no measurement that could be sent")
    if reasons:
        raise Problem(409, "Validation Error", message=f"{row['name']} may not be published: {'; '.join(reasons)}.")
    return found


def address_here(site: Site, dataset_id: str) -> str:
    """The address by which the dataset there names this one."""
    return f"{site.settings.site_url}/dataset/{dataset_id}"


def _fields(conn: sqlite3.Connection, site: Site, row: sqlite3.Row, wishes: Wishes) -> dict[str, Any]:
    origin = address_here(site, row["id"])
    references = [one for one in (row["reference_list"], origin) if one]
    return {
        "title": wishes.title or row["title"],
        "authors": row["authors"],
        "doi": row["doi"],
        "references": ", ".join(references),
        "notes": row["notes"],
        "tags": [{"name": name} for name in tags.of_dataset(conn, row["id"])],
        "license_id": wishes.licence or row["license_id"],
        "private": not wishes.public,
        "state": "draft",
    }


def _state(row: sqlite3.Row) -> Iterator[str]:
    if row["state"] != "active":
        yield f"it is {'a draft' if row['state'] == 'draft' else 'deleted'}; activate it first"


def _licence(row: sqlite3.Row, wishes: Wishes) -> Iterator[str]:
    own, wanted = row["license_id"], wishes.licence or row["license_id"]
    open_ = [one["id"] for one in licences.STANDARD if one["id"] != "none"]
    if wanted not in open_:
        yield f"its licence '{wanted}' permits no publication; --licence chooses one ({', '.join(open_)})"
    elif own == "patient":
        yield "it holds patient data (licence 'patient'), which stay on this server"
    elif own != "none" and wanted not in licences.looser(own):
        yield f"its licence {own} cannot become the more restrictive {wanted}"


def _texts(fields: Mapping[str, Any]) -> Iterator[str]:
    """Personal data in what people wrote about the dataset; its authors are named on purpose."""
    for key in ("title", "notes"):
        for line in str(fields[key]).splitlines():
            for kind, excerpt in personal_data.found(line):
                remedy = "; --title gives it another title" if key == "title" else ""
                yield f"its {'description' if key == 'notes' else key} holds a {kind} ('{excerpt}'){remedy}"
    for tag in fields["tags"]:
        for kind, excerpt in personal_data.found(tag["name"]):
            yield f"its tag '{tag['name']}' holds a {kind} ('{excerpt}')"


def _add_file(site: Site, conn: sqlite3.Connection, row: sqlite3.Row, found: Outgoing) -> Iterator[str]:
    """Put a file among those that are sent, or say why not."""
    name, values = row["name"], _values(row)
    yield from _personal(conn, row, values)
    if errors := names.resource_name_errors(name):
        yield f"another DCOR does not take the name of {name} ({errors[0]})"
    if row["sha256"] is None:
        yield f"the checksum of {name} is not known yet; wait for its job"
        return
    if virus_gate.is_waiting(conn, site.settings, row["id"]):
        yield f"{name} has not been scanned for viruses yet; wait for the scanner"
    if virus_gate.is_too_large(conn, site.settings, row["id"]):
        found.notes.append(f"{name} was not scanned for viruses: it is larger than the scanner accepts.")
    if not names.is_measurement(name):
        found.notes.append(f"{name} is no measurement, so nothing has looked for personal data in it; look yourself.")
    path = site.depot.path(row["id"])
    found.files.append(OutgoingFile(row["id"], name, path, row["size"], row["sha256"], row["etag"], values))


def _values(row: sqlite3.Row) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(row["supplements"])
    if row["description"]:
        values["description"] = row["description"]
    return values


def _told(key: str, value: Any) -> Iterator[str]:
    """The lines of a description or supplement, with the last part of its key: a number says something with its name only."""
    if isinstance(value, list):
        for one in value:
            yield from _told(key, one)
    elif isinstance(value, dict):
        for inner, one in value.items():
            yield from _told(inner, one)
    else:
        for line in str(value).splitlines():
            yield f"{key.rpartition(':')[2]}: {line}"


def _personal(conn: sqlite3.Connection, row: sqlite3.Row, values: Mapping[str, Any]) -> Iterator[str]:
    name, told = row["name"], [text for key, value in values.items() for text in _told(key, value)]
    findings = [f"{kind} ('{excerpt}')" for text in (name, *told) for kind, excerpt in personal_data.found(text)]
    if names.is_measurement(name):
        facts = rtdc.get(conn, row["id"])
        if facts is None or not facts["extracted"]:
            yield f"{name} has not been searched for personal data yet; wait for its job"
            return
        findings += [f"{one['kind']} in {one['where']}" for one in facts["personal"]]
    if findings:
        more = f" and {len(findings) - _MOST_TOLD} more" if len(findings) > _MOST_TOLD else ""
        yield f"{name} seems to hold personal data ({', '.join(findings[:_MOST_TOLD])}{more})"
