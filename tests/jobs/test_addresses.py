"""A change of the server's name or port reaches the condensed files, which name their originals by it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import h5py
import numpy as np
import pytest

from appliance.health.base import Level, Premises
from appliance.health.catalogue import addresses
from appliance.jobs import missing
from appliance.store import artefacts
from tests.jobs.conftest import Appliance


def _urls(path: Path) -> list[str]:
    with h5py.File(path) as h5:
        found = [json.loads(b"".join(h5["basins"][key][:])) for key in h5["basins"]]
    return [url for basin in found for url in basin["urls"]]


def _content(path: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    with h5py.File(path) as h5:
        h5.visititems(
            lambda name, item: (
                found.setdefault(name, item[()].tolist())
                if isinstance(item, h5py.Dataset) and not name.startswith("basins/")
                else None
            )
        )
        found.update({key: np.asarray(value).tolist() for key, value in h5.attrs.items()})
    return found


def _findings(appliance: Appliance) -> list[tuple[Level, str]]:
    premises = Premises(appliance.root, appliance.settings)
    return [(finding.level, finding.detail) for finding in addresses(premises)]


@pytest.fixture
def resource(appliance: Appliance, measurement: Path) -> str:
    """A measurement whose jobs are done."""
    made = appliance.add(appliance.dataset(), measurement)
    appliance.run_all()
    return made


def test_another_name_is_noticed_and_written_into_the_files(appliance: Appliance, resource: str) -> None:
    path = appliance.depot.path(resource, "condensed")
    before, old = _content(path), appliance.settings.site_url
    assert _findings(appliance) == [(Level.OK, old)]
    assert missing.run_missing(appliance.db, appliance.settings, addresses=True) == []

    port = appliance.settings.server.port + 1
    appliance.settings = appliance.settings.replace(**{"server.hostname": "new.example.org", "server.port": port})
    new = appliance.settings.site_url
    assert _findings(appliance) == [(Level.WARNING, f"1 condensed files point to {old}; this server is {new}")]
    assert missing.run_missing(appliance.db, appliance.settings) == [], "only when addresses are asked for"
    assert len(missing.run_missing(appliance.db, appliance.settings, addresses=True)) == 1
    appliance.run_all()

    assert {"{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in _urls(path)} == {new}
    assert _content(path).keys() == before.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(_content(path)[name], value, err_msg=name)
    assert _findings(appliance) == [(Level.OK, new)]
    with appliance.db.read() as conn:
        row = artefacts.get(conn, resource, "condensed")
    assert row is not None
    assert row["size"] == path.stat().st_size


def test_files_of_earlier_releases_get_theirs_noted(appliance: Appliance, resource: str) -> None:
    with appliance.db.write() as tx:
        tx.execute("UPDATE artefact SET site_url = NULL")
    ((level, text),) = _findings(appliance)
    assert (level, text.split(" come")[0]) == (Level.NOTE, "1 condensed files")
    appliance.enqueue("run_missing")
    appliance.run_all()
    assert _findings(appliance) == [(Level.OK, appliance.settings.site_url)]


def test_a_damaged_condensed_file_is_made_anew(appliance: Appliance, resource: str) -> None:
    path = appliance.depot.path(resource, "condensed")
    path.write_bytes(path.read_bytes()[:5000])
    appliance.settings = appliance.settings.replace(**{"server.hostname": "new.example.org"})
    missing.run_missing(appliance.db, appliance.settings, addresses=True)
    appliance.run_all()
    assert all(url.startswith("https://new.example.org") for url in _urls(path))


def test_a_migration_takes_out_what_was_only_referred_to(appliance: Appliance, resource: str) -> None:
    from appliance.store.migrations import m0015_condensed_addresses as step

    with appliance.db.write() as tx:
        (now,) = tx.execute("SELECT condensed_features FROM rtdc").fetchone()
        tx.execute("UPDATE rtdc SET condensed_features = ?", (json.dumps(sorted([*json.loads(now), "image", "mask"])),))
        tx.execute("ALTER TABLE artefact DROP COLUMN site_url")
        step.upgrade(tx)
        assert tx.execute("SELECT condensed_features FROM rtdc").fetchone()[0] == now
