"""The demonstration's people, circles, collection and datasets, made by the same verbs that the API calls."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.actions import accounts, communities, datasets, ingest
from appliance.actions.site import Site
from appliance.model.viewer import OPERATOR, Viewer
from appliance.settings import Settings
from appliance.store import communities as stored_communities
from appliance.store import datasets as stored_datasets
from appliance.store import users

USER = "demo"
CIRCLES = {
    "cell-mechanics": (
        "Cell mechanics",
        "Cell lines and beads of the **cell mechanics** group. Everybody in the house may read what is public.",
    ),
    "hematology-study": (
        "Hematology study",
        "Blood of healthy volunteers (synthetic). Datasets of this circle are private.",
    ),
}
COLLECTION = ("reference-measurements", "Reference measurements", "Measurements to compare one's own with.")
_SYNTHESIS_SECONDS = 300
_GENERATE = (
    "import json, sys; from appliance.demo.synthetic import main; [main(call) for call in json.loads(sys.argv[1])]"
)


@dataclass(frozen=True)
class Measurement:
    """One synthetic file: its name, the arguments of the generator, supplementary metadata."""

    name: str
    arguments: tuple[str, ...]
    supplements: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """One dataset of the demonstration."""

    title: str
    circle: str
    private: bool
    notes: str
    tags: tuple[str, ...]
    files: tuple[Measurement, ...]
    collected: bool
    text: tuple[str, str] | None = None  # name and content of a text file beside the measurements


EXAMPLES = (
    Example(
        "HL60 cells at three flow rates",
        "cell-mechanics",
        False,
        "Synthetic measurements of a *cell line* in the channel and in the reservoir, with images, masks and fluorescence traces.",
        ("HL60", "demo", "flow rate"),
        (
            Measurement(
                "hl60_flow_0.04.rtdc",
                ("--kind", "cell line", "--seed", "1", "--flow-rate", "0.04", "--sample", "HL60", "--run-index", "1"),
            ),
            Measurement(
                "hl60_reservoir.rtdc",
                (
                    "--kind",
                    "cell line",
                    "--seed",
                    "2",
                    "--chip-region",
                    "reservoir",
                    "--no-fluorescence",
                    "--sample",
                    "HL60",
                    "--run-index",
                    "2",
                ),
            ),
        ),
        True,
        (
            "protocol.txt",
            "Cells were suspended in 0.5 % methylcellulose.\nThis text, like everything in the demonstration, is made up.\n",
        ),
    ),
    Example(
        "Whole blood of a volunteer",
        "hematology-study",
        True,
        "Synthetic whole blood. Private: only members of the circle see it.",
        ("blood", "demo"),
        (
            Measurement(
                "blood_volunteer_07.rtdc",
                ("--kind", "blood", "--seed", "3", "--no-fluorescence", "--sample", "volunteer 07"),
            ),
        ),
        False,
    ),
    Example(
        "Calibration beads",
        "cell-mechanics",
        False,
        "Synthetic beads that do not deform, for checking a set-up.",
        ("beads", "calibration", "demo"),
        (Measurement("beads.rtdc", ("--kind", "beads", "--seed", "4", "--no-fluorescence", "--sample", "beads")),),
        True,
    ),
)


def load(
    site: Site, settings: Settings, *, events: int = 400, told: Callable[[str], None] = lambda _text: None
) -> dict[str, list[str]]:
    """Make whatever of the demonstration is missing; returns the names of its circles, collections, datasets.

    :param events: events in each measurement (a thousand take two seconds to make).
    :param told: gets a line of progress.
    """
    viewer = _demo_user(site)
    _communities(site, viewer)
    with site.db.read() as conn:
        missing = [example for example in EXAMPLES if not _present(conn, example)]
    with tempfile.TemporaryDirectory(dir=settings.tmp) as folder:
        if missing:
            told(f"Making {sum(len(example.files) for example in missing)} synthetic measurements …")
            paths = _synthesise(missing, Path(folder), events)
        for example in missing:
            told(f"Loading “{example.title}” …")
            _dataset(site, viewer, example, paths, Path(folder))
    return {
        "circles": list(CIRCLES),
        "collections": [COLLECTION[0]],
        "datasets": [example.title for example in EXAMPLES],
    }


def _demo_user(site: Site) -> Viewer:
    with site.db.read() as conn:
        row = users.find(conn, USER)
    if row is None:
        accounts.create(
            site,
            OPERATOR,
            {"name": USER, "email": "demo@localhost", "fullname": "Demo User", "about": "Made for trying things out."},
        )
    with site.db.read() as conn:
        return ingest.acting_as(conn, USER)


def _communities(site: Site, viewer: Viewer) -> None:
    with site.db.read() as conn:
        circles = [name for name in CIRCLES if stored_communities.find(conn, name, "circle") is None]
        collected = stored_communities.find(conn, COLLECTION[0], "collection") is not None
    for name in circles:
        title, description = CIRCLES[name]
        communities.create(site, viewer, "circle", {"name": name, "title": title, "description": description})
    if not collected:
        name, title, description = COLLECTION
        communities.create(site, viewer, "collection", {"name": name, "title": title, "description": description})


def _present(conn: Any, example: Example) -> bool:
    circle = stored_communities.find(conn, example.circle, "circle")
    ids = stored_communities.dataset_ids(conn, circle["id"]) if circle is not None else []
    return any(
        row is not None and row["title"] == example.title and row["state"] == "active"
        for row in (stored_datasets.find(conn, one) for one in ids)
    )


def _synthesise(examples: list[Example], folder: Path, events: int) -> dict[str, Path]:
    """Run the generator in two child processes (it writes HDF5, which this process must not)."""
    measurements = [measurement for example in examples for measurement in example.files]
    paths = {measurement.name: folder / measurement.name for measurement in measurements}
    calls = [[str(paths[one.name]), "--events", str(events), *one.arguments] for one in measurements]

    def make(share: list[list[str]]) -> None:
        """One child for a share of the files: starting the interpreter and dclab takes longer than a file. Raises OSError."""
        command = [sys.executable, "-I", "-c", _GENERATE, json.dumps(share)]
        # In a session of its own: Ctrl-C is for this process, not for a trace of each child.
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, timeout=_SYNTHESIS_SECONDS, start_new_session=True
        )

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(make, [share for share in (calls[::2], calls[1::2]) if share]))
    return paths


def _dataset(site: Site, viewer: Viewer, example: Example, paths: dict[str, Path], folder: Path) -> None:
    dataset_id = datasets.create(
        site,
        viewer,
        {
            "title": example.title,
            "authors": "Demo User, Erika Mustermann",
            "license_id": "CC0-1.0",
            "owner_org": example.circle,
            "private": example.private,
            "notes": example.notes,
            "tags": [{"name": tag} for tag in example.tags],
            "groups": [{"name": COLLECTION[0]}] if example.collected else [],
            "state": "draft",
        },
    )
    files = [
        ingest.File(paths[measurement.name], measurement.name, measurement.supplements) for measurement in example.files
    ]
    if example.text is not None:
        text = folder / example.text[0]
        text.write_text(example.text[1], encoding="utf-8")
        files.append(ingest.File(text, text.name))
    ingest.add_files(site, viewer, dataset_id, files)
    datasets.update(site, viewer, dataset_id, {"state": "active"})
