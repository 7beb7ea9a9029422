"""The lines that pages offer for pasting do what they say."""

from __future__ import annotations

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
