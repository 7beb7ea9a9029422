"""Access files, read by the programs that users have."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest
from dclab.rtdc_dataset.fmt_dcor import access_token
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.model.problem import Problem
from appliance.security import access_file, tokens, zipcrypto
from appliance.tls import certificate
from appliance.tls.names import names_for

HOST = "dcor.clinic.example"
CERTIFICATE = certificate.create_self_signed(names_for(HOST)).chain


@pytest.mark.parametrize(
    "passphrase", ["k7mq-2xhd-9vzt-w4pe-jn3u-6fya-r8cs", "Grüße an die Zwiebel", "🔬 is a microscope"]
)
def test_dclab_reads_host_certificate_and_token(tmp_path: Path, passphrase: str) -> None:
    token = tokens.new_token()[0]
    path = tmp_path / access_file.file_name("jane", HOST)
    path.write_bytes(access_file.AccessFile(token, CERTIFICATE).encrypt(passphrase))
    assert access_token.get_api_key(path, passphrase) == token
    assert access_token.get_certificate(path, passphrase) == CERTIFICATE
    assert access_token.get_hostname(path, passphrase) == HOST
    with pytest.raises((RuntimeError, zlib.error, zipfile.BadZipFile)):
        access_token.get_api_key(path, "wrong")


def test_the_port_of_a_try_out_reaches_the_client(tmp_path: Path) -> None:
    chain = certificate.create_self_signed(names_for("localhost", port=8443, try_out=True)).chain
    path = tmp_path / "jane.dcor-access"
    path.write_bytes(access_file.AccessFile("a" * 44, chain).encrypt("long enough for it"))
    assert access_token.get_hostname(path, "long enough for it") == "localhost:8443"


@settings(max_examples=25)
@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,8}\.txt", fullmatch=True), st.binary(max_size=80), max_size=3),
    st.text(min_size=1),
)
def test_the_standard_library_reads_every_archive(members: dict[str, bytes], password: str) -> None:
    try:
        pwd = password.encode()
    except UnicodeEncodeError:
        return
    with zipfile.ZipFile(io.BytesIO(zipcrypto.archive(members, password))) as archive:
        assert archive.testzip() is None if not members else True
        assert {name: archive.read(name, pwd=pwd) for name in archive.namelist()} == members
        assert all(member.flag_bits == 1 for member in archive.infolist())


@pytest.mark.skipif(shutil.which("unzip") is None, reason="Info-ZIP is not installed")
def test_info_zip_reads_it_too(tmp_path: Path) -> None:
    path = tmp_path / "jane.dcor-access"
    path.write_bytes(access_file.AccessFile("a" * 44, CERTIFICATE).encrypt("long enough for it"))
    done = subprocess.run(
        ["unzip", "-P", "long enough for it", "-p", path, "api_key.txt"], capture_output=True, check=True
    )
    assert done.stdout == b"a" * 44


def test_nothing_of_the_content_is_readable_without_the_passphrase() -> None:
    token = tokens.new_token()[0]
    files = [access_file.AccessFile(token, CERTIFICATE).encrypt("long enough for it") for _ in range(2)]
    assert token.encode() not in files[0]
    assert b"CERTIFICATE" not in files[0]
    assert files[0] != files[1]
    with pytest.raises(RuntimeError, match="password required"), zipfile.ZipFile(io.BytesIO(files[0])) as archive:
        archive.read("api_key.txt")


def test_wrong_passphrases_and_damage_are_told_apart_from_success() -> None:
    data = access_file.AccessFile("a" * 44, CERTIFICATE).encrypt("long enough for it")
    assert access_file.read(data, "long enough for it").token == "a" * 44
    for attempt in range(300):
        with pytest.raises(Problem, match="passphrase is wrong"):
            access_file.read(data, f"another passphrase {attempt}")
    for broken in (b"", b"hello", data[:500], data[: len(data) // 2] + bytes(200) + data[len(data) // 2 + 200 :]):
        with pytest.raises(Problem):
            access_file.read(broken, "long enough for it")


@pytest.mark.parametrize("weak", ["", "short", "elevenchars", "password1234", "123456789012", "two\nlines of text"])
def test_weak_passphrases_are_refused(weak: str) -> None:
    with pytest.raises(Problem):
        access_file.AccessFile("a" * 44, CERTIFICATE).encrypt(weak)


def test_generated_passphrases_have_140_bits() -> None:
    made = {access_file.new_passphrase() for _ in range(200)}
    assert len(made) == 200
    for one in made:
        assert re.fullmatch(r"([a-km-np-z2-9]{4}-){6}[a-km-np-z2-9]{4}", one)
        assert access_file.weaknesses(one) == []


@pytest.mark.parametrize(
    ("user", "host", "name"),
    [
        ("jane", HOST, f"jane_{HOST}.dcor-access"),
        ("../etc", "localhost:8443", "etc_localhost-8443.dcor-access"),
        ("", "", ".dcor-access"),
    ],
)
def test_file_names_are_plain(user: str, host: str, name: str) -> None:
    assert access_file.file_name(user, host) == name


def test_the_archive_insists_on_a_password() -> None:
    with pytest.raises(ValueError, match="needs a password"):
        zipcrypto.archive({"a": b"b"}, "")
