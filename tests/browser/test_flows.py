"""What people come for, in a real browser: find, look into, upload, share; and all of it that works without scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.furnished import House
from tests.support.samples import synthetic
from tests.support.server import wait_for

Open = Callable[..., Any]


def explorer(page: Any, house: House, query: str = "") -> None:
    """Open the explorer of the public measurement and wait for its plot."""
    page.goto(f"/dataset/{house.public['id']}/resource/{house.file['id']}{query}")
    page.locator("#explorer").scroll_into_view_if_needed()
    page.wait_for_selector("#explorer[data-ready]")


def until(page: Any, condition: str) -> None:
    """Wait until a condition in the page holds (`wait_for_function` needs what our policy forbids)."""
    wait_for(lambda: page.evaluate(condition), seconds=30)


def drag(page: Any, *points: tuple[float, float]) -> None:
    """Press at the first of these places (shares of the plot), move over the others, let go."""
    box = page.locator("[data-plot]").bounding_box()
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def test_search_as_one_types_keeps_the_address_in_step(house: House, open_page: Open) -> None:
    page = open_page("ada")
    page.goto("/dataset")
    page.locator("main input[type=search]").press_sequentially("public", delay=5)
    page.wait_for_url("**q=public**")
    until(page, "document.querySelector('.hit-title').textContent === 'Public beads'")
    page.locator("main input[type=search]").fill("")
    page.locator("#facets").get_by_label("blood").first.check()
    page.wait_for_url("**tags=blood**")
    until(page, "document.querySelectorAll('.hit').length === 1")
    assert page.locator(".hit-title").all_inner_texts() == ["Private blood"]
    assert page.evaluate("document.activeElement.value") == "blood", "the focus stays"


def test_explorer_selects_shows_events_and_reproduces_the_view(house: House, open_page: Open) -> None:
    page = open_page("eve")
    explorer(page, house)
    page.get_by_role("button", name="Box").click()
    drag(page, (0.15, 0.05), (0.95, 0.85))
    until(page, "document.querySelector('[data-selection]').textContent.includes('selected')")
    box = page.locator("[data-selection]").inner_text()
    assert page.locator("[data-statistics] tr").count() == 2
    page.get_by_role("button", name="Next event").click()
    page.wait_for_selector("[data-event-image]:not([hidden])")
    page.get_by_text("All values").click()
    assert page.locator("[data-event-numbers] tr").count() > 20
    assert page.locator("[data-event-traces]").is_visible()
    address = page.url
    again = open_page("eve")
    again.goto(address)
    again.wait_for_selector("#explorer[data-ready]")
    again.wait_for_selector("[data-event-image]:not([hidden])")
    assert again.locator("[data-selection]").inner_text() == box


def test_explorer_polygon_keyboard_axes_and_export(house: House, open_page: Open) -> None:
    page = open_page("eve")
    explorer(page, house, "?x=area_um&y=bright_avg&xs=log")
    assert page.locator("[data-y]").input_value() == "bright_avg"
    page.get_by_role("button", name="Polygon").click()
    box = page.locator("[data-plot]").bounding_box()
    for x, y in ((0.2, 0.1), (0.9, 0.1), (0.9, 0.8)):
        page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    page.locator("[data-plot]").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**gate=Gate+1**")
    page.keyboard.press("Escape")
    until(page, "!location.search.includes('gate=')")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**view=**")
    page.keyboard.press("0")
    page.wait_for_url("**view=all**")
    with page.expect_download() as started:
        page.get_by_role("button", name="CSV").click()
    lines = Path(started.value.path()).read_text().splitlines()
    assert lines[1].startswith("gate,events,share,rate,feature,label,unit,count,mean")
    assert any(",deform," in line for line in lines)
    with page.expect_download() as started:
        page.get_by_role("button", name="PNG").click()
    assert Path(started.value.path()).read_bytes()[:4] == b"\x89PNG"


def test_explorer_statistics_are_right(house: House, open_page: Open) -> None:
    page = open_page("eve")
    explorer(page, house)
    base = f"/dataset/{house.public['id']}/resource/{house.file['id']}"
    lines = house.visitor("eve").page(f"{base}/export.csv").splitlines()
    column = lines[0].split(",").index("deform")
    values = sorted(float(line.split(",")[column]) for line in lines[1:])
    numbers = page.evaluate("dcorExplorer.numbers.find(one => one.name === 'deform').numbers")
    mean = sum(values) / len(values)
    assert numbers["count"] == len(values)
    assert abs(numbers["mean"] - mean) < 1e-6
    assert abs(numbers["median"] - (values[29] + values[30]) / 2) < 1e-6


def test_upload_resumes_after_a_lost_connection_and_a_reload(house: House, open_page: Open, tmp_path: Path) -> None:
    page = open_page("max")
    page.goto("/upload")
    page.get_by_label("Title").fill("Uploaded in the browser")
    page.get_by_role("button", name="Create draft and add files").click()
    page.wait_for_url("**/dataset/*/upload**")
    dataset = page.url.split("/dataset/")[1].split("/")[0]
    measurement = tmp_path / "Probe größer 1.rtdc"
    measurement.write_bytes(synthetic().read_bytes())
    large = tmp_path / "table.csv"
    large.write_bytes(b"0,1,2,3\n" * (5 << 20))  # three pieces
    calls = []

    def unsteady(route: Any) -> None:
        calls.append(route.request.url)
        if len(calls) == 2:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(
        re.compile(r"/upload/browser/[^/]+$"),
        lambda route: unsteady(route) if route.request.method == "PATCH" else route.continue_(),
    )
    page.locator("[data-files]").set_input_files([str(large)])
    page.get_by_role("button", name="Start upload").click()
    page.wait_for_selector("[data-state=done]", timeout=60_000)
    page.reload()
    page.get_by_text("Supplementary metadata for all measurements").click()
    page.get_by_label("Organism").fill("Mus musculus")
    page.locator("[data-files]").set_input_files([str(measurement), str(large)])
    page.get_by_role("button", name="Start upload").click()
    page.wait_for_selector("[data-finished]:not([hidden])", timeout=60_000)
    assert page.locator("[data-state=present]").count() == 1
    assert page.locator("#present li").count() == 2, "the list beside the upload keeps up"
    shown = house.people["max"].get("package_show", id=dataset).result
    names = {resource["name"]: resource for resource in shown["resources"]}
    assert set(names) == {"table.csv", "Probe_groesser_1.rtdc"}
    assert names["table.csv"]["size"] == 40 << 20
    assert names["Probe_groesser_1.rtdc"]["sp:cells:organism"] == "Mus musculus"


def test_files_that_are_not_accepted_are_named_before_anything_is_sent(
    house: House, open_page: Open, tmp_path: Path
) -> None:
    page = open_page("ada")
    page.goto(f"/dataset/{house.draft['id']}/upload")
    wrong, empty = tmp_path / "letter.docx", tmp_path / "empty.rtdc"
    wrong.write_bytes(b"x")
    empty.touch()
    page.locator("[data-files]").set_input_files([str(wrong), str(empty)])
    until(page, "document.querySelectorAll('[data-state=failed]').length === 2")
    assert len(house.people["ada"].get("package_show", id=house.draft["id"]).result["resources"]) == 1


def test_many_files_are_listed_and_sent(house: House, open_page: Open, tmp_path: Path) -> None:
    made = house.people["ada"].draft("lab", title="Two hundred notes")
    files = []
    for number in range(200):
        path = tmp_path / f"note_{number:03d}.txt"
        path.write_text(f"{number}")
        files.append(str(path))
    page = open_page("ada")
    page.goto(f"/dataset/{made['id']}/upload")
    page.locator("[data-files]").set_input_files(files)
    page.get_by_role("button", name="Start upload").click()
    page.wait_for_selector("[data-finished]:not([hidden])", timeout=120_000)
    assert len(house.people["ada"].get("package_show", id=made["id"]).result["resources"]) == 200


def test_job_state_follows_and_the_preview_appears_by_itself(house: House, open_page: Open) -> None:
    made, file = house.dataset("Watched jobs", private=True)
    page = open_page("ada")
    page.goto(f"/dataset/{made['id']}/resource/{file['id']}")
    house.appliance.jobs_done(file["id"])
    page.wait_for_selector("#preview img", timeout=30_000)


def test_names_are_suggested_and_copying_works(house: House, open_page: Open) -> None:
    page = open_page("ada")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/organization/lab/members")
    page.get_by_label("User name").press_sequentially("eve", delay=5)
    page.wait_for_selector("#people option", state="attached")
    assert page.locator("#people option").first.get_attribute("value") == "eve"
    page.goto(f"/dataset/{house.public['name']}")
    page.locator("[data-copy]").first.click()
    page.wait_for_selector(".toast")
    assert "Public beads" in page.evaluate("navigator.clipboard.readText()")


def test_connection_checks(house: House, open_page: Open) -> None:
    page = open_page()
    page.goto("/connect")
    until(page, "document.querySelectorAll('[data-result]').length === 4")
    assert page.evaluate("[...document.querySelectorAll('[data-result]')].map(one => one.dataset.result)") == ["ok"] * 4


def test_everything_but_explorer_and_upload_works_without_scripts(house: House, open_page: Open) -> None:
    made, file = house.dataset("Without scripts", private=True)
    house.appliance.jobs_done(file["id"])
    page = open_page("ada", scripts=False)
    page.locator(".header-search input").fill("beads")
    page.locator(".header-search input").press("Enter")
    assert page.locator(".hit").count() >= 1
    page.locator(".facet input[value=blood]").check()
    page.locator(".facets button").click()
    assert "tags=blood" in page.url
    page.goto(f"/dataset/{made['id']}/activate")
    page.get_by_role("button", name="Activate permanently").click()
    assert page.get_by_text("The dataset is now active.").is_visible()
    page.get_by_role("link", name="Share").click()
    page.get_by_label("User name").fill("eve")
    page.get_by_role("main").get_by_role("button", name="Share").click()
    assert page.get_by_text("Shared. The person can now see the dataset.").is_visible()
    page.locator("summary[aria-label='Appearance and language']").click()
    page.get_by_role("button", name="Deutsch").click()
    assert page.locator("html").get_attribute("lang") == "de"


def test_hashes_of_the_browser_are_those_of_the_world(house: House, open_page: Open) -> None:
    page = open_page("ada")
    page.goto(f"/dataset/{house.draft['id']}/upload")
    source = page.evaluate("[...document.querySelectorAll('script[src*=upload]')][0].src").replace(
        "main.js", "sha256.js"
    )
    found = page.evaluate(
        """async source => {
          const { Sha256 } = await import(source);
          const failed = [];
          for (const size of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 100000]) {
            const bytes = new Uint8Array(size).map((_, i) => (i * 7919) & 255);
            const wanted = [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].map(one => one.toString(16).padStart(2, "0")).join("");
            const hash = new Sha256();
            for (let at = 0; at < size; at += 37) hash.update(bytes.subarray(at, at + 37));
            if (hash.hex() !== wanted) failed.push(size);
          }
          return failed;
        }""",
        source,
    )
    assert found == []


def test_jobs_page_refreshes_itself(house: House, open_page: Open) -> None:
    page = open_page("root")
    page.goto("/admin/jobs?state=done")
    _made, file = house.dataset("For the jobs page", private=True)
    house.appliance.jobs_done(file["id"])
    page.locator(f".findings a[href*='{file['id']}']").first.wait_for()
    assert json.loads(page.evaluate("JSON.stringify(location.search)")) == "?state=done"


def test_supplements_are_checked_before_they_are_sent(house: House, open_page: Open) -> None:
    page = open_page("ada")
    page.goto(f"/dataset/{house.draft['id']}/resource/{house.draft_file['id']}/edit")
    width = page.get_by_label("Exact channel width")
    message = page.locator(f"#{width.get_attribute('id')}-wrong")
    assert not message.is_visible()
    for value, wrong in (("0", True), ("-2", True), ("wide", True), ("20,5", False)):
        width.fill(value)
        width.blur()
        assert message.is_visible() == wrong, value
    assert message.text_content().strip() == "Enter a number greater than 0."
    width.fill("0")
    page.get_by_role("button", name="Save", exact=True).click()
    assert page.evaluate("document.activeElement.id") == width.get_attribute("id"), "nothing was sent"
    width.fill("20,5")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Saved.").wait_for()
    stored = house.people["ada"].get("resource_show", id=house.draft_file["id"]).result
    assert stored["sp:chip:channel width"] == 20.5


def test_an_upload_waits_until_its_supplements_fit(house: House, open_page: Open, tmp_path: Path) -> None:
    made = house.people["ada"].draft("lab", title="Held back")
    page = open_page("ada", language="de-DE")
    page.goto(f"/dataset/{made['id']}/upload")
    page.get_by_text("Zusatzangaben für alle Messungen").click()
    page.locator("[name='sp:chip:channel width']").fill("-1")
    measurement = tmp_path / "M1.rtdc"
    measurement.write_bytes(synthetic().read_bytes())
    page.locator("[data-files]").set_input_files([str(measurement)])
    page.get_by_role("button", name="Upload starten").click()
    page.locator("[data-held]").wait_for(state="visible")
    assert page.get_by_text("Bitte eine Zahl größer als 0 eingeben.").first.is_visible()
    assert house.people["ada"].get("package_show", id=made["id"]).result["resources"] == []
    page.locator("[name='sp:chip:channel width']").fill("20,5")
    page.locator("[name='sp:chip:channel width']").blur()
    page.wait_for_selector("[data-finished]:not([hidden])", timeout=60_000)
    (file,) = house.people["ada"].get("package_show", id=made["id"]).result["resources"]
    assert file["sp:chip:channel width"] == 20.5
