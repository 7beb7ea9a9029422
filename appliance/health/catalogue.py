"""The catalogue (the database) and what it promises: files that are there, derived files, an unbroken audit log."""

from __future__ import annotations

import sqlite3
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from appliance.actions import audit_log
from appliance.health.base import Finding, Level, Premises, check
from appliance.jobs.artefact_publishing import hash_file
from appliance.jobs.orphans import orphans as unknown_files
from appliance.store import artefacts, collections, inspection

_SHOWN = 10
_RESTORE = "Stop the service and restore the last backup: `dcor backup restore`."


@check("database", "the database is sound and of this release")
def database(premises: Premises) -> Iterator[Finding]:
    """SQLite's own integrity check, references between tables, schema version, file mode."""
    path = premises.settings.database
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding(
            "database",
            Level.PROBLEM,
            f"{path} is open to other accounts",
            "It holds persons' names and addresses.",
            f"chmod 600 {path}",
            lambda: _narrow(path),
        )
    try:
        with premises.db.read() as conn:
            errors = inspection.integrity_errors(conn)
            version = inspection.schema_version(conn)
    except sqlite3.DatabaseError as error:
        yield Finding("database", Level.PROBLEM, f"cannot be read: {error}", "Nothing works without it.", _RESTORE)
        return
    for text in errors[:_SHOWN]:
        yield Finding("database", Level.PROBLEM, text, "Answers may be wrong or fail.", _RESTORE)
    if version != inspection.newest_schema():
        yield Finding(
            "database",
            Level.PROBLEM,
            f"schema {version}, this release has {inspection.newest_schema()}",
            "The program and its data do not fit.",
            "`dcor init` brings the database up to date; for a newer schema install the newer release.",
        )
    elif not errors:
        yield Finding("database", Level.OK, f"{path.stat().st_size / 1e6:.1f} MB, schema {version}")


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
            "Somebody changed the log outside of this program, or put back an older database.",
            "Compare with the log in a backup; `dcor audit export` keeps the present state.",
        )
    if verdict.explained:
        yield Finding(
            "audit log", Level.NOTE, f"a restore explains that {len(verdict.explained)} later notes do not fit"
        )
    if not verdict.problems:
        yield Finding(
            "audit log", Level.OK, f"{verdict.entries} entries, compared with {verdict.anchors} notes elsewhere"
        )


@check("files", "every resource has its file, with the right size (`--deep`: and the right checksum)")
def files(premises: Premises) -> Iterator[Finding]:
    """A row without its file is lost data: the one thing that must never happen."""
    with premises.db.read() as conn:
        known = list(inspection.stored_files(conn))
    bad = 0
    for resource_id, kind, size, sha256 in known:
        text = _file_error(premises.depot.path(resource_id, kind), size, sha256 if premises.deep else None)
        if text is None:
            continue
        bad += 1
        if bad <= _SHOWN:
            original = kind == "original"
            yield Finding(
                "files",
                Level.PROBLEM,
                f"{kind} of resource {resource_id}: {text}",
                "Its data cannot be downloaded." if original else "It is slower to open over the network.",
                "Restore it: `dcor backup restore --files`."
                if original
                else "`dcor jobs run-missing --force` makes it again.",
            )
    if bad > _SHOWN:
        yield Finding("files", Level.PROBLEM, f"… and {bad - _SHOWN} more")
    if not bad:
        yield Finding("files", Level.OK, f"{len(known)} files")


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
            f"{len(missing)} derived files of {resources} resources are missing",
            "These are slow to open or have no preview.",
            "dcor jobs run-missing",
        )
    else:
        yield Finding("derived files", Level.OK, "complete")


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
            f"{number} condensed files lead to {address}; this server is {site_url}",
            "Whoever has such a file finds no images, masks and traces with it.",
            "dcor jobs run-missing --addresses",
        )
    unknown = len(found) - known.total()
    if unknown:
        yield Finding(
            "addresses",
            Level.NOTE,
            f"{unknown} condensed files come from a release that did not note the address in them",
            "If the server's name has changed since, images are not found with them.",
            "Nothing to do: they are brought up to date within a day (now: dcor jobs run-missing --addresses).",
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
            f"{len(found)} unknown files ({total / 1e6:.1f} MB), such as {found[0].relative_to(premises.data_root)}",
            "They only take up room.",
            "`dcor inspect --assume-yes` moves them to quarantine/.",
            lambda: _quarantine(premises, found),
        )
    else:
        yield Finding("orphans", Level.OK, "none")


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
            f"{dataset} is in the collection {place}; {maker} put it there and may not change it"
            if maker
            else f"{dataset} is in the collection {place}; it is not known who put it there",
            "All members of the collection read it, though it is not public.",
            f"Ask the circle. `dcor collection add {place} {dataset}` confirms it, `dcor collection remove` ends it.",
        )
    if (more := len(earlier) - _SHOWN) > 0 and not premises.deep:
        yield Finding("collections", Level.WARNING, f"… and {more} more; `dcor inspect --deep` lists all")
    if ended:
        yield Finding(
            "collections", Level.NOTE, f"{ended} entries no longer grant reading; the datasets' pages name them"
        )
    elif not earlier:
        yield Finding("collections", Level.OK, "no entry without the right to share")


def _file_error(path: Path, size: int | None, sha256: str | None) -> str | None:
    try:
        found = path.stat().st_size
    except OSError as error:
        return f"missing ({error.strerror})"
    if size is not None and found != size:
        return f"{found} bytes instead of {size}"
    if sha256 is not None and hash_file(path).sha256 != sha256:
        return "its content has changed (sha256 differs)"
    return None


def _narrow(path: Path) -> str:
    path.chmod(0o600)
    return f"mode 600 for {path}"


def _quarantine(premises: Premises, found: list[Path]) -> str:
    for path in found:
        premises.depot.put_aside(path)
    return f"moved {len(found)} files to {premises.data_root / 'quarantine'}"
