"""`dcor certificate` and `dcor client-setup`."""

from __future__ import annotations

import ssl
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest
from cryptography import x509

from appliance.cli.common import CliState
from appliance.cli.root import run
from appliance.tls import certificate
from appliance.tls.names import names_for
from tests.cli.conftest import Dcor
from tests.support.certificate_authority import Authority, pem
from tests.support.server import Appliance, wait_for

HOST = "dcor.clinic.example"


@pytest.fixture
def clinic(dcor: Dcor, root: Path) -> Dcor:
    """A data root with a hospital's host name."""
    dcor("config", "set", "server.hostname", HOST)
    dcor("config", "set", "server.port", "443")
    certificate.store(
        certificate.create_self_signed(names_for(HOST, extra=["10.0.0.5"])),
        root / "certificates" / "server.cert",
        root / "certificates" / "server.key",
    )
    return dcor


def test_show_and_export(dcor: Dcor, root: Path, tmp_path: Path, port: int) -> None:
    shown = dcor("certificate", "show", "--json")
    assert (shown.code, shown.json["common_name"], shown.json["problems"]) == (0, f"localhost:{port}", [])
    assert dcor("certificate", "export").out == (root / "certificates" / "server.cert").read_text()
    dcor("certificate", "export", "--out", str(tmp_path / "x.cert"))
    assert "PRIVATE" not in (tmp_path / "x.cert").read_text()


def test_create_asks_and_keeps_names(clinic: Dcor, root: Path) -> None:
    before = clinic("certificate", "show", "--json").json
    assert (before["dns"], before["ips"], before["key_type"]) == ([HOST], ["10.0.0.5"], "P-256")
    assert clinic("certificate", "create").code == 1  # nobody to ask
    assert clinic("certificate", "show", "--json").json["fingerprint"] == before["fingerprint"]
    assert clinic("certificate", "create", "--key-type", "rsa4096", "--yes").code == 0
    after = clinic("certificate", "show", "--json").json
    assert (after["ips"], after["key_type"]) == (["10.0.0.5"], "RSA 4096")
    assert stat.S_IMODE((root / "certificates" / "server.key").stat().st_mode) == 0o600


def test_host_names_that_clients_cannot_use_are_refused(dcor: Dcor) -> None:
    dcor("config", "set", "server.port", "443")
    for name, reason in (("DCOR.clinic.example", "capital letters"), ("dcor", "no dot")):
        dcor("config", "set", "server.hostname", name)
        (refused := dcor("certificate", "request"))
        assert (refused.code, reason in refused.err) == (1, True)


def test_request_sign_install(clinic: Dcor, root: Path, tmp_path: Path) -> None:
    csr = tmp_path / "dcor.csr"
    assert clinic("certificate", "request", "--out", str(csr)).code == 0
    assert clinic("certificate", "request").out == csr.read_text()  # asking again changes nothing
    assert clinic("certificate", "request", "--name", "other.example").code == 1
    authority = Authority()
    leaf = tmp_path / "leaf.crt"
    leaf.write_bytes(pem(authority.sign(csr.read_bytes())))
    rest = tmp_path / "chain.crt"
    rest.write_bytes(pem(authority.root) + pem(authority.middle))
    incomplete = clinic("certificate", "install", str(leaf))
    assert (incomplete.code, "chain is incomplete" in incomplete.err) == (1, True)
    assert clinic("certificate", "install", str(rest), str(leaf)).code == 0
    shown = clinic("certificate", "show", "--json")
    assert (shown.code, shown.json["self_signed"], shown.json["chain_length"]) == (0, False, 3)
    assert not (root / "certificates" / "request.key").exists()
    assert clinic("certificate", "install", str(leaf), str(rest)).code == 0  # with the present key


def test_a_foreign_certificate_is_refused_with_the_reason(clinic: Dcor, tmp_path: Path) -> None:
    before = clinic("certificate", "show", "--json").json["fingerprint"]
    stranger = certificate.create_self_signed(names_for("other.example"))
    path, key = tmp_path / "x.crt", tmp_path / "x.key"
    path.write_bytes(stranger.chain)
    key.write_bytes(stranger.key)
    assert "belongs to the private key" in clinic("certificate", "install", str(path)).err
    assert "not for 'dcor.clinic.example'" in clinic("certificate", "install", str(path), "--key", str(key)).err
    assert clinic("certificate", "show", "--json").json["fingerprint"] == before


def test_check_raises_one_alarm_for_each_threshold(clinic: Dcor, state: CliState) -> None:
    assert clinic("certificate", "check").code == 0
    counts = []
    for days in (25, 25, 10, 5, 400):
        clinic("certificate", "create", "--days", str(days), "--yes")
        clinic("certificate", "check")
        counts.append([alarm["object_id"] for alarm in clinic("alarm", "list", "--json").json])
    assert counts == [["30 days"], ["30 days"], ["14 days"], ["7 days"], []]


def test_a_running_service_takes_up_the_new_certificate(appliance: Appliance) -> None:
    assert run(["--data", str(appliance.root), "certificate", "create", "--yes"]) == 0
    appliance.nobody.http.close()
    ours = x509.load_pem_x509_certificate(appliance.certificate.read_bytes())

    def served() -> bool:
        port = appliance.settings.server.port
        seen = ssl.get_server_certificate(("127.0.0.1", port))
        return x509.load_pem_x509_certificate(seen.encode()) == ours

    wait_for(served)


def test_client_setup_connects_a_user(appliance: Appliance, tmp_path: Path) -> None:
    folder, home = tmp_path / "setup", tmp_path / "home"
    home.mkdir()
    (home / ".profile").write_text("# mine\n")
    assert run(["--data", str(appliance.root), "client-setup", "--out", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.txt",
        "ca-bundle.pem",
        "server.cert",
        "setup.ps1",
        "setup.sh",
    ]
    for path in folder.iterdir():
        assert b"@HOST@" not in path.read_bytes()
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "no_proxy": "*"}
    for _ in range(2):  # a second time changes nothing
        done = subprocess.run(["sh", folder / "setup.sh"], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "certificate is valid" in done.stdout
    profile = (home / ".profile").read_text()
    assert profile.startswith("# mine\n")
    assert profile.count("REQUESTS_CA_BUNDLE") == 1
    bundle = home / ".dcor" / "localhost" / "ca-bundle.pem"
    assert appliance.certificate.read_text() in bundle.read_text()
    assert (home / ".dcor" / "localhost" / "localhost.cert").exists()
    shown = subprocess.run(
        ["sh", "-c", ". ./.profile; echo $REQUESTS_CA_BUNDLE"],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == str(bundle)
    subprocess.run(["sh", folder / "setup.sh", "--remove"], env=environment, check=True, capture_output=True)
    assert (home / ".profile").read_text().strip() == "# mine"
    assert not (home / ".dcor" / "localhost").exists()


def test_client_setup_says_when_there_is_no_connection(dcor: Dcor, tmp_path: Path) -> None:
    dcor("client-setup", "--out", str(tmp_path / "setup"))
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "no_proxy": "*"}
    done = subprocess.run(
        ["sh", tmp_path / "setup" / "setup.sh"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "No connection" in done.stderr) == (1, True)


def test_client_setup_as_zip(dcor: Dcor, tmp_path: Path) -> None:
    dcor("client-setup", "--out", str(tmp_path / "setup.zip"))
    with zipfile.ZipFile(tmp_path / "setup.zip") as archive:
        assert archive.testzip() is None
        assert {name.split("/")[0] for name in archive.namelist()} == {"dcor-localhost"}
        assert archive.getinfo("dcor-localhost/setup.sh").external_attr >> 16 == 0o100755
        assert b"\r\n" in archive.read("dcor-localhost/setup.ps1")
