"""The lines that pages and the user guide offer for pasting do what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from appliance.web.pages.snippets import dclab_lines
from tests.support.samples import synthetic
from tests.support.server import Appliance


def test_dclab_opens_a_private_file_on_a_server_with_a_port(
    shared: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = shared.person("paster")
    owner.circle("paste-circle")
    resource = owner.add(owner.draft("paste-circle", private=True)["id"], synthetic())
    shared.jobs_done(resource["id"])
    (tmp_path / "server.cert").write_bytes(shared.certificate.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "server.cert")
    names: dict[str, object] = {}
    lines = dclab_lines(shared.url.removeprefix("https://"), resource["id"], token=True)
    exec(lines.replace("YOUR-API-TOKEN", owner.token), names)
    ds = names["ds"]
    assert len(ds["deform"]) == 60  # type: ignore[index]


def test_the_user_guides_programs_run(
    shared: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = shared.person("reader")
    owner.circle("hematology")
    dataset = owner.draft("hematology", private=True, title="Blood of the guide")
    resource = owner.add(dataset["id"], synthetic())
    shared.jobs_done(resource["id"])
    owner.activate(dataset["id"])
    (tmp_path / "server.cert").write_bytes(shared.certificate.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "server.cert")
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
