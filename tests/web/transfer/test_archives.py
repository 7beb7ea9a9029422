"""Archives, checksums and scripts."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
import zlib
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.model.crc32 import combine
from appliance.store import resources
from appliance.web.transfer import archives
from appliance.web.transfer.zip64 import Archive, Checksums, Member
from tests.web.transfer.conftest import stored_crc32

WHEN = (2024, 2, 29, 12, 30, 58)


def members(folder: Path, contents: list[bytes]) -> list[Member]:
    found = []
    for number, content in enumerate(contents):
        path = folder / str(number)
        path.write_bytes(content)
        found.append(Member(f"ordner/größe {number}.txt", path, len(content), f"{folder}-{number}", WHEN))
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=2000), max_size=5), st.data())
def test_any_range_is_a_slice_of_the_archive(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], data: Any
) -> None:
    listed = members(tmp_path_factory.mktemp("zip"), contents)
    archive = Archive(listed, Checksums())
    whole = b"".join(archive.read(0, archive.size))
    assert len(whole) == archive.size
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        assert opened.testzip() is None
        assert [opened.read(name) for name in opened.namelist()] == contents
        assert opened.namelist() == [member.name for member in listed]
        assert all(info.date_time == WHEN for info in opened.infolist())
    start = data.draw(st.integers(0, archive.size))
    length = data.draw(st.integers(0, archive.size - start))
    assert b"".join(Archive(listed, Checksums()).read(start, length)) == whole[start : start + length]


def test_archive_beyond_4_gib_has_the_right_offsets(tmp_path: Path) -> None:
    """Sparse files, and only the ends of the archive are read."""
    listed = []
    for number in range(3):
        path = tmp_path / str(number)
        with path.open("wb") as file:
            file.truncate(3 << 30)
        listed.append(Member(f"{number}.bin", path, 3 << 30, str(number), WHEN))
    checksums = Checksums()
    for member in listed:
        checksums.put(member.key, 0)
    archive = Archive(listed, checksums)

    class Window(io.RawIOBase):
        position = 0

        def seekable(self) -> bool:
            return True

        def readable(self) -> bool:
            return True

        def seek(self, offset: int, whence: int = 0) -> int:
            self.position = {0: 0, 1: self.position, 2: archive.size}[whence] + offset
            return self.position

        def tell(self) -> int:
            return self.position

        def read(self, count: int = -1) -> bytes:
            count = archive.size - self.position if count < 0 else min(count, archive.size - self.position)
            assert count < 1 << 20
            found = b"".join(archive.read(self.position, count))
            self.position += count
            return found

    opened = zipfile.ZipFile(Window())  # type: ignore[type-var]
    assert [(info.file_size, info.header_offset) for info in opened.infolist()] == [
        (3 << 30, number * ((3 << 30) + 50 + 5 + 24)) for number in range(3)
    ]


def test_file_that_shrank_is_an_error(tmp_path: Path) -> None:
    listed = members(tmp_path, [b"abc"])
    (tmp_path / "0").write_bytes(b"a")
    with pytest.raises(EOFError):
        list(Archive(listed, Checksums()).read(0, 1000))


@pytest.fixture(scope="module")
def dataset(ward: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    draft = ward.editor.draft("ward", title="bundle")
    folder = tmp_path_factory.mktemp("bundle")
    for name, size in (("a.txt", 100_000), ("b (1).txt", 0), ("c.csv", 1_234_567)):
        if size:
            path = folder / name
            path.write_bytes(os.urandom(size))
            ward.editor.add(draft["id"], path)
    return ward.editor.get("package_show", id=draft["id"]).result


def test_dataset_as_archive_with_resume(ward: Any, dataset: dict[str, Any]) -> None:
    url = f"/dataset/{dataset['name']}/download.zip"
    whole = ward.editor.fetch(url)
    assert whole.headers["Content-Disposition"] == f'attachment; filename="{dataset["name"]}.zip"'
    assert int(whole.headers["Content-Length"]) == len(whole.content)
    with zipfile.ZipFile(io.BytesIO(whole.content)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == [f"{dataset['name']}/{r['name']}" for r in dataset["resources"]]
    archives._CHECKSUMS._known.clear()
    tag = whole.headers["ETag"]
    for start in (0, 10, 150_000, len(whole.content) - 5):
        rest = ward.editor.fetch(url, headers={"Range": f"bytes={start}-", "If-Range": tag})
        assert (rest.status_code, rest.content) == (206, whole.content[start:])
    assert ward.editor.fetch(url, headers={"If-None-Match": tag}).status_code == 304
    assert ward.stranger.fetch(f"/dataset/{ward.draft['id']}/download.zip").status_code == 404


def test_a_form_brings_the_crc(ward: Any) -> None:
    assert stored_crc32(ward, ward.resource["id"]) == zlib.crc32(ward.content)


def test_a_range_of_an_archive_reads_nothing_but_what_it_sends(ward: Any, tmp_path: Path) -> None:
    """A dataset of a sparse file of 8 GiB and a small one; the service runs in this process, whose reads the kernel counts."""
    size, draft = 8 << 30, ward.editor.draft("ward")["id"]
    for name, content in (("large.txt", b"l"), ("small.txt", b"small" * 1000)):
        (tmp_path / name).write_bytes(content)
        ward.editor.add(draft, tmp_path / name)
    large, _small = ward.editor.get("package_show", id=draft).result["resources"]
    context = ward.appliance.context
    os.truncate(context.depot.path(large["id"]), size)
    zeros = reduce(lambda crc, power: combine(crc, crc, 1 << power), range(20, 33), zlib.crc32(bytes(1 << 20)))
    with context.db.write() as tx:
        resources.patch(tx, large["id"], size=size, crc32=zeros)
    before = _bytes_read()
    for wanted in (400, 6000):  # within the directory; with the small file and the large one's descriptor
        answer = ward.editor.fetch(f"/dataset/{draft}/download.zip", headers={"Range": f"bytes=-{wanted}"})
        assert (answer.status_code, len(answer.content)) == (206, wanted)
        assert zeros.to_bytes(4, "little") in answer.content
    assert _bytes_read() - before < 16 << 20


def _bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def test_several_datasets_as_one_archive(ward: Any, dataset: dict[str, Any]) -> None:
    url = f"/datasets.zip?dataset={dataset['id']}&dataset={ward.draft['id']}"
    with zipfile.ZipFile(io.BytesIO(ward.editor.fetch(url).content)) as opened:
        assert {name.partition("/")[0] for name in opened.namelist()} == {dataset["name"], ward.draft["name"]}
    assert ward.appliance.person("passer-by").fetch(url).status_code == 404


@pytest.mark.parametrize("form", ["download.sh", "download.py"])
def test_scripts_fetch_check_and_resume(ward: Any, dataset: dict[str, Any], form: str, tmp_path: Path) -> None:
    script = tmp_path / form
    script.write_bytes(ward.editor.fetch(f"/dataset/{dataset['name']}/{form}").content)
    command = ["sh", str(script)] if form.endswith(".sh") else [sys.executable, str(script)]
    certificate = str(ward.appliance.certificate)
    env = {"PATH": os.environ["PATH"], "DCOR_TOKEN": ward.editor.token}
    env |= {"CURL_CA_BUNDLE": certificate, "SSL_CERT_FILE": certificate}
    folder = tmp_path / dataset["name"]
    folder.mkdir()
    first = dataset["resources"][0]
    stored = {r["name"]: ward.appliance.context.depot.path(r["id"]).read_bytes() for r in dataset["resources"]}
    (folder / first["name"]).write_bytes(stored[first["name"]][:1000])
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == stored
    (folder / first["name"]).write_bytes(bytes(len(stored[first["name"]])))
    assert subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False).returncode == 1


def test_manifest_of_a_circle_and_a_collection(ward: Any, dataset: dict[str, Any]) -> None:
    active = ward.editor.get("package_show", id=dataset["id"]).result
    assert active["state"] == "draft"
    assert ward.editor.fetch("/organization/ward/SHA256SUMS").status_code == 404
    with ward.appliance.context.db.write() as tx:
        tx.execute("UPDATE dataset SET state = 'active' WHERE id = ?", (dataset["id"],))
    collection = ward.editor.post("group_create", name="cells", title="Cells").result
    ward.editor.post(
        "member_create", id=collection["id"], object=dataset["id"], object_type="package", capacity="public"
    )
    expected = "".join(f"{r['sha256']}  {dataset['name']}/{r['name']}\n" for r in dataset["resources"])
    assert ward.editor.fetch("/organization/ward/SHA256SUMS").text == expected
    assert ward.editor.fetch("/group/cells/SHA256SUMS").text == expected
    assert ward.editor.fetch("/group/ward/SHA256SUMS").status_code == 404
