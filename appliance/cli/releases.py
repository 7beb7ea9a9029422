"""Releases side by side below one folder, and the way from one to another and back without losing anything."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from appliance import durable
from appliance.actions import release_journal, rollback_copies
from appliance.cli import units
from appliance.cli.common import note
from appliance.cli.stopped_service import ServiceError, stopped_service
from appliance.health.overview import answers
from appliance.model.problem import Problem, invalid
from appliance.settings import Settings

PREFIX = Path("/opt/dcor")
_GATE_SECONDS = 45.0
_STOP_SECONDS = 15.0
_POLL = 0.2
_HISTORY = "history.json"
_STOPPING = "Stopping the service … (Should this be interrupted: `sudo dcor update` settles it, a start of the service as well.)"
#: Releases besides the current one that stay.
_OLD_KEPT = 2


class GateError(Exception):
    """The new release did not prove itself; the message says how."""


@dataclass(frozen=True)
class Step:
    """One switch: from which release to which, when [Unix s], and the database as it was before."""

    source: str
    target: str
    at: float
    snapshot: str


class Releases:
    """The releases installed in one folder: `<version>/` each, and the link `current`."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix

    @property
    def current(self) -> str:
        """Version in use. Raises Problem when nothing is installed here."""
        try:
            return (self.prefix / "current").readlink().name
        except OSError as error:
            raise invalid(message=f"No installation in {self.prefix}: the link 'current' is missing.") from error

    def installed(self) -> list[str]:
        """Complete releases, oldest installation first."""
        marks = sorted(self.prefix.glob("*/.complete"), key=lambda path: path.stat().st_mtime)
        return [mark.parent.name for mark in marks if not mark.parent.is_symlink()]

    def command(self, version: str, *arguments: str) -> list[str]:
        """The `dcor` of one release."""
        return [str(self.prefix / version / "bin" / "dcor"), *arguments]

    def switch(self, version: str) -> None:
        """Make `version` the current one, in one step."""
        link = self.prefix / ".current.new"
        link.unlink(missing_ok=True)
        link.symlink_to(version)
        durable.replace(link, self.prefix / "current")

    def history(self) -> list[Step]:
        """Switches made so far, oldest first; without what was noted, but did not happen or was taken back."""
        file = self.prefix / _HISTORY
        steps = [Step(**entry) for entry in json.loads(file.read_text(encoding="utf-8"))] if file.exists() else []
        while steps and steps[-1].target != self.current:
            steps.pop()
        return steps

    def remember(self, steps: list[Step]) -> None:
        """Write the history."""
        text = json.dumps([asdict(step) for step in steps], indent=1)
        durable.write(self.prefix / _HISTORY, text.encode(), 0o644)

    def clean(self) -> list[str]:
        """Remove old releases but the two that were installed last, and what interrupted installations left; → versions that went."""
        old = [version for version in self.installed() if version != self.current]
        last = self.history()[-1].source if self.history() else None  # the way back of `dcor rollback`
        stay = {*old[-_OLD_KEPT:], last} if last in old[-_OLD_KEPT:] or last is None else {*old[1 - _OLD_KEPT :], last}
        gone = [version for version in old if version not in stay]
        for version in gone:
            (self.prefix / version / ".complete").unlink()  # first: half a release is none
            shutil.rmtree(self.prefix / version)
        for path in self.prefix.iterdir():
            half = (path / "pyvenv.cfg").exists() and not (path / ".complete").exists()
            if path.is_dir() and not path.is_symlink() and (half or path.name.startswith(".incoming-")):
                shutil.rmtree(path)
        return gone

    def require_writable(self) -> None:
        """Raises Problem for a caller who may not install here."""
        if not os.access(self.prefix, os.W_OK):
            raise invalid(message=f"{self.prefix} cannot be written. Run this with sudo.")

    def install_bundle(self, bundle: Path, *, older: bool = False) -> str:
        """Check a bundle and install what is in it beside the others; returns its version. Raises Problem.

        Checked with the programs of this release, never with the bundle's own; with `release.pub` in the prefix the
        bundle has to be signed by its owner. A release before the current one is refused unless `older`: an attacker
        could bring back a hole that is mended, with a genuine signature.
        """
        library = Path(__file__).resolve()
        shares = [self.prefix / self.current / "share" / "installer" / "lib", library.parents[2] / "installer" / "lib"]
        share = next((path for path in shares if (path / "offline.sh").is_file()), None)
        if share is None:
            raise invalid(message="The installer's programs are missing; run the installer of the bundle instead.")
        with tempfile.TemporaryDirectory(dir=self.prefix, prefix=".incoming-") as folder:
            _require_plain(bundle)
            unpack = ["tar", "-xf", str(bundle), "-C", folder, "--strip-components=1", "--no-same-owner"]
            if subprocess.run(unpack, check=False).returncode != 0:
                raise invalid(message=f"{bundle} is not a bundle of this program.")
            version = _version(Path(folder))
            key = self.prefix / "release.pub"
            script = '. "$1/python.sh" && . "$1/offline.sh" && check_bundle "$2" "$3" && rm -f "$4/.complete" && rm -rf "$4" && python=$(find_python offline) && install_offline "$python" "$4" "$2"'
            target = self.prefix / version
            if version == self.current:
                raise invalid(message=f"Release {version} is already in use.")
            if not older:
                require_newer(version, self.current)
            arguments = [str(share), folder, str(key) if key.exists() else "", str(target)]
            done = subprocess.run(
                ["sh", "-c", script, "install", *arguments], check=False, stderr=subprocess.PIPE, text=True
            )
            if done.returncode != 0:
                if not (target / ".complete").exists():  # a bundle that was refused costs no release that is installed
                    shutil.rmtree(target, ignore_errors=True)
                raise invalid(message=done.stderr.strip() or "The bundle could not be installed.")
            for line in done.stderr.splitlines():  # who signed it, or that nobody did
                note(line)
            for name in ("systemd", "installer"):
                shutil.copytree(Path(folder) / name, target / "share" / name, dirs_exist_ok=True)
            os.sync()  # what pip wrote; only then the mark that says it is whole
            durable.write(target / ".complete", b"", 0o644)
        return version


@contextmanager
def _journalled(
    releases: Releases, settings: Settings, action: str, source: str, target: str
) -> Iterator[release_journal.Entry]:
    """The journal is open, and the service is stopped inside."""
    with release_journal.at_work(settings):
        entry = release_journal.begin(settings, action, source, target)
        with _closed_when_started(releases, settings):
            yield entry


@contextmanager
def _closed_when_started(releases: Releases, settings: Settings) -> Iterator[None]:
    """The service is stopped inside; the journal is closed when it has been started again: until then whoever comes next starts it."""
    started = True
    try:
        with stopped_service(settings):
            yield
    except ServiceError:
        started = False
        raise
    finally:
        if started:
            release_journal.end_if_settled(settings, releases.current)


def gate(
    releases: Releases, version: str, settings: Settings, told: Callable[[str], None], seconds: float = _GATE_SECONDS
) -> None:
    """Start `version` for this machine alone, look whether it answers and is healthy, and stop it again. Raises GateError.

    Nobody else can reach it meanwhile, so nothing that is acknowledged can be lost by going back.
    """
    data = ["--data", str(settings.data)]
    migrated = subprocess.run(
        _as_owner(settings, releases.command(version, *data, "init", "--json")),
        check=False,
        capture_output=True,
        text=True,
    )
    if migrated.returncode != 0:
        raise GateError(f"the data could not be brought up to date: {_last_line(migrated.stderr)}")
    local = settings.replace(**{"server.bind": "127.0.0.1"})
    serve = releases.command(version, *data, "serve", "--bind", "127.0.0.1", "--http-port", "0")
    process = subprocess.Popen(_as_owner(settings, serve), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + seconds
        while not answers(local, timeout=2.0):
            if process.poll() is not None:
                raise GateError(f"it ended at once: {_last_line(process.stderr.read() if process.stderr else '')}")
            if time.monotonic() > deadline:
                raise GateError(f"it did not answer within {seconds:.0f} s")
            time.sleep(_POLL)
        told("It answers; checking …")
        checks = [
            word
            for name in ("folders", "settings", "certificate", "database", "audit log", "program")
            for word in ("--check", name)
        ]
        found = subprocess.run(
            _as_owner(settings, releases.command(version, *data, "inspect", "--json", *checks)),
            check=False,
            capture_output=True,
            text=True,
        )
        if found.returncode != 0:
            raise GateError(f"it is not healthy: {_problems(found.stdout)}")
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


def change(releases: Releases, version: str, settings: Settings, told: Callable[[str], None]) -> Step:
    """Go from the current release to `version`; on failure everything is as before. Raises Problem with the reason.

    Each step is in the journal: what is killed in between is finished or undone by the next `dcor update`, `dcor
    rollback` or start.
    """
    source = releases.current
    told(_STOPPING)
    with _journalled(releases, settings, release_journal.UPDATE, source, version) as entry:
        with _undo_unless_ready(settings):
            copy = rollback_copies.take(settings, version)
            entry = release_journal.change_begins(settings, entry, copy)
            told(f"Trying release {version} …")
            try:
                gate(releases, version, settings, told)
            except GateError as error:
                raise Problem(
                    409,
                    "Validation Error",
                    message=f"Release {version} was rejected: {error}. Release {source} remains in use.",
                ) from error
            entry = release_journal.ready(settings, entry)
        return _switch(releases, settings, entry)


def go_back(releases: Releases, last: Step, settings: Settings, told: Callable[[str], None]) -> None:
    """Take the switch `last` back, with the database as it was before when its form has changed. Journalled like `change`."""
    copy = rollback_copies.find(settings, last.snapshot)
    told(_STOPPING)
    with _journalled(releases, settings, release_journal.ROLLBACK, last.target, last.source) as entry:
        with _undo_unless_ready(settings):
            if release_journal.schema_of(settings.database) != release_journal.schema_of(copy):
                present = rollback_copies.take(settings, f"rollback-from-{last.target}")
                entry = release_journal.change_begins(settings, entry, present)
                rollback_copies.put_back(settings, copy)
            entry = release_journal.ready(settings, entry)
        _switch(releases, settings, entry)


@contextmanager
def _undo_unless_ready(settings: Settings) -> Iterator[None]:
    """Whatever ends the block early, an interrupt from the keyboard, too: the database is as before."""
    ready = False
    try:
        yield
        ready = True
    finally:
        entry = None if ready else release_journal.read(settings)
        if entry is not None:
            release_journal.take_back(settings, entry)


def settle(releases: Releases, settings: Settings, told: Callable[[str], None]) -> bool:
    """Finish or undo what was interrupted; True when something was finished. Raises Problem while it is still at work."""
    if release_journal.read(settings) is None:
        return False
    with release_journal.at_work(settings):
        entry = release_journal.read(settings)
        if entry is None:
            return False
        told(_STOPPING)
        with _closed_when_started(releases, settings):
            if entry.target == releases.current:
                _switched(releases, settings, entry)
                done = "had been interrupted after its last step; it is finished."
            elif release_journal.can_be_finished(settings, entry):
                _switch(releases, settings, entry)
                done = "had been interrupted; it is finished now."
            else:
                release_journal.take_back(settings, entry)
                done = "had been interrupted; it was undone."
        told(f"The {entry} {done}")
    return releases.current == entry.target


def _switch(releases: Releases, settings: Settings, entry: release_journal.Entry) -> Step:
    """The last step: the history first, as an entry that did not happen is left out when it is read."""
    step = Step(entry.source, entry.target, time.time(), entry.copy)
    if entry.action == release_journal.UPDATE:
        releases.remember([*releases.history(), step])
    releases.switch(entry.target)
    _switched(releases, settings, entry)
    return step


def _switched(releases: Releases, settings: Settings, entry: release_journal.Entry) -> None:
    units.install(releases.prefix / entry.target)
    release_journal.switched(settings, entry)


def _as_owner(settings: Settings, command: list[str]) -> list[str]:
    """The command, run by the account that owns the data root, with the right to listen on low ports.

    It dies with this process: what is left of a killed update must not use the database.
    """
    owner = settings.data.stat()
    dies = ["setpriv", "--pdeathsig", "KILL"]
    if os.geteuid() != 0 or owner.st_uid == 0:
        return [*dies, "--", *command]
    who = ["--reuid", str(owner.st_uid), "--regid", str(owner.st_gid), "--clear-groups"]
    rights = ["--inh-caps", "+net_bind_service", "--ambient-caps", "+net_bind_service"]
    return [*dies, *who, *rights, "--", *command]


def require_newer(version: str, current: str) -> None:
    """Raise Problem when `version` came before `current`."""
    if _order(version) < _order(current):
        raise invalid(
            message=f"Release {version} is older than {current}, which is in use: security fixes made since then would be lost. --older installs it anyway; `dcor rollback` goes back to the release before the last update."
        )


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _require_plain(bundle: Path) -> None:
    """Look at every entry before anything is written as root: only files and folders, and none that leads elsewhere."""
    try:
        with tarfile.open(bundle) as archive:
            for member in archive:
                parts = Path(member.name).parts
                if not (member.isreg() or member.isdir()) or ".." in parts or member.name.startswith("/"):
                    raise invalid(
                        message=f"{bundle} holds {member.name!r}, which is neither a file nor a folder in it."
                    )
    except (tarfile.TarError, OSError) as error:
        raise invalid(message=f"{bundle} is not a bundle of this program.") from error


def _version(folder: Path) -> str:
    with suppress(OSError):
        for line in (folder / "appliance" / "__init__.py").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(" = ")
            if name == "__version__" and value.strip('"').replace(".", "").isalnum():
                return value.strip('"')
    raise invalid(message="The bundle does not say which release it holds.")


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def _problems(output: str) -> str:
    try:
        data: dict[str, Any] = json.loads(output)
    except ValueError:
        return "its checks failed"
    return "; ".join(f"{one['check']}: {one['detail']}" for one in data["findings"] if one["level"] == "problem")
