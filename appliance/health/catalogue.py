"""The catalogue (the database) and what it promises: files that are there, derived files, an unbroken audit log."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from appliance.actions import audit_log
from appliance.health.base import Finding, Level, Premises, check
from appliance.jobs import scrub
from appliance.jobs.artefact_publishing import hash_file
from appliance.jobs.orphans import orphans as unknown_files
from appliance.model import object_kinds, system_errors
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.store import artefacts, collections, database_place, inspection
from appliance.store.search import index as search_index

_SHOWN = 10
_UNREADABLE = "the service may not read it"
_RESTORE = Message(
    "Restore the latest backup: `sudo systemctl stop dcor`, `sudo dcor backup restore --replace --key "
    "key-sheet.txt`, `sudo systemctl start dcor`."
)


@check("database", "the database is sound and of this release")
def database(premises: Premises) -> Iterator[Finding]:
    """SQLite's own integrity check, references between tables, schema version, file mode."""
    path = premises.settings.database
    try:
        database_place.require_local(path)
    except Problem as problem:
        yield Finding(
            "database",
            Level.PROBLEM,
            str(problem),
            Message("Sooner or later, rows will be lost."),
            Message("See the message."),
        )
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding(
            "database",
            Level.PROBLEM,
            Message("%(path)s is open to other accounts", path=path),
            Message("It contains names and addresses of people."),
            f"chmod 600 {path}",
            lambda: _narrow(path),
        )
    try:
        with premises.db.read() as conn:
            errors = inspection.integrity_errors(conn)
            version = inspection.schema_version(conn)
    except sqlite3.DatabaseError as error:
        yield Finding(
            "database",
            Level.PROBLEM,
            Message("cannot be read: %(error)s", error=error),
            Message("Nothing works without it."),
            _RESTORE,
        )
        return
    for text in errors[:_SHOWN]:
        yield Finding("database", Level.PROBLEM, text, Message("Answers may be wrong or fail."), _RESTORE)
    if version != inspection.newest_schema():
        yield Finding(
            "database",
            Level.PROBLEM,
            Message(
                "schema %(version)s, this release has %(newest_schema)s",
                version=version,
                newest_schema=inspection.newest_schema(),
            ),
            Message("There is not enough space for the program and its data."),
            Message("`dcor init` brings the database up to date; for a newer schema install the newer release."),
        )
    elif not errors:
        yield Finding(
            "database",
            Level.OK,
            Message("%(size)s MB, schema %(version)s", size=f"{path.stat().st_size / 1000000.0:.1f}", version=version),
        )


@check(
    "audit log",
    "no entry of the audit log was changed or removed: the keyed chain holds, and backups and the journal noted the same",
)
def audit_chain(premises: Premises) -> Iterator[Finding]:
    """The keyed chain, and what backups and the journal noted of it."""
    verdict = audit_log.verify(premises.db, premises.settings)
    for text in verdict.problems[:_SHOWN]:
        yield Finding(
            "audit log",
            Level.PROBLEM,
            text,
            Message("Someone changed the log outside this program, or replaced the database with an older one."),
            Message(
                "`dcor audit export` saves the current state for an investigation. The original log is in the "
                "backups; to return to one of them: `sudo dcor backup restore --replace --key key-sheet.txt`."
            ),
        )
    if verdict.explained:
        yield Finding(
            "audit log",
            Level.NOTE,
            Message(
                "a restore explains why %(explained)s later records do not match", explained=len(verdict.explained)
            ),
        )
    if not verdict.problems:
        yield Finding(
            "audit log",
            Level.OK,
            Message(
                "%(entries)s entries, compared with %(anchors)s notes elsewhere",
                entries=verdict.entries,
                anchors=verdict.anchors,
            ),
        )


@check("files", "every resource has its file, with the right size (`--deep`: and the right checksum)")
def files(premises: Premises) -> Iterator[Finding]:
    """A row without its file is lost data: the one thing that must never happen."""
    with premises.db.read() as conn:
        known = list(inspection.files_here(conn))
    bad = 0
    for resource_id, kind, size, sha256 in known:
        path = premises.depot.path(resource_id, kind)
        text = _file_error(path, size, sha256 if premises.deep else None)
        if text is None:
            continue
        bad += 1
        if bad <= _SHOWN:
            yield _bad_file(premises, resource_id, kind, text)
    if bad > _SHOWN:
        yield Finding("files", Level.PROBLEM, Message("… and %(number)s more", number=bad - _SHOWN))
    if not bad:
        yield Finding("files", Level.OK, Message("%(known)s files", known=len(known)))


def _bad_file(premises: Premises, resource_id: str, kind: str, text: str) -> Finding:
    """What a file is that is not as the catalogue says. What a job made is made again; uploads come from a backup."""
    name = Message(
        "%(kind)s of resource %(resource_id)s: %(text)s",
        kind=object_kinds.said(kind),
        resource_id=resource_id,
        text=text,
    )
    if text == _UNREADABLE:
        path = premises.depot.path(resource_id, kind)
        fix = f"sudo chmod u+r {path}; sudo chown --reference={premises.data_root} {path}"
        return Finding("files", Level.PROBLEM, name, Message("It cannot be downloaded."), fix)
    if kind in scrub.REMAKE:
        return Finding(
            "files",
            Level.PROBLEM,
            name,
            Message("It is slower to open over the network."),
            Message(
                "`dcor inspect --assume-yes%(deep)s` has the service create it again.",
                deep=" --deep" if premises.deep else "",
            ),
            lambda: _remake(premises, resource_id, kind),
        )
    return Finding(
        "files",
        Level.PROBLEM,
        name,
        Message("Its data cannot be downloaded."),
        Message(
            "`sudo dcor backup restore --file %(resource_id)s --key key-sheet.txt` restores it from the newest "
            "backup that contains it.",
            resource_id=resource_id,
        ),
    )


def _remake(premises: Premises, resource_id: str, kind: str) -> str:
    with premises.db.write() as tx:
        scrub.remake(tx, premises.depot, resource_id, kind)
    return Message("the rest of the %(kind)s file is in quarantine/, and a job creates it again", kind=kind)


@check("derived files", "condensed files, previews and metadata of every measurement exist")
def derived(premises: Premises) -> Iterator[Finding]:
    """Jobs that were lost are queued again; failed ones are named by the check of the jobs."""
    with premises.db.read() as conn:
        missing = inspection.without_derived(conn)
    if missing:
        resources = len({resource_id for resource_id, _kind in missing})
        yield Finding(
            "derived files",
            Level.WARNING,
            Message(
                "%(missing)s generated files of %(resources)s resources are missing",
                missing=len(missing),
                resources=resources,
            ),
            Message("These are slow to open or have no preview."),
            "dcor jobs run-missing",
        )
    else:
        yield Finding("derived files", Level.OK, Message("complete"))


@check("search index", "every dataset can be found (`--deep`: the index of words agrees with its content)")
def searchable(premises: Premises) -> Iterator[Finding]:
    """The index is made of the catalogue and can be made anew."""
    with premises.db.read() as conn:
        lost = search_index.unindexed(conn)
    reason: str | None = Message("%(lost)s datasets are not in the index", lost=lost) if lost else None
    if reason is None and premises.deep:
        with premises.db.write() as tx:
            reason = search_index.damage(tx)
    if reason is None:
        yield Finding("search index", Level.OK, Message("complete"))
    else:
        yield Finding(
            "search index",
            Level.PROBLEM,
            reason,
            Message("The search does not find them."),
            Message("`dcor inspect --assume-yes%(deep)s` rebuilds the index.", deep=" --deep" if premises.deep else ""),
            lambda: _reindex(premises),
        )


@check("addresses", "condensed files lead to this server's address")
def addresses(premises: Premises) -> Iterator[Finding]:
    """Condensed files name the original by the server's address, so a change of name or port leaves them behind."""
    site_url = premises.settings.site_url
    with premises.db.read() as conn:
        found = artefacts.of_other_addresses(conn, site_url)
    known = Counter(address for _resource, address in found if address)
    for address, number in known.most_common(_SHOWN):
        yield Finding(
            "addresses",
            Level.WARNING,
            Message(
                "%(number)s condensed files point to %(address)s; this server is %(site_url)s",
                number=number,
                address=address,
                site_url=site_url,
            ),
            Message("Users of such a file cannot access its images, masks and traces."),
            "dcor jobs run-missing --addresses",
        )
    unknown = len(found) - known.total()
    if unknown:
        yield Finding(
            "addresses",
            Level.NOTE,
            Message(
                "%(unknown)s condensed files come from a release that did not record the address in them",
                unknown=unknown,
            ),
            Message("If the server's name has changed since, images are not found with them."),
            Message(
                "No action needed: they are updated within a day (immediately: dcor jobs run-missing --addresses)."
            ),
        )
    if not found:
        yield Finding("addresses", Level.OK, site_url)


@check("orphans", "the depot holds no file that the catalogue does not know")
def orphans(premises: Premises) -> Iterator[Finding]:
    """Left over from crashes; they are moved to quarantine/, never deleted."""
    found = list(unknown_files(premises.db, premises.depot))
    if found:
        total = sum(path.stat().st_size for path in found)
        yield Finding(
            "orphans",
            Level.WARNING,
            Message(
                "%(found)s unknown files (%(total)s MB), such as %(data_root)s",
                found=len(found),
                total=f"{total / 1000000.0:.1f}",
                data_root=found[0].relative_to(premises.data_root),
            ),
            Message("They only take up space."),
            Message("`dcor inspect --assume-yes` moves them to quarantine/."),
            lambda: _quarantine(premises, found),
        )
    else:
        yield Finding("orphans", Level.OK, Message("none"))


@check("collections", "datasets that are not public are shared with collections only by those who may change them")
def shared(premises: Premises) -> Iterator[Finding]:
    """Entries made before this was asked for still let the collection's members read."""
    with premises.db.read() as conn:
        earlier = collections.of_earlier(conn)
        ended = collections.count_ended(conn)
    for entry in earlier[: None if premises.deep else _SHOWN]:
        dataset, place, maker = entry["dataset"], entry["collection"], entry["maker"]
        yield Finding(
            "collections",
            Level.WARNING,
            Message(
                "%(dataset)s is in the collection %(place)s; %(maker)s put it there and may not change it",
                dataset=dataset,
                place=place,
                maker=maker,
            )
            if maker
            else Message(
                "%(dataset)s is in the collection %(place)s; it is not known who put it there",
                dataset=dataset,
                place=place,
            ),
            Message("All members of the collection can read it although it is not public."),
            Message(
                "Ask the circle. `dcor collection add %(place)s %(dataset)s` confirms the entry, `dcor collection "
                "remove` removes it.",
                place=place,
                dataset=dataset,
            ),
        )
    if (more := len(earlier) - _SHOWN) > 0 and not premises.deep:
        yield Finding(
            "collections", Level.WARNING, Message("… and %(more)s more; `dcor inspect --deep` lists all", more=more)
        )
    if ended:
        yield Finding(
            "collections",
            Level.NOTE,
            Message("%(ended)s entries no longer grant reading; the datasets' pages name them", ended=ended),
        )
    elif not earlier:
        yield Finding("collections", Level.OK, Message("no entry lacks the right to share"))


def _file_error(path: Path, size: int | None, sha256: str | None) -> str | None:
    try:
        about = path.stat()
    except FileNotFoundError:
        return Message("missing")
    except OSError as error:
        return Message("missing (%(reason)s)", reason=system_errors.reason(error))
    if not stat.S_ISREG(about.st_mode):
        return Message("its place is taken by something that is not a file")
    if not os.access(path, os.R_OK, effective_ids=True) or not about.st_mode & stat.S_IRUSR:
        return _UNREADABLE
    if size is not None and about.st_size != size:
        return Message("%(size)s bytes instead of %(size_2)s", size=about.st_size, size_2=size)
    if sha256 is not None and hash_file(path).sha256 != sha256:
        return Message("its content has changed (sha256 differs)")
    return None


def _narrow(path: Path) -> str:
    path.chmod(0o600)
    return Message("mode 600 for %(path)s", path=path)


def _reindex(premises: Premises) -> str:
    with premises.db.write() as tx:
        return Message("indexed %(count)s datasets", count=search_index.rebuild(tx))


def _quarantine(premises: Premises, found: list[Path]) -> str:
    for path in found:
        premises.depot.put_aside(path)
    return Message(
        "moved %(found)s files to %(quarantine)s", found=len(found), quarantine=premises.data_root / "quarantine"
    )
