"""A whole appliance with people, a dataset, its files and a backup, to be damaged: made once, copied for each damage."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from appliance import root_marker
from appliance import settings as settings_module
from appliance.cli.init import prepare
from appliance.cli.root import run
from appliance.service import Service
from appliance.store.depot import Depot
from tests.support.ports import free_port
from tests.support.samples import synthetic

HOST = "dcor.lab.example"


@dataclass(frozen=True)
class Said:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Place:
    """One appliance of its own.

    :ivar resource: id of the measurement. :ivar dataset: name of its dataset. :ivar sheet: the key sheet of the backups.
    :ivar machine: the folder in which the machine keeps what its data root is.
    """

    top: Path
    resource: str = ""
    dataset: str = ""
    service: Service | None = None
    patches: list[Any] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.top / "data"

    @property
    def sheet(self) -> Path:
        return self.top / "key-sheet.txt"

    @property
    def machine(self) -> Path:
        return self.top / "machine"

    @property
    def record(self) -> Path:
        return self.machine / "data-root.json"

    @property
    def database(self) -> Path:
        return self.root / "dcor.sqlite"

    def dcor(self, *arguments: str, stdin: str = "") -> Said:
        """Run `dcor --data ROOT …` in this process."""
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.object(sys, "stdin", io.StringIO(stdin)), redirect_stdout(out), redirect_stderr(err):
            code = run(["--data", str(self.root), *arguments])
        return Said(code, out.getvalue(), err.getvalue())

    def done(self, *arguments: str, stdin: str = "") -> Said:
        """Run it; it has to do what it is asked to."""
        said = self.dcor(*arguments, stdin=stdin)
        assert said.code == 0, (arguments, said)
        return said

    def file(self, kind: str = "original") -> Path:
        """A file of the measurement."""
        return Depot(self.root).path(self.resource, kind)

    def newest_backup(self) -> Path:
        """The folder of the only backup."""
        (manifest,) = self.root.glob("backups/*/*/manifest.json")
        return manifest.parent

    @property
    def settings(self) -> settings_module.Settings:
        """The settings in force."""
        return settings_module.load(self.root, env={})

    def start(self) -> None:
        """Start the service, as `systemctl start` does."""
        self.stop()
        self.service = Service(settings_module.load(self.root, env={}))
        self.service.start()

    def stop(self) -> None:
        """End the service, if it runs."""
        service, self.service = self.service, None
        if service is not None:
            service.stop(grace=2.0)

    def set(self, name: str, value: str) -> None:
        """Change a setting."""
        self.done("config", "set", name, value)

    def clean(self) -> None:
        """End what runs and take back what was replaced."""
        for patch in self.patches:
            patch.stop()
        self.patches.clear()
        with suppress(Exception):
            self.stop()

    def replace(self, target: Any, name: str, value: Any) -> None:
        """Replace an attribute for as long as this appliance is looked at."""
        patch = mock.patch.object(target, name, value)
        patch.start()
        self.patches.append(patch)


def make(top: Path) -> Place:
    """A new one: users ada and boss, the circle lab, a draft with a measurement whose jobs are done, keys and a backup."""
    place = Place(top)
    place.machine.mkdir(parents=True)
    flags = {"server.hostname": HOST, "server.port": free_port(), "server.http_port": 0, "depot.reserve": 0}
    with mock.patch.dict(os.environ, {root_marker.MACHINE_VARIABLE: str(place.machine)}):
        prepare(place.root, flags, [])
        root_marker.record(place.root)
        place.done(
            *("user", "add", "boss", "--email", "boss@lab.example", "--sysadmin", "--password-stdin"),
            stdin="correct horse battery\n",
        )
        place.done("user", "add", "ada", "--email", "ada@lab.example")
        place.done("circle", "create", "lab", "--title", "The lab", "--admin", "ada")
        folder = top / "in" / "blood"
        folder.mkdir(parents=True)
        shutil.copy(synthetic(), folder / "blood.rtdc")
        place.done("import", str(top / "in"), "--user", "ada", "--circle", "lab")
        place.done("jobs", "run")
        place.done("backup", "keys", "--out", str(place.sheet))
        place.done("backup", "create")
        (row,) = place.done("resource", "list", "--json").json
    place.resource, place.dataset = row["id"], row["dataset"]
    return place


def copy(place: Place, top: Path) -> Place:
    """Another one like it, elsewhere."""
    subprocess.run(["cp", "-a", str(place.top), str(top)], check=True)
    made = Place(top, place.resource, place.dataset)
    known = json.loads(made.record.read_text())
    made.record.write_text(json.dumps(known | {"path": str(made.root)}))
    return made
