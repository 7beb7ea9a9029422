"""What we are compared with: nginx with TLS in front of waitress and Flask, a bare TLS sink, and the disk."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NGINX = """
worker_processes auto; daemon off; pid {root}/nginx.pid; error_log {root}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nodelay on; keepalive_requests 1000000; types {{ }} default_type application/octet-stream;
  client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
  client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;
    location /files/ {{ alias {files}/; }}
    location / {{ proxy_pass http://127.0.0.1:{backend}; proxy_http_version 1.1; proxy_set_header Host $host; proxy_read_timeout 600s; }}
  }}
}}
"""

_FLASK = """
import os, sys, time
from flask import Flask, request
from waitress import serve
app = Flask(__name__)
@app.post("/upload")
def upload():
    os.makedirs(sys.argv[2], exist_ok=True)
    request.files["file"].save(os.path.join(sys.argv[2], "upload"))
    fd = os.open(os.path.join(sys.argv[2], "upload"), os.O_RDONLY); os.fsync(fd); os.close(fd)
    return "ok"
@app.get("/status")
def status():
    return {"success": True, "result": {"version": 1}}
serve(app, host="127.0.0.1", port=int(sys.argv[1]), threads=8, max_request_body_size=1 << 40)
"""


def free_port() -> int:
    """A port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_port(port: int) -> None:
    """Wait until somebody listens."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not start")


@contextmanager
def nginx(root: Path, certificate: str, key: str, files: Path) -> Iterator[tuple[str, list[int]]]:
    """Debian's nginx in front of waitress: (base address, process ids). `files` are served under /files/."""
    root.mkdir(parents=True, exist_ok=True)
    port, backend = free_port(), free_port()
    config = root / "nginx.conf"
    config.write_text(
        _NGINX.format(root=root, port=port, backend=backend, certificate=certificate, key=key, files=files)
    )
    script = root / "app.py"
    script.write_text(_FLASK)
    env = os.environ | {"TMPDIR": str(root)}
    user = ["-g", "user root;"] if os.getuid() == 0 else []
    front = subprocess.Popen(["nginx", "-c", str(config), *user])
    back = subprocess.Popen([sys.executable, str(script), str(backend), str(root / "stored")], env=env)
    try:
        wait_port(port)
        wait_port(backend)
        children = subprocess.run(["pgrep", "-P", str(front.pid)], capture_output=True, text=True, check=False)
        yield f"https://localhost:{port}", [front.pid, back.pid, *map(int, children.stdout.split())]
    finally:
        front.terminate()
        back.terminate()
        front.wait()
        back.wait()


@contextmanager
def tls_sink(certificate: str, key: str) -> Iterator[str]:
    """A server that reads requests by blocking TLS, throws them away, and answers "ok": what TLS alone allows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                sock, _ = listener.accept()
                with context.wrap_socket(sock, server_side=True) as connection:
                    _swallow(connection)
            except OSError:
                if listener.fileno() < 0:
                    return

    threading.Thread(target=serve, daemon=True).start()
    yield f"https://localhost:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def _swallow(connection: ssl.SSLSocket) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(65536)
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    left = length - (len(head) - head.index(b"\r\n\r\n") - 4)
    buffer = bytearray(65536)
    while left > 0:
        left -= connection.recv_into(buffer)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def disk(folder: Path, size: int) -> float:
    """Bytes per second that `dd` writes and flushes."""
    target = folder / "dd"
    command = ["dd", "if=/dev/zero", f"of={target}", "bs=1M", f"count={size >> 20}", "conv=fsync"]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    taken = time.perf_counter() - began
    target.unlink()
    return size / taken
