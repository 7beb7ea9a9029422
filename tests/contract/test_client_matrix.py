"""The oldest and the newest DCOR-Aid and dclab that can be run here, against a live service; all of them: `python -m tests.contract.matrix`.

Needs a package index for the first run; the environments are kept in a folder of the account, or in ``DCOR_TEST_CLIENTS``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.matrix.reasons import REASONS, reason
from tests.contract.matrix.report import PAGE, page
from tests.contract.matrix.run import STEPS, Outcome, Site, site, tried
from tests.contract.matrix.versions import RELEASES, Release

#: Oldest releases that need no compiler, and the newest; see `RELEASES`.
CHOSEN = [
    release
    for package in STEPS
    for release in (
        next(one for one in RELEASES if one.package == package and not one.builds),
        [one for one in RELEASES if one.package == package][-1],
    )
]


@pytest.fixture(scope="module")
def served() -> Iterator[Site]:
    with site() as running:
        yield running


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("release", CHOSEN, ids=[one.name for one in CHOSEN])
def test_the_client_does_everything(served: Site, release: Release) -> None:
    outcome = tried(release, served)
    if outcome.unavailable:
        pytest.skip(outcome.unavailable)
    assert outcome.steps.keys() == STEPS[release.package].keys()
    wrong = {step: words for step, words in outcome.steps.items() if words}
    assert wrong.keys() == REASONS.get((release.package, release.version), {}).keys(), wrong


def test_the_page_names_every_release() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for release in RELEASES:
        assert any(line.startswith(f"| {release.version} |") for line in lines), release.name


def test_reasons_are_for_what_is_tried() -> None:
    known = {(one.package, one.version) for one in RELEASES}
    for (package, version), steps in REASONS.items():
        assert (package, version) in known
        assert steps.keys() <= STEPS[package].keys()


def test_the_page_says_what_failed_and_why() -> None:
    old, new = (one for one in CHOSEN if one.package == "dclab")
    works = dict.fromkeys(STEPS["dclab"], "")
    shown = page([
        Outcome(old, unavailable="there is no Python 3.8"),
        Outcome(new, "3.12.1", "0.73.4", works | {"image": "ValueError: image differs"}),
    ])  # fmt: skip
    assert f"| {old.version} |  | not run" in shown
    assert f"- {old.version}: not run, there is no Python 3.8" in shown
    assert "| yes | yes | **fails** | yes | yes | yes |" in shown
    assert reason("dclab", new.version, "image") or "image, mask: ValueError: image differs" in shown
