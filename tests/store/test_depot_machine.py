"""Files on their way through the depot, in any order: what was promised to be kept has been synced, content first, then name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from appliance.model import names
from appliance.store import data_root
from appliance.store.depot import Depot, Part
from tests.support.memory_folder import memory_folder

CONTENT = st.binary(max_size=200)


class Disk:
    """What would be on the disk after a power cut: content and names count only once they were synced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synced: dict[int, bytes] = {}
        self.open_names: set[Path] = set()
        self.root = Path("/nowhere")
        self._fsync, self._replace, self._link, self._mkdir = os.fsync, os.replace, os.link, os.mkdir
        for name in ("fsync", "replace", "link", "mkdir"):
            monkeypatch.setattr(os, name, getattr(self, name))

    def fsync(self, handle: int) -> None:
        self._fsync(handle)
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if path.is_dir():
            self.open_names = {name for name in self.open_names if name.parent != path}
        else:
            self.synced[path.stat().st_ino] = path.read_bytes()

    def replace(self, source: Any, target: Any) -> None:
        self._require_synced(Path(source))
        self._replace(source, target)
        self.open_names.discard(Path(source))
        self._note_name(Path(target))

    def link(self, source: Any, target: Any) -> None:
        self._require_synced(Path(source))
        self._link(source, target)
        self._note_name(Path(target))

    def mkdir(self, path: Any, mode: int = 0o777) -> None:
        self._mkdir(path, mode)
        self._note_name(Path(path))

    def _note_name(self, path: Path) -> None:
        """A name whose folder has to be synced; those of temporary files need not last."""
        if any(path.is_relative_to(self.root / kept) for kept in ("depot", "quarantine")):
            self.open_names.add(path)

    def _require_synced(self, path: Path) -> None:
        """A name is given to nothing but content that survives."""
        assert self.synced.get(path.stat().st_ino) == path.read_bytes(), path


class DepotMachine(RuleBasedStateMachine):
    """A depot, and a dictionary of what it has promised to keep."""

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self.disk = disk
        self.folder = memory_folder()
        self.root = Path(self.folder.name) / "data"
        data_root.create(self.root)
        disk.root = self.root
        disk.open_names.clear()
        self.depot = Depot(self.root)
        self.parts: dict[str, bytes] = {}
        self.files: dict[tuple[str, str], bytes] = {}
        self.removed: list[bytes] = []
        self.notes: dict[str, tuple[bytes, dict[str, str]]] = {}

    def teardown(self) -> None:
        self.folder.cleanup()

    def _written(self, part: Part, content: bytes) -> str:
        os.write(part.fd, content)
        part.close()
        part_id = next(id_ for id_, path, _ in self.depot.parts() if path == part.path)
        self.parts[part_id] = content
        return part_id

    @rule(content=CONTENT)
    def receive(self, content: bytes) -> None:
        self._written(self.depot.new_part(), content)

    @precondition(lambda self: self.parts)
    @rule(data=st.data(), content=CONTENT)
    def receive_more(self, data: st.DataObject, content: bytes) -> None:
        part_id = data.draw(st.sampled_from(sorted(self.parts)))
        with pytest.raises(FileExistsError):
            self.depot.new_part(part_id)
        part = self.depot.open_part(part_id)
        os.lseek(part.fd, 0, os.SEEK_END)
        os.write(part.fd, content)
        part.close()
        self.parts[part_id] += content

    @precondition(lambda self: self.parts)
    @rule(data=st.data(), kind=st.sampled_from(["original", "condensed", "preview"]), anew=st.booleans())
    def publish(self, data: st.DataObject, kind: str, anew: bool) -> None:
        part_id = data.draw(st.sampled_from(sorted(self.parts)))
        known = sorted({resource_id for resource_id, _ in self.files})
        resource_id = names.new_id() if anew or not known else data.draw(st.sampled_from(known))
        self.depot.publish(self.depot.part(part_id), resource_id, kind)
        self.files[resource_id, kind] = self.parts.pop(part_id)

    @precondition(lambda self: self.parts)
    @rule(data=st.data(), anew=st.booleans(), holds=st.booleans())
    def adopt(self, data: st.DataObject, anew: bool, holds: bool) -> None:
        """As uploads do: the file keeps its first name until it is known whether the transaction holds."""
        part_id = data.draw(st.sampled_from(sorted(self.parts)))
        originals = sorted(resource_id for resource_id, kind in self.files if kind == "original")
        if originals and not anew:
            with pytest.raises(FileExistsError):
                self.depot.adopt(self.depot.part(part_id), originals[0])
            return
        resource_id = names.new_id()
        for _ in range(2):  # tried again after an interruption
            self.depot.adopt(self.depot.part(part_id), resource_id)
        if holds:
            self.depot.discard_part(part_id)
            self.files[resource_id, "original"] = self.parts.pop(part_id)
        else:
            self.depot.withdraw(resource_id)

    @precondition(lambda self: self.parts)
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        part_id = data.draw(st.sampled_from(sorted(self.parts)))
        for _ in range(2):
            self.depot.discard_part(part_id)
        del self.parts[part_id]

    @precondition(lambda self: self.files)
    @rule(data=st.data(), noted=st.booleans())
    def quarantine(self, data: st.DataObject, noted: bool) -> None:
        resource_id = data.draw(st.sampled_from(sorted({one for one, _ in self.files})))
        original = self.files.get((resource_id, "original"))
        if noted:
            self.depot.note_removed(resource_id, {"id": resource_id})
        moved = self.depot.quarantine(resource_id)
        gone = [key for key in self.files if key[0] == resource_id]
        assert len(moved) == len(gone)
        self.removed += [self.files.pop(key) for key in gone]
        if noted and original is not None:
            self.notes[resource_id] = original, {"id": resource_id}

    @invariant()
    def nothing_promised_is_lost(self) -> None:
        assert not self.disk.open_names
        for (resource_id, kind), content in self.files.items():
            path = self.depot.path(resource_id, kind)
            assert path.read_bytes() == content == self.disk.synced[path.stat().st_ino]
        present = {path for path in (self.root / "depot" / "resources").rglob("*") if path.is_file()}
        assert present == {self.depot.path(*key) for key in self.files}

    @invariant()
    def nothing_removed_is_lost(self) -> None:
        kept = [path for path in (self.root / "quarantine").iterdir() if not path.name.endswith(".removed.json")]
        assert sorted(path.read_bytes() for path in kept) == sorted(self.removed)
        for resource_id, (content, entry) in self.notes.items():
            found = self.depot.removed(resource_id)
            assert found is not None
            assert (found.path.read_bytes(), found.entry) == (content, entry)

    @invariant()
    def what_is_on_its_way_is_listed(self) -> None:
        assert {part_id for part_id, _, _ in self.depot.parts()} == set(self.parts)


def test_the_depot_keeps_what_it_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: DepotMachine(disk),
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
