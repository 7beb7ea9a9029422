"""The lines that pages and the user guide offer for pasting do what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dclab.rtdc_dataset import fmt_dcor
from dclab.rtdc_dataset.fmt_dcor import api as dcor_api
from dclab.rtdc_dataset.fmt_dcor import base as dcor_base

from appliance.web.pages.dataset.snippets import dclab_lines
from tests.support.samples import synthetic
from tests.support.server import Appliance


@pytest.fixture(autouse=True)
def _a_users_folder(shared: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the user's program runs: the certificate lies there, and dclab knows of nothing yet."""
    for name in ("server", shared.settings.server.hostname):
        (tmp_path / f"{name}.cert").write_bytes(shared.certificate.read_bytes())
    monkeypatch.setattr(dcor_base, "DCOR_CERTS_SEARCH_PATHS", [])
    monkeypatch.setattr(fmt_dcor, "DCOR_CERTS_SEARCH_PATHS", dcor_base.DCOR_CERTS_SEARCH_PATHS)
    monkeypatch.setattr(dcor_api.APIHandler, "api_keys", [])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "server.cert")


def test_dclab_opens_a_private_file(shared: Appliance) -> None:
    owner = shared.person("paster")
    owner.circle("paste-circle")
    resource = owner.add(owner.draft("paste-circle", private=True)["id"], synthetic())
    shared.jobs_done(resource["id"])
    names: dict[str, object] = {}
    lines = dclab_lines(shared.url.removeprefix("https://"), resource["id"], token=True)
    exec(lines.replace("YOUR-API-TOKEN", owner.token), names)
    ds = names["ds"]
    assert len(ds["deform"]) == 60  # type: ignore[index]


def test_the_user_guides_programs_run(shared: Appliance, capsys: pytest.CaptureFixture[str]) -> None:
    owner = shared.person("reader")
    owner.circle("hematology")
    dataset = owner.draft("hematology", private=True, title="Blood of the guide")
    resource = owner.add(dataset["id"], synthetic())
    shared.jobs_done(resource["id"])
    owner.activate(dataset["id"])
    if ":" in shared.url.removeprefix("https://"):
        pytest.skip("dclab knows no addresses with a port")
    guide = (Path(__file__).parents[2] / "docs" / "user-guide.md").read_text(encoding="utf-8")
    values = {
        "dcor.hospital.example": shared.url.removeprefix("https://"),
        "<resource id>": resource["id"],
        "<token>": owner.token,
    }
    programs = re.findall(r"^```python\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    assert len(programs) == 2
    for program in programs:
        for mark, value in values.items():
            program = program.replace(mark, value)
        exec(program, {})
    said = capsys.readouterr().out
    assert f"{resource['id']} " in said
    assert said.splitlines()[0].endswith(" 60")
