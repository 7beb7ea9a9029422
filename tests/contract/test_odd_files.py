"""Odd files through the whole appliance: uploaded as DCOR-Aid does, read by dclab from a copy and over dcserv."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dclab
import numpy as np
import pytest

from tests.support.rtdc_field import FIELD
from tests.support.rtdc_reported import REFUSED, REPORTED
from tests.support.server import Appliance, Person

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Uploaded:
    """All odd files in one draft. :ivar resources: name of the file → id."""

    owner: Person
    dataset: str
    resources: dict[str, str]


@pytest.fixture(scope="module")
def uploaded(shared: Appliance, tmp_path_factory: pytest.TempPathFactory) -> Uploaded:
    owner, folder = shared.person("collector"), tmp_path_factory.mktemp("odd")
    owner.circle("oddities")
    dataset = owner.draft("oddities", title="Odd files")
    resources = {}
    for name in [*REPORTED, *REFUSED]:
        path = folder / f"{name}.rtdc"
        (FIELD[name] if name in FIELD else REFUSED[name]).build(path)
        resources[name] = owner.add(dataset["id"], path)["id"]
    return Uploaded(owner, dataset["id"], resources)


@pytest.mark.parametrize("name", REPORTED)
def test_it_is_served_as_dclab_reads_it(name: str, shared: Appliance, uploaded: Uploaded, tmp_path: Path) -> None:
    field, path, id_ = FIELD[name], tmp_path / f"{name}.rtdc", uploaded.resources[name]
    assert {job["state"] for job in shared.jobs_done(id_)} == {"done"}
    ask = _asker(uploaded.owner, id_)
    page = uploaded.owner.fetch(f"/dataset/{uploaded.dataset}/resource/{id_}").text
    for part in field.lost:
        assert part.split(" ", 1)[1].removeprefix("user:") in page, "what is left out is shown"
    condensed = tmp_path / "condensed.rtdc"
    condensed.write_bytes(uploaded.owner.fetch(f"/dataset/{uploaded.dataset}/resource/{id_}/condensed.rtdc").content)
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
        assert set(ask("feature_list")) >= set(ds.features_innate) - lost
        assert set(ask("trace_list")) == (set(ds["trace"].keys()) if "trace" in ds else set())
        with dclab.new_dataset(condensed) as small:
            for feature in set(ds.features_innate) & set(small.features_innate) & set(ds.features_scalar):
                np.testing.assert_array_equal(small[feature][:], ds[feature][:], err_msg=feature)


@pytest.mark.parametrize("name", REFUSED)
def test_what_nobody_can_read_is_told(name: str, shared: Appliance, uploaded: Uploaded) -> None:
    """The reason stands on the page and in the answer of dcserv, and the dataset cannot be published."""
    id_ = uploaded.resources[name]
    shared.jobs_done(id_)
    answer = uploaded.owner.get("dcserv", id=id_, query="metadata", version=2)
    if answer.status != 200:
        assert answer.status == 409
        assert REFUSED[name].says in answer.message
    assert REFUSED[name].says in uploaded.owner.fetch(f"/dataset/{uploaded.dataset}/resource/{id_}").text


def test_it_is_not_published_with_what_nobody_can_read(uploaded: Uploaded) -> None:
    refused = uploaded.owner.post("package_patch", id=uploaded.dataset, state="active")
    assert refused.status == 409
    assert any(name in refused.text for name in REFUSED)


def _asker(person: Person, id_: str) -> Any:
    return lambda query: person.get("dcserv", id=id_, query=query, version=2).result
