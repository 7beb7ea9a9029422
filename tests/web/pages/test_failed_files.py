"""What is wrong with a user's file is no fault of the server: one line with file, uploader and button, apart from its health."""

from __future__ import annotations

from appliance.model import times
from tests.support.furnished import House


def test_a_broken_upload_is_one_line_apart_from_the_checks(house: House) -> None:
    made, file = house.dataset("Broken upload", private=True)
    house.appliance.jobs_done(file["id"])
    with house.appliance.context.db.write() as tx:
        tx.execute(
            "UPDATE job SET state = 'failed', finished = ?, error = 'The file is truncated.' WHERE resource_id = ? AND kind IN ('metadata', 'condense', 'preview')",
            (times.now(), file["id"]),
        )
    root = house.visitor("root")
    page = root.page("/admin")
    assert page.count(f'href="/dataset/{made["id"]}/resource/{file["id"]}"') == 1
    line = page.split(f'/resource/{file["id"]}"')[1].split("</li>")[0]
    assert "Ada" in line
    assert "truncated" in line
    checks = root.page("/admin/checks")
    assert file["id"] not in checks
    assert "could not be processed" in checks
    assert root.post(f"/admin/files/{file['id']}/retry").status_code == 303
    assert house.visitor("ada").post(f"/admin/files/{file['id']}/retry").status_code == 403
    house.appliance.jobs_done(file["id"])
    assert f'/resource/{file["id"]}"' not in root.page("/admin")
