"""The admin guide's command lines fit their column and do what the guide says, in its order. (`tests/docs` asks whether they exist.)"""

from __future__ import annotations

import re
import shlex
import socket
from contextlib import closing
from pathlib import Path

import pytest

from appliance.actions import lookup
from appliance.backup import manifest as backup_manifest
from appliance.store import second_factors
from appliance.store.database import Database
from tests.ops.place import Place

GUIDE = (Path(__file__).parents[2] / "docs" / "admin-guide.md").read_text(encoding="utf-8")
#: Characters of a line of code that a page and a printed sheet show without breaking it.
WIDTH = 90
#: Lines that are not carried out here, by their beginning, and why. Those that another test carries out name it.
ELSEWHERE = {
    "sudo apt-get install": "changes this machine; Debian's packages",
    "sudo ./installer/install.sh": "tests/installer/test_fresh_machine.py, test_booted_machine.py",
    "sudo ./dcor-appliance-VERSION/installer/install.sh": "tests/installer/test_fresh_machine.py",
    "sudo mount": "needs a stick",
    "tar xf": "tests/installer/test_first_bundle.py",
    "cd dcor-appliance-VERSION": "tests/installer/test_first_bundle.py",
    "sha256sum": "tests/installer/test_first_bundle.py",
    "openssl": "tests/installer/test_first_bundle.py",
    "sudo dcor update --bundle": "tests/installer/test_booted_machine.py",
    "sudo dcor update": "needs an installed release: tests/installer/test_booted_machine.py, tests/crash/test_kills.py",
    "sudo dcor config set depot.archive": "tests/archive",
    "sudo dcor config set archive.": "tests/archive",
    "sudo dcor archive": "tests/archive",
    "sudo dcor config set ldap.": "tests/cli/test_ldap.py",
    "sudo dcor ldap": "tests/cli/test_ldap.py, tests/web/pages/test_directory_sign_in.py",
    "sudo dcor config set oidc.": "tests/web/pages/test_provider_sign_in.py",
    "sudo dcor oidc": "tests/web/pages/test_provider_sign_in.py",
    "sudo dcor push": "tests/peer/test_push.py, test_everything.py",
    "sudo dcor config set clamav.socket": "tests/jobs/test_virus_scan.py",
    "sudo dcor config set depot.database_folder": "tests/ops/test_database_place.py",
    "sudo dcor init": "tests/ops/test_database_place.py",
    "sudo install -d -m 700 -o dcor /var/lib/dcor": "tests/ops/test_database_place.py",
    "sudo dcor backup restore --from DUMP.gpg": "needs a GnuPG key: tests/backup",
    "sudo rsync": "copies whole volumes",
    "# unmount": "volumes of this machine",
    "git clone": "tests/docs/test_readme_commands.py",
}


def code_lines() -> list[str]:
    """Every line of code of the guide as it is printed, in order."""
    return [line.strip() for line in GUIDE.splitlines() if re.match(r" {4,}\S", line)]


def commands() -> list[str]:
    """Lines of code, with those that go on joined."""
    joined = "\n".join(code_lines()).replace("\\\n", "")
    return [re.sub(r" +", " ", line) for line in joined.splitlines()]


def test_every_line_of_code_fits_its_column() -> None:
    assert len(code_lines()) > 40
    assert [line for line in code_lines() if len(line) > WIDTH] == []


class Operator:
    """Types the guide's commands on a machine whose disks and folders are below a scratch folder."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place, self.folder = place, folder
        self.words = {
            "NAME": place.dataset,
            "ID": place.resource,
            "/mnt": str(folder),
            "key-sheet.txt": str(place.sheet),
        }

    def types(self, line: str) -> bool:
        """Carry a line out; False when it is one for elsewhere."""
        if any(line.startswith(start) for start in ELSEWHERE):
            return False
        words = [self.filled(word) for word in shlex.split(line)]
        assert words[0] == "sudo", line
        if words[1] == "systemctl":
            assert words[2] in ("stop", "start", "restart")
            assert self.place.settings.server.hostname, "the settings can be read at the next start"
        elif words[1] == "install":
            Path(words[-1]).mkdir(parents=True, exist_ok=True)
        else:
            assert words[1] == "dcor", line
            self.dcor(words[2:])
        return True

    def dcor(self, words: list[str]) -> None:
        """One of ours; what the guide tells of beforehand has happened."""
        if words[:2] == ["backup", "keys"]:
            self.place.sheet.unlink()
            words = [*words, "--replace"]  # this appliance has keys already
        if words[:2] == ["user", "totp-setup"]:
            words = [*words[:2], "boss"]
        if words[:2] == ["user", "totp-off"]:
            words = [*words[:2], "boss"]
            with closing(Database(self.place.database)) as db, db.write() as tx:
                user = lookup.user(tx, "boss")["id"]
                second_factors.begin(tx, user, b"sealed")
                second_factors.turn_on(tx, user)
        if words[:2] == ["trash", "restore"]:
            self.place.done("dataset", "delete", self.place.dataset, "--yes")
        if words[:3] == ["backup", "restore", "--dataset"]:
            self.place.done("dataset", "purge", self.place.dataset, "--yes")
        if words[:2] == ["backup", "restore"] and "--replace" in words:
            words = [*words, "--yes"]
        if "verify" in words or "--backup" in words:
            newest = backup_manifest.names(self.folder / "backup" / "dcor", "full")[0]
            words = [newest if word == self.place.dataset else word for word in words]
        if words[:2] == ["reserve", "take-over"]:
            other = Place(self.folder / "other")
            assert other.dcor(*words, "--yes").code == 0
            return
        said = self.place.dcor(*words)
        if words[0] in ("inspect", "status"):  # this machine's own findings are not the guide's matter
            assert "Traceback" not in said.err
        else:
            assert said.code == 0, (words, said)

    def filled(self, word: str) -> str:
        """A word with what the guide leaves open."""
        if word in self.words:
            return self.words[word]
        return word.replace("/mnt", str(self.folder), 1) if word.startswith("/mnt") else word


@pytest.mark.timeout(900)
def test_each_procedure_is_carried_out_as_written(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "disk").mkdir()
    operator = Operator(place, tmp_path / "disk")
    done = [line for line in commands() if operator.types(line)]
    assert len(done) >= 30, done
    assert (tmp_path / "nurse.dcor-access").is_file()
    assert len(backup_manifest.names(tmp_path / "disk" / "backup" / "dcor", "full")) >= 1
    assert (tmp_path / "disk" / "other" / "data" / "dcor.sqlite").is_file()


def test_on_both_kinds_of_addresses(place: Place) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    place.set("server.bind", "::")
    place.start()
    for address in ("127.0.0.1", "::1"):
        with socket.create_connection((address, place.settings.server.port), timeout=30):
            pass


def test_lines_for_elsewhere_are_in_the_guide() -> None:
    assert [start for start in ELSEWHERE if not any(line.startswith(start) for line in commands())] == []
