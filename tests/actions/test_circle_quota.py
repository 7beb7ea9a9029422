"""How much a circle may hold: the setting, or an amount of its own, which its admins see."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.actions import communities, upload_limits
from appliance.cli.root import run
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from tests.support.samples import synthetic
from tests.support.server import Appliance


@pytest.mark.parametrize(
    ("setting", "own", "allowed"),
    [(0, None, True), (10, None, False), (10, 0, True), (10, 10**12, True), (0, 10, False), (10**12, 10, False)],
)
def test_its_own_amount_counts_before_the_setting(tmp_path: Path, setting: int, own: int | None, allowed: bool) -> None:
    appliance = Appliance(tmp_path / "data", **{"depot.quota_circle": setting})
    try:
        ada = appliance.person("ada")
        ada.circle("lab")
        made = ada.draft("lab")
        communities.set_quota(appliance.context, OPERATOR, "lab", own)
        with synthetic().open("rb") as file:
            fields = {"match__id": made["id"], "update__resources__extend": '[{"name": "M1.rtdc"}]'}
            said = ada.upload("package_revise", fields, "update__resources__-1__upload", "M1.rtdc", file)
        assert (said.status == 200) == allowed, said.body
        if not allowed:
            assert said.status == 413
            assert "The circle may use 10 bytes" in said.message
    finally:
        appliance.stop()


def test_only_administrators_set_it(shared: Appliance) -> None:
    ada = shared.person("ada")
    ada.circle("ward")
    from appliance.web import authentication

    viewer = authentication.by_token(shared.context, ada.token, "127.0.0.1")
    with pytest.raises(Problem) as refused:
        communities.set_quota(shared.context, viewer, "ward", 0)
    assert refused.value.status == 403


def test_the_command_takes_sizes_in_words(shared: Appliance) -> None:
    shared.person("kim").circle("study")
    quota = ["--data", str(shared.root), "circle", "quota", "study"]
    for text, expected in (("5 TB", 5 * 10**12), ("none", 0), ("default", None)):
        assert run([*quota, text]) == 0
        with shared.context.db.read() as conn:
            row = conn.execute("SELECT id, quota FROM community WHERE name = 'study'").fetchone()
            assert row["quota"] == expected
            assert upload_limits.quota_of(shared.context, conn, row["id"]) == (expected or 0)
    assert run([*quota, "much"]) == 2
