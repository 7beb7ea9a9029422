"""Odd files through the whole appliance: uploaded as DCOR-Aid does, read by dclab from a copy and over dcserv."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dclab
import numpy as np
import pytest

from tests.support.furnished import PASSWORD, Visitor
from tests.support.rtdc_damaged import DAMAGED
from tests.support.rtdc_field import FIELD
from tests.support.rtdc_reported import REFUSED, REPORTED
from tests.support.rtdc_types import TYPES
from tests.support.server import Appliance, Person

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Uploaded:
    """All odd files, those that are taken and those that are refused in a draft each. :ivar resources: name of the file → id."""

    owner: Person
    visitor: Visitor
    taken: str
    refused: str
    resources: dict[str, str]


@pytest.fixture(scope="module")
def uploaded(shared: Appliance, tmp_path_factory: pytest.TempPathFactory) -> Uploaded:
    owner, folder = shared.person("collector", password=PASSWORD), tmp_path_factory.mktemp("odd")
    owner.circle("oddities")
    drafts = {title: owner.draft("oddities", title=title)["id"] for title in ("taken", "refused")}
    resources = {}
    for name in [*REPORTED, *TYPES, *REFUSED]:
        path, refused = folder / f"{name}.rtdc", name in REFUSED
        (REFUSED[name] if refused else FIELD[name]).build(path)
        resources[name] = owner.add(drafts["refused" if refused else "taken"], path)["id"]
    return Uploaded(owner, Visitor(shared, "collector"), drafts["taken"], drafts["refused"], resources)


@pytest.fixture(autouse=True)
def set_up(shared: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate as the set-up script installs it: with a name and port that dclab's references reach, it asks the server."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(shared.certificate))


@pytest.mark.parametrize("name", [*REPORTED, *TYPES])
def test_it_is_served_as_dclab_reads_it(name: str, shared: Appliance, uploaded: Uploaded, tmp_path: Path) -> None:
    field, path, id_ = FIELD[name], tmp_path / f"{name}.rtdc", uploaded.resources[name]
    assert {job["state"] for job in shared.jobs_done(id_)} == {"done"}
    ask = _asker(uploaded.owner, id_)
    page = uploaded.visitor.page(f"/dataset/{uploaded.taken}/resource/{id_}")
    for part in field.lost:
        assert part.split(" ", 1)[1].removeprefix("user:") in page, "what is left out is shown"
    condensed = tmp_path / "condensed.rtdc"
    condensed.write_bytes(uploaded.owner.fetch(f"/dataset/{uploaded.taken}/resource/{id_}/condensed.rtdc").content)
    with dclab.new_dataset(condensed) as ds:
        assert len(ds) == ask("size")
        assert ds.hash, "programs name what they keep by it"
    if not field.dclab:
        return
    field.build(path)
    with dclab.new_dataset(path) as ds:
        lost = {part.split(" ", 1)[1] for part in field.lost}
        config = {key: values for key, values in ds.config.as_dict(pop_filtering=True).items() if values}
        assert ask("metadata") == config
        assert ask("size") == len(ds)
        logs = ask("logs")
        logs.pop("dclab-condense")
        assert logs == {key: list(ds.logs[key]) for key in ds.logs}
        assert set(ask("tables")) == set(ds.tables.keys())
        served = set(ask("basins")[0]["features"]) | set(ask("basins")[1]["features"])
        assert served >= set(ds.features_innate) - lost
        with dclab.new_dataset(condensed) as small:
            for feature in set(ds.features_innate) & set(small.features_innate) & set(ds.features_scalar):
                np.testing.assert_array_equal(small[feature][:], ds[feature][:], err_msg=feature)


def test_damaged_files_are_among_those_that_are_refused() -> None:
    assert set(DAMAGED) <= REFUSED.keys()


@pytest.mark.parametrize("name", REFUSED)
def test_what_nobody_can_read_is_told(name: str, shared: Appliance, uploaded: Uploaded) -> None:
    """The reason stands on the page and in the answer of dcserv, and the dataset cannot be published."""
    id_ = uploaded.resources[name]
    shared.jobs_done(id_)
    answer = uploaded.owner.get("dcserv", id=id_, query="metadata", version=2)
    if answer.status != 200:
        assert answer.status == 409
        assert REFUSED[name].says in answer.message
    assert html.escape(REFUSED[name].says) in uploaded.visitor.page(f"/dataset/{uploaded.refused}/resource/{id_}")


def test_it_is_not_published_with_what_nobody_can_read(uploaded: Uploaded) -> None:
    refused = uploaded.owner.post("package_patch", id=uploaded.refused, state="active")
    assert refused.status == 409
    assert {reason.partition(".rtdc:")[0] for reason in refused.error["state"][1:]} == REFUSED.keys()


def _asker(person: Person, id_: str) -> Any:
    return lambda query: person.get("dcserv", id=id_, query=query, version=2).result
