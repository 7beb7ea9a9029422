"""A small server that answers about one measurement as DCOR does, to be compared with ours by `bench.remote_reading --upstream`.

The condensed file is the one that dclab's own `dclab-condense` makes, with DCOR's three references to the original; the basins are those that DCOR's
API names: everything that the condensed file leads to, then everything in the original. Ranges and connections that stay open are
served from memory, as an object store in front of the disk does. Requests are counted under `/metrics` by the name that ours has.
"""

from __future__ import annotations

import contextlib
import io
import json
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import dclab
import dclab.cli
import h5py
from dclab.rtdc_dataset import RTDCWriter

from appliance.tls import certificate
from appliance.tls.names import names_for

RESOURCE = "9cb58618-afd2-48f1-b279-6344ffd60995"


class UpstreamAnswers:
    """Serves `path` at https://`host`:443 until `stop`. :ivar certificate: the file that clients trust."""

    def __init__(self, path: Path, folder: Path, host: str, *, private: bool) -> None:
        self.host, self.private, self.requests = host, private, 0
        self.certificate = folder / "upstream.cert"
        key = folder / "upstream.key"
        certificate.store(certificate.create_self_signed(names_for(host)), self.certificate, key)
        self.files = {"resource": path.read_bytes(), "condensed": self._condensed(path, folder).read_bytes()}
        self.answers = self._answers(path, folder / "condensed.rtdc")
        self._server = ThreadingHTTPServer((host, 443), _handler(self))
        self._server.socket = certificate.server_context(self.certificate, key).wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Answer no longer."""
        self._server.shutdown()
        self._server.server_close()

    def address(self, kind: str) -> str:
        """Of a file; of a private one with a signature that ends."""
        signature = f"?Signature=abc&Expires={int(time.time()) + 3600}" if self.private else ""
        return f"https://{self.host}/{kind}/{RESOURCE}{signature}"

    def _condensed(self, path: Path, folder: Path) -> Path:
        target = folder / "condensed.rtdc"
        with contextlib.redirect_stdout(io.StringIO()):
            dclab.cli.condense(path_in=path, path_out=target, check_suffix=False)
        with h5py.File(path) as original, h5py.File(target) as condensed:
            lacking = sorted(set(original["events"]) - set(condensed["events"]))
        with RTDCWriter(target, mode="append") as writer:
            references = {"dcor": f"https://{self.host}/api/3/action/dcserv?id={RESOURCE}"}
            if not self.private:
                references["http"] = self.address("resource")
            for kind, address in references.items():
                writer.store_basin(
                    f"DCOR {kind}", "remote", kind, [address], basin_descr="Original", basin_feats=lacking, verify=False
                )
        return target

    def _answers(self, path: Path, condensed: Path) -> dict[str, Any]:
        with dclab.new_dataset(path) as ds, h5py.File(condensed) as small:
            stored = sorted(set(ds.features_innate))
            config = ds.config.as_dict(pop_filtering=True)
            found: dict[str, Any] = {
                "valid": True, "metadata": config, "size": len(ds), "feature_list": [],
                "logs": {name: list(ds.logs[name]) for name in ds.logs}, "tables": {},
                "trace_list": sorted(ds["trace"].keys()) if "trace" in ds else [],
            }  # fmt: skip
            features = {"condensed": sorted(set(small["events"]) | set(stored)), "resource": stored}
        found["basins"] = [
            {
                "name": f"{kind}-{RESOURCE[:5]}", "format": "http", "type": "remote", "mapping": "same",
                "perishable": self.private, "key": f"dcor-{kind}-{RESOURCE}", "urls": [self.address(kind)], "features": names,
            } | ({"time_request": time.time(), "time_expiration": time.time() + 3600} if self.private else {})
            for kind, names in features.items()
        ]  # fmt: skip
        return found


def _handler(site: UpstreamAnswers) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 1 << 16

        def do_GET(self) -> None:
            """An answer of dcserv, a file or a part of it, or the number of requests."""
            parts = urlsplit(self.path)
            site.requests += 1
            if parts.path == "/metrics":
                return self._send(200, f'dcor_http_requests_total{{code="200"}} {site.requests - 1}\n'.encode())
            if parts.path == "/api/3/action/dcserv":
                query = parse_qs(parts.query)["query"][0]
                return self._send(200, json.dumps({"success": True, "result": site.answers[query]}).encode())
            content = site.files.get(parts.path.split("/")[1], b"")
            asked = self.headers.get("Range", "")
            if not asked:
                return self._send(200, content)
            start, _, end = asked.removeprefix("bytes=").partition("-")
            last = min(int(end), len(content) - 1) if end else len(content) - 1
            ranged = {"Content-Range": f"bytes {start}-{last}/{len(content)}"}
            return self._send(206, content[int(start) : last + 1], ranged)

        do_HEAD = do_GET

        def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (
                {"Content-Length": str(len(content)), "Accept-Ranges": "bytes", "ETag": '"1"'} | (headers or {})
            ).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                with contextlib.suppress(ssl.SSLError, OSError):
                    self.wfile.write(content)
                    self.wfile.flush()

        def log_message(self, *_words: Any) -> None:
            """Nothing."""

    return Handler
