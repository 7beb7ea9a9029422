"""From draft to active: only with a file that really is a measurement."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401 - registers the compression of measurements
import numpy as np
import pytest

from tests.support.samples import measurements, synthetic
from tests.support.server import Appliance, Person

NO_RESOURCES = "Cannot set state of dataset to 'active', because it does not contain any resources!"
NO_VALID = "Before activating a dataset, make sure that it contains a valid DC resource!"


@pytest.fixture(scope="module")
def editor(shared: Appliance) -> Person:
    person = shared.person("editor")
    person.circle("lab")
    return person


def _text(path: Path) -> None:
    path.write_text("This is a text, whatever its name says.\n")


def _empty_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["experiment:sample"] = "nothing"


def _zip(path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data.rtdc", "not data")
    path.write_bytes(buffer.getvalue())


def _changed(path: Path, change: Callable[[h5py.File], None]) -> None:
    path.write_bytes(synthetic().read_bytes())
    with h5py.File(path, "a") as file:
        change(file)


def _short_feature(path: Path) -> None:
    def change(file: h5py.File) -> None:
        values = file["events/deform"][:]
        del file["events/deform"]
        file["events/deform"] = values[:-3]

    _changed(path, change)


def _wrong_image(path: Path) -> None:
    def change(file: h5py.File) -> None:
        if "image" in file["events"]:
            del file["events/image"]
        file["events/image"] = np.zeros((len(file["events/deform"]), 3, 3), dtype=np.uint8)

    _changed(path, change)


def _truncated(path: Path) -> None:
    path.write_bytes(synthetic().read_bytes()[:5000])


def _link_outside(path: Path) -> None:
    def change(file: h5py.File) -> None:
        del file["events/deform"]
        file["events/deform"] = h5py.ExternalLink("/etc/passwd", "/x")

    _changed(path, change)


@pytest.mark.parametrize("spoil", [_text, _empty_hdf5, _zip, _short_feature, _wrong_image, _truncated, _link_outside])
def test_a_file_that_is_no_measurement_activates_nothing(
    editor: Person, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    path = tmp_path / "data.rtdc"
    spoil(path)
    draft = editor.draft("lab", title=f"Spoilt by {spoil.__name__}")
    editor.add(draft["id"], path)
    for action, sent in (
        ("package_patch", {"id": draft["id"], "state": "active"}),
        ("package_revise", {"match": {"id": draft["id"]}, "update": {"state": "active"}}),
    ):
        refused = editor.post(action, **sent)
        assert (refused.status, refused.reason) == (409, "CONFLICT")
        assert refused.error["state"][0] == NO_VALID
        assert all(reason.startswith("data.rtdc: ") for reason in refused.error["state"][1:])
    assert editor.get("package_show", id=draft["id"]).result["state"] == "draft"


def test_a_draft_without_files_or_without_measurements(editor: Person, tmp_path: Path) -> None:
    draft = editor.draft("lab", title="Nothing in it")
    assert editor.post("package_patch", id=draft["id"], state="active").error == {"state": [NO_RESOURCES]}
    notes = tmp_path / "notes.txt"
    notes.write_text("only words")
    editor.add(draft["id"], notes)
    assert editor.post("package_patch", id=draft["id"], state="active").error == {"state": [NO_VALID]}


@pytest.mark.parametrize("path", measurements(), ids=lambda path: path.stem)
def test_a_measurement_activates_its_dataset_at_once(editor: Person, path: Path) -> None:
    """Also while the jobs that look into the file have not run yet, and beside a file that is none."""
    draft = editor.draft("lab", title=f"With {path.stem}")
    editor.add(draft["id"], path)
    before = editor.get("package_show", id=draft["id"]).result
    package = editor.activate(draft["id"])
    assert package["state"] == "active"
    assert package["metadata_modified"] >= before["metadata_modified"]
    assert editor.activate(draft["id"])["state"] == "active"  # again says nothing
    refused = editor.post("package_patch", id=draft["id"], state="draft")
    assert refused.message == "Access denied: Changing dataset state to draft not allowed"


def test_one_measurement_is_enough(editor: Person, tmp_path: Path) -> None:
    broken = tmp_path / "broken.rtdc"
    _text(broken)
    draft = editor.draft("lab", title="One of two")
    editor.add(draft["id"], broken)
    editor.add(draft["id"], synthetic())
    assert editor.activate(draft["id"])["state"] == "active"


def test_who_may_not_change_a_draft_does_not_have_its_files_read(shared: Appliance, editor: Person) -> None:
    draft = editor.draft("lab", title="Not yours")
    editor.add(draft["id"], synthetic())
    refused = shared.person("stranger").post("package_patch", id=draft["id"], state="active")
    assert (refused.status, refused.message) == (
        404,
        "Not found: There is no such dataset or file, or you have no access to it",
    )
