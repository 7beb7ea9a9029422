"""The certified OpenID provider `oidc-provider` (npm) as a process of its own, and a person's browser there.

It is used where node is installed and `DCOR_TEST_OIDC` names a folder in which `npm install oidc-provider@9` was run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from tests.support.openid_stub import Key, encoded
from tests.support.ports import free_port
from tests.support.slapd import certify
from tests.support.waiting import wait_until

_SCRIPT = Path(__file__).with_name("openid_provider.mjs")


class OpenIdProvider:
    """A provider with accounts that tests change; `url` is its issuer. `start` needs the appliance's address and certificate."""

    def __init__(self, folder: Path) -> None:
        modules, node = os.environ.get("DCOR_TEST_OIDC", ""), shutil.which("node")
        if not node or not (Path(modules or "/nowhere") / "node_modules/oidc-provider").is_dir():
            pytest.skip("needs node, and DCOR_TEST_OIDC: a folder in which `npm install oidc-provider@9` was run")
        folder.mkdir(parents=True)
        certify(folder)
        self._node, self._modules, self._folder, self._port = node, modules, folder, free_port()
        self.authority = folder / "authority.pem"
        self.url = f"https://localhost:{self._port}"
        self.accounts: dict[str, dict[str, Any]] = {}
        numbers, key = (made := Key("real")).private.private_numbers(), made.public()
        private = {
            "d": numbers.d,
            "p": numbers.p,
            "q": numbers.q,
            "dp": numbers.dmp1,
            "dq": numbers.dmq1,
            "qi": numbers.iqmp,
        }
        key |= {name: encoded(value.to_bytes((value.bit_length() + 7) // 8, "big")) for name, value in private.items()}
        (folder / "jwks.json").write_text(json.dumps({"keys": [key]}))
        self.write()
        self._process: subprocess.Popen[bytes] | None = None

    def write(self) -> None:
        """Let the accounts count."""
        (self._folder / "accounts.json").write_text(json.dumps(self.accounts))

    def start(self, appliance: str, certificate: Path) -> None:
        """Start it for the appliance at this address."""
        self._process = subprocess.Popen(
            [self._node, str(_SCRIPT), self._modules, str(self._folder), str(self._port), appliance],
            env=os.environ | {"NODE_EXTRA_CA_CERTS": str(certificate)},
            stdout=(self._folder / "out").open("wb"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert wait_until(self._answers, 60.0), (self._folder / "out").read_text()

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    def browser(self) -> requests.Session:
        """Somebody's browser there."""
        made = requests.Session()
        made.trust_env = False
        made.verify = str(self.authority)
        return made

    def through(self, browser: requests.Session, url: str, login: str, *, until: str) -> str:
        """Follow what the provider asks for (log-in, consent), up to an address that begins with `until`."""
        for _ in range(20):
            answer = browser.get(url, allow_redirects=False, timeout=60)
            while answer.status_code in (302, 303):
                url = urljoin(url, answer.headers["Location"])
                if url.startswith(until):
                    return url
                answer = browser.get(url, allow_redirects=False, timeout=60)
            assert answer.status_code == 200, answer.text
            form = re.search(r'action="([^"]+)"', answer.text)
            fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', answer.text))
            assert form is not None, answer.text
            if "login" in answer.text and 'name="login"' in answer.text:
                fields |= {"login": login, "password": "any"}
            answer = browser.post(urljoin(url, form[1]), data=fields, allow_redirects=False, timeout=60)
            assert answer.status_code in (302, 303), answer.text
            url = urljoin(url, answer.headers["Location"])
            if url.startswith(until):
                return url
        raise AssertionError(url)

    def _answers(self) -> bool:
        assert self._process is None or self._process.poll() is None, (self._folder / "out").read_text()
        try:
            return self.browser().get(f"{self.url}/.well-known/openid-configuration", timeout=5).ok
        except requests.RequestException:
            return False
