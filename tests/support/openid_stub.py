"""A small OpenID provider that answers as a test wants: honest by default, signing with its own code, so that it can sign wrongly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.ports import LOOPBACK
from tests.support.slapd import certify

CLIENT, SECRET = "dcor", "of the client: & + %"
Reply = tuple[int, dict[str, str], bytes]


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A key pair for signatures, with its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.private = rsa.generate_private_key(65537, 2048)

    def public(self) -> dict[str, str]:
        """As the provider shows it."""
        numbers = self.private.public_key().public_numbers()
        n = encoded(numbers.n.to_bytes(256, "big"))
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.name, "n": n, "e": "AQAB"}

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())


class Stub:
    """The provider. `person` are the claims of whoever signs in; the rest is what a test changes, until `honest`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        certify(folder)
        self.authority = folder / "authority.pem"
        self.key, self.shown = Key("first"), list[Key]()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

            def _answer(self, body: bytes) -> None:
                path = self.path.partition("?")[0]
                stub.asked.append(path)
                status, headers, content = stub.replies.get(path, stub.honestly)(path, body, dict(self.headers))
                self.send_response(status)
                for name, value in (
                    {"Content-Type": "application/json", "Content-Length": str(len(content))} | headers
                ).items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(content)
                except OSError:  # whoever asked has had enough
                    self.close_connection = True

            def log_message(self, *arguments: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.asked: list[str] = []
        self.honest()

    def honest(self) -> None:
        """Answer as a provider should."""
        self.replies: dict[str, Callable[[str, bytes, dict[str, str]], Reply]] = {}
        self.person: dict[str, Any] = {}
        self.wrong: dict[str, Any] = {}  # claims of the ID token that are not as they should be; None leaves one out
        self.header: dict[str, Any] = {}
        self.signature: Callable[[bytes], bytes] | None = None
        self.nonce = self.challenge = ""
        self.refresh = True
        self.shown = [self.key]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def replies_with(self, path: str, status: int, data: Any, **headers: str) -> None:
        """Let an address answer this."""
        content = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.replies[path] = lambda *_: (status, headers, content)

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize", "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/me", "jwks_uri": f"{self.url}/keys", "end_session_endpoint": f"{self.url}/end",
            "code_challenge_methods_supported": ["S256"], "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }  # fmt: skip

    def honestly(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        """What the address answers."""
        if path == "/.well-known/openid-configuration":
            return 200, {}, json.dumps(self.metadata()).encode()
        if path == "/keys":
            return 200, {}, json.dumps({"keys": [key.public() for key in self.shown]}).encode()
        if path == "/me":
            return 200, {}, json.dumps(self.person).encode()
        if path == "/token":
            return self._tokens({key: value[0] for key, value in parse_qs(body.decode()).items()}, headers)
        return 404, {}, b"{}"

    def _tokens(self, form: dict[str, str], headers: dict[str, str]) -> Reply:
        given = base64.b64decode(headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if [unquote_plus(one) for one in given.split(":")] != [CLIENT, SECRET]:
            return 401, {}, b'{"error": "invalid_client"}'
        found = {"access_token": "an access token", "token_type": "Bearer"} | (
            {"refresh_token": "a refresh token"} if self.refresh else {}
        )
        if form["grant_type"] == "authorization_code":
            if (
                encoded(hashlib.sha256(form["code_verifier"].encode()).digest()) != self.challenge
                or form["code"] != "good"
            ):
                return 400, {}, b'{"error": "invalid_grant"}'
            found["id_token"] = self.token(nonce=self.nonce)
        return 200, {}, json.dumps(found).encode()

    def token(self, **claims: Any) -> str:
        """A signed token for the person."""
        now = int(time.time())
        whole = {"iss": self.url, "aud": CLIENT, "sub": self.person.get("sub"), "iat": now, "exp": now + 300}
        whole = whole | claims | self.wrong
        header = {"alg": "RS256", "kid": self.key.name, "typ": "JWT"} | self.header
        parts = [header, {key: value for key, value in whole.items() if value is not None}]
        message = ".".join(encoded(json.dumps(part).encode()) for part in parts).encode()
        return f"{message.decode()}.{encoded((self.signature or self.key.sign)(message))}"


def hmac_with(secret: bytes) -> Callable[[bytes], bytes]:
    """A signature that whoever knows `secret` can make."""
    return lambda message: hmac.digest(secret, message, "sha256")
