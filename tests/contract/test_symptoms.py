"""What a client's window shows when the passphrase or the certificate is wrong: the guide's table of symptoms quotes it."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from dclab.rtdc_dataset.fmt_dcor import access_token
from dcoraid.api import CKANAPI

from appliance.security.access_file import AccessFile
from tests.support.certificate_authority import Authority, pem
from tests.support.server import Appliance

GUIDE = (Path(__file__).parents[2] / "docs" / "user-guide.md").read_text(encoding="utf-8")


def test_a_wrong_passphrase(tmp_path: Path) -> None:
    """DCOR-Aid and DCscope open the access file with this function. One in 256 wrong passphrases fails later, so several are tried."""
    packed = tmp_path / "nurse.dcor-access"
    packed.write_bytes(AccessFile("a-token", b"a certificate").encrypt("kiwi-lamp-otter-seven-plum-quilt-river-stone"))
    shown = set()
    for number in range(8):
        with pytest.raises(Exception) as refused:
            access_token.get_certificate(packed, f"wrong {number}")
        shown.add(str(refused.value))
    assert "Bad password for file 'server.cert'" in shown
    assert "Bad password for file 'server.cert'" in GUIDE


def test_a_certificate_of_before(shared: Appliance, tmp_path: Path) -> None:
    """A program that pins another certificate than the server's."""
    other = tmp_path / "old.cert"
    other.write_bytes(pem(Authority().root))
    with pytest.raises(requests.exceptions.SSLError, match="certificate verify failed"):
        CKANAPI(shared.url, api_key=shared.admin.token, ssl_verify=str(other)).get("status_show")
    assert '"certificate verify failed"' in GUIDE
