"""A dataset's and a resource's page; editing, activating, sharing."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from tests.support import rtdc_odd
from tests.support.furnished import House


def test_dataset_page_shows_state_people_files_and_citation(house: House) -> None:
    page = house.visitor("ada").page(f"/dataset/{house.public['name']}")
    for text in (
        "Public beads",
        "Ada L., Max P.",
        "Public",
        "M1_beads.rtdc",
        house.public["id"],
        "BibTeX",
        "Creative Commons",
    ):
        assert text in page
    assert "@misc{public-beads," in house.visitor("ada").page(f"/dataset/{house.public['name']}/citation.bib")
    assert "TY  - DATA" in house.visitor("ada").page(f"/dataset/{house.public['name']}/citation.ris")


def test_descriptions_are_markdown_and_harmless(house: House) -> None:
    page = house.visitor("ada").page(f"/dataset/{house.draft['name']}")
    assert "<strong>bold</strong>" in page
    assert "<b>x</b>" not in page


def test_actions_are_shown_where_they_work(house: House) -> None:
    path = f"/dataset/{house.public['name']}"
    assert "/share" in house.visitor("ada").page(path)
    assert "/share" not in house.visitor("max").page(path)
    assert "/edit" not in house.visitor("eve").page(path)


def test_resource_page_shows_what_the_jobs_found(house: House) -> None:
    page = house.visitor("eve").page(f"/dataset/{house.public['id']}/resource/{house.file['id']}")
    for text in (
        "Channel width",
        "20 µm",
        "preview.webp",
        "condensed.rtdc",
        house.appliance.url,
        "SHA-256",
        "dc:experiment:event count",
        "Integrity",
    ):
        assert text in page
    assert "Possible personal data" not in page, "only for people who may edit"
    data = json.loads(re.search(r'id="explorer-data">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    assert data["labels"]["deform"] == ["Deformation", ""]


def test_explorer_gets_columns_events_and_exports(house: House) -> None:
    visitor, base = house.visitor("eve"), f"/dataset/{house.public['id']}/resource/{house.file['id']}"
    head = visitor.get(f"{base}/columns.bin", headers={"Range": "bytes=0-7"})
    assert (head.status_code, head.content) == (206, b"DCORCOL1")
    event = visitor.get(f"{base}/event/0.json").json()
    assert event["image"]
    assert event["contour"]
    assert event["features"]["deform"] > 0
    lines = visitor.get(f"{base}/export.csv").text.splitlines()
    assert "deform" in lines[0].split(",")
    assert len(lines) == 61
    fcs = visitor.get(f"{base}/export.fcs").content
    assert fcs[:6] == b"FCS3.1"
    assert (
        house.visitor("eve")
        .get(f"/dataset/{house.private['id']}/resource/{house.private_file['id']}/columns.bin")
        .status_code
        == 404
    )


def test_a_draft_is_edited_and_activated_once_and_for_all(house: House) -> None:
    made, file = house.dataset("To be activated", private=True)
    house.appliance.jobs_done(file["id"])
    visitor, path = house.visitor("max"), f"/dataset/{made['id']}"
    edited = visitor.post(
        f"{path}/edit",
        title="Renamed",
        authors="Max P.",
        notes="n",
        tag_string="a1, b2",
        license_id="CC0-1.0",
        visibility="private",
    )
    assert edited.status_code == 303
    page = visitor.page(path)
    assert "Renamed" in page
    assert "a1" in page
    assert "1 valid measurement" in visitor.page(f"{path}/activate")
    assert visitor.post(f"{path}/activate").status_code == 303
    refused = visitor.post(f"{path}/edit", title="Again", license_id="CC0-1.0")
    assert (refused.status_code, "Again" in visitor.page(path)) == (303, False)
    assert visitor.get(f"{path}/activate").status_code == 404
    visitor.post(f"{path}/edit", visibility="public", license_id="CC0-1.0")
    assert "Public" in visitor.page(path)


def test_activation_without_files_is_refused_in_words(house: House) -> None:
    made = house.people["ada"].draft("lab", title="Nothing in it")
    answer = house.visitor("ada").post(f"/dataset/{made['id']}/activate")
    assert answer.status_code == 409
    assert "The dataset cannot be activated because it has no files yet." in answer.text
    page = house.visitor("ada").page(f"/dataset/{made['id']}/activate")
    assert "Activate permanently" not in page
    assert f'href="/dataset/{made["id"]}/upload"' in page


def test_a_doi_is_taken_as_people_write_it_and_anything_else_refused(house: House) -> None:
    made = house.people["ada"].draft("lab", title="Published", doi="stored by a script")
    ada, path = house.visitor("ada"), f"/dataset/{made['id']}/edit"
    fields = {"title": "Published", "authors": "A", "license_id": "CC0-1.0"}
    for wrong in ("nonsense with spaces", "10.1038", "https://example.org/10.1038/x y", "javascript:alert(1)"):
        refused = ada.post(path, **fields, doi=wrong)
        assert (refused.status_code, "Enter a DOI such as" in refused.text) == (409, True), wrong
        assert html.escape(wrong) in refused.text
        assert ada.post("/upload", **fields, owner_org="lab", visibility="private", doi=wrong).status_code == 409
    assert ada.post(path, **fields, doi="stored by a script").status_code == 303, "what is not touched is no obstacle"
    for right in (
        "10.1038/s41592-020-0831-y",
        "https://doi.org/10.1038/s41592-020-0831-y",
        "doi: 10.1038/s41592-020-0831-y",
    ):
        assert ada.post(path, **fields, doi=right).status_code == 303
        assert 'href="https://doi.org/10.1038/s41592-020-0831-y"' in ada.page(f"/dataset/{made['id']}")
    assert ada.post(path, **fields, doi="").status_code == 303


def test_a_measurement_without_events_has_no_explorer(house: House, tmp_path: Path) -> None:
    ada = house.people["ada"]
    made = ada.draft("lab", title="Nothing flowed")
    rtdc_odd.zero_events(tmp_path / "none.rtdc", tmp_path)
    file = ada.add(made["id"], tmp_path / "none.rtdc")
    house.appliance.jobs_done(file["id"])
    page = house.visitor("ada").page(f"/dataset/{made['id']}/resource/{file['id']}")
    assert "The file holds no events" in page
    assert 'id="explorer"' not in page


def test_faulty_entries_are_named_and_kept(house: House) -> None:
    answer = house.visitor("ada").post(
        f"/dataset/{house.draft['id']}/edit", title="Kept title", authors="A", tag_string="x!", license_id="CC0-1.0"
    )
    assert answer.status_code == 409
    assert 'value="Kept title"' in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_sharing_with_one_person_and_ending_it(house: House) -> None:
    made, _file = house.dataset("For Eve only", private=True, activate=True)
    path = f"/dataset/{made['id']}"
    ada, eve = house.visitor("ada"), house.visitor("eve")
    assert ada.post(f"{path}/share", username="nobody-here", capacity="member").status_code == 409
    assert ada.post(f"{path}/share", username="eve", capacity="member").status_code == 303
    assert eve.get(path).status_code == 200
    assert "For Eve only" in eve.page("/dashboard?show=shared")
    ada.post(f"{path}/unshare", username="eve", confirmed="yes")
    assert eve.get(path).status_code == 404


def test_collections_and_following(house: House) -> None:
    path = f"/dataset/{house.private['id']}"
    ada, kim = house.visitor("ada"), house.visitor("kim")
    assert kim.get(path).status_code == 404
    ada.post(f"{path}/collections", collection="study")
    assert "Private blood" in kim.page("/group/study")
    kim.post(f"{path}/follow")
    assert "Private blood" in kim.page("/dashboard?show=followed")
    kim.post(f"{path}/unfollow")
    ada.post(f"{path}/collections", collection="study", remove="1")
    assert kim.get(path).status_code == 404


def test_deleting_a_draft_and_purging_it(house: House) -> None:
    made, _file = house.dataset("Thrown away", private=True)
    ada, path = house.visitor("ada"), f"/dataset/{made['id']}"
    assert ada.post(f"{path}/delete").status_code == 303
    assert "Thrown away" in ada.page("/dashboard?show=deleted")
    assert ada.post(f"{path}/purge").status_code == 303
    assert ada.get(path).status_code == 404


def test_supplements_for_one_file_and_for_all(house: House) -> None:
    made, first = house.dataset("With supplements", private=True)
    second = house.people["ada"].add(made["id"], *_another())
    path = f"/dataset/{made['id']}/resource/{first['id']}"
    visitor = house.visitor("ada")
    bad = visitor.post(f"{path}/edit", **{"sp:cells:passage number": "many"})
    assert bad.status_code == 409
    assert "many" in bad.text
    entered = {"description": "d", "all": "1", "sp:cells:organism": "Mus musculus"}
    summary = visitor.post(f"{path}/edit", **entered)
    assert "2 files, 0 values will be overwritten" in summary.text
    seen = summary.text.split('name="seen" value="')[1].split('"')[0]
    assert visitor.post(f"{path}/edit", seen=seen, field="sp:cells:organism", **entered).status_code == 303
    for file in (first, second):
        assert "Mus musculus" in visitor.page(f"/dataset/{made['id']}/resource/{file['id']}")


def test_texts_and_pictures_are_shown_on_their_page(house: House, tmp_path: Path) -> None:
    made, _file = house.dataset("With notes", private=True)
    note = tmp_path / "note.txt"
    note.write_text("<script>alert(1)</script> Grüße\n" * 2000, encoding="utf-8")
    added = house.people["ada"].add(made["id"], note)
    page = house.visitor("ada").page(f"/dataset/{made['id']}/resource/{added['id']}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Grüße" in page
    assert "the rest is in the file" in page


def _another() -> tuple[object, str]:
    from tests.support.samples import synthetic

    return synthetic(), "M2_beads.rtdc"


def test_the_lines_of_a_file_say_what_the_site_wants(house: House) -> None:
    """Token and certificate, also for a public dataset: this site, as a clinic's, shows it to nobody without an account."""
    visitor = house.visitor("eve")
    for dataset, file in ((house.public, house.file), (house.private, house.private_file)):
        if dataset is house.private:
            visitor = house.visitor("ada")
        page = html.unescape(visitor.page(f"/dataset/{dataset['id']}/resource/{file['id']}"))
        lines = re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
        (curl,) = [one for one in lines if "curl" in one]
        assert "curl --fail --cacert localhost.cert -C - -O" in curl
        (python,) = [one for one in lines if "REQUESTS_CA_BUNDLE" in one]
        assert "dclab" in python
        assert 'os.environ["REQUESTS_CA_BUNDLE"] = "localhost.cert"' in re.sub(r"<[^>]+>", "", python)
        assert all("YOUR-API-TOKEN" in one for one in (curl, python))
