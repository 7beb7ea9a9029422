"""What of a dataset would go to another server, and why it may not: licence, personal data, state."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.actions import virus_gate
from appliance.actions.site import Site
from appliance.model import licences, names, personal_data, supplements
from appliance.model.messages import Message, joined
from appliance.model.problem import Problem, not_found
from appliance.model.pseudonymised import Original, sample_names
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import datasets, resources, rtdc, tags, users

_MOST_TOLD = 5
#: What a dataset of pseudonymised copies says of itself, after its description.
PSEUDONYMISED = (
    "The files are pseudonymised copies of measurements: their features are equal to the bit; texts that may name people, most logs and "
    "tables, and exact dates were left out."
)


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file that may be sent. :ivar values: description and supplements; :ivar original: set when a pseudonymised copy of it is sent.

    :ivar size, sha256, etag, own_name: of the file here, even if a copy is sent.
    """

    id: str
    name: str
    path: Path
    size: int
    sha256: str
    etag: str | None
    values: dict[str, Any]
    original: Original | None = None
    own_name: str = ""


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
    """How it shall be there. :ivar licence, title: "" = as here; :ivar public: for everybody there; :ivar pseudonymise: as copies."""

    licence: str = ""
    title: str = ""
    public: bool = False
    pseudonymise: bool = False


def gather(site: Site, viewer: Viewer, ref: str, wishes: Wishes) -> Outgoing:
    """The dataset, ready to be sent. Raises Problem: 404, or 409 with every reason why it may not be."""
    found, reasons = examined(site, viewer, ref, wishes)
    if reasons:
        raise Problem(
            409,
            "Validation Error",
            message=Message(
                "%(name)s may not be published: %(reasons)s.", name=found.name, reasons=joined(reasons, "; ")
            ),
        )
    return found


def examined(site: Site, viewer: Viewer, ref: str, wishes: Wishes) -> tuple[Outgoing, list[str]]:
    """The dataset as it would be sent, and every reason why it may not be. Raises Problem 403, 404."""
    policy.require(viewer, "site:administer")
    with site.db.read() as conn:
        row = datasets.find(conn, ref)
        if row is None:
            raise not_found(Message("There is no dataset '%(ref)s'.", ref=ref))
        found = Outgoing(row["id"], row["name"], _fields(conn, site, row, wishes))
        files = resources.of_dataset(conn, row["id"])
        reasons = [*_state(row), *_licence(row, wishes), *_texts(found.fields)]
        copies = _copies(conn, row, files) if wishes.pseudonymise else None
        for file in files:
            reasons += _add_file(site, conn, file, found, copies)
        if wishes.pseudonymise:
            found.fields["notes"] = f"{found.fields['notes']}\n\n{PSEUDONYMISED}".strip()
    if not any(names.is_measurement(file.name) for file in found.files):
        reasons.append(Message("it contains no measurement that could be sent"))
    return found, reasons


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
        draft = row["state"] == "draft"
        yield Message("it is a draft; activate it first") if draft else Message("it is deleted; activate it first")


def _licence(row: sqlite3.Row, wishes: Wishes) -> Iterator[str]:
    own, wanted = row["license_id"], wishes.licence or row["license_id"]
    open_ = [one["id"] for one in licences.STANDARD if one["id"] != "none"]
    if wanted not in open_:
        yield Message(
            "its licence '%(licence)s' does not permit publication; --licence selects one (%(possible)s)",
            licence=wanted,
            possible=", ".join(open_),
        )
    elif own == "patient":
        yield Message("it holds patient data (licence 'patient'), which stay on this server")
    elif own != "none" and wanted not in licences.looser(own):
        yield Message("its licence %(licence)s cannot become the more restrictive %(other)s", licence=own, other=wanted)


def _texts(fields: Mapping[str, Any]) -> Iterator[str]:
    """Personal data in what people wrote about the dataset; its authors are named on purpose."""
    for kind, excerpt in _found(fields["title"]):
        yield Message(
            "its title holds a %(kind)s ('%(excerpt)s'); --title gives it another title", kind=kind, excerpt=excerpt
        )
    for kind, excerpt in _found(fields["notes"]):
        yield Message("its description holds a %(kind)s ('%(excerpt)s')", kind=kind, excerpt=excerpt)
    for tag in fields["tags"]:
        for kind, excerpt in personal_data.found(tag["name"]):
            yield Message(
                "its tag '%(tag)s' holds a %(kind)s ('%(excerpt)s')", tag=tag["name"], kind=kind, excerpt=excerpt
            )


def _found(text: str) -> Iterator[tuple[str, str]]:
    """(kind, excerpt) of personal data in a text of many lines."""
    for line in str(text).splitlines():
        yield from personal_data.found(line)


@dataclass(frozen=True, slots=True)
class _Copies:
    """What copies are made with. :ivar samples: id of each measurement → what its sample is called; :ivar people: names of the creator."""

    samples: Mapping[str, str]
    people: tuple[str, ...]


def _copies(conn: sqlite3.Connection, dataset: sqlite3.Row, files: Sequence[sqlite3.Row]) -> _Copies:
    ids = [row["id"] for row in files if names.is_measurement(row["name"])]
    known = [rtdc.get(conn, one) for one in ids]
    told = [None if one is None else one["config"].get("experiment", {}).get("sample") for one in known]
    creator = users.find(conn, dataset["creator_id"])
    people = (creator["fullname"], creator["name"]) if creator is not None else ()
    return _Copies(dict(zip(ids, sample_names(told), strict=True)), people)


def _copied(site: Site, row: sqlite3.Row, found: Outgoing, copies: _Copies) -> tuple[str, Original]:
    """(name, original) of a measurement of which a pseudonymised copy is sent."""
    name = f"measurement_{len(found.files) + 1}.rtdc" if site.settings.publish.rename else row["name"]
    words = (Path(row["name"]).stem, *copies.people)
    sample = copies.samples[row["id"]]
    return name, Original(site.depot.path(row["id"]), row["size"], row["sha256"] or "", sample, words)


def _add_file(
    site: Site, conn: sqlite3.Connection, row: sqlite3.Row, found: Outgoing, copies: _Copies | None
) -> Iterator[str]:
    """Put a file among those that are sent, or say why not. :param copies: None = the files themselves are sent."""
    name, original, values = row["name"], None, values_of(row)
    if copies is not None:
        if row["id"] not in copies.samples:
            found.notes.append(
                Message(
                    "%(name)s is no measurement, so there is no pseudonymised copy of it; it stays here.", name=name
                )
            )
            return
        name, original = _copied(site, row, found, copies)
        values = {key: value for key, value in values.items() if _is_impersonal(site, key, value)}
    yield from _personal(conn, row, name, values, searched=original is None)
    if errors := names.resource_name_errors(name):
        yield Message("another DCOR does not take the name of %(name)s (%(reason)s)", name=name, reason=errors[0])
    if row["sha256"] is None:
        yield Message("the checksum of %(name)s is not known yet; wait for its job", name=name)
        return
    if virus_gate.is_waiting(conn, site.settings, row["id"]):
        yield Message("%(name)s has not been scanned for viruses yet; wait for the scanner", name=name)
    if virus_gate.is_too_large(conn, site.settings, row["id"]):
        found.notes.append(
            Message("%(name)s was not scanned for viruses: it is larger than the scanner accepts.", name=name)
        )
    if not names.is_measurement(row["name"]):
        found.notes.append(
            Message(
                "%(name)s is no measurement, so nothing has looked for personal data in it; look yourself.", name=name
            )
        )
    path = site.depot.path(row["id"])
    sums = (row["size"], row["sha256"], row["etag"])
    found.files.append(OutgoingFile(row["id"], name, path, *sums, values, original, row["name"]))


def values_of(row: sqlite3.Row) -> dict[str, Any]:
    """Description and supplements of a file, by their keys."""
    values: dict[str, Any] = json.loads(row["supplements"])
    if row["description"]:
        values["description"] = row["description"]
    return values


def _lines_with_keys(key: str, value: Any) -> Iterator[str]:
    """The lines of a description or supplement, with the last part of its key: a number says something with its name only."""
    if isinstance(value, list):
        for one in value:
            yield from _lines_with_keys(key, one)
    elif isinstance(value, dict):
        for inner, one in value.items():
            yield from _lines_with_keys(inner, one)
    else:
        for line in str(value).splitlines():
            yield f"{key.rpartition(':')[2]}: {line}"


def _is_impersonal(site: Site, key: str, value: Any) -> bool:
    """Is it a supplement that is a number, or one of the schema's choices?"""
    if isinstance(value, bool | int | float):
        return key != "description"
    item = supplements.item(site.settings.policy.supplements, key)
    return item is not None and value in (item.get("choices") or ())


def _personal(
    conn: sqlite3.Connection, row: sqlite3.Row, name: str, values: Mapping[str, Any], *, searched: bool
) -> Iterator[str]:
    """Why the file may not be sent under this name with these values. :param searched: is the file itself sent?"""
    told = [text for key, value in values.items() for text in _lines_with_keys(key, value)]
    findings: list[str] = [
        Message("%(kind)s ('%(excerpt)s')", kind=kind, excerpt=excerpt)
        for text in (name, *told)
        for kind, excerpt in personal_data.found(text)
    ]
    if searched and names.is_measurement(name):
        facts = rtdc.get(conn, row["id"])
        if facts is None or not facts["extracted"]:
            yield Message("%(name)s has not been searched for personal data yet; wait for its job", name=name)
            return
        findings += [
            Message("%(kind)s in %(where)s", kind=one["kind"], where=one["where"]) for one in facts["personal"]
        ]
    if findings:
        told_of, rest = joined(findings[:_MOST_TOLD], ", "), len(findings) - _MOST_TOLD
        if rest > 0:
            told_of = Message("%(findings)s and %(count)s more", findings=told_of, count=rest)
        yield Message("%(name)s seems to contain personal data (%(findings)s)", name=name, findings=told_of)
