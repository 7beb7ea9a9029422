"""The page of the audit log says what `dcor audit verify` says."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.support.furnished import PASSWORD, House, Visitor
from tests.support.server import Appliance


def test_a_forged_log_is_told_in_the_reader_s_language(appliance: Appliance) -> None:
    appliance.person("root", sysadmin=True, password=PASSWORD)
    root, german = Visitor(appliance, "root"), Visitor(appliance, "root", "de")
    assert "chain is unbroken" in root.page("/admin/audit?verify=1")
    with closing(sqlite3.connect(appliance.settings.database, isolation_level=None)) as conn:
        conn.execute("DROP TRIGGER audit_no_delete")
        conn.execute("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)")
    page = root.page("/admin/audit?verify=1")
    assert "the newest entries are missing" in page
    assert "chain is unbroken" not in page
    assert "Die neuesten Einträge fehlen" in german.page("/admin/audit?verify=1")


def test_entries_name_datasets_files_and_people(house: House) -> None:
    made, file = house.dataset("Named in the log", private=True)
    house.share(made["id"], "eve", "member")
    page = house.visitor("root").page(f"/admin/audit?object_id={made['name']}")
    assert "Named in the log" in page
    assert "Eve" in page, "the person it was shared with"
    assert made["id"] not in page.replace(f'title="{made["id"]}"', "").replace(f'href="/dataset/{made["id"]}"', "")
    assert file["name"] in house.visitor("root").page(f"/admin/audit?object_id={file['id']}")
