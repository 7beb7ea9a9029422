"""Run a release against a live service: who serves, what is asked, what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # noqa: F401 - registers the filters

from appliance.actions import accounts
from appliance.model.viewer import OPERATOR
from appliance.security import access_file
from tests.contract.matrix import environments
from tests.contract.matrix.versions import Release
from tests.support.furnished import PASSWORD
from tests.support.ports import free_port, own_loopback
from tests.support.samples import synthetic
from tests.support.server import ApartAppliance, Person

PASSPHRASE = "a passphrase for this test only"
#: What is tried of each client → its heading.
STEPS = {
    "dcoraid": {
        "connect": "access file",
        "upload": "upload, activate",
        "list": "search, own data",
        "download": "download",
        "condensed": "condensed file",
    },
    "dclab": {
        "open": "open by id",
        "features": "all scalar features",
        "image": "image, mask",
        "trace": "traces",
        "contour": "contour",
        "condensed": "condensed file from disk",
    },
}
_DEADLINE = 300  # [s], of one release


@dataclass(frozen=True)
class Outcome:
    """What a release could do.

    :ivar steps: step → "" or what went wrong. :ivar unavailable: why it was not run.
    """

    release: Release
    python: str = ""
    dclab: str = ""
    steps: dict[str, str] = field(default_factory=dict)
    unavailable: str = ""


class Site:
    """A live service with one measurement, and its user."""

    def __init__(self, root: Path) -> None:
        port = 443 if os.geteuid() == 0 else free_port()  # dclab's addresses have no port
        host = own_loopback()
        options = {"server.hostname": host, "server.bind": host, "server.port": port}
        self.appliance = ApartAppliance(root / "data", **options)
        self.host = self.appliance.url.removeprefix("https://")
        measurement = synthetic()
        self.plain = _without_plugins(measurement, root / "plain.rtdc")
        self.owner: Person = self.appliance.person("owner", password=PASSWORD)
        self.owner.circle("matrix")
        self.resource = self.owner.add(self.owner.draft("matrix", private=True)["id"], measurement)
        self.appliance.jobs_done(self.resource["id"])
        path = f"/dataset/{self.resource['package_id']}/resource/{self.resource['id']}/condensed.rtdc"
        self.condensed = root / "condensed.rtdc"
        self.condensed.write_bytes(self.owner.fetch(path).content)
        token, _ = accounts.create_token(self.appliance.context, OPERATOR, "owner", "access file")
        self.access = root / "owner.dcor-access"
        packed = access_file.AccessFile(token, self.appliance.certificate.read_bytes())
        self.access.write_bytes(packed.encrypt(PASSPHRASE))

    def asked(self, folder: Path) -> dict[str, Any]:
        """What the driver of a release is told. The local file has no compression that old releases do not know."""
        return {
            "url": self.appliance.url,
            "host": self.host,
            "token": self.owner.token,
            "user": "owner",
            "resource": self.resource["id"],
            "local": str(self.plain),
            "condensed": str(self.condensed),
            "certificate": str(self.appliance.certificate),
            "access": str(self.access),
            "passphrase": PASSPHRASE,
            "circle": "matrix",
            "folder": str(folder),
        }


def _without_plugins(source: Path, target: Path) -> Path:
    """The same measurement as a file that every HDF5 library reads."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        new.attrs.update(old.attrs)

        def copy(name: str, found: h5py.Dataset | h5py.Group) -> None:
            if isinstance(found, h5py.Dataset):
                made = new.create_dataset(name, data=found[()], dtype=found.dtype)
                made.attrs.update(found.attrs)
            else:
                new.require_group(name).attrs.update(found.attrs)

        old.visititems(copy)
    return target


@contextmanager
def site() -> Iterator[Site]:
    """A service as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="dcor-matrix-") as folder:
        before = os.environ.get("TMPDIR"), tempfile.tempdir
        running = Site(Path(folder))
        _restore_temporary(*before)  # it was moved into the data root, which goes away
        try:
            yield running
        finally:
            running.appliance.stop()


def _restore_temporary(variable: str | None, folder: str | None) -> None:
    tempfile.tempdir = folder
    os.environ.pop("TMPDIR", None)
    if variable is not None:
        os.environ["TMPDIR"] = variable


def tried(release: Release, served: Site) -> Outcome:
    """Run one release in a process of its own."""
    try:
        python = environments.python_of(release)
    except environments.Unavailable as reason:
        return Outcome(release, unavailable=str(reason))
    script = Path(__file__).with_name(f"drive_{release.package}.py")
    with tempfile.TemporaryDirectory(prefix="dcor-client-") as folder:
        home = Path(folder)
        given = json.dumps(served.asked(home))
        # what the set-up script for clients sets; a home of its own, so that nothing of a real account is touched
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "XDG_"))} | {
            "HOME": folder,
            **dict.fromkeys(release.variables, str(served.appliance.certificate)),
        }
        done = subprocess.run(
            [python, "-I", script, given], capture_output=True, text=True, timeout=_DEADLINE, cwd=home, env=environment
        )
    with suppress(IndexError, ValueError):
        said = json.loads(done.stdout.strip().splitlines()[-1])
        return Outcome(release, said["python"], said.get("with", said["version"]), said["steps"])
    raise RuntimeError(f"{release.name} ended with {done.returncode}: {done.stderr[-2000:]}")
