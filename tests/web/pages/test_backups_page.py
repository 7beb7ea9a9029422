"""Administrators see backups and trash on pages, and bring back one thing there as the command line does."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.actions import accounts, backups, communities, deletion, draft_files
from appliance.backup import crypto
from appliance.backup import manifest as backup_manifest
from appliance.model.viewer import OPERATOR
from appliance.store import audit
from tests.support.furnished import House, Visitor
from tests.support.server import Appliance


class Backed(House):
    """A furnished appliance with one backup; `key`: the line on the key sheet."""

    def __init__(self, root: Path) -> None:
        keys = crypto.new_keys()
        self.key = keys.identity
        super().__init__(Appliance(root / "data", **{"backup.recipient": keys.recipient}))
        self.site = self.appliance.context
        self.name = backups.create(self.site).manifest.name

    @property
    def root(self) -> Visitor:
        return self.visitor("root")

    def row(self) -> str:
        """The row of the backup in the list."""
        page = self.root.page("/admin/backups")
        return next(part for part in page.split("<tr>") if f'href="/admin/backups/{self.name}"' in part)

    def audited(self, action: str) -> list[dict[str, Any]]:
        with self.site.db.read() as conn:
            return audit.entries(conn, audit.Filter(action=action))

    def bring_back(self, kind: str, ref: str, key: str | None = None) -> tuple[int, str]:
        """Ask, then say yes; → status and text of the answer."""
        address = f"/admin/backups/{self.name}/restore/{kind}/{ref}"
        assert ref in self.root.page(address)
        answer = self.root.post(address, key=self.key if key is None else key)
        return answer.status_code, answer.text


@pytest.fixture(scope="module")
def backed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backed]:
    made = Backed(tmp_path_factory.mktemp("backed"))
    yield made
    made.appliance.stop()


def test_the_list_says_kind_age_size_signature_and_what_came_of_looking(backed: Backed) -> None:
    row = backed.row()
    for text in ("Complete", "by this server", "not yet", "just now"):
        assert text in row, row
    backed.root.post(f"/admin/backups/{backed.name}/verify")
    assert "good, " in backed.row()
    assert backed.audited("backup.verify")[0]["actor"] == "root"


def test_a_page_of_its_own_says_so_too(backed: Backed) -> None:
    page = backed.root.page(f"/admin/backups/{backed.name}")
    for text in ("Complete", "by this server", "UTC", backed.site.settings.server.hostname, "just now"):
        assert text in page
    assert "&lt;" not in page
    assert "&lt;" not in backed.root.page(f"/admin/backups/{backed.name}/restore/user/eve")


def test_the_contents_are_shown_to_who_has_the_key(backed: Backed) -> None:
    address = f"/admin/backups/{backed.name}"
    assert backed.public["title"] not in backed.root.page(address)
    shown = backed.root.post(f"{address}/contents", key=backed.key)
    assert shown.status_code == 200
    for text in (backed.public["title"], backed.draft["title"], "M1_beads.rtdc", "ada", "lab", "Study of blood"):
        assert text in shown.text
    assert backed.key not in shown.text, "the key is asked for again, not sent back"
    found = backed.root.post(f"{address}/contents", key=backed.key, list="datasets", q="PUBLIC beads").text
    assert backed.public["name"] in found
    assert backed.private["name"] not in found


@pytest.mark.parametrize(
    ("key", "said"),
    [("", "There is no private key"), ("AGE-SECRET-KEY-1QQQ", "mistyped"), (None, "age1")],
)
def test_a_wrong_key_opens_nothing(backed: Backed, key: str | None, said: str) -> None:
    other = crypto.new_keys().identity
    answer = backed.root.post(f"/admin/backups/{backed.name}/contents", key=other if key is None else key)
    assert answer.status_code == 409
    assert said in answer.text
    assert backed.public["title"] not in answer.text


def test_a_purged_dataset_comes_back_with_its_file(backed: Backed) -> None:
    ref, ada = backed.private["name"], backed.visitor("ada")
    deletion.delete(backed.site, OPERATOR, ref)
    deletion.purge(backed.site, OPERATOR, ref)
    assert ada.get(f"/dataset/{ref}").status_code == 404
    status, page = backed.bring_back("dataset", ref)
    assert status == 200, page
    assert f"Restored: {ref}" in page
    assert "Private blood" in ada.page(f"/dataset/{ref}")
    path = backed.site.depot.path(backed.private_file["id"], "original")
    assert path.is_file()
    entry = backed.audited("dataset.bring_back")[0]
    assert (entry["actor"], entry["object_id"]) == ("root", backed.private["id"])
    assert entry["detail"] == {"backup": backed.name}
    status, page = backed.bring_back("dataset", ref)
    assert status == 409
    assert "already exists" in page


def test_a_damaged_file_a_removed_user_and_a_circle_come_back(backed: Backed) -> None:
    path = backed.site.depot.path(backed.draft_file["id"], "original")
    content = path.read_bytes()
    path.chmod(0o640)
    path.write_bytes(content[:-1] + b"?")
    status, page = backed.bring_back("file", backed.draft_file["id"])
    assert (status, path.read_bytes()) == (200, content), page
    assert "1 file" in page
    accounts.erase(backed.site, OPERATOR, "eve")
    status, page = backed.bring_back("user", "eve")
    assert status == 200
    assert "tokens and access files are not restored" in page
    communities.purge(backed.site, OPERATOR, "collection", "study")
    assert backed.bring_back("collection", "study")[0] == 200
    assert "Study of blood" in backed.root.page("/group/study")


def test_too_much_for_a_page_is_said_with_the_command(backed: Backed, monkeypatch: pytest.MonkeyPatch) -> None:
    from appliance.web.pages.admin import bring_back as page

    monkeypatch.setattr(page, "LARGEST", 1000)
    ref = backed.draft["name"]
    deletion.delete(backed.site, OPERATOR, ref)
    status, text = backed.bring_back("dataset", ref)
    assert status == 409
    assert f"sudo dcor backup restore --dataset {ref} --backup {backed.name}" in text
    monkeypatch.undo()
    assert backed.bring_back("dataset", ref)[0] == 200


def test_the_key_is_written_down_nowhere(backed: Backed) -> None:
    backed.bring_back("dataset", backed.public["name"])
    secret = backed.key.encode()[20:]
    for folder, _folders, names in os.walk(backed.site.settings.data):
        for name in names:
            path = Path(folder) / name
            assert not path.is_file() or secret not in path.read_bytes(), path


def test_what_is_in_the_trash_comes_back_after_a_question(backed: Backed) -> None:
    site, root = backed.site, backed.root
    backed.people["ada"].circle("empty")
    communities.delete(site, OPERATOR, "circle", "empty")
    made, file = backed.dataset("In the trash", private=True)
    draft_files.remove(site, OPERATOR, made["id"], [file["id"]])
    accounts.create(site, OPERATOR, {"name": "lee", "email": "lee@example.org"})
    accounts.set_state(site, OPERATOR, "lee", "deleted")
    gone, _file = backed.dataset("Deleted", private=True)
    deletion.delete(site, OPERATOR, gone["id"])
    page = root.page("/admin/trash")
    found = dict(re.findall(r'name="kind" value="(\w+)"><input type="hidden" name="id" value="([\w-]+)"', page))
    assert found.keys() >= {"dataset", "file", "circle", "user"}
    assert found["dataset"] == gone["id"]
    for kind, id_ in found.items():
        asked = root.post("/admin/trash/restore", kind=kind, id=id_)
        assert asked.status_code == 200
        assert "Cancel" in asked.text
        assert id_ in root.page("/admin/trash"), "nothing changes before the answer"
        done = root.post("/admin/trash/restore", kind=kind, id=id_, confirmed="yes")
        assert done.status_code == 200, done.text
        assert "Restored: " in done.text
        assert f'value="{id_}"' not in done.text
        again = root.post("/admin/trash/restore", kind=kind, id=id_, confirmed="yes")
        assert again.status_code == 409
    assert backed.audited("dataset.restore")[0]["actor"] == "root"
    assert "The trash is empty" in root.page("/admin/trash")
    assert "Der Papierkorb ist leer" in backed.visitor("root", "de").page("/admin/trash")


def test_damage_and_lost_backups_are_told_on_the_page(backed: Backed) -> None:
    assert backed.root.get("/admin/backups/2020-01-01T00-00-00Z").status_code == 404
    made = backups.create(backed.site).manifest.name
    path = backup_manifest.set_path(backups.folder(backed.site.settings), made) / "database.age"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    answer = backed.root.post(f"/admin/backups/{made}/contents", key=backed.key)
    assert answer.status_code == 409
    assert "damaged" in answer.text
