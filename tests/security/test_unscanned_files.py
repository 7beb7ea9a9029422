"""A file that waits for the virus scanner is handed to nobody but its uploader, whichever way it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.actions import virus_gate
from appliance.actions.outgoing import Wishes, gather
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR, Viewer
from appliance.store import file_checks
from appliance.web import measurement_statistics, route_table
from tests.support.furnished import House, Visitor
from tests.support.server import Appliance, Person

TOLD = "has not been scanned for viruses yet"
#: Routes that answer about files without their content.
LISTS = {"manifest"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """With a scanner that is away: whatever is uploaded waits."""
    running = Appliance(tmp_path_factory.mktemp("appliance") / "data", **{"clamav.socket": "/nowhere/clamd"})
    yield House(running)
    running.stop()


def ways(house: House) -> dict[str, Callable[[Person], tuple[int, str]]]:
    """How the content of a file can be asked for: name → status and text."""
    dataset, file = house.private["id"], house.private_file["id"]
    base = f"/dataset/{dataset}/resource/{file}"
    paths = [
        f"{base}/{end}"
        for end in (
            "download/x", "condensed.rtdc", "preview.jpg", "preview.webp", "thumbnail.webp", "columns.bin", "density.bin",
            "event/0.json", "pictures.json?events=0", "export.csv", "export.fcs", "emodulus.bin?lut=LE-2D-FEM-19",
        )
    ]  # fmt: skip
    paths += [f"/dataset/{dataset}/download.zip", f"/datasets.zip?dataset={dataset}", f"/compare/export.csv?r={file}"]
    paths += [f"/objects/resource/{file[:3]}/{file[3:6]}/{file[6:]}"]

    def by_path(path: str) -> Callable[[Person], tuple[int, str]]:
        def ask(who: Person) -> tuple[int, str]:
            answer = who.fetch(path)
            return answer.status_code, answer.text if answer.status_code >= 400 else ""

        return ask

    def by_action(name: str, **values: object) -> Callable[[Person], tuple[int, str]]:
        def ask(who: Person) -> tuple[int, str]:
            answer = who.post(name, **values)
            return answer.status, answer.text

        return ask

    def in_a_browser(who: Person) -> tuple[int, str]:
        answer = house.visitor(who.name).get(f"{base}/elasticity.json?lut=LE-2D-FEM-19&x=area_um&y=deform")
        return answer.status_code, answer.text if answer.status_code >= 400 else ""

    found = {path.replace(file, "FILE").replace(dataset, "DATASET"): by_path(path) for path in paths}
    found["elasticity.json"] = in_a_browser
    for query in ("metadata", "basins", "logs", "tables", "size"):
        found[f"dcserv {query}"] = by_action("dcserv", id=file, query=query, version="2")
    found["dcserv 1"] = by_action("dcserv", id=file, query="feature", feature="deform", version="1")
    found["dcor_statistics"] = by_action("dcor_statistics", ids=[file], features=["deform"])
    found["dcor_median_differences"] = by_action("dcor_median_differences", ids=[file])
    found["dcor_gate_events"] = by_action("dcor_gate_events", id=file)
    return found


def test_every_way_to_a_file_waits_for_the_scanner(house: House) -> None:
    house.appliance.jobs_done(house.private_file["id"])
    max_, ada, root = (house.people[name] for name in ("max", "ada", "root"))
    open_ = {name: ask(max_) for name, ask in ways(house).items()}
    assert {name: one for name, one in open_.items() if one[0] != 503 or TOLD not in one[1]} == {}
    assert {name: ask(root)[0] for name, ask in ways(house).items()} == dict.fromkeys(open_, 503)
    assert {name for name, ask in ways(house).items() if ask(ada)[0] == 503} == set()
    assert TOLD in Visitor(house.appliance, "max").page(
        f"/dataset/{house.private['id']}/resource/{house.private_file['id']}"
    )
    with house.appliance.context.db.write() as tx:
        file_checks.note(tx, [(house.private_file["id"], "virus")])
    assert {name for name, ask in ways(house).items() if ask(max_)[0] == 503} == set()


def test_pages_show_nothing_that_was_read_from_such_a_file(house: House) -> None:
    """A preview, numbers, texts of logs and metadata: all of it came out of the file."""
    made, file = house.dataset("Waiting for the scanner", private=True, activate=True, wait=True)
    base = f"/dataset/{made['id']}"
    resource = f"{base}/resource/{file['id']}"
    sample = house.people["ada"].get("resource_show", id=file["id"]).result["dc:experiment:sample"]
    for path, told in (
        (resource, [sample, "preview.webp", "density", 'id="quality"', 'id="logs"']),
        (base, ["thumbnail.webp", "verdict"]),
        ("/dataset?q=waiting+scanner", ["thumbnail.webp"]),
        ("/measurements?c=sample", [sample]),
        ("/measurements.csv", [sample]),
        ("/instrument?device=ZMDD-AcC-demo00-000001&show=all", [sample]),
    ):
        uploader, reader = Visitor(house.appliance, "ada").page(path), Visitor(house.appliance, "max").page(path)
        assert path.startswith("/instrument") or made["id"] in reader or made["name"] in reader, (
            path
        )  # there it is left out
        rows = [text for page in (uploader, reader) for text in [_about(page, path, file["id"], made)]]
        assert [one for one in told if one in rows[0]], (path, "this test looks for the right things")
        assert [one for one in told if one in rows[1]] == [], path


def _about(page: str, path: str, file_id: str, made: dict[str, str]) -> str:
    """The part of a list that is about this file or dataset; of other pages, all."""
    if path.startswith(("/measurements", "/instrument")):
        ends = "</tr>" if "." not in path else "\r\n"
        return "".join(row for row in page.split(ends) if file_id in row)
    if path.startswith("/dataset?"):
        return "".join(part for part in page.split("<li") if made["id"] in part or made["name"] in part)
    return page


def test_what_is_too_large_for_the_scanner_is_said_plainly(house: House) -> None:
    site, file = house.appliance.context, house.file["id"]
    path = f"/dataset/{house.public['id']}/resource/{file}"
    with site.db.write() as tx:
        file_checks.note(tx, [(file, virus_gate.TOO_LARGE)])
    before = site.settings
    try:
        assert house.people["eve"].fetch(f"{path}/download/x").status_code == 503
        page = Visitor(house.appliance, "eve").page(path)
        assert "larger than the scanner accepts. Only the person" in page
        site.use_settings(before.replace(**{"clamav.too_large": "release"}))
        assert house.people["eve"].fetch(f"{path}/download/x").status_code == 200
        page = Visitor(house.appliance, "eve").page(path)
        assert "larger than the scanner accepts" in page
        assert "Only the person" not in page
    finally:
        site.use_settings(before)
        with site.db.write() as tx:
            tx.execute("DELETE FROM file_check WHERE kind = ?", (virus_gate.TOO_LARGE,))


def test_a_stranger_without_an_address_is_not_the_operator(house: House) -> None:
    """Statistics are counted by caller; who that is says nothing about whose file it is."""
    question = measurement_statistics.Question.checked(["deform"], [])
    stranger = Viewer(sees_public=True, address="")
    with pytest.raises(Problem, match=TOLD):
        measurement_statistics.statistics(house.appliance.context, house.file["id"], question, stranger)


def test_an_archive_waits_and_a_list_does_not(house: House) -> None:
    path = f"/dataset/{house.public['id']}"
    eve = house.people["eve"]
    assert eve.fetch(f"{path}/download.zip").status_code == 503
    assert eve.fetch(f"{path}/SHA256SUMS").status_code == 200


def test_the_beginning_of_a_text_waits_too_and_nobody_else_becomes_its_uploader(house: House, tmp_path: Path) -> None:
    ada, other = house.people["ada"], house.people["max"]
    path = tmp_path / "notes.txt"
    path.write_text("what stands in the notes")
    dataset = ada.draft("lab", title="Notes of the ward", private=True)["id"]
    file = ada.add(dataset, path)["id"]
    base = f"/dataset/{dataset}/resource/{file}"
    assert "what stands" in Visitor(house.appliance, "ada").page(base)
    editor = Visitor(house.appliance, "max")
    assert "what stands" not in editor.page(base)
    assert "1 file removed" in editor.post(f"/dataset/{dataset}/files", do="remove", id=file).text
    assert "1 file restored" in editor.post(f"/dataset/{dataset}/files", do="bring-back", id=file).text
    assert other.fetch(f"{base}/download/notes.txt").status_code == 503
    assert ada.fetch(f"{base}/download/notes.txt").status_code == 200


def test_what_waits_is_not_published_elsewhere(house: House) -> None:
    with pytest.raises(Problem, match=TOLD):
        gather(house.appliance.context, OPERATOR, house.public["id"], Wishes())


def test_every_route_that_hands_out_content_is_tried_here(house: House) -> None:
    """A new one belongs into `ways`, or gives no content."""
    handlers = {one.handler.__name__ for one in route_table.routes() if one.rule == "dataset:read"}
    assert handlers - LISTS == {
        "original", "condensed", "image", "stored_object", "archive", "archive_of_several", "binary", "event", "pictures",
        "exported", "gate_export", "table", "modulus",
    }  # fmt: skip


def test_the_oldest_upload_is_scanned_first(house: House) -> None:
    with house.appliance.context.db.read() as conn:
        first = [one for _pk, one in file_checks.without(conn, "virus", 100)]
        order = [row[0] for row in conn.execute("SELECT id FROM resource ORDER BY pk") if row[0] in set(first)]
    assert first == order
    with house.appliance.context.db.read() as conn:
        ((pk, one),) = file_checks.without(conn, "virus", 1)
        assert one not in {other for _pk, other in file_checks.without(conn, "virus", 100, pk)}
