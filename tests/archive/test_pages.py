"""The page of an archived file says so, and administrators have it recalled with a click."""

from __future__ import annotations

from tests.archive.conftest import Archived
from tests.support.furnished import PASSWORD, Visitor

SAYS = "The original of this file is in the archive"
BUTTON = "Recall from the archive"


def test_a_click_brings_it_back(archived: Archived, noise: bytes) -> None:
    one = archived.file(noise, "noise.tif", private=False)
    dataset = archived.owner.get("resource_show", id=one).result["package_id"]
    page = f"/dataset/{dataset}/resource/{one}"
    archived.appliance.person("root", sysadmin=True, password=PASSWORD)
    archived.appliance.person("reader", password=PASSWORD)
    root, reader = Visitor(archived.appliance, "root"), Visitor(archived.appliance, "reader")
    assert SAYS not in root.page(page)
    archived.mover.run()
    assert SAYS in reader.page(page)
    assert BUTTON not in reader.page(page)
    assert BUTTON in root.page(page)
    assert reader.post(f"/admin/files/{one}/recall").status_code == 403
    assert not archived.here(one)
    assert root.post(f"/admin/files/{one}/recall").status_code == 303
    assert [job["state"] for job in archived.appliance.jobs_done(one) if job["kind"] == "recall"] == ["done"]
    assert archived.here(one)
    assert SAYS not in root.page(page)


def test_the_explorer_goes_on_with_the_condensed_file(archived: Archived, noise: bytes) -> None:
    one = archived.file(noise, "noise.tif")
    archived.mover.run()
    dataset = archived.owner.get("resource_show", id=one).result["package_id"]
    files = archived.owner.get("package_show", id=dataset).result["resources"]
    measurement = next(str(file["id"]) for file in files if file["name"] == "beside.rtdc")
    ask = {"id": measurement, "query": "feature", "event": 0}
    scalar = archived.owner.get("dcserv", **ask, feature="deform", version="1")
    assert scalar.status == 200
    image = archived.owner.get("dcserv", **ask, feature="image", version="1")
    assert image.status == 409
    assert "only its condensed copy" in image.message
