"""Files and values as an administrator has them from Windows, spreadsheets and habit: taken, or refused with what to do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from appliance import settings as settings_module
from appliance.backup import gpg
from appliance.cli.root import run
from appliance.model.quantities import number_of
from appliance.tls.names import hostname_problems
from tests.cli.conftest import Dcor
from tests.support.certificate_authority import Authority, pem

DER = serialization.Encoding.DER


@pytest.fixture
def signed(dcor: Dcor, tmp_path: Path) -> dict[str, bytes]:
    """What an authority may send for our request, by form."""
    authority = Authority()
    request = tmp_path / "dcor.csr"
    assert dcor("config", "set", "server.hostname", "dcor.lab.example").code == 0
    assert dcor("certificate", "request", "--out", str(request)).code == 0
    leaf = authority.sign(request.read_bytes())
    chain = [authority.middle, authority.root]
    return {
        "leaf.cer": leaf.public_bytes(DER),
        "middle.cer": authority.middle.public_bytes(DER),
        "root.cer": authority.root.public_bytes(DER),
        "leaf.pem": pem(leaf),
        "chain.pem": b"".join(map(pem, chain)),
        "chain.p7b": pkcs7.serialize_certificates(chain, DER),
        "all.p7b": pkcs7.serialize_certificates([*chain, leaf], serialization.Encoding.PEM),
        "powershell.pem": b"\xff\xfe" + b"".join(map(pem, [leaf, *chain])).decode().encode("utf-16-le"),
        "crlf.pem": b"".join(map(pem, [leaf, *chain])).replace(b"\n", b"\r\n"),
    }


@pytest.mark.parametrize(
    "names",
    [
        ("leaf.cer", "middle.cer", "root.cer"),
        ("root.cer", "leaf.cer", "middle.cer"),
        ("leaf.cer", "chain.pem"),
        ("chain.pem", "leaf.cer"),
        ("leaf.pem", "chain.p7b"),
        ("leaf.cer", "chain.p7b"),
        ("chain.p7b", "leaf.pem", "root.cer"),
        ("all.p7b",),
        ("powershell.pem",),
        ("crlf.pem",),
    ],
    ids="+".join,
)
def test_certificates_in_several_files_of_any_form(
    dcor: Dcor, root: Path, signed: dict[str, bytes], names: tuple[str, ...], tmp_path: Path
) -> None:
    paths = []
    for name in names:
        (tmp_path / name).write_bytes(signed[name])
        paths.append(str(tmp_path / name))
    said = dcor("certificate", "install", *paths)
    assert said.code == 0, said
    assert (root / "certificates" / "server.cert").read_bytes().count(b"BEGIN CERTIFICATE") == 3


def test_a_file_that_is_no_certificate_is_named(dcor: Dcor, signed: dict[str, bytes], tmp_path: Path) -> None:
    good, bad = tmp_path / "leaf.cer", tmp_path / "letter.docx"
    good.write_bytes(signed["leaf.cer"])
    bad.write_bytes(b"PK\x03\x04 no certificate")
    said = dcor("certificate", "install", str(good), str(bad))
    assert said.code == 1
    assert "File 2" in said.err


def test_a_private_key_in_der_form(dcor: Dcor, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from appliance.tls import certificate
    from appliance.tls.names import names_for

    authority, pair = Authority(), certificate.create_request(names_for("localhost", try_out=True))
    leaf = authority.sign(pair.chain)
    key = load_pem_private_key(pair.key, None)
    (tmp_path / "server.key").write_bytes(
        key.private_bytes(DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (tmp_path / "all.pem").write_bytes(b"".join(map(pem, [leaf, authority.middle, authority.root])))
    said = dcor("certificate", "install", str(tmp_path / "all.pem"), "--key", str(tmp_path / "server.key"))
    assert said.code == 0, said


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_list_of_users_as_spreadsheets_write_it(people: Dcor, tmp_path: Path, coding: str) -> None:
    path = tmp_path / "users.csv"
    path.write_bytes("name;email;fullname\r\nmueller;m@lab.example;Jörg Müller\r\n".encode(coding))
    said = people(
        *("access", "bulk", str(path), "--out", str(tmp_path / "out"), "--create-users", "--password-stdin"),
        stdin="correct horse battery staple\n",
    )
    assert said.code == 0, said
    assert people("user", "show", "mueller", "--json").json["fullname"] == "Jörg Müller"


def test_a_list_that_is_no_text_is_refused_in_words(people: Dcor, tmp_path: Path) -> None:
    path = tmp_path / "users.xlsx"
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    said = people("access", "bulk", str(path), "--out", str(tmp_path / "out"), "--password-stdin", stdin="x\n")
    assert said.code == 1
    assert "not a text file" in said.err


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("5GB", "bytes", 5 * 10**9),
        ("5 GB", "bytes", 5 * 10**9),
        ("5 GiB", "bytes", 5 << 30),
        ("5G", "bytes", 5 * 10**9),
        ("1.5 tb", "bytes", 15 * 10**11),
        ("1,5 TB", "bytes", 15 * 10**11),
        ("512 MiB", "bytes", 512 << 20),
        ("100000000000", "bytes", 10**11),
        ("10 kB", "bytes", 10_000),
        ("90", "s", 90),
        ("15 min", "s", 900),
        ("2 hours", "s", 7200),
        ("30 d", "d", 30),
        ("2 weeks", "d", 14),
        ("443", "", 443),
    ],
)
def test_quantities_as_people_write_them(text: str, unit: str, number: int) -> None:
    assert number_of(text, unit) == number


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("five", "bytes"),
        ("5 XB", "bytes"),
        ("", "bytes"),
        ("-", "s"),
        ("5 GB", "s"),
        ("443 ports", ""),
        ("1e3", ""),
        ("１２", ""),
        ("0x10", "bytes"),
    ],
)
def test_what_is_no_quantity(text: str, unit: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        number_of(text, unit)


def test_every_number_with_a_unit_takes_it_in_words(dcor: Dcor, root: Path) -> None:
    asked = {"bytes": ("5 GiB", 5 << 30), "s": ("15 min", 900), "d": ("3 weeks", 21)}
    tried = 0
    for key, option in settings_module.options().items():
        unit = option.metadata["unit"]
        if isinstance(option.default, int) and unit in asked:
            text, number = asked[unit]
            said = dcor("config", "set", key, text)
            if said.code == 0:
                assert (
                    getattr(getattr(settings_module.load(root, env={}), key.split(".")[0]), key.split(".")[1]) == number
                )
            else:
                assert "must be" in said.err, said
            tried += 1
    assert tried > 10
    refused = dcor("config", "set", "depot.max_upload", "a lot")
    assert refused.code == 1
    assert "a size such as 5 GB" in refused.err
    assert "true or false" in dcor("config", "set", "policy.public_datasets", "maybe").err


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("https://dcor.clinic.example", "dcor.clinic.example"),
        ("https://dcor.clinic.example/", "dcor.clinic.example"),
        ("https://dcor.clinic.example:8443/login", "dcor.clinic.example"),
        ("dcor.clinic.example/", "dcor.clinic.example"),
    ],
)
def test_an_address_as_host_name_is_refused_with_the_name(given: str, name: str, tmp_path: Path) -> None:
    (problem,) = hostname_problems(given)
    assert problem.endswith(f"is: {name}")
    assert run(["--data", str(tmp_path / "new"), "init", "--hostname", given]) == 1
    assert not (tmp_path / "new" / "dcor.toml").exists()


def test_a_bare_address_is_a_host_name(tmp_path: Path) -> None:
    assert run(["--data", str(tmp_path / "new"), "init", "--hostname", "10.1.2.3"]) == 0
    assert settings_module.load(tmp_path / "new", env={}).site_url == "https://10.1.2.3"


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_gpg_keeps_to_the_account_of_the_data_root(gpg_home: Path, tmp_path: Path) -> None:
    """`sudo dcor` works with lent rights; what GnuPG writes then belongs to the service all the same, and is private."""
    key = subprocess.run(
        ["gpg", "--homedir", str(gpg_home), "--batch", "--passphrase", "", "--quick-gen-key", "b@clinic.example"],
        capture_output=True, check=False,
    )  # fmt: skip
    assert key.returncode == 0, key.stderr
    exported = subprocess.run(
        ["gpg", "--homedir", str(gpg_home), "--export", "--armor", "b@clinic.example"], capture_output=True, check=True
    )
    place = gpg_home / "p"
    place.mkdir()
    os.chown(place, 12345, 12345)
    gpg_home.chmod(0o711)
    public = place / "key.asc"
    public.write_bytes(exported.stdout)
    public.chmod(0o644)
    source = place / "dump"
    source.write_bytes(b"rows")
    source.chmod(0o644)
    os.setegid(12345)
    os.seteuid(12345)
    try:
        gpg.import_key(place / "keys", public)
        gpg.encrypt(place / "keys", source, place / "dump.gpg", "b@clinic.example")
    finally:
        os.seteuid(0)
        os.setegid(0)
    for path in (place / "keys", *(place / "keys").iterdir(), place / "dump.gpg"):
        assert path.stat().st_uid == 12345, path
        assert path.stat().st_mode & 0o077 == 0, path
