"""CKAN 2.11 with DCOR's extensions on this machine: PostgreSQL, Redis, CKAN and its jobs are real; Solr and S3 have stand-ins.

Everything lies in one folder, listens on the loopback only, and ends with the context.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import requests

from tests.contract.ckan_peer.solr import solr
from tests.contract.matrix.environments import Unavailable, cache
from tests.support.ports import LOOPBACK, free_port

CKAN = "2.11.6"
EXTENSIONS = {"dcor_schemas": "1.1.2", "dc_serve": "1.0.9", "dc_view": "1.0.2", "dcor_depot": "1.0.5"}
_PLUGINS = "dcor_schemas dc_serve dc_view dcor_depot"
_S3 = "moto[s3,server]==5.2.5"
_DEADLINE = 120  # [s], until something answers
_JOBS = Path(__file__).with_name("jobs.py")


@dataclass(frozen=True)
class Installation:
    """A running CKAN. :ivar storage: host and port of its object storage; :ivar token: of its administrator `boss`."""

    folder: Path
    python: Path
    url: str
    storage: str
    token: str

    def ask(self, action: str, token: str | None = None, /, **data: Any) -> Any:
        """The result of an action, as the administrator or whoever the token belongs to."""
        headers = {"Authorization": self.token if token is None else token}
        answer = requests.post(f"{self.url}/api/3/action/{action}", json=data, headers=headers, timeout=_DEADLINE)
        assert answer.status_code == 200, f"{action}: {answer.status_code} {answer.text[:500]}"
        return answer.json()["result"]

    def work(self) -> None:
        """Do all jobs that are waiting."""
        self._run([self.python, _JOBS, self.folder / "ckan.ini", "jobs worker"])

    def dump(self, target: Path, form: str) -> None:
        """Dump its database: `form` is plain or custom."""
        tool = _postgres() / "pg_dump"
        command = [tool, "-h", self.folder / "sockets", "-U", "ckan", f"--format={form}", "-f", target, "ckan"]
        self._run(command)

    def objects(self, target: Path) -> None:
        """Copy what its object storage holds: a folder per bucket."""
        endpoint = f"http://{self.storage}"
        self._run([self.python, Path(__file__).with_name("objects.py"), endpoint, target])

    def _run(self, command: list[Any]) -> None:
        _run(command, self.folder)


@contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    """Start one in an empty folder. Raises Unavailable."""
    python = environment()
    programs = _postgres()
    if shutil.which("redis-server") is None:
        raise Unavailable("there is no redis-server")
    with ExitStack() as stack:
        start = _starter(stack, folder)
        owner = _owner(folder)
        (folder / "sockets").mkdir()
        (folder / "store").mkdir()
        for path in (folder, folder / "sockets"):
            shutil.chown(path, owner)
        database = folder / "postgres"
        _run(
            [programs / "initdb", "-D", database, "-U", "ckan", "-A", "trust", "-E", "UTF8", "--no-sync"], folder, owner
        )
        sockets = ["-k", folder / "sockets", "-c", "listen_addresses=", "-c", "fsync=off"]
        start("postgres", [programs / "postgres", "-D", database, *sockets], owner)
        _until(lambda: _quiet([programs / "createdb", "-h", folder / "sockets", "-U", "ckan", "ckan"]), "PostgreSQL")
        redis, storage, port = free_port(), free_port(), free_port()
        start("redis", ["redis-server", "--port", redis, "--bind", LOOPBACK, "--save", "", "--dir", folder])
        start("storage", [python.with_name("moto_server"), "-H", LOOPBACK, "-p", storage])
        core = stack.enter_context(solr())
        ini, url = folder / "ckan.ini", f"http://{LOOPBACK}:{port}"
        ckan = [python.with_name("ckan"), "-c", ini]
        _run([python.with_name("ckan"), "generate", "config", ini], folder)
        settings = _settings(folder, url, core.url, redis, storage)
        said = _run([python, "-c", "import ckanext.dcor_schemas as found; print(found.__path__[0])"], folder)
        settings["licenses_group_url"] = f"file://{said.split()[-1]}/licenses.json"
        _run([ckan[0], "config-tool", ini, *(f"{key} = {value}" for key, value in settings.items())], folder)
        said = _run([python, Path(__file__).with_name("prepare.py"), ini], folder)
        start("ckan", [*ckan, "run", "-H", LOOPBACK, "-p", port, "--disable-reloader"])
        for place in (f"http://{LOOPBACK}:{storage}", f"{url}/api/3/action/status_show"):
            _until(partial(_answers, place), place)
        yield Installation(folder, python, url, f"{LOOPBACK}:{storage}", said.split()[-1])


def environment() -> Path:
    """The interpreter of an environment with CKAN and the extensions, which is made unless it is there. Raises Unavailable."""
    folder = cache() / f"ckan-{CKAN}-dcor"
    python = folder / "bin" / "python"
    if not (folder / "complete").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        wanted = [f"ckan[requirements]=={CKAN}", _S3, "setuptools<81"]  # the extensions use pkg_resources
        wanted += [f"ckanext-{name}=={version}" for name, version in EXTENSIONS.items()]
        for step in ([sys.executable, "-m", "venv", folder], [python, "-m", "pip", "install", "-q", *wanted]):
            done = subprocess.run([str(part) for part in step], capture_output=True, text=True)
            if done.returncode:
                raise Unavailable(f"CKAN {CKAN} cannot be installed: {done.stderr[-300:]}")
        (folder / "complete").touch()
    return python


def _settings(folder: Path, url: str, core: str, redis: int, storage: int) -> dict[str, Any]:
    return {
        "sqlalchemy.url": f"postgresql:///ckan?host={folder / 'sockets'}&user=ckan",
        "ckan.site_url": url,
        "ckan.site_id": "default",
        "solr_url": core,
        "ckan.redis.url": f"redis://{LOOPBACK}:{redis}/0",
        "ckan.plugins": _PLUGINS,
        "ckan.storage_path": folder / "store",
        "ckan.auth.allow_dataset_collaborators": "true",
        "ckan.auth.create_unowned_dataset": "false",
        "ckan.auth.user_create_organizations": "true",
        "ckan.auth.user_create_groups": "true",
        "ckanext.dcor_schemas.notify_user_create": "false",
        "ckanext.dc_serve.tmp_dir": folder / "store",
        "dcor_object_store.endpoint_url": f"http://{LOOPBACK}:{storage}",
        "dcor_object_store.access_key_id": "tests",
        "dcor_object_store.secret_access_key": "tests",
        "dcor_object_store.ssl_verify": "false",
        "dcor_object_store.bucket_name": "circle-{organization_id}",
    }


def _postgres() -> Path:
    """The folder of PostgreSQL's programs."""
    found = shutil.which("postgres")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or ([Path(found).resolve().parent] if found else [])
    if not folders:
        raise Unavailable("there is no PostgreSQL")
    return folders[-1]


def _owner(folder: Path) -> str | int:
    """PostgreSQL refuses to run as root."""
    if os.geteuid():
        return os.geteuid()
    for parent in (folder, *folder.parents):
        if parent != Path("/") and parent.stat().st_uid == 0 and not parent.stat().st_mode & 1:
            parent.chmod(parent.stat().st_mode | 0o011)
    return "nobody"


def _run(command: list[Any], folder: Path, user: str | int | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, user=user, capture_output=True, text=True, env=_variables()
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]} {done.stderr[-4000:]}"
    return done.stdout


def _quiet(command: list[Any]) -> bool:
    return subprocess.run([str(part) for part in command], capture_output=True).returncode == 0


def _variables() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {
        "LC_ALL": "C.UTF-8",
        "NUMBA_DISABLE_JIT": "0",
    }


def _starter(stack: ExitStack, folder: Path) -> Callable[..., None]:
    def start(name: str, command: list[Any], user: str | int | None = None) -> None:
        log = stack.enter_context((folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            [str(part) for part in command], cwd=folder, user=user, stdout=log, stderr=log, env=_variables()
        )
        # PostgreSQL waits for its clients after SIGTERM; the others may have been started with SIGINT ignored
        stack.callback(_end, process, signal.SIGINT if name == "postgres" else signal.SIGTERM)

    return start


def _end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    process.send_signal(how)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(place: str) -> bool:
    return requests.get(place, timeout=60).status_code == 200


def _until(ready: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + _DEADLINE
    while time.monotonic() < end:
        try:
            if ready():
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"{what} does not answer")
