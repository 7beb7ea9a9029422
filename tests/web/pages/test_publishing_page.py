"""The page *Publish elsewhere*: where a dataset may go, what forbids it, and the commands; only administrators see it."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest

from appliance.store import publications, rtdc
from tests.support.furnished import House
from tests.support.server import Appliance

TARGET = "https://dcor.example.org"
#: The same server, as somebody may write it in the settings.
WRITTEN = "DCOR.example.org/"
SENDS = f"sudo dcor push public-beads --to {TARGET} --circle CIRCLE"


@pytest.fixture(scope="module")
def publishing_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that may publish to a server."""
    appliance = Appliance(tmp_path_factory.mktemp("publishing") / "data", **{"publish.targets": WRITTEN})
    yield House(appliance)
    appliance.stop()


def shown(house: House, name: str = "root", language: str = "en") -> str:
    """The page of the public dataset."""
    return html.unescape(house.visitor(name, language).page(f"/dataset/{house.public['id']}/publish"))


def test_the_commands_for_files_and_for_copies_are_shown(publishing_house: House) -> None:
    page = shown(publishing_house)
    for command in (f"{SENDS} --dry-run", f"{SENDS} --activate", f"{SENDS} --pseudonymise --activate"):
        assert command in page
    assert "Anderswo veröffentlichen" in shown(publishing_house, language="de")


def test_what_forbids_it_is_shown_in_place_of_the_command(publishing_house: House) -> None:
    found = [{"where": "log cfg", "kind": "e-mail address", "excerpt": "anna@clinic.example"}]
    with publishing_house.appliance.context.db.write() as tx:
        rtdc.put(tx, publishing_house.file["id"], personal=found)
    page = shown(publishing_house)
    with publishing_house.appliance.context.db.write() as tx:
        rtdc.put(tx, publishing_house.file["id"], personal=[])
    assert "e-mail address in log cfg" in page
    assert f"{SENDS} --activate" not in page
    assert f"{SENDS} --pseudonymise --activate" in page


def test_where_it_is_already_is_shown(publishing_house: House) -> None:
    dataset_id, there = publishing_house.public["id"], "0e8b5f7e-3c56-4c55-9d1c-3a1f3f9c2b11"
    with publishing_house.appliance.context.db.write() as tx:
        publications.begin(tx, dataset_id, TARGET, "open", "CC0-1.0", pseudonymised=True)
        publications.made(tx, dataset_id, TARGET, there, "beads")
        publications.activated(tx, dataset_id, TARGET)
    assert "Published there" in shown(publishing_house)
    assert f"{TARGET}/dataset/beads" in shown(publishing_house)
    page = publishing_house.visitor("ada").page(f"/dataset/{dataset_id}")
    assert f"{TARGET}/dataset/beads (pseudonymised copies)" in html.unescape(page)


def test_only_administrators_are_led_there_and_only_from_active_datasets(publishing_house: House) -> None:
    base = f"/dataset/{publishing_house.public['id']}"
    assert f"{base}/publish" in publishing_house.visitor("root").page(base)
    assert f"{base}/publish" not in publishing_house.visitor("ada").page(base)
    assert publishing_house.visitor("ada").get(f"{base}/publish").status_code == 403
    assert publishing_house.visitor("root").get(f"/dataset/{publishing_house.draft['id']}/publish").status_code == 404
