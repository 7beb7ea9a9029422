"""Files that make a user's programs trust this server: certificate, authorities, and scripts for their system."""

from __future__ import annotations

import io
import re
import zipfile
from importlib.resources import files

from appliance.model.problem import invalid

_TEMPLATES = ("setup.sh", "setup.ps1", "README.txt")
#: Characters allowed in values inserted into scripts; others could be executed there.
_PLAIN = re.compile(r"[A-Za-z0-9.:/_-]+")


def setup_files(host: str, url: str, chain: bytes, authorities: bytes, fingerprint: str) -> dict[str, bytes]:
    """Return the files by name.

    :param host: the server's name; :param url: its address as clients use it, without a trailing slash.
    :param chain: its certificate chain (PEM); :param authorities: what clients trust anyway (PEM).
    :param fingerprint: SHA-256 of the certificate, in hexadecimal pairs with colons.
    :raises Problem: 409 for a name that cannot stand in a script.
    """
    values = {"@HOST@": host, "@URL@": url, "@FINGERPRINT@": fingerprint}
    for value in values.values():
        if _PLAIN.fullmatch(value) is None:
            raise invalid(message=f"'{value}' cannot be put into a script.")
    made = {"server.cert": chain, "ca-bundle.pem": authorities}
    folder = files("appliance") / "web" / "static" / "client-setup"
    for name in _TEMPLATES:
        text = (folder / name).read_text(encoding="utf-8")
        for mark, value in values.items():
            text = text.replace(mark, value)
        # PowerShell and Notepad of older Windows need CRLF.
        made[name] = text.replace("\n", "\r\n").encode() if name != "setup.sh" else text.encode()
    return made


def as_zip(made: dict[str, bytes], folder: str) -> bytes:
    """Return the files as a ZIP with one folder in it, for a download; `setup.sh` can be executed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in made.items():
            info = zipfile.ZipInfo(f"{folder}/{name}")
            info.external_attr = (0o100755 if name == "setup.sh" else 0o100644) << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
