"""The service that CKAN's tests ask, and what their adapter has done in its database because no request can."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.store import datasets
from tests.support.server import ApartAppliance

#: Names and addresses of deleted accounts stay theirs; CKAN's tests begin with an empty database.
_RENAME = """UPDATE user SET name = 'gone-' || id, email = 'gone-' || id || '@example.org'
             WHERE state = 'deleted' AND name NOT LIKE 'gone-%'"""
_OWNER = "UPDATE dataset SET creator_id = (SELECT id FROM user WHERE id = ?1 OR name = ?1) WHERE id = ?2"


@contextmanager
def served(root: Path) -> Iterator[dict[str, str]]:
    """A service as long as the context lasts; yields the environment variables of the adapter."""
    before = os.environ.get("TMPDIR"), tempfile.tempdir
    appliance = ApartAppliance(root / "data", **{"policy.anonymous_access": True})
    tempfile.tempdir = before[1]  # it was moved into the data root, which goes away
    os.environ.pop("TMPDIR", None)
    if before[0] is not None:
        os.environ["TMPDIR"] = before[0]
    orders = socket.socket(socket.AF_UNIX)
    orders.bind(str(root / "control"))
    orders.listen()
    threading.Thread(target=_obey, args=(appliance, orders), daemon=True).start()
    try:
        yield {
            "DCOR_SUITE_URL": appliance.url,
            "DCOR_SUITE_CERT": str(appliance.certificate),
            "DCOR_SUITE_TOKEN": appliance.admin.token,
            "DCOR_SUITE_CONTROL": str(root / "control"),
        }
    finally:
        orders.close()
        appliance.stop()


def _obey(appliance: ApartAppliance, orders: socket.socket) -> None:
    """Answer orders, "reset" or "creator DATASET USER", until the socket is closed."""
    while True:
        try:
            line, _ = orders.accept()
        except OSError:
            return
        with line:
            word, *arguments = line.recv(1000).decode().split()
            with appliance.context.db.write() as tx:
                if word == "reset":
                    tx.execute(_RENAME)
                else:
                    dataset, user = arguments
                    tx.execute(_OWNER, (user, dataset))
                    datasets.refresh(tx, dataset)
            line.sendall(b"1")
