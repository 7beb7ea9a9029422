"""Young's modulus and isoelasticity lines are those of dclab, for each look-up table, medium, temperature and viscosity; with the reason where they do not apply."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dclab
import h5py
import numpy as np
import pytest
from dclab import isoelastics
from dclab.features.emodulus import get_viscosity, viscosity
from dclab.statistics import get_statistics

from appliance.model import youngs_modulus
from tests.support import samples
from tests.support.furnished import PASSWORD, Visitor
from tests.support.server import Appliance, Person

CONDITIONS: list[dict[str, Any]] = [
    {},
    {"temperature": 24.5},
    {"lut": "HE-2D-FEM-22", "medium": "0.49% MC-PBS", "temperature": 23, "model": "herold-2017"},
    {"lut": "HE-3D-FEM-22", "medium": "0.83% MC-PBS", "temperature": 23},
    {"medium": "water", "temperature": 25},
    {"viscosity": 5.5},
]


def changed(path: Path, target: Path, **values: Any) -> Path:
    """A copy with other attributes; None removes one (`setup_` stands for ``setup:``)."""
    shutil.copy(path, target)
    with h5py.File(target, "r+") as file:
        for key, value in values.items():
            name = key.replace("__", ":").replace("_", " ")
            if value is None:
                file.attrs.pop(name, None)
            else:
                file.attrs[name] = value
    return target


@pytest.fixture(scope="module")
def furnished(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Person, Visitor, str, dict[str, tuple[str, Path]]]]:
    """Ada with a channel file and some for which it does not apply: name → id, path."""
    folder = tmp_path_factory.mktemp("elasticity")
    appliance = Appliance(folder / "data")
    ada = appliance.person("ada", password=PASSWORD)
    ada.circle("lab")
    dataset = ada.draft("lab", private=True)["id"]
    plain = samples.synthetic("--seed", "51", events=250)
    paths = {
        "channel": plain,
        "reservoir": changed(plain, folder / "reservoir.rtdc", setup__chip_region="reservoir"),
        "medium": changed(plain, folder / "medium.rtdc", setup__medium="ketchup"),
        "flow": changed(plain, folder / "flow.rtdc", setup__flow_rate=None),
    }
    found = {name: (ada.add(dataset, path, f"{name}.rtdc")["id"], path) for name, path in paths.items()}
    for one, _path in found.values():
        appliance.jobs_done(one)
    yield ada, Visitor(appliance, "ada"), dataset, found
    appliance.stop()


def by_dclab(ds: Any, asked: dict[str, Any]) -> None:
    """Set dclab's own configuration."""
    calculation = ds.config["calculation"]
    calculation.clear()
    calculation["emodulus lut"] = asked.get("lut", "LE-2D-FEM-19")
    if "viscosity" in asked:
        calculation["emodulus medium"], calculation["emodulus viscosity"] = "other", asked["viscosity"]
        return
    calculation["emodulus medium"] = asked.get("medium", ds.config["setup"]["medium"])
    calculation["emodulus viscosity model"] = asked.get("model", "buyukurganci-2022")
    if "temperature" in asked:
        calculation["emodulus temperature"] = asked["temperature"]


def test_the_choices_are_those_of_dclab() -> None:
    folder = Path(dclab.features.emodulus.__file__).parent
    assert sorted(youngs_modulus.TABLES) == sorted(one.stem.removeprefix("lut_") for one in folder.glob("lut_*.txt"))
    assert sorted(youngs_modulus.MEDIA) == sorted(viscosity.SAME_MEDIA)


@pytest.mark.parametrize("asked", CONDITIONS, ids=lambda one: "-".join(map(str, one.values())) or "measured")
def test_statistics_columns_and_gates_are_those_of_dclab(
    furnished: tuple[Person, Visitor, str, dict[str, tuple[str, Path]]], asked: dict[str, Any]
) -> None:
    ada, visitor, dataset, files = furnished
    file, path = files["channel"]
    gate = {"name": "soft", "conditions": [{"feature": "emodulus", "max": 1.2}]}
    (answer,) = ada.post(
        "dcor_statistics", ids=[file], features=["emodulus"], gates=[gate], youngs_modulus=asked or {"lut": "LE-2D-FEM-19"}
    ).result  # fmt: skip
    assert answer["reasons"] == {}
    with warnings.catch_warnings(), dclab.new_dataset(path) as ds:
        warnings.simplefilter("ignore")
        by_dclab(ds, asked)
        header, values = get_statistics(ds, methods=["Mean", "Median", "Mode", "SD"], features=["emodulus"])
        assert len(header) == 4
        told = answer["gates"][0]["features"]["emodulus"]
        assert [told[key] for key in ("mean", "median", "mode", "sd")] == values
        modulus = np.array(ds["emodulus"])
        assert answer["gates"][1]["events"] == np.count_nonzero(modulus <= 1.2)
    query = {"lut": "LE-2D-FEM-19"} | {key: str(value) for key, value in asked.items()}
    answer_bytes = visitor.get(f"/dataset/{dataset}/resource/{file}/emodulus.bin", params=query)
    assert answer_bytes.status_code == 200
    assert np.array_equal(np.frombuffer(answer_bytes.content, "<f4"), modulus.astype("<f4"), equal_nan=True)


@pytest.mark.parametrize(
    ("x", "y"), [("area_um", "deform"), ("deform", "area_um"), ("volume", "deform"), ("time", "deform")]
)
def test_lines_are_those_of_dclab_with_the_error_of_pixelation(
    furnished: tuple[Person, Visitor, str, dict[str, tuple[str, Path]]], x: str, y: str
) -> None:
    _ada, visitor, dataset, files = furnished
    file, path = files["channel"]
    query = {"lut": "HE-3D-FEM-22", "temperature": "24", "x": x, "y": y}
    found = visitor.get(f"/dataset/{dataset}/resource/{file}/elasticity.json", params=query).json()
    with dclab.new_dataset(path) as ds:
        setup = ds.config["setup"]
        thick = get_viscosity(setup["medium"], setup["channel width"], setup["flow rate"], 24.0, "buyukurganci-2022")
        try:
            wanted = isoelastics.get_default().get_with_rtdcbase(
                x, y, ds, lut_identifier="HE-3D-FEM-22", viscosity=thick, add_px_err=True
            )
        except KeyError:
            wanted = []
    assert found["conditions"]["viscosity"] == pytest.approx(thick)
    assert (x == "time") == (wanted == [])
    assert len(found["lines"]) == len(wanted)
    for line, one in zip(found["lines"], wanted, strict=True):
        assert np.array_equal(np.array(line["points"]), one[:, :2])
        assert line["emodulus"] == one[0, 2]


@pytest.mark.parametrize(
    ("name", "words", "german"),
    [
        ("reservoir", "in the channel only", "nur im Kanal"),
        ("medium", "medium 'ketchup' is not known", "„ketchup“ ist nicht bekannt"),
        ("flow", "does not say its flow rate", "nennt ihre Flussrate nicht"),
    ],
)
def test_where_it_does_not_apply_the_reason_is_told(
    furnished: tuple[Person, Visitor, str, dict[str, tuple[str, Path]]], name: str, words: str, german: str
) -> None:
    ada, visitor, dataset, files = furnished
    file, _path = files[name]
    (answer,) = ada.post(
        "dcor_statistics", ids=[file], features=["emodulus", "deform"], youngs_modulus={"temperature": 23}
    ).result
    assert answer["missing"] == ["emodulus"]
    assert words in answer["reasons"]["emodulus"]
    assert answer["gates"][0]["features"]["deform"]["count"] == 250
    path = f"/dataset/{dataset}/resource/{file}"
    query = {"lut": "LE-2D-FEM-19", "temperature": "23", "x": "area_um", "y": "deform"}
    assert words in visitor.get(f"{path}/elasticity.json", params=query).json()["reason"]
    spoken = visitor.get(f"{path}/elasticity.json", params=query, headers={"Accept-Language": "de"}).json()
    assert german in spoken["reason"]
    assert visitor.get(f"{path}/emodulus.bin", params=query).status_code == 409
    assert words in visitor.page(f"/compare?r={file}&lut=LE-2D-FEM-19&temperature=23").replace("&#39;", "'")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"lut": "own"}, "'lut' must be one of"),
        ({"medium": "ketchup"}, "'medium' must be one of"),
        ({"temperature": 400}, "'temperature' must be a number"),
        ({"temperature": "nan"}, "'temperature' must be a number"),
        ({"temperature": 10**400}, "'temperature' must be a number"),
        ({"viscosity": 3, "temperature": 23}, "either a viscosity, or"),
        ({"medium": "0.83% MC-PBS", "model": "herold-2017"}, "does not know"),
        ({"speed": 1}, "'speed' is not known"),
        ([1], "must be an object"),
    ],
)
def test_conditions_that_make_no_sense_are_refused(
    furnished: tuple[Person, Visitor, str, dict[str, tuple[str, Path]]], asked: Any, words: str
) -> None:
    ada, visitor, dataset, files = furnished
    file, _path = files["channel"]
    answer = ada.post("dcor_statistics", ids=[file], youngs_modulus=asked)
    assert answer.status == 409
    assert words in answer.error["youngs_modulus"][0]
    assert visitor.get(f"/dataset/{dataset}/resource/{file}/elasticity.json").status_code == 409
    assert visitor.get(f"/compare?r={file}&lut=own").status_code == 409
