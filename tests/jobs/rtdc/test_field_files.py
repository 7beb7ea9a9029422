"""Files as laboratories have them: what can be read is read as dclab reads it, what cannot is left out with a remark."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import dclab
import numpy as np
import pytest

from appliance.jobs.rtdc import tasks
from appliance.jobs.rtdc.errors import RtdcError
from tests.support.rtdc_damaged import DAMAGED
from tests.support.rtdc_field import FIELD, Field
from tests.support.rtdc_reported import REFUSED
from tests.support.rtdc_types import TYPES

#: Words of programmers that no reader may see.
_JARGON = re.compile(r"<class|Error\b|NoneType|Warning|utf-?8'|index out of range|object at 0x|Traceback")

#: What somebody can do about a file that cannot be read.
_REMEDY = re.compile(r"upload it again|Upload the measurement|repair it")


def test_there_are_many_and_each_has_a_source() -> None:
    assert len(FIELD) + len(REFUSED) >= 115
    assert set(DAMAGED) <= REFUSED.keys()
    assert set(TYPES) <= FIELD.keys()
    assert all(field.source for field in (*FIELD.values(), *REFUSED.values()))


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_nobody_can_read_is_refused_with_a_sentence(name: str, tmp_path: Path, scratch: Path) -> None:
    """Metadata and sanity check give the same reasons, so that it cannot be published for good."""
    path = tmp_path / f"{name}.rtdc"
    REFUSED[name].build(path)
    sanity = tasks.sanity({}, path, scratch)
    try:
        found = tasks.metadata({}, path, scratch)["integrity"]
        reasons = found["sanity_errors"]
        assert not found["sane"]
    except RtdcError as exc:
        reasons = [exc.message]
    assert _REMEDY.search(reasons[0]) or reasons[0].startswith("Sanity check failed"), reasons[0]
    assert (sanity["valid"], sanity["reasons"]) == (False, reasons)
    assert REFUSED[name].says in reasons[0]
    assert not _JARGON.search(reasons[0])


@pytest.mark.parametrize("name", sorted(FIELD))
def test_everything_but_the_odd_part(name: str, tmp_path: Path, scratch: Path) -> None:
    field, path = FIELD[name], tmp_path / f"{name}.rtdc"
    field.build(path)
    answer = tasks.metadata({}, path, scratch)
    json.dumps(answer, allow_nan=False)
    notes = [cue["message"] for cue in answer["integrity"]["cues"]]
    for part in field.lost:
        assert any(part.split(" ", 1)[1].removeprefix("metadata ") in note for note in notes), (part, notes)
    assert not [note for note in notes if _JARGON.search(note)]
    sanity = tasks.sanity({}, path, scratch)
    assert (sanity["valid"], sanity["reasons"]) == (answer["integrity"]["sane"], answer["integrity"]["sanity_errors"])
    assert sanity["valid"]
    condensed = tasks.condense({"name": path.name}, path, scratch)
    assert not [note for note in condensed["notes"] if _JARGON.search(note)]
    for given in (None, str(scratch / "condensed.rtdc")):
        preview = tasks.preview({"condensed": given}, path, scratch)
        assert (scratch / "preview.jpg").stat().st_size > 0
        assert not [note for note in preview["notes"] if _JARGON.search(note)]
    if field.dclab:
        with dclab.new_dataset(path) as ds:
            _assert_as_dclab_reads(ds, field, answer, scratch)
    with dclab.new_dataset(scratch / "condensed.rtdc") as ds:
        assert set(answer["scalar_features"]) <= set(ds.features_innate)


def _assert_as_dclab_reads(ds: Any, field: Field, answer: dict[str, Any], scratch: Path) -> None:
    lost = {
        kind: {part.split(" ", 1)[1] for part in field.lost if part.startswith(kind)}
        for kind in ("feature", "log", "table", "column", "trace", "metadata")
    }
    assert set(answer["features"]) == set(ds.features_innate) - lost["feature"]
    assert answer["event_count"] == len(ds)
    for feature in answer["scalar_features"]:
        assert answer["statistics"][feature]["count"] == np.isfinite(ds[feature][:]).sum()
    if answer["traces"]:
        assert set(answer["traces"]) == set(ds["trace"].keys()) - lost["trace"]
    config = {section: values for section, values in ds.config.as_dict(pop_filtering=True).items() if values}
    for key in lost["metadata"]:
        config[key.partition(":")[0]].pop(key.partition(":")[2], None)
    assert answer["config"] == config
    assert _whole("logs", answer, scratch) == {name: list(ds.logs[name]) for name in ds.logs if name not in lost["log"]}
    found = _whole("tables", answer, scratch)
    assert set(found) == {name for name in ds.tables if name not in lost["table"]}
    for name, (columns, rows) in found.items():
        theirs = ds.tables[name]
        if columns is None:
            assert np.array_equal(np.array(rows, dtype=float), _numbers(theirs.__array__()), equal_nan=True), name
            continue
        assert columns == [column for column in list(theirs.keys()) if column not in lost["column"]]
        ours = np.array(rows, dtype=float)
        for number, column in enumerate(columns):
            assert np.array_equal(ours[:, number], _numbers(theirs[column]).reshape(-1), equal_nan=True), (name, column)


def _numbers(values: Any) -> Any:
    """JSON has no infinity."""
    numbers = np.array(values, dtype=float)
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def _whole(kind: str, answer: dict[str, Any], scratch: Path) -> dict[str, Any]:
    if answer["contents"][kind]["whole"]:
        return dict(answer[kind])
    return dict(json.loads((scratch / f"{kind}.json").read_bytes()))
