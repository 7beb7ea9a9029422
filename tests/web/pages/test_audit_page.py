"""The page of the audit log says what `dcor audit verify` says."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

from appliance.actions import communities
from appliance.model.viewer import OPERATOR
from tests.support.furnished import PASSWORD, House, Visitor
from tests.support.samples import synthetic
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


def test_a_datasets_activity_names_people_and_files_and_counts_what_came_together(house: House) -> None:
    made, file = house.dataset("Active dataset", private=True)
    visitor = house.visitor("ada")
    assert f"added a file: {file['name']}" in visitor.page(f"/dataset/{made['id']}")
    for number in (2, 3):
        house.people["ada"].add(made["id"], synthetic(), f"M{number}.rtdc")
    page = visitor.page(f"/dataset/{made['id']}").split('id="activity"')[1].split("</ol>")[0]
    assert "added 3 files" in page
    assert "<strong>Ada</strong>" in page
    house.share(made["id"], "eve", "member")
    seen = house.visitor("eve").page(f"/dataset/{made['id']}").split('id="activity"')[1].split("</ol>")[0]
    assert "Ada" not in seen, "who is in the circle is not for people from outside"


def test_names_are_shown_as_they_were_given_even_if_they_are_words_of_ours(house: House) -> None:
    communities.create(house.appliance.context, OPERATOR, "collection", {"name": "draft", "title": "A name"})
    communities.set_member(house.appliance.context, OPERATOR, "collection", "draft", "eve", "member")
    page = house.visitor("root", "de").page("/admin/audit?object_id=draft")
    assert "draft" in re.findall(r"ame: ([^<,]*)", page)
    assert "Entwurf" not in page
    assert "Mitglied" in page, "roles are words of ours"
