"""Somebody works with an appliance in one process, and prints what was acknowledged: `python -m tests.crash.power_cut_work ROOT`."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from appliance.actions import page_settings
from appliance.model.viewer import OPERATOR
from appliance.store import jobs
from tests.support.samples import synthetic
from tests.support.server import Appliance, Person
from tests.support.waiting import wait_until


def told(kind: str, **facts: Any) -> None:
    """Print what was acknowledged."""
    os.write(1, (json.dumps({"kind": kind, **facts}) + "\n").encode())


def form(ada: Person, draft: str, name: str, content: bytes) -> str:
    """A file by form. → its id"""
    made = ada.upload("resource_create", {"package_id": draft}, "upload", name, content).result
    told("file", id=made["id"], sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    return str(made["id"])


def pieces(ada: Person, draft: str, content: bytes) -> None:
    """A file in pieces."""
    url, size = ada.appliance.url, len(content)
    asked = {"dataset": draft, "name": "pieces.txt", "size": size}
    begun = ada.http.post(f"{url}/upload/browser", json=asked, timeout=600).json()
    address = url + begun["url"]
    for offset in range(0, size, 100_000):
        piece = content[offset : offset + 100_000]
        sent = ada.http.patch(address, data=piece, headers={"Upload-Offset": str(offset)}, timeout=600)
        assert sent.status_code == 204, sent.text
        head = content[: offset + len(piece)]
        told("pieces", id=begun["url"].rpartition("/")[2], size=len(head), sha256=hashlib.sha256(head).hexdigest())
    made = ada.http.post(f"{address}/finish", json={}, timeout=600).json()
    told("file", id=made["id"], sha256=hashlib.sha256(content).hexdigest(), size=size)


def _wait_for_jobs(appliance: Appliance, resource_id: str) -> None:
    """Return when the jobs of a file are done; traced children are slow."""

    def over() -> bool:
        with appliance.context.db.read() as conn:
            return all(job["state"] not in {"queued", "running"} for job in jobs.for_resource(conn, resource_id))

    assert wait_until(over, 1200)


def main() -> None:
    """Uploads of every kind, an activation, settings, removal."""
    appliance = Appliance(Path(sys.argv[1]), **{"depot.direct_upload": True})
    ada = appliance.person("ada")
    ada.circle("lab")
    told("ready")
    for number in range(int(sys.argv[2]) if len(sys.argv) > 2 else 1):
        draft = ada.draft("lab", title=f"cut {number}")["id"]
        told("dataset", id=draft, state="draft")
        form(ada, draft, "form.txt", os.urandom(150_000))
        pieces(ada, draft, os.urandom(250_000))
        first = form(ada, draft, "M1.rtdc", synthetic(events=10).read_bytes())
        answer = ada.post("package_revise", match={"id": draft}, update={"state": "active"})
        assert answer.status == 200, answer.body
        told("dataset", id=draft, state="active")
        page_settings.change(appliance.context, OPERATOR, "server.title", f"House {number}")
        told("setting", value=f"House {number}")
        _wait_for_jobs(appliance, first)
    told("done")
    appliance.stop()


if __name__ == "__main__":
    main()
