"""A real appliance in a temporary folder, and people who talk to it over TLS."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from appliance import settings as settings_module
from appliance.actions import accounts, communities
from appliance.cli import init
from appliance.cli.work import check_sanity
from appliance.model.viewer import OPERATOR
from appliance.security import signing
from appliance.service import Service
from appliance.store import users
from appliance.store.database import Database
from appliance.store.depot import Depot
from appliance.web.context import Context
from tests.support.ports import LOOPBACK, free_port
from tests.support.waiting import wait_for

DEADLINE = 60.0
#: Environment variable with the data root of a running appliance that the tests of clients are to ask.
INSTALLED = "DCOR_TEST_INSTALLED"


class Answer:
    """An action's answer: status, reason phrase and body as a client sees them."""

    def __init__(self, response: requests.Response) -> None:
        self.status = response.status_code
        self.reason = response.reason
        self.headers = response.headers
        self.text = response.text
        try:
            self.body: Any = response.json()
        except ValueError:
            self.body = response.text

    @property
    def result(self) -> Any:
        """The result; fails with the whole body when the call was refused."""
        assert self.status == 200, self.body
        return self.body["result"]

    @property
    def error(self) -> dict[str, Any]:
        """The error without its type; fails when the call was not refused."""
        assert self.status >= 400, self.body
        return {key: value for key, value in self.body["error"].items() if key != "__type"}

    @property
    def message(self) -> str:
        """The error's message, or the bare text of a 400."""
        return self.body if isinstance(self.body, str) else self.error.get("message", json.dumps(self.error))


class Person:
    """Somebody with a token (or, without one, nobody in particular)."""

    def __init__(self, appliance: Appliance, name: str = "", token: str = "", id_: str = "") -> None:
        self.appliance, self.name, self.token, self.id = appliance, name, token, id_
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(appliance.certificate)
        if token:
            self.http.headers["Authorization"] = token

    def get(self, action: str, **parameters: Any) -> Answer:
        """Ask an action by GET."""
        return Answer(self.http.get(self._url(action), params=parameters, timeout=DEADLINE))

    def post(self, action: str, **parameters: Any) -> Answer:
        """Ask an action by POST with JSON."""
        return Answer(self.http.post(self._url(action), json=parameters, timeout=DEADLINE))

    def upload(self, action: str, fields: dict[str, str], field: str, name: str, content: Any) -> Answer:
        """Ask an action by POST with a form that ends with a file."""
        files = [(key, (None, value)) for key, value in fields.items()] + [(field, (name, content))]
        return Answer(self.http.post(self._url(action), files=files, timeout=DEADLINE))

    def fetch(self, path: str, **options: Any) -> requests.Response:
        """GET a path of the server."""
        return self.http.get(self.appliance.url + path, timeout=DEADLINE, **options)

    def circle(self, name: str) -> dict[str, Any]:
        """Found a circle."""
        return self.post("organization_create", name=name, title=name.title()).result

    def draft(self, circle: str, **fields: Any) -> dict[str, Any]:
        """Make a draft dataset."""
        values = {
            "title": "A measurement of blood",
            "authors": "Ada L., Max P.",
            "license_id": "CC0-1.0",
            "owner_org": circle,
            "state": "draft",
        }
        return self.post("package_create", **values | fields).result

    def add(self, dataset_id: str, path: Path, name: str | None = None) -> dict[str, Any]:
        """Add a file to a draft, as DCOR-Aid does by default; returns the resource."""
        with path.open("rb") as file:
            fields = {"match__id": dataset_id, "update__resources__extend": json.dumps([{"name": name or path.name}])}
            package = self.upload(
                "package_revise", fields, "update__resources__-1__upload", name or path.name, file
            ).result
        return package["package"]["resources"][-1]

    def activate(self, dataset_id: str) -> dict[str, Any]:
        """Draft → active."""
        return self.post("package_revise", match={"id": dataset_id}, update={"state": "active"}).result["package"]

    def _url(self, action: str) -> str:
        return f"{self.appliance.url}/api/3/action/{action}"


class Appliance:
    """A running service on a free port of this machine, in a thread of the tests' process."""

    def __init__(self, root: Path, **options: Any) -> None:
        flags: dict[str, Any] = {
            "server.hostname": "localhost",
            "server.bind": LOOPBACK,
            "server.port": free_port(),
            "server.http_port": 0,
            "depot.reserve": 0,
        }
        flags |= options
        init.prepare(root, flags, [], names=("localhost", str(flags["server.bind"])), try_out=True)
        self.root = root
        self.settings = settings_module.load(root, env={})
        self.service = Service(self.settings)
        self._start()
        self.context = self.service.context
        self.url = self.settings.site_url
        self.certificate = self.settings.certificate
        self.nobody = Person(self)
        self.admin = self.person("admin", sysadmin=True)

    def person(self, name: str, *, sysadmin: bool = False, password: str | None = None) -> Person:
        """A user with an account, made unless it is there, and a token."""
        with self.context.db.read() as conn:
            known = users.find(conn, name)
        if known is None:
            values = {"name": name, "email": f"{name}@example.org", "fullname": name.title(), "password": password}
            user_id = accounts.create(self.context, OPERATOR, values, sysadmin=sysadmin)
        else:
            user_id = str(known["id"])
        token, _ = accounts.create_token(self.context, OPERATOR, name, "test", scope="admin" if sysadmin else "write")
        return Person(self, name, token, user_id)

    def member(self, kind: str, community: str, name: str, role: str) -> Person:
        """A user with a role in a circle or collection."""
        someone = self.person(name)
        communities.set_member(self.context, OPERATOR, kind, community, name, role)
        return someone

    def jobs_done(self, resource_id: str) -> list[dict[str, Any]]:
        """Wait until no job of a resource is open; returns its jobs."""
        from appliance.store import jobs

        def ended() -> tuple[list[dict[str, Any]]] | None:
            with self.context.db.read() as conn:
                found = jobs.for_resource(conn, resource_id)
            return (found,) if all(job["state"] not in {"queued", "running"} for job in found) else None

        return wait_for(ended, seconds=240)[0]  # many files may stand before it

    def _start(self) -> None:
        self.service.start()

    def stop(self) -> None:
        """End the service."""
        self.service.stop(grace=2.0)


class ApartAppliance(Appliance):
    """The same in a process of its own, as users run it.

    dclab over the network needs this: while HDF5 waits for a range, h5py holds its lock, and a thread of a server in the
    same process that happens to collect garbage waits for that lock to let go of some old HDF5 object. Nobody then answers.
    """

    def _start(self) -> None:
        arguments = [sys.executable, "-m", "appliance", "--data", str(self.root), "serve"]
        self._log = (self.root / "tmp" / "serve.log").open("w+")
        self._process = subprocess.Popen(
            arguments, stdout=self._log, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONUNBUFFERED": "1"}
        )
        wait_for(self._healthy)

    @property
    def pid(self) -> int:
        """Number of its process."""
        return self._process.pid

    def _healthy(self) -> bool:
        if self._process.poll() is not None:
            self._log.seek(0)
            raise AssertionError(f"the service ended: {self._log.read()}")
        try:
            with socket.create_connection((self.settings.server.bind, self.settings.server.port), timeout=1.0):
                return True
        except OSError:
            return False

    def stop(self) -> None:
        """End the service; fails when it does not end in good order."""
        self._process.terminate()
        code = self._process.wait(DEADLINE)
        self._log.close()
        self.service.db.close()
        assert code == 0, code


class InstalledAppliance(Appliance):
    """One that runs already, as an installation or a restore left it: `INSTALLED` names its data root.

    The tests run as an account that may write there. A test that needs other settings is skipped, and says which.
    """

    def __init__(self, root: Path, **options: Any) -> None:
        self.root = root
        self.settings = settings_module.load(root, env={})
        for key, wanted in options.items():
            section, _, name = key.partition(".")
            if section != "server" and getattr(getattr(self.settings, section), name) != wanted:
                pytest.skip(f"needs {key} = {wanted}")
        signer = signing.Signer(os.urandom(32))  # nobody asks it
        self.context = Context(
            self.settings, Database(self.settings.database), Depot(root), signer=signer,
            check_sanity=check_sanity(self.settings),
        )  # fmt: skip
        self.url = self.settings.site_url
        self.certificate = self.settings.certificate
        self.nobody = Person(self)
        self.admin = self.person("admin", sysadmin=True)

    def stop(self) -> None:
        """Let go of it; it goes on."""
        self.context.db.close()


def appliance_at(root: Path, kind: type[Appliance] = ApartAppliance, **options: Any) -> Appliance:
    """A fresh appliance in `root`, or the installed one that the environment names."""
    installed = os.environ.get(INSTALLED)
    return InstalledAppliance(Path(installed), **options) if installed else kind(root, **options)


def needs_settings_of_its_own() -> None:
    """Skip a test that starts an appliance besides, where the installed one is what is tested."""
    if os.environ.get(INSTALLED):
        pytest.skip("needs an appliance with settings of its own")
