"""Ceph's object storage as ordinary processes in a temporary folder: one monitor, one store in memory, and radosgw, which speaks S3."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import LOOPBACK, free_port
from tests.support.waiting import wait_until

ACCESS_KEY, SECRET_KEY = "DCORTESTACCESSKEY", "a secret key that only tests know"
PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
_CONFIG = """
[global]
fsid = {fsid}
mon host = v1:{host}:{mon}
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = false
ms bind msgr2 = false
public network = 127.0.0.0/8
osd objectstore = memstore
memstore device bytes = 2147483648
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd class load list = *
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail warn = 1
mon data avail crit = 0
run dir = {folder}
admin socket = {folder}/$name.asok
log file = {folder}/$name.log
mon cluster log file = {folder}/cluster.log
mon data = {folder}/mon
osd data = {folder}/osd
rgw data = {folder}/rgw
rgw frontends = beast endpoint={host}:{s3}
rgw enable gc threads = false
rgw enable quota threads = false
rgw run sync thread = false
rgw dynamic resharding = false
rgw num rados handles = 1
"""


class Ceph:
    """A running store. `endpoint` is its address for S3; `stop` and `start` end and begin what answers there, the objects stay."""

    def __init__(self, folder: Path) -> None:
        missing = [program for program in PROGRAMS if shutil.which(program) is None]
        if missing:
            pytest.skip(f"Ceph is not installed (Debian: ceph-mon ceph-osd radosgw): {', '.join(missing)}")
        pytest.importorskip("botocore")
        self._folder = folder
        mon, self.port = free_port(), free_port()
        self.endpoint = f"http://{LOOPBACK}:{self.port}"
        for name in ("osd", "rgw"):
            (folder / name).mkdir(parents=True)
        fsid = str(uuid.uuid4())
        self._config = folder / "ceph.conf"
        self._config.write_text(_CONFIG.format(fsid=fsid, host=LOOPBACK, mon=mon, s3=self.port, folder=folder))
        self._cluster: list[subprocess.Popen[bytes]] = []
        self._gateway: subprocess.Popen[bytes] | None = None
        begun = False
        try:
            self._begin_cluster(fsid, mon)
            begun = True
        finally:
            if not begun:
                self.end()

    def _begin_cluster(self, fsid: str, mon: int) -> None:
        folder = self._folder
        self._run(
            "monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v1:{LOOPBACK}:{mon}]", str(folder / "map")
        )
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", str(folder / "map"))
        self._cluster.append(self._begin("ceph-mon", "-f", "-i", "a"))
        self._run("ceph", "--connect-timeout", "60", "osd", "create")
        self._run("ceph-osd", "-i", "0", "--mkfs")
        self._cluster.append(self._begin("ceph-osd", "-f", "-i", "0"))
        self._run("ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=localhost")
        assert wait_until(lambda: " 1 up" in self._run("ceph", "osd", "stat"), 60.0, 0.5), "the store does not come up"
        user = ("user", "create", "--uid=dcor", "--display-name=dcor")
        self._run("radosgw-admin", *user, f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}")
        self.start()

    def start(self) -> None:
        """Let S3 answer."""
        self._gateway = self._begin("radosgw", "-f", "-n", "client.rgw")
        assert wait_until(self._answers, 60.0), (self._folder / "client.rgw.log").read_text()[-2000:]

    def stop(self) -> None:
        """Nobody answers then."""
        if self._gateway is not None:
            self._gateway.kill()
            self._gateway.wait(30)
            self._gateway = None

    def freeze(self) -> None:
        """It takes connections and says nothing, as an overloaded store does."""
        assert self._gateway is not None
        self._gateway.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self._gateway is not None
        self._gateway.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """End everything."""
        self.stop()
        for process in self._cluster:
            process.kill()
            process.wait(30)

    def client(self) -> Any:
        """A client of its own, for tests to look at objects and to change them."""
        import botocore.session
        from botocore.config import Config

        return botocore.session.Session().create_client(
            "s3", region_name="us-east-1", endpoint_url=self.endpoint, aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}, signature_version="s3v4", proxies={}, read_timeout=20),
        )  # fmt: skip

    def bucket(self) -> str:
        """A new bucket. → its name."""
        name = f"dcor-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        return name

    def keys(self, bucket: str) -> list[str]:
        """The keys in a bucket."""
        return [one["Key"] for one in self.client().list_objects_v2(Bucket=bucket).get("Contents", [])]

    def _answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1.0):
                return True
        except OSError:
            return False

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            [*command, "-c", str(self._config)], capture_output=True, text=True, timeout=120, env=self._env()
        )
        assert done.returncode == 0, (command, done.stderr[-2000:])
        return done.stdout

    def _begin(self, *command: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{command[0]}.out").open("ab") as out:
            return subprocess.Popen([*command, "-c", str(self._config)], stdout=out, stderr=out, env=self._env())

    def _env(self) -> dict[str, str]:
        return os.environ | {"CEPH_CONF": str(self._config)}
