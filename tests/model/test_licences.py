"""Licences: which may replace which."""

from __future__ import annotations

import pytest

from appliance.model import licences
from appliance.model.problem import Problem

IDS = ["CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "none", "patient"]
#: Row: the licence now; column: the new one (in the order of IDS). y = allowed.
CHANGES = {
    "CC0-1.0": "y.....",
    "CC-BY-4.0": "yy...y",
    "CC-BY-SA-4.0": "yyy..y",
    "CC-BY-NC-4.0": "yy.y.y",
    "none": "yyyyyy",
    "patient": ".....y",
}


@pytest.mark.parametrize("old", IDS)
def test_a_licence_only_becomes_looser(old: str) -> None:
    found = ""
    for new in IDS:
        try:
            licences.require_looser(old, new)
            found += "y"
        except Problem:
            found += "."
    assert found == CHANGES[old]


def test_the_lists() -> None:
    assert {one["id"] for one in licences.listed("standard")} == {
        "none",
        "CC0-1.0",
        "CC-BY-4.0",
        "CC-BY-SA-4.0",
        "CC-BY-NC-4.0",
    }
    assert [(one["id"], one["domain_data"]) for one in licences.listed("medical")] == [
        ("none", False),
        ("patient", True),
    ]
    keys = {
        "domain_content", "domain_data", "domain_software", "family", "id", "maintainer", "od_conformance", "osd_conformance", "status",
        "title", "url",
    }  # fmt: skip
    assert all(one.keys() == keys for which in ("standard", "medical") for one in licences.listed(which))


@pytest.mark.parametrize("chosen", ["none", "", "GPL", "patient"])
def test_users_choose_a_real_licence(chosen: str) -> None:
    with pytest.raises(Problem, match="Please choose a license_id"):
        licences.require_choice(chosen, "standard")
    if chosen == "none":
        licences.require_listed(chosen, "standard")
    if chosen == "patient":
        licences.require_choice(chosen, "medical")


def test_the_choices_offered_for_a_dataset_are_those_that_are_allowed() -> None:
    for old in ("CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0"):
        allowed = {new for new, sign in zip(IDS, CHANGES[old], strict=True) if sign == "y" and new != "patient"}
        assert set(licences.looser(old)) == allowed


def test_the_refusal_is_dcors() -> None:
    with pytest.raises(Problem) as refused:
        licences.require_looser("CC0-1.0", "CC-BY-4.0")
    assert (refused.value.status, refused.value.message) == (403, "Cannot switch to more-restrictive license")
