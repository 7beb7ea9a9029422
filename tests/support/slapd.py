"""OpenLDAP's server as an ordinary process in a temporary folder: TLS by an authority of its own, people and groups of a clinic."""

from __future__ import annotations

import ipaddress
import os
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import ldap3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.certificate_authority import Authority, pem
from tests.support.ports import LOOPBACK, free_port
from tests.support.waiting import wait_until

SUFFIX = "dc=hospital,dc=example"
PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"
READER, READER_PASSWORD = f"cn=dcor,{SUFFIX}", "of the account that searches"
_ROOT, _ROOT_PASSWORD = f"cn=manager,{SUFFIX}", "of the manager"
_SCHEMAS = Path("/etc/ldap/schema")
_CONFIG = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
include {schemas}/nis.schema
modulepath {modules}
moduleload back_mdb
moduleload ppolicy
pidfile {folder}/pid
TLSCACertificateFile {folder}/authority.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
security simple_bind=128
sizelimit 1000
database mdb
maxsize 16777216
suffix "{suffix}"
rootdn "{root}"
rootpw "{password}"
directory {folder}/data
overlay ppolicy
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by * none
"""


class Slapd:
    """A running server. `ldaps` and `starttls` are its addresses, `authority` the file of who signed its certificate."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("slapd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/openldap")
        modules = next((path for path in map(Path, ("/usr/lib/ldap", "/usr/lib64/openldap")) if path.is_dir()), None)
        if program is None or modules is None or not (_SCHEMAS / "inetorgperson.schema").is_file():
            pytest.skip("slapd (OpenLDAP's server) is not installed")
        self._program, self._folder = program, folder
        self.authority = folder / "authority.pem"
        (folder / "data").mkdir(parents=True)
        certify(folder)
        (folder / "slapd.conf").write_text(
            _CONFIG.format(
                schemas=_SCHEMAS, modules=modules, folder=folder, suffix=SUFFIX, root=_ROOT, password=_ROOT_PASSWORD,
                reader=READER,
            )
        )  # fmt: skip
        self._ports = (free_port(), free_port())
        self.starttls, self.ldaps = f"ldap://localhost:{self._ports[0]}", f"ldaps://localhost:{self._ports[1]}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()
        for dn, classes, values in (
            (SUFFIX, ["dcObject", "organization"], {"dc": "hospital", "o": "Hospital"}),
            (PEOPLE, ["organizationalUnit"], {"ou": "people"}),
            (GROUPS, ["organizationalUnit"], {"ou": "groups"}),
            (READER, ["person"], {"sn": "DCOR", "userPassword": READER_PASSWORD}),
        ):
            self.add(dn, classes, values)

    def start(self) -> None:
        """Start it, with what it holds."""
        addresses = f"ldap://{LOOPBACK}:{self._ports[0]} ldaps://{LOOPBACK}:{self._ports[1]}"
        self._process = subprocess.Popen(
            [self._program, "-h", addresses, "-f", str(self._folder / "slapd.conf"), "-d", "0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert wait_until(self._answers, 30.0), "slapd does not answer"

    def stop(self) -> None:
        """End it; nobody answers then."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def person(self, login: str, password: str, *, mail: str | None = None, name: str | None = None) -> str:
        """Add somebody. → the DN."""
        dn = f"uid={login},{PEOPLE}"
        values = {
            "cn": name or login.title(), "sn": login.title(), "mail": mail or f"{login}@hospital.example",
            "userPassword": password,
        }  # fmt: skip
        self.add(dn, ["inetOrgPerson"], values)
        return dn

    def group(self, name: str, *members: str) -> str:
        """Add a group. → the DN."""
        dn = f"cn={name},{GROUPS}"
        self.add(dn, ["groupOfNames"], {"member": list(members) or [_ROOT]})
        return dn

    def add(self, dn: str, classes: list[str], values: dict[str, Any]) -> None:
        """Add an entry."""
        with self.manager() as connection:
            assert connection.add(dn, classes, values), connection.result

    def change(self, dn: str, **values: list[str]) -> None:
        """Replace attributes; an empty list removes one."""
        with self.manager() as connection:
            changes = {key: [(ldap3.MODIFY_REPLACE, value)] for key, value in values.items()}
            assert connection.modify(dn, changes), connection.result

    def rename(self, dn: str, first: str) -> None:
        """Give an entry another name in its place, such as `uid=other`."""
        with self.manager() as connection:
            assert connection.modify_dn(dn, first), connection.result

    def remove(self, dn: str) -> None:
        """Remove an entry."""
        with self.manager() as connection:
            assert connection.delete(dn), connection.result

    def manager(self) -> ldap3.Connection:
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(self.authority))
        server = ldap3.Server("localhost", self._ports[1], use_ssl=True, tls=tls, get_info=ldap3.NONE)
        return ldap3.Connection(server, _ROOT, _ROOT_PASSWORD, auto_bind=True, check_names=False)

    def _answers(self) -> bool:
        try:
            self.manager().unbind()
        except ldap3.core.exceptions.LDAPException:
            assert self._process is None or self._process.poll() is None, "slapd ended"
            return False
        return True


def certify(folder: Path) -> None:
    """The authority's file, and key and certificate for localhost."""
    authority, key = Authority(), ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("::1"))])
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    signed = authority.sign(request.public_bytes(serialization.Encoding.PEM))
    (folder / "authority.pem").write_bytes(pem(authority.root))
    (folder / "server.pem").write_bytes(pem(signed) + pem(authority.middle))
    (folder / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "server.key").chmod(0o600)
