"""`dcor support-bundle`: values of every kind are planted where they get in, and looked for in what comes out."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from appliance.cli.support_mask import Mask
from appliance.store import incidents, jobs
from tests.cli.conftest import Dcor

PEOPLE = {
    "mmueller": ("mmueller@klinik-nord.example", "Prof. Änne-Marie Müller"),
    "u40817": ("oya.dogan@institute.example", "Oya Doğan"),
    "j-de-vries": ("jdv@klinik-nord.example", "Jan de Vries"),
    "bo": ("bo@institute.example", "Li Bo"),
}
SETTINGS = {
    "server.hostname": "messwerte.klinik-nord.example",
    "server.title": "Messwerte Haus Nord",
    "mail.server": "post.intern.klinik-nord.example:587",
    "mail.user": "messwerte-versand",
    "mail.sender": "messwerte@klinik-nord.example",
    "mail.security": "starttls",
    "ldap.servers": "ldaps://ad01.klinik-nord.example",
    "ldap.bind_dn": "cn=leser,ou=dienste,dc=klinik-nord,dc=example",
    "syslog.server": "tls://protokoll07.klinik-nord.example:6514",
    "server.trusted_proxies": "10.20.30.0/24, fd12:3456::/48",
    "clamav.socket": "scanner7.klinik-nord.example:3310",
    "backup.folder": "/mnt/sicherung-haus-nord",
    "web.contact": "Frau Sommerfeld, Haus 7, 0351 4711",
}
#: kind → texts that may not come out, each planted in the log and in an incident
PLANTED = {
    "name": [
        "Müller",
        "Mueller",
        "Muller",
        "MÜLLER",
        "Änne",
        "Aenne",
        "Marie",
        "Doğan",
        "Dogan",
        "Oya",
        "Vries",
        "Li ",
    ],
    "login": ["mmueller", "u40817", "j-de-vries", "u40817_backup"],
    "mail": [*(mail for mail, _name in PEOPLE.values()), "müller.privat@web.example", "x@[10.1.2.3]"],
    "IPv4": ["192.168.7.9", "10.20.30.40"],
    "IPv6": [
        "2001:db8:85a3::8a2e:370:7334",
        "2001:0DB8:85A3:0000:0000:8A2E:0370:7334",
        "fe80::1ff:fe23:4567:890a",
        "::ffff:192.168.7.9",
        "fd12:3456::1",
    ],
    "hardware": ["00:1B:44:11:3A:B7", "00-1b-44-11-3a-b8"],
    "host": ["messwerte.klinik-nord.example", "ad01.klinik-nord.example", "nas.klinik-nord.example", "protokoll07"],
    "file": ["M1 Müller Blut.rtdc", "20260102_patient_Krause.rtdc", "Tafel.xlsx", "befund.pdf"],
    "title": ["Blut von Haus Nord", "blut-haus-nord", "Station 7b", "station-7b"],
    "secret": ["AGE-SECRET-KEY-1QQPQYF8Z3ZJ6ZL5W4R3Y2X1C0V9B8N7M6", "geheim4711!", "hunter2hunter2"],
    "assigned": [
        "client_secret=abcdefgh1234567",
        "refresh_token=1.AbCdEf.GhIj",
        "password: correcthorse",
        "code=x7Kq2vBn9",
    ],
    "account": ["/home/ksommerfeld/", "dc=klinik-nord"],
    "directory": ["Anna Smith,OU=Ward 3,OU=Oncology,DC=klinik", r"Smith\, Anna,OU=Staff"],
}


def lines() -> str:
    texts = {
        "secret": lambda one: f"password={one}",
        "directory": lambda one: f"CN={one}",
        "IPv6": lambda one: f"from [{one}]:443 and {one}, port 3",
    }
    found = [
        f"request.slow by {texts.get(kind, str)(one)} took=3" for kind, planted in PLANTED.items() for one in planted
    ]
    return "\n".join([*found, "https://mmueller:geheim4711!@nas.klinik-nord.example/x", "token: hunter2hunter2"]) + "\n"


@pytest.fixture
def texts(dcor: Dcor, root: Path, state: Any, tmp_path: Path) -> dict[str, str]:
    """What is in the bundle of a server where all of that is planted."""
    for name, (mail, fullname) in PEOPLE.items():
        assert dcor("user", "add", name, "--email", mail, "--fullname", fullname).code == 0
    assert dcor("circle", "create", "station-7b", "--title", "Station 7b").code == 0
    for key, value in SETTINGS.items():
        done = dcor("config", "set", key, value)
        assert done.code == 0, done.err
    with state.db.write() as tx:
        (circle,) = tx.execute("SELECT id FROM community").fetchone()
        (user,) = tx.execute("SELECT id FROM user").fetchone()
        tx.execute(
            """INSERT INTO dataset (id, name, title, circle_id, creator_id, state, private, created, modified)
               VALUES ('d', 'blut-haus-nord', 'Blut von Haus Nord', ?, ?, 'draft', 1, '2026-01-01', '2026-01-01')""",
            (circle, user),
        )
        tx.execute(
            """INSERT INTO resource (id, dataset_id, name, position, size, created, last_modified, metadata_modified)
               VALUES ('r', 'd', 'M1 Müller Blut.rtdc', 0, 1, '2026-01-01', '2026-01-01', '2026-01-01')"""
        )
        incidents.add(tx, "4711", "POST /x", lines())
        made = jobs.enqueue(tx, "preview", resource_id="r", dataset_id="d")
        tx.execute("UPDATE job SET state = 'failed', error = ?, log = ? WHERE id = ?", (lines(), lines(), made))
    (root / "log").mkdir(exist_ok=True)
    (root / "log" / "dcor.log").write_text(lines() + json.dumps({"error": "Müller"}) + "\n", encoding="utf-8")
    out = tmp_path / "bundle.tar.gz"
    assert dcor("support-bundle", "--out", str(out)).code == 0
    with tarfile.open(out) as archive:
        return {one.name: file.read().decode() for one in archive.getmembers() if (file := archive.extractfile(one))}


def test_nothing_that_names_somebody_or_something_comes_out(texts: dict[str, str]) -> None:
    whole = "\n".join(texts.values())
    found = [(kind, one) for kind, planted in PLANTED.items() for one in planted if one in whole]
    found += [("setting", value) for key, value in SETTINGS.items() if value in whole and key != "mail.security"]
    assert found == []
    for part in ("klinik-nord", "Sommerfeld", "sicherung-haus", "M\\u00fcller", "0351", "leser"):
        assert part not in whole, part


def test_no_word_can_be_counted_back_to_a_name(texts: dict[str, str]) -> None:
    """A hash of six digits without a salt told every name that one could guess."""
    whole = "\n".join(texts.values())
    for name in PEOPLE:
        assert hashlib.sha256(name.encode()).hexdigest()[:6] not in whole
    assert len({tuple(Mask([(name,) for name in PEOPLE])(name) for name in PEOPLE) for _ in range(40)}) > 1


def test_what_a_supporter_needs_stays(texts: dict[str, str]) -> None:
    settings = json.loads(texts["dcor-support/settings.json"])
    assert settings["mail.security"] == "starttls"
    assert settings["server.port"] > 0
    assert settings["mail.server"] == settings["ldap.bind_dn"] == "<set>"
    assert settings["ldap.login_attribute"] == "uid"
    assert "request.slow by " in texts["dcor-support/log.txt"]
    assert json.loads(texts["dcor-support/failed-jobs.json"])[0]["kind"] == "preview"


def test_the_same_person_is_the_same_word(texts: dict[str, str]) -> None:
    mask = Mask([("mmueller", "Änne Müller"), ("oya", "Oya Müller")])
    assert mask("mmueller Änne") == " ".join([mask("mmueller")] * 2)
    assert mask("Müller") == "<name>", "two have it"
    plain = "at 12:34:56 std::vector Type::x :: 10:20 v1.2.3 status.json server.port"
    assert mask(plain) == plain
