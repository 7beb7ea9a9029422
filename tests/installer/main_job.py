"""The main job against an installed appliance, with the standard library alone (it runs on the machine under test).

`python main_job.py upload URL CERT TOKEN FILE` makes a circle and a dataset, uploads FILE, waits for its jobs, activates it and prints
the resource's id; `python main_job.py check URL CERT TOKEN FILE ID` downloads it and asks dcserv about it.
"""

from __future__ import annotations

import hashlib
import json
import ssl
import sys
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

_, VERB, URL, CERT, TOKEN, FILE, *REST = sys.argv
CONTEXT = ssl.create_default_context(cafile=CERT)


def request(path: str, body: bytes | None = None, kind: str = "application/json", **headers: str) -> bytes:
    """One request with the token; fails on anything but 2xx."""
    asked = urllib.request.Request(
        URL + path, body, {"Authorization": TOKEN, **({"Content-Type": kind} if body is not None else {}), **headers}
    )
    with urllib.request.urlopen(asked, timeout=60, context=CONTEXT) as answer:
        return answer.read()


def action(name: str, /, **data: Any) -> Any:
    """An action by POST with JSON."""
    return json.loads(request(f"/api/3/action/{name}", json.dumps(data).encode()))["result"]


def upload(dataset: str, path: Path) -> Any:
    """Add a file as DCOR-Aid does by default."""
    border = uuid.uuid4().hex
    fields = {"match__id": dataset, "update__resources__extend": json.dumps([{"name": path.name}])}
    parts = [
        f'--{border}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    head = f'--{border}\r\nContent-Disposition: form-data; name="update__resources__-1__upload"; filename="{path.name}"\r\n\r\n'
    body = "".join(parts).encode() + head.encode() + path.read_bytes() + f"\r\n--{border}--\r\n".encode()
    return json.loads(request("/api/3/action/package_revise", body, f"multipart/form-data; boundary={border}"))[
        "result"
    ]["package"]["resources"][-1]


def main_upload() -> None:
    """Circle, draft, file, jobs, activation."""
    path = Path(FILE)
    action("organization_create", name="ward", title="Ward")
    draft = action(
        "package_create",
        title="A measurement",
        authors="Ada L.",
        license_id="CC0-1.0",
        owner_org="ward",
        private=True,
        state="draft",
    )
    resource = upload(draft["id"], path)
    deadline = time.monotonic() + 120
    while True:
        shown = action("resource_show", id=resource["id"])
        if shown.get("format") and any(key.startswith("dc:") for key in shown):
            break
        assert time.monotonic() < deadline, shown
        time.sleep(0.2)
    assert (
        action("package_revise", match={"id": draft["id"]}, update={"state": "active"})["package"]["state"] == "active"
    )
    print(resource["id"])


def check(resource_id: str) -> None:
    """The file is as it was, by ranges too, and dcserv answers."""
    content = Path(FILE).read_bytes()
    shown = action("resource_show", id=resource_id)
    assert shown["sha256"] == hashlib.sha256(content).hexdigest()
    path = f"/dataset/{shown['package_id']}/resource/{resource_id}/download/{shown['name']}"
    assert request(path) == content
    assert request(path, Range="bytes=100-199") == content[100:200]
    assert action("dcserv", id=resource_id, query="valid", version="2") is True
    assert action("dcserv", id=resource_id, query="metadata", version="2")["experiment"]["event count"] > 0
    assert action("dcserv", id=resource_id, query="basins", version="2")
    print("checked")


if VERB == "upload":
    main_upload()
else:
    check(REST[0])
