"""Trial restores: once a month a part of the backups is read, opened and compared, so that a restore is no first time.

The server cannot open what it has sealed. Without the private key a trial therefore reads the stored files of one
twelfth of the depot against their hashes, and sends the database and some files of the same twelfth through the whole
way - copy, seal, open, compare - with a key that exists for the moment only. With the key, the stored files themselves
are opened. In a year every file has had its turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.backup import crypto
from appliance.backup import manifest as manifests
from appliance.backup import restore as backup_restore
from appliance.backup.create import Progress, Source, SourceFile, create, scratch
from appliance.backup.manifest import Seal
from appliance.backup.verify import Examine, Identities, verify
from appliance.model.messages import Message
from appliance.model.problem import Problem

#: A file has its turn in one of so many months.
PARTS = 12

_MOST_FILES = 50
_MOST_BYTES = 5 << 30


@dataclass(frozen=True, slots=True)
class Trial:
    """Outcome of a trial, for the admin page: when, which backup and part, what was read, and what was wrong.

    :ivar opened: the private key was there, and the stored files themselves were opened.
    """

    at: str
    backup: str
    part: int
    stored_files: int
    stored_bytes: int
    restored_files: int
    opened: bool
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"ok": self.ok}


def trial(
    source: Source,
    folder: Path,
    seal: Seal,
    *,
    examine: Examine,
    workdir: Path,
    identities: Identities = (),
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Trial:
    """Check the part of the newest complete backup whose turn it is, and restore a part of the present data to `workdir`.

    Never raises for what is wrong with backups: that is in the result.
    """
    moment = now or datetime.now(UTC)
    part = moment.month % PARTS
    stamp = moment.isoformat(timespec="seconds")
    try:
        checked = verify(
            folder,
            identities=identities,
            signer=seal.public,
            workdir=workdir,
            examine=examine,
            progress=progress,
            kind=manifests.FULL,
            wanted=lambda name: _part_of(name) == part,
        )
    except Problem as problem:
        return Trial(stamp, "", part, 0, 0, 0, bool(identities), [str(problem)])
    restored, problems = _round_trip(source, part, examine=examine, workdir=workdir)
    return Trial(
        stamp, checked.name, part, checked.files, checked.size, restored, checked.opened, [*checked.problems, *problems]
    )


def _part_of(object_name: str) -> int:
    return int(object_name[:8], 16) % PARTS


def _round_trip(source: Source, part: int, *, examine: Examine, workdir: Path) -> tuple[int, list[str]]:
    """Back up the database and some files to a key of the moment, restore them, and compare; number of files, problems."""
    keys = crypto.new_keys()
    seal = Seal(keys.identity.encode())
    with scratch(workdir) as work:
        folder, target, space = work / "backups", work / "target", work / "space"
        folder.mkdir()
        part_of_it = replace(source, files=lambda copy: _sample(list(source.files(copy)), part))
        try:
            made = create(part_of_it, folder, [keys.recipient], seal, workdir=space)
            done = backup_restore.restore(folder, target, crypto.parse_identities(keys.identity), examine=examine)
        except Problem as problem:
            return 0, [str(problem)]
        except OSError as error:
            return 0, [Message("The trial could not be made: %(reason)s.", reason=error.strerror)]
    return done.files, [*made.problems, *done.problems]


def _sample(files: Sequence[SourceFile], part: int) -> list[SourceFile]:
    """Files whose turn it is, as many as the limits allow."""
    chosen: list[SourceFile] = []
    size = 0
    for file in files:
        mine = file.sha256 is not None and int(file.sha256[:8], 16) % PARTS == part
        if mine and len(chosen) < _MOST_FILES and size + file.size <= _MOST_BYTES:
            chosen.append(file)
            size += file.size
    return chosen
