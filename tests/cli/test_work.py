"""Jobs, condense, scrub, status, inspect: what looks after the data."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import h5py
import pytest

from appliance.health.report import checks
from tests.cli.conftest import Dcor
from tests.support.samples import synthetic


@pytest.fixture
def loaded(people: Dcor, tmp_path: Path) -> Dcor:
    """One draft with one measurement whose jobs wait."""
    folder = tmp_path / "in" / "blood"
    folder.mkdir(parents=True)
    shutil.copy(synthetic(), folder / "blood.rtdc")
    assert people("import", str(tmp_path / "in"), "--user", "ada", "--circle", "lab").code == 0
    return people


def resource_id(dcor: Dcor) -> str:
    return dcor("resource", "list", "--json").json[0]["id"]


def levels(dcor: Dcor, *options: str) -> dict[str, str]:
    worst: dict[str, str] = {}
    order = ["ok", "note", "warning", "problem"]
    for finding in dcor("inspect", "--json", *options).json["findings"]:
        worst[finding["check"]] = max(worst.get(finding["check"], "ok"), finding["level"], key=order.index)
    return worst


def test_jobs_run_here_and_run_missing(loaded: Dcor) -> None:
    assert loaded("jobs", "run").code == 0
    rows = loaded("jobs", "list", "--json").json
    assert {row["kind"]: row["state"] for row in rows} == {"metadata": "done", "condense": "done", "preview": "done"}
    assert "done" in loaded("jobs", "show", rows[0]["id"]).out
    assert loaded("jobs", "run-missing", "--json").json == {"missing": [], "addresses": [], "queued": []}
    assert len(loaded("jobs", "run-missing", "--force", "--json").json["queued"]) >= 3
    assert loaded("jobs", "show", "nothing").code == 1


def test_jobs_without_room_are_postponed_not_failed(loaded: Dcor, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("appliance.store.depot.Depot.free", lambda _self: 1000)
        loaded("jobs", "run")
        assert "waiting for space" in loaded("jobs", "list", "--kind", "metadata").out
        assert (
            "starts automatically when there is space"
            in loaded("jobs", "list", "--kind", "metadata", "--json").json[0]["error"]
        )
        assert "too little space" in loaded("inspect", "--json").out
    assert loaded("jobs", "run").code == 0
    assert {row["state"] for row in loaded("jobs", "list", "--json").json} == {"done"}


def test_jobs_cancel_and_retry(loaded: Dcor) -> None:
    metadata = loaded("jobs", "list", "--kind", "metadata", "--json").json[0]["id"]
    assert loaded("jobs", "cancel", metadata).code == 0
    assert loaded("jobs", "cancel", metadata).code == 1
    assert len(loaded("jobs", "list", "--state", "failed", "--json").json) == 2  # what waited for it
    assert loaded("jobs", "retry").code == 2
    assert len(loaded("jobs", "retry", metadata, "--json").json["queued"]) == 3


def test_condense_gives_the_scalar_features(dcor: Dcor, tmp_path: Path) -> None:
    out = tmp_path / "out.rtdc"
    said = dcor("condense", str(synthetic()), str(out), "--json")
    assert said.json["size"] == out.stat().st_size
    with h5py.File(out) as h5:
        assert {"deform", "area_um", "volume"} <= set(h5["events"])
        assert "image" not in h5["events"]
    (tmp_path / "text.rtdc").write_text("no HDF5")
    said = dcor("condense", str(tmp_path / "text.rtdc"), str(out))
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out.rtdc", "text.rtdc"]


def test_status_without_a_service_is_1(loaded: Dcor) -> None:
    said = loaded("status", "--json")
    assert said.code == 1
    assert (said.json["running"], said.json["totals"]["resources"], said.json["jobs"]["queued"]) == (False, 1, 3)
    assert "does not answer" in loaded("status").out


def test_inspect_finds_a_fresh_root_healthy(dcor: Dcor) -> None:
    """But for the service, which does not run."""
    said = dcor("inspect", "--json")
    problems = [finding["check"] for finding in said.json["findings"] if finding["level"] == "problem"]
    assert (problems, said.code) == (["service"], 1)
    assert {finding["check"] for finding in said.json["findings"]} == {named.name for named in checks()}
    assert dcor("inspect", "--check", "nonsense").code == 2


def test_every_finding_that_is_not_ok_says_why_or_what_to_do(loaded: Dcor, root: Path) -> None:
    damage(root, resource_id(loaded), loaded)
    findings = loaded("inspect", "--json").json["findings"]
    assert sum(finding["level"] == "problem" for finding in findings) >= 5
    for finding in findings:
        assert finding["level"] == "ok" or finding["why"] or finding["fix"] or finding["detail"].startswith("public"), (
            finding
        )


def damage(root: Path, resource: str, dcor: Dcor) -> None:
    """Everything that can be wrong with the files of a data root at once."""
    (root / "secrets").chmod(0o755)
    (root / "dcor.sqlite").chmod(0o644)
    (root / "certificates" / "server.key").chmod(0o640)
    shutil.rmtree(root / "quarantine")
    Path(dcor("resource", "show", resource, "--json").json["files"]["original"]).write_bytes(b"short")
    stray = root / "depot" / "resources" / "abc" / "def" / "0123456789"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"whose is this?")


def test_inspect_finds_damage_and_repairs_what_cannot_lose_data(
    loaded: Dcor, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    damage(root, resource_id(loaded), loaded)
    worst = levels(loaded)
    for name in ("folders", "secrets", "database", "files"):
        assert worst[name] == "problem", name
    said = loaded("inspect", "--assume-yes", "--json")
    assert said.code == 1  # the short file cannot be repaired
    assert said.json["repaired"]
    after = {
        finding["check"] for finding in loaded("inspect", "--json").json["findings"] if finding["level"] == "problem"
    }
    assert after == {"files", "service"}
    assert (root / "quarantine").is_dir()


def test_deep_inspection_and_scrub_find_a_flipped_byte(loaded: Dcor) -> None:
    loaded("jobs", "run")
    resource = resource_id(loaded)
    path = Path(loaded("resource", "show", resource, "--json").json["files"]["original"])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)
    assert levels(loaded)["files"] == "ok"
    assert levels(loaded, "--deep", "--check", "files")["files"] == "problem"
    said = loaded("scrub", "--json")
    assert said.code == 1
    assert [bad["resource_id"] for bad in said.json["bad"]] == [resource]
    alarms = loaded("alarm", "list", "--json")
    assert alarms.code == 1
    assert resource in alarms.json[0]["message"]
    assert loaded("alarm", "resolve", alarms.json[0]["id"]).code == 0
    assert loaded("alarm", "list").code == 0


def test_support_bundle_masks_persons_and_secrets(loaded: Dcor, tmp_path: Path) -> None:
    token = loaded("token", "create", "ada").out.strip()
    (tmp_path / "data" / "log" / "dcor.log").write_text(
        f"ada from 192.168.7.9 sent blood.rtdc with {token} to ada@lab.example\nEve K. was locked out\n"
    )
    assert loaded("user", "add", "eve", "--email", "eve@lab.example", "--fullname", "Eve K.").code == 0
    assert loaded("user", "disable", "eve").code == 0
    out = tmp_path / "bundle.tar.gz"
    assert loaded("support-bundle", "--out", str(out)).code == 0
    with tarfile.open(out) as archive:
        text = "".join(file.read().decode() for member in archive.getmembers() if (file := archive.extractfile(member)))
    assert '"schema"' in text
    for secret in (token, "ada@lab.example", "Ada L.", "192.168.7.9", "blood.rtdc", " ada ", "Eve K."):
        assert secret not in text, secret


def test_send_mail_needs_a_server(dcor: Dcor) -> None:
    assert dcor("send-mail").code == 2
    said = dcor("send-mail", "--recipient", "it@lab.example")
    assert said.code == 1
    assert "mail.server" in said.err


def test_log_shows_incidents(dcor: Dcor, state) -> None:  # type: ignore[no-untyped-def]
    from appliance.store import incidents

    with state.db.write() as tx:
        incidents.add(tx, "4711", "POST /x", "Traceback: boom")
    assert [row["id"] for row in dcor("log", "list", "--json").json] == ["4711"]
    assert "boom" in dcor("log", "show", "4711").out
    assert dcor("log", "show", "4712").code == 1


def test_a_line_for_nagios(dcor: Dcor, root: Path) -> None:
    said = dcor("status", "--nagios")
    assert said.code == 2
    assert said.out.startswith("DCOR CRITICAL: does not answer, ")
    assert said.out.count("\n") == 1
    assert " | disk_free=" in said.out
    (root / "dcor.sqlite").rename(root / "gone")
    said = dcor("status", "--nagios")
    assert (said.code, said.out.count("\n"), "dcor.sqlite is missing" in said.out) == (2, 1, True)
