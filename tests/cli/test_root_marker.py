"""A data root is told from an empty mount point, another volume and a half-restored one; only `dcor init` makes a database."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from appliance import root_marker
from appliance import settings as settings_module
from appliance.cli.root import run
from appliance.model.problem import Problem
from appliance.service import Service
from tests.cli.conftest import Dcor

#: Commands of an ordinary day that write, by their first words.
WRITING = [
    ("user", "add", "eve", "--email", "eve@lab.example"),
    ("config", "set", "web.contact", "room 1"),
    ("backup", "create"),
    ("backup", "keys"),
    ("certificate", "create", "--yes"),
    ("certificate", "request"),
    ("prune", "uploads"),
    ("scrub",),
    ("jobs", "run-missing"),
    ("encrypted-database-backup",),
    ("inspect", "--assume-yes"),
    ("init", "--hostname", "dcor.lab.example"),
]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which this machine keeps what its data root is; nothing is in it yet."""
    folder = tmp_path / "etc-dcor"
    monkeypatch.setenv(root_marker.MACHINE_VARIABLE, str(folder))
    return folder


def contents(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def refusal(root: Path) -> str:
    """Why the service does not start; fails if it would, or if it made anything."""
    before = contents(root)
    with pytest.raises(Problem) as refused:
        Service(settings_module.load(root))
    assert contents(root) == before
    return str(refused.value)


def test_init_marks_the_data_root(root: Path) -> None:
    marker = root_marker.read(root)
    assert marker is not None
    assert (marker.hostname, marker.state, len(marker.id)) == ("localhost", "ready", 36)


def test_adopting_notes_it_outside(dcor: Dcor, root: Path, machine: Path) -> None:
    assert dcor("init", "--adopt").code == 0
    noted = json.loads((machine / "data-root.json").read_text())
    assert noted["path"] == str(root.resolve())
    assert noted["id"] == root_marker.read(root).id  # type: ignore[union-attr]
    assert (machine / "data-root.json").stat().st_mode & 0o777 == 0o644
    assert dcor("init", "--adopt", "--hostname", "other.lab.example").code == 2
    assert dcor("init", "--json").code == 0


def test_a_missing_database_is_a_loss_and_no_new_one_is_made(dcor: Dcor, root: Path) -> None:
    for path in root.glob("dcor.sqlite*"):
        path.unlink()
    said = refusal(root)
    assert "dcor.sqlite is missing" in said
    assert "backup restore" in said
    for command in WRITING:
        refused = dcor(*command)
        assert refused.code == 1, command
        assert not (root / "dcor.sqlite").exists(), command
    found = {one["check"]: one for one in dcor("inspect", "--json").json["findings"]}
    assert "dcor.sqlite is missing" in found["data root"]["detail"]


def test_an_emptied_database_is_a_loss_too(root: Path) -> None:
    for path in root.glob("dcor.sqlite-*"):
        path.unlink()
    (root / "dcor.sqlite").write_bytes(b"")
    with pytest.raises(Problem, match="is empty, and no new one is created"):
        Service(settings_module.load(root))


def test_with_the_volume_unmounted_nothing_is_filled(dcor: Dcor, root: Path, machine: Path) -> None:
    assert dcor("init", "--adopt").code == 0
    shutil.rmtree(root)
    root.mkdir()
    said = refusal(root)
    assert "Is its volume mounted" in said
    assert "localhost" in said
    for command in WRITING:
        assert dcor(*command).code == 1, command
        assert contents(root) == [], command
    (machine / "data-root.json").unlink()  # as the message says: begin with an empty one
    assert run(["--data", str(root), "init", "--hostname", "dcor.lab.example"]) == 0


def test_an_empty_folder_without_a_note_wants_init(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "`dcor init` makes one" in refusal(tmp_path / "empty")


def test_a_foreign_volume_is_refused_until_it_is_adopted(dcor: Dcor, root: Path, machine: Path, tmp_path: Path) -> None:
    assert dcor("init", "--adopt").code == 0
    other = tmp_path / "other"
    assert run(["--data", str(other), "init", "--hostname", "other.lab.example"]) == 0  # another path: another matter
    shutil.rmtree(root)
    other.rename(root)
    said = refusal(root)
    assert "the one of other.lab.example" in said
    assert "init --adopt" in said
    assert dcor("user", "list").code == 1
    assert dcor("init").code == 1
    assert dcor("init", "--adopt").code == 0
    assert dcor("user", "list").code == 0


def test_a_half_restored_one_is_refused_everywhere(dcor: Dcor, root: Path) -> None:
    (root / root_marker.RESTORING).write_text("2026-01-01_000000\n")
    assert "from the backup 2026-01-01_000000 was not finished" in refusal(root)
    for command in WRITING:
        said = dcor(*command)
        assert (said.code, "--replace" in said.err) == (1, True), command


def test_one_of_a_release_without_markers_is_adopted_by_its_start(dcor: Dcor, root: Path) -> None:
    (root / root_marker.MARKER).unlink()
    assert dcor("user", "list").code == 0
    service = Service(settings_module.load(root))
    service.stop(0)
    assert root_marker.read(root).state == "ready"  # type: ignore[union-attr]


def test_one_without_a_marker_is_not_adopted_where_another_is_expected(dcor: Dcor, root: Path, machine: Path) -> None:
    assert dcor("init", "--adopt").code == 0
    (root / root_marker.MARKER).unlink()
    assert "one without a marker" in refusal(root)
    assert dcor("init", "--adopt").code == 0
    assert dcor("user", "list").code == 0


def test_an_interrupted_init_goes_on(root: Path, dcor: Dcor) -> None:
    marker = root_marker.read(root)
    assert marker is not None
    for path in (*root.glob("dcor.sqlite*"), root / "certificates" / "server.cert"):
        path.unlink()
    root_marker.write(root, root_marker.Marker(marker.id, marker.hostname, marker.release, "making"))
    assert "was interrupted. Resume with" in refusal(root)
    assert dcor("init", "--try-out").code == 0
    assert dcor("user", "list").code == 0


@pytest.mark.parametrize("what", ["depot/resources/abc", "secrets/signing.key"])
def test_init_makes_no_site_among_the_remains_of_another(tmp_path: Path, what: str) -> None:
    remains = tmp_path / "data" / what
    remains.parent.mkdir(parents=True)
    remains.write_bytes(b"")
    assert run(["--data", str(tmp_path / "data"), "init", "--hostname", "dcor.lab.example"]) == 1
    assert not (tmp_path / "data" / "dcor.toml").exists()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"path": 5}', "\0"])
def test_a_damaged_marker_or_note_is_told_with_its_remedy(dcor: Dcor, root: Path, machine: Path, text: str) -> None:
    assert dcor("init", "--adopt").code == 0
    marker = root / root_marker.MARKER
    good = marker.read_text()
    marker.write_text(text)
    assert "is damaged" in refusal(root)
    marker.write_text(good)
    (machine / "data-root.json").write_text(text)
    assert "init --adopt" in refusal(root)
    assert dcor("init", "--adopt").code == 0
    assert dcor("user", "list").code == 0
