"""SIGKILL of the real `dcor update`, `rollback`, `backup` and the installer, on the booted machine under test (standard library alone).

`python killed_releases.py HOW_MANY` with HOW_MANY a JSON object {action: kills}. Every command is killed with all its children at a random
moment of its time. Then the service has to be back by itself, by its start (as at boot), or by one command that a message names.
Prints a line of JSON for each kill and for each thing that is wrong, and a table at the end.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import ssl
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

OLD, NEW = "0.2.0", "0.2.1"
DATA, PREFIX = Path("/data"), Path("/opt/dcor")
INSTALLER = ["/tmp/bundle/installer/install.sh", "--hostname", "dcor.clinic.example", "--email", "it@clinic.example"]
INSTALLER += ["--release-key", "/mnt/shared/release.pub", "--yes"]
RESTORE = ["dcor", "backup", "restore", "--key", "/root/key-sheet.txt", "--from", "/backups", "--replace", "--yes"]
#: Commands that a message may name, and what an administrator types then.
NAMED = {
    r"sudo dcor update": ["dcor", "update", "--yes"],
    r"sudo dcor rollback": ["dcor", "rollback", "--yes"],
    r"installer/install\.sh": INSTALLER,
    r"dcor backup restore": RESTORE,
}
CHANCE = random.Random(4)
WANTED: dict[str, int] = json.loads(sys.argv[1])


def say(**found: object) -> None:
    """One line of the record."""
    print(json.dumps(found), flush=True)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run to the end; the text of both channels is in `stdout`. A program that is not installed ends like one that fails."""
    if shutil.which(command[0]) is None:
        return subprocess.CompletedProcess(command, 127, f"{command[0]}: not found", "")
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300
    )


def current() -> str:
    """The release in use, "" = none."""
    link = PREFIX / "current"
    return link.readlink().name if link.is_symlink() else ""


def answers(seconds: float) -> bool:
    """Does the service answer by then?"""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            context = ssl.create_default_context(cafile=str(DATA / "certificates/server.cert"))
            with urllib.request.urlopen("https://dcor.clinic.example/api/3", timeout=10, context=context) as answer:
                return answer.status == 200
        if time.monotonic() > end:
            return False
        time.sleep(0.2)


def is_starting() -> bool:
    """Will it answer without anybody's help?"""
    state = run("systemctl", "show", "-P", "ActiveState", "dcor.service").stdout.strip()
    return state in {"active", "activating", "reloading"}


def step() -> str:
    """What was under way when it was killed."""
    path = DATA / "rollback" / "journal.json"
    try:
        return str(json.loads(path.read_text())["step"])
    except FileNotFoundError:
        return "no journal"


def kill(command: list[str], longest: float) -> tuple[bool, str]:
    """Kill a command and its children at a random moment within `longest` [s]. → was it still at work, what it had said."""
    with Path("/tmp/killed").open("w+b") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            process.wait(CHANCE.uniform(0.02, longest))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        out.seek(0)
        return process.returncode == -signal.SIGKILL, out.read().decode(errors="replace")


def recover(said: str, again: list[str], by_start: bool) -> str:
    """Bring the service back. → how: "itself", "start", or the command that was named; "" = it is down."""
    while run("systemctl", "show", "-P", "ActiveState", "dcor.service").stdout.strip() == "deactivating":
        time.sleep(0.2)  # a stop that had begun comes to its end
    if is_starting() and answers(60):
        return "itself"
    if by_start:
        run("systemctl", "reset-failed", "dcor.service")
        if run("systemctl", "start", "dcor.service").returncode == 0 and answers(60):
            return "start"
        said = run("journalctl", "--no-pager", "-n", "12", "-u", "dcor.service").stdout + run("dcor", "status").stdout
    for pattern, command in NAMED.items():
        if re.search(pattern, said):
            done = run(*command)
            if answers(60):
                return " ".join(command[:3]) if command[0] == "dcor" else "install.sh"
            say(wrong="the command that was named did not bring it back", command=command, said=done.stdout[-1500:])
            return ""
    done = run(*again)
    if answers(60):
        return "the same command"
    say(wrong="nothing brought it back", command=again, said=(said + done.stdout)[-1500:])
    return ""


def users() -> set[str]:
    """Names of the accounts, as a running service has them."""
    with closing(sqlite3.connect(f"{(DATA / 'dcor.sqlite').as_uri()}?mode=ro", uri=True)) as conn:
        return {row[0] for row in conn.execute("SELECT name FROM user WHERE state != 'deleted'")}


def work(name: str) -> str:
    """Something that is acknowledged: a new account."""
    done = run("dcor", "user", "add", name, "--email", f"{name}@clinic.example")
    assert done.returncode == 0, done.stdout
    return name


def look(action: str, expected: set[str]) -> None:
    """Everything that was acknowledged is there, nothing is left open."""
    if (DATA / "rollback" / "journal.json").exists():
        say(wrong="the journal is still open", action=action)
    missing = expected - users()
    if missing:
        say(wrong="lost", action=action, names=sorted(missing), current=current())
    if CHANCE.random() > 0.3:
        return
    resource = Path("/tmp/resource").read_text().strip()
    token = Path("/tmp/token").read_text().strip()
    job = [sys.executable, "/mnt/shared/main_job.py", "check", "https://dcor.clinic.example"]
    done = run(*job, str(DATA / "certificates/server.cert"), token, "/mnt/shared/sample.rtdc", resource)
    if done.returncode != 0:
        say(wrong="the main job", action=action, said=done.stdout[-800:])


class Table:
    """What was killed when, and how it came back."""

    def __init__(self) -> None:
        self.kills: collections.Counter[str] = collections.Counter()
        self.steps: collections.Counter[str] = collections.Counter()
        self.ways: collections.Counter[str] = collections.Counter()
        self.seconds: dict[str, float] = {}

    def open(self, action: str) -> bool:
        """Are kills of this action still to be made?"""
        return self.kills[action] < WANTED.get(action, 0)

    def one(self, action: str, command: list[str], again: list[str] | None = None) -> None:
        """Kill once and recover."""
        killed, said = kill(command, self.seconds.get(action, 30.0))
        where = step()
        way = recover(said, again or command, by_start=CHANCE.random() < 0.5)
        if killed:
            self.kills[action] += 1
            self.steps[f"{action}: {where}"] += 1
            self.ways[f"{action}: {way or 'DOWN'}"] += 1
            say(kill=self.kills[action], action=action, step=where, way=way, current=current())

    def measure(self, action: str, *command: str) -> None:
        """How long it takes when nobody kills it."""
        began = time.monotonic()
        done = run(*command)
        assert done.returncode == 0, done.stdout
        self.seconds[action] = time.monotonic() - began
        say(measured=action, seconds=round(self.seconds[action], 1))


def releases(table: Table) -> None:
    """Updates and rollbacks, in turn: each begins where the one before has ended."""
    there = users()
    table.measure("bundle", "dcor", "update", "--bundle", "/mnt/shared/migrating.tar", "--yes")
    table.measure("rollback", "dcor", "rollback", "--yes")
    table.measure("update", "dcor", "update", "--to", NEW, "--yes")
    number, newer = 0, set[str]()
    while table.open("update") or table.open("rollback") or table.open("bundle"):
        number += 1
        before = current()
        if before == NEW:
            if number % 6 == 0:
                newer.add(work(f"newer{number}"))
            action, command = "rollback", ["dcor", "rollback", "--yes"]
        elif table.open("bundle") and number % 7 == 0:
            shutil.rmtree(PREFIX / NEW, ignore_errors=True)
            action, command = "bundle", ["dcor", "update", "--bundle", "/mnt/shared/migrating.tar", "--yes"]
        else:
            backup = [] if number % 5 == 0 else ["--no-backup"]
            if not (PREFIX / NEW / ".complete").exists():
                run("dcor", "update", "--bundle", "/mnt/shared/migrating.tar", "--yes")
                continue
            action, command = "update", ["dcor", "update", "--to", NEW, "--yes", *backup]
        if not table.open(action):  # the other one still has kills to come
            run(*command)
            newer = newer if current() == NEW else set()
            continue
        if before == OLD and number % 6 == 0:
            there.add(work(f"older{number}"))
        table.one(action, command)
        if current() == OLD:
            newer = set()  # a rollback that was completed takes them back, and says so
        look(action, there | newer)
    if current() == NEW:
        run("dcor", "rollback", "--yes")


def backups(table: Table) -> None:
    """Backups while the service works, and restores over what is there."""
    there = users()
    table.measure("backup", "dcor", "backup", "create")
    while table.open("backup"):
        table.one("backup", ["dcor", "backup", "create"])
        look("backup", there)
    if WANTED.get("restore"):
        run("dcor", "backup", "create")
        shutil.copytree(DATA / "backups", "/backups")
        run("systemctl", "stop", "dcor.service")
        table.measure("restore", *RESTORE)
        run("systemctl", "start", "dcor.service")
    while table.open("restore"):
        run("systemctl", "stop", "dcor.service")
        killed, said = kill(RESTORE, table.seconds["restore"])
        way = "itself"
        run("systemctl", "reset-failed", "dcor.service")
        if run("systemctl", "start", "dcor.service").returncode != 0 or not answers(30):
            said += run("journalctl", "--no-pager", "-n", "12", "-u", "dcor.service").stdout
            way = "dcor backup restore" if "dcor backup restore" in said else ""
            run("systemctl", "stop", "dcor.service")
            done = run(*RESTORE)
            run("systemctl", "reset-failed", "dcor.service")
            if run("systemctl", "start", "dcor.service").returncode != 0 or not answers(60):
                say(wrong="the restore did not bring it back", said=(said + done.stdout)[-1500:])
            elif not way:
                say(wrong="no message named the restore", said=said[-1500:])
        if killed:
            table.kills["restore"] += 1
            table.ways[f"restore: {way or 'not named'}"] += 1
            say(kill=table.kills["restore"], action="restore", way=way)
        look("restore", there)


def installations(table: Table) -> None:
    """The installer over an installation, anew by force, and on a machine that has none."""
    there = users()
    for action, options in {"repair": [], "force": ["--force"]}.items():
        if WANTED.get(action):
            table.measure(action, *INSTALLER, *options)
        while table.open(action):
            table.one(action, [*INSTALLER, *options], INSTALLER)
            look(action, there)
    while table.open("install"):
        run(*INSTALLER, "--uninstall", "--yes")
        for folder in ("/data", "/etc/dcor"):
            shutil.rmtree(folder, ignore_errors=True)
        if "install" not in table.seconds:
            table.measure("install", *INSTALLER)
            continue
        table.one("install", INSTALLER)
        if "admin" not in users():
            say(wrong="no first administrator", action="install")


def main() -> None:
    """All of it, and the table."""
    table = Table()
    releases(table)
    backups(table)
    installations(table)
    say(kills=sum(table.kills.values()), each=table.kills, steps=table.steps, ways=table.ways)


if __name__ == "__main__":
    main()
