"""The lines that pages and the user guide offer for pasting do what they say."""

from __future__ import annotations

import html
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from dclab.rtdc_dataset import fmt_dcor
from dclab.rtdc_dataset.fmt_dcor import api as dcor_api
from dclab.rtdc_dataset.fmt_dcor import base as dcor_base

from appliance.web.pages.dataset.snippets import ckanapi_lines, curl_line, dclab_lines
from tests.support.samples import synthetic
from tests.support.server import Appliance, Person


@pytest.fixture(autouse=True)
def _a_users_folder(shared: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the user's program runs: the certificate lies there, and dclab knows of nothing yet."""
    name = re.search(r'filename="(.+)"', shared.nobody.fetch("/connect/server.cert").headers["Content-Disposition"])
    assert name
    (tmp_path / name[1]).write_bytes(shared.certificate.read_bytes())
    monkeypatch.setattr(dcor_base, "DCOR_CERTS_SEARCH_PATHS", [])
    monkeypatch.setattr(fmt_dcor, "DCOR_CERTS_SEARCH_PATHS", dcor_base.DCOR_CERTS_SEARCH_PATHS)
    monkeypatch.setattr(dcor_api.APIHandler, "api_keys", [])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")


def test_dclab_opens_a_private_file(shared: Appliance) -> None:
    owner = shared.person("paster")
    owner.circle("paste-circle")
    resource = owner.add(owner.draft("paste-circle", private=True)["id"], synthetic())
    shared.jobs_done(resource["id"])
    names: dict[str, Any] = {}
    lines = dclab_lines(shared.url.removeprefix("https://"), resource["id"], token=True)
    exec(lines.replace("YOUR-API-TOKEN", owner.token), names)
    ds = names["ds"]
    assert len(ds["deform"]) == 60
    assert ds["image"][0].shape == (80, 250)


def _lines(shared: Appliance, person: Person, path: str) -> list[str]:
    """The lines that a page offers for copying."""
    page = person.fetch(path)
    assert page.status_code == 200
    return [
        html.unescape(re.sub(r"<[^>]+>", "", found))
        for found in re.findall(r"<pre[^>]*>(.*?)</pre>", page.text, re.DOTALL)
    ]


def test_ckanapi_lines_run_as_pasted(shared: Appliance, capsys: pytest.CaptureFixture[str]) -> None:
    owner = shared.person("asker")
    exec(ckanapi_lines(shared.url).replace("YOUR-API-TOKEN", owner.token), {})
    assert capsys.readouterr().out.strip().isdigit()
    assert any("RemoteCKAN" in lines for lines in _lines(shared, shared.nobody, "/connect"))


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_a_refused_download_leaves_the_file_as_it_is(shared: Appliance, tmp_path: Path) -> None:
    owner = shared.person("curler")
    owner.circle("curl-circle")
    dataset = owner.draft("curl-circle", private=True)
    resource = owner.add(dataset["id"], synthetic(), "blood.rtdc")
    shared.jobs_done(resource["id"])
    path = f"/dataset/{dataset['id']}/resource/{resource['id']}/download/blood.rtdc"
    line = curl_line(shared.url, path, token=True, options=" -C - -O")
    content, target = synthetic().read_bytes(), tmp_path / "blood.rtdc"
    target.write_bytes(content[:3000])
    environment = {key: value for key, value in os.environ.items() if "PROXY" not in key.upper()}

    def run(token: str) -> int:
        command = shlex.split(line.replace("YOUR-API-TOKEN", token))
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False).returncode

    assert run("not-a-token") == 22, "curl's code for a refusal"
    assert target.read_bytes() == content[:3000]
    assert run(owner.token) == 0
    assert target.read_bytes() == content


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
