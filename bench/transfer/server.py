"""An appliance in a process of its own, with files to fetch and a draft to upload to. Prints where it is as JSON."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from appliance.store import resources
from tests.support.server import Appliance, Person

_BLOCK = 1 << 20
#: So much of the file is random; beyond that it is a hole, which costs a reader the same and the disk nothing [bytes].
_FILLED = 4 << 30


def main(root: Path, size: int, direct: bool) -> None:
    """Serve until SIGTERM. `size`: of the file to fetch [bytes]."""
    logging.basicConfig(level=logging.WARNING)
    options: dict[str, Any] = {"depot.direct_upload": direct, "jobs.workers": 1}
    appliance = Appliance(root / "data", **options)
    editor = appliance.person("editor")
    circle = editor.circle("ward")
    draft = editor.draft("ward")
    resource = editor.upload("resource_create", {"package_id": draft["id"]}, "upload", "big.txt", b"0").result
    path = appliance.context.depot.path(resource["id"])
    with path.open("wb") as file:
        for _ in range(min(size, _FILLED) // _BLOCK):
            file.write(os.urandom(_BLOCK))
        file.truncate(size)
    with appliance.context.db.write() as tx:
        resources.patch(tx, resource["id"], size=size, etag="0" * 32)
    measurement = _measurement(appliance, editor, draft["id"], root)
    print(
        json.dumps(
            {
                "url": appliance.url,
                "certificate": str(appliance.certificate),
                "key": str(appliance.settings.certificate_key),
                "token": editor.token,
                "circle": circle["id"],
                "draft": draft["id"],
                "resource": resource["id"],
                "root": str(appliance.root),
                "path": str(path),
                "pid": os.getpid(),
                "measurement": measurement,
            }
        ),
        flush=True,
    )
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ended.wait()
    appliance.stop()


def _measurement(appliance: Appliance, editor: Person, draft: str, folder: Path) -> dict[str, str]:
    """A measurement with images: signed addresses of the file and of its condensed one, and where the file lies."""
    path = folder / "measurement.rtdc"
    program = f"from appliance.demo import synthetic; synthetic.write({str(path)!r}, events=2000, seed=47)"
    subprocess.run([sys.executable, "-c", program], check=True)  # a serving process never loads HDF5
    resource = editor.add(draft, path)
    appliance.jobs_done(resource["id"])
    basins = editor.get("dcserv", id=resource["id"], query="basins", version=2).result
    urls = {basin["name"].partition("-")[0]: basin["urls"][0] for basin in basins}
    return urls | {"path": str(appliance.context.depot.path(resource["id"]))}


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "direct")
