"""Stale parts go, finished files are kept, and what is alive is left alone."""

from __future__ import annotations

import os
import time
from typing import Any

from appliance.model import names
from appliance.store import uploads


def make(ward: Any, *, state: str = "open", lifetime: int = 3600) -> str:
    context = ward.appliance.context
    upload_id = names.new_id()
    part = context.depot.new_part(upload_id)
    os.write(part.fd, b"abc")
    part.close()
    with context.db.write() as tx:
        uploads.create(tx, upload_id, names.new_id(), user_id=ward.editor.id, kind="browser", size=3, lifetime=lifetime)
        if state == "complete":
            uploads.complete_whole(tx, upload_id, None, None)
    return upload_id


def sweep(ward: Any, **options: Any) -> dict[str, list[str]]:
    context = ward.appliance.context
    return uploads.sweep(context.db, context.depot, 3600, **options)


def test_sweeping(ward: Any) -> None:
    depot = ward.appliance.context.depot
    alive, stale, finished = make(ward), make(ward, lifetime=-1), make(ward, state="complete", lifetime=-1)
    young, old = names.new_id(), names.new_id()
    for part_id in (young, old):
        depot.new_part(part_id).close()
    os.utime(depot.part(old), (time.time() - 7200,) * 2)
    assert set(sweep(ward, dry_run=True)["removed"]) == {stale, old}
    assert depot.part(stale).exists()
    report = sweep(ward)
    assert (set(report["removed"]), report["put_aside"]) == ({stale, old}, [finished])
    assert {part_id for part_id, _, _ in depot.parts()} == {alive, young}
    kept = [path for path in (depot.root / "quarantine").iterdir() if finished in path.name]
    assert [path.read_bytes() for path in kept] == [b"abc"]
    assert sweep(ward) == {"removed": [], "put_aside": []}
    depot.discard_part(young)
    depot.discard_part(alive)
