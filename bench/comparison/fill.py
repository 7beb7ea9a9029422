"""Makes a data root with the code of the folder it is started in, which may be an older one: ``fill.py FOLDER DATASETS``.

It writes ``world.json`` beside the data root: port, certificate, token, ids of datasets and of a resource.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_BATCH = 200
_FILES = 5
_DC = {
    "dc:experiment:sample": "blood of donor 7",
    "dc:experiment:date": "2026-05-04",
    "dc:experiment:event count": 10_000,
    "dc:imaging:flash device": "LED",
    "dc:setup:channel width": 20.0,
    "dc:setup:chip region": "channel",
    "dc:setup:flow rate": 0.06,
    "dc:setup:identifier": "ZMDD-AcC-8ecba5-cd57e2",
    "dc:setup:medium": "CellCarrierB",
}


def _private(number: int) -> bool:
    return number % 10 == 3


def fill(folder: Path, count: int) -> dict[str, Any]:
    """Datasets of five files in ten circles, a tenth of them private."""
    from appliance.store import datasets, resources, tags
    from tests.support.server import Appliance

    prepared = Appliance(folder / "data", **{"policy.anonymous_access": True})
    try:
        owner = prepared.person("owner")
        circles = [owner.circle(f"circle-{number}")["id"] for number in range(10)]
        ids = []
        for start in range(0, count, _BATCH):
            with prepared.context.db.write() as tx:
                for number in range(start, min(start + _BATCH, count)):
                    values = {
                        "name": f"bench-{number}",
                        "title": f"Blood of donor {number}",
                        "authors": "Ada L.",
                        "license_id": "CC0-1.0",
                        "private": int(_private(number)),
                        "state": "active",
                        "circle_id": circles[number % 10],
                        "creator_id": owner.id,
                    }
                    ids.append(datasets.create(tx, values))
                    for position in range(_FILES):
                        file = f"{number:08x}-0000-4000-8000-{position:012x}"
                        sums = {"size": 620_000_000, "sha256": "0" * 64, "etag": "0" * 32}
                        resources.create(
                            tx,
                            file,
                            ids[-1],
                            f"M{position:03d}_data.rtdc",
                            mimetype="RT-DC",
                            format_="RT-FDC",
                            **sums,
                        )
                        resources.patch(tx, file, dc=_DC, event_count=10_000)
                    tags.assign(tx, ids[-1], [f"tag-{number % 17}", "blood" if number % 3 else "beads"])
                    datasets.touch(tx, ids[-1])
        return {
            "root": str(prepared.root),
            "port": prepared.settings.server.port,
            "certificate": str(prepared.certificate),
            "token": owner.token,
            "ids": [one for number, one in enumerate(ids) if not _private(number)],
        }
    finally:
        prepared.stop()


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    target = Path(sys.argv[1])
    (target / "world.json").write_text(json.dumps(fill(target, int(sys.argv[2]))), encoding="utf-8")
