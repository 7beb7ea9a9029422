"""A house in which everything has happened once: long names, many files, failures, backups good and bad. For looking at."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.actions import accounts, backup_trials, backups, communities
from appliance.backup import crypto as backup_crypto
from appliance.backup import manifest as backup_manifest
from appliance.model import messages, system_errors
from appliance.model.messages import Message
from appliance.model.viewer import OPERATOR
from appliance.store import alarms, datasets, incidents, resources, saved_pages, tokens
from tests.support import rtdc_hostile, rtdc_odd
from tests.support.furnished import House
from tests.support.page_permissions import filled
from tests.support.server import Appliance, wait_for

LONG = "Reifungsgradbestimmung neutrophiler Granulozyten unter Dexamethasongabe, Deformierbarkeitszytometrie-Wiederholungsmessung Nr. 17"
DATASETS = 45


class Showroom(House):
    """A furnished house with what rarely happens.

    :ivar words: what paths of `pages_seen` are filled with.
    """

    def __init__(self, root: Path) -> None:
        keys = backup_crypto.new_keys()
        self.key = keys.identity
        options = {"policy.self_registration": True, "backup.recipient": keys.recipient}
        super().__init__(Appliance(root / "data", **options))
        self.words: dict[str, str] = {}
        self._communities()
        self._odd_files(root)
        self._backups()
        self._many_datasets()
        self._failures()
        with self.appliance.context.db.read() as conn:
            self.words["token"] = tokens.of_user(conn, self.people["ada"].id)[0]["id"]
        query = f"r={self.file['id']}&r={self.private_file['id']}"
        saved = self.visitor("ada").post("/comparisons", title="Beads before and after", query=query)
        self.words["comparison"] = saved.headers["Location"].rpartition("/")[2]
        self.visitor("ada").post(
            "/searches", page="measurements", title="Blood with many events", query="q=blood&events_min=1000"
        )
        with self.appliance.context.db.read() as conn:
            self.words["search"] = saved_pages.own(conn, self.people["ada"].id, "measurements")[0]["id"]
        self.words["secret"] = accounts.one_time_link(self.appliance.context, OPERATOR, "kim")

    def filled(self, path: str, **more: Any) -> str:
        """A path with the ids of what is here."""
        return filled(path, self, **self.words, **more)

    def _communities(self) -> None:
        site = self.appliance.context
        communities.create(site, OPERATOR, "circle", {"name": "long-circle", "title": LONG, "description": LONG * 3})
        communities.create(site, OPERATOR, "circle", {"name": "empty-circle", "title": "Ein leerer Kreis"})
        communities.create(site, OPERATOR, "collection", {"name": "long-collection", "title": "Sammlung" + "wort" * 40})
        for kind, name in (("circle", "long-circle"), ("collection", "long-collection")):
            communities.set_member(site, OPERATOR, kind, name, "ada", "admin")

    def _odd_files(self, root: Path) -> None:
        ada = self.people["ada"]
        odd = ada.draft("long-circle", title=LONG, notes="# Kapitel\n\n" + LONG * 5, authors="Ada L., " * 30, tags=[
            {"name": name} for name in ("leukozyten-reifung", "x" * 100, *(f"tag-{number}" for number in range(25)))
        ])  # fmt: skip
        builders: dict[str, Callable[[Path, Path], None]] = {
            "M1_ohne_Ereignisse.rtdc": rtdc_odd.zero_events,
            f"M2_{'sehr-langer-Dateiname_' * 8}.rtdc": rtdc_odd.unicode_everywhere,
            "M3_keine_Messung.rtdc": rtdc_hostile.not_hdf5,
            "M4_abgeschnitten.rtdc": rtdc_hostile.truncated,
            "M5_Patientenname.rtdc": with_a_patient,
        }
        files = {}
        for name, builder in builders.items():
            path = root / f"{len(files)}.rtdc"
            builder(path, root / "secret")
            files[name] = ada.add(odd["id"], path, name)
        for file in files.values():
            self.appliance.jobs_done(file["id"])
        empty = ada.draft("lab", title="Noch ohne Dateien")
        self.words |= {"odd": odd["id"], "empty": empty["id"]}
        self.words |= {f"odd_{number}": file["id"] for number, file in enumerate(files.values(), 1)}

    def _many_datasets(self) -> None:
        """A list of several pages, and a dataset with a thousand files."""
        with self.appliance.context.db.read() as conn:
            template = dict(datasets.find(conn, self.public["id"]) or {})
        with self.appliance.context.db.write() as tx:
            for number in range(DATASETS):
                values = {
                    "name": f"series-{number}", "title": f"Series of measurements, day {number}", "authors": "Max P.", "license_id": "CC0-1.0",
                    "private": number % 2, "state": "active", "circle_id": template["circle_id"], "creator_id": template["creator_id"],
                }  # fmt: skip
                made = datasets.create(tx, values)
                for position in range(1000 if number == 0 else 1):
                    resources.create(
                        tx, f"{number:08x}-0000-4000-8000-{position:012x}", made, f"M{position:04d}_data.rtdc", size=620_000_000,
                        sha256="0" * 64, etag="0" * 32, mimetype="RT-DC", format_="RT-FDC",
                    )  # fmt: skip
                datasets.touch(tx, made)
                self.words.setdefault("thousand", made)

    def _failures(self) -> None:
        with self.appliance.context.db.write() as tx:
            incidents.add(
                tx, "INC-SHOWN-1", "GET /dataset/…", "Traceback (most recent call last):\n" + "  at work\n" * 30
            )
            error = OSError(2, "No such file or directory")
            alarms.raise_(tx, "backup", "", Message("The backup failed: %(error)s", error=system_errors.reason(error)))
        self.words["incident"] = "INC-SHOWN-1"

    def _backups(self) -> None:
        """Three backups: the newest in order, one with a damaged file, one whose list is damaged; a good and a bad trial."""
        site, settings = self.appliance.context, self.appliance.settings
        place = backups.folder(settings)
        for _ in range(3):
            made = backups.create(site)
            wait_for(lambda name=made.manifest.name: backup_manifest.name_of(datetime.now(UTC)) > name)  # type: ignore[misc]
        newest, middle, oldest = backup_manifest.names(place)[:3]
        backup_trials.trial(site)
        log = settings.data / "log" / "trial-restores.json"
        rows = json.loads(log.read_text())
        failed = {
            **rows[0],
            "at": "2026-10-03T02:10:00+00:00",
            "problems": [
                messages.to_json(
                    Message("%(name)s in the backup differs from what was backed up.", name="depot/resources/0f3/a21/…")
                )
            ],
        }
        log.write_text(json.dumps([*rows, failed]))
        _spoil(backup_manifest.set_path(place, middle) / "database.age")
        _spoil(backup_manifest.set_path(place, oldest) / backup_manifest.MANIFEST)
        self.words |= {"backup": newest, "damaged_backup": middle, "broken_backup": oldest, "backup_key": self.key}


def _spoil(path: Path) -> None:
    """Change a byte in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


def with_a_patient(path: Path, secret: Path) -> None:
    """A measurement whose sample is called like a person."""
    del secret
    rtdc_odd.sound(
        path,
        sample="Patientin: Erika Mustermann",
        extra_logs={"so-far": ["geb. am 12.03.1950", "C:\\Users\\mustermann\\data"]},
    )
