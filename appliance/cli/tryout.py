"""The try-out: a complete appliance for one person on one machine, set up without a question."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from appliance import durable
from appliance import settings as settings_module
from appliance.actions import accounts
from appliance.cli.common import CliState, note
from appliance.cli.init import prepare
from appliance.model.problem import Problem, invalid
from appliance.model.viewer import OPERATOR
from appliance.security import access_file
from appliance.security.secrets import write_private
from appliance.settings import Settings
from appliance.store import users

ADMIN, DEMO = "admin", "demo"
_HEALTHY_WITHIN = 60.0  # seconds
_POLL = 0.2
_LARGEST_LOG = 5_000_000  # bytes


def start(root: Path, hostname: str, port: int, *, browser: bool) -> None:
    """Set up what is missing in `root`, serve, and print what to try as soon as the server answers. Returns when stopped."""
    from appliance import service
    from appliance.health.overview import answers

    settings = _prepared(root, hostname, port)
    if not _free(port):
        if answers(settings):
            note(f"It is already running: {settings.site_url}")
            return
        raise invalid(message=f"Port {port} is in use by another program. Choose another one with --port.")
    known = _people_and_data(root, settings)
    note("[4/4] Starting the server …")
    threading.Thread(target=_announce, args=(settings, known, browser), daemon=True).start()
    with _log_file(root).open("a", encoding="utf-8") as log, contextlib.redirect_stderr(log):
        service.serve(settings)


def _prepared(root: Path, hostname: str, port: int) -> Settings:
    """The data root, made or adapted to another port or name than last time."""
    flags = {
        "server.hostname": hostname,
        "server.port": port,
        "server.http_port": 0,
        "server.bind": "127.0.0.1" if hostname == "localhost" else "0.0.0.0",  # noqa: S104 - reachable under its name
        "server.title": "DCOR try-out",
    }
    if (root / "dcor.toml").exists():
        settings = settings_module.load(root)
        if (settings.server.hostname, settings.server.port) != (hostname, port):
            changed = settings_module.load(root, env={}).replace(**flags)
            settings_module.write(root / "dcor.toml", changed.chosen())
            settings.certificate.unlink(missing_ok=True)
            _notes(root).unlink(missing_ok=True)
    else:
        note(f"[2/4] Creating the data folder {root} …")
    return prepare(root, flags, [], try_out=True)


def _people_and_data(root: Path, settings: Settings) -> dict[str, Any]:
    """Admin, demo user, data, access file; what was said of them at the first start is said again."""
    state = CliState(root)
    try:
        if _notes(root).exists():
            return dict(json.loads(_notes(root).read_text(encoding="utf-8")))
        known: dict[str, Any] = {ADMIN: secrets.token_urlsafe(9), DEMO: secrets.token_urlsafe(9)}
        with state.db.read() as conn:
            fresh = users.find(conn, ADMIN) is None
        if fresh:
            accounts.create(
                state.site,
                OPERATOR,
                {"name": ADMIN, "email": "admin@localhost", "fullname": "Administrator"},
                sysadmin=True,
            )
        note("[3/4] Loading demonstration data …")
        from appliance.demo import catalogue

        catalogue.load(state.site, settings, told=lambda text: note(f"      {text}"))
        for name in (ADMIN, DEMO):
            accounts.change_password(state.site, OPERATOR, name, known[name])
        known |= _access_file(state, root, settings)
        write_private(_notes(root), json.dumps(known).encode())
        return known
    finally:
        state.close()


def _access_file(state: CliState, root: Path, settings: Settings) -> dict[str, str]:
    token, _id = accounts.create_token(state.site, OPERATOR, DEMO, "try-out access file", scope="write")
    passphrase = access_file.new_passphrase()
    path = root / access_file.file_name(DEMO, settings.server.hostname)
    write_private(path, access_file.AccessFile(token, settings.certificate.read_bytes()).encrypt(passphrase))
    curl = root / "demo.curl"  # a token does not belong on a command line, where everybody on the machine can read it
    write_private(curl, f'cacert = "{settings.certificate}"\nheader = "Authorization: {token}"\n'.encode())
    return {"access_file": str(path), "passphrase": passphrase, "curl": str(curl)}


def _notes(root: Path) -> Path:
    return root / "secrets" / "try-out.json"


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise Problem(
                409, "Validation Error", message=f"Port {port} is for root only. Choose one above 1023 with --port."
            ) from error
        except OSError:
            return False
    return True


def _log_file(root: Path) -> Path:
    """Where the service's log goes, as the terminal is for people; begun afresh when it has grown."""
    path = root / "log" / "dcor.log"
    if path.exists() and path.stat().st_size > _LARGEST_LOG:
        durable.replace(path, path.with_suffix(".log.1"))
    return path


def _announce(settings: Settings, known: dict[str, Any], browser: bool) -> None:
    from appliance.health.overview import answers

    deadline = time.monotonic() + _HEALTHY_WITHIN
    while not answers(settings, timeout=2.0):
        if time.monotonic() > deadline:
            sys.stdout.write(f"The server does not answer. Its log: {_log_file(settings.data)}\n")
            return
        time.sleep(_POLL)
    sys.stdout.write("\n" + welcome(settings, known))
    sys.stdout.flush()
    if browser and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) and shutil.which("xdg-open"):
        subprocess.Popen(["xdg-open", settings.site_url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def welcome(settings: Settings, known: dict[str, Any]) -> str:
    """What to try next: at most twelve lines."""
    dcor = f"{Path(sys.executable).parent / 'dcor'} --data {settings.data}"
    lines = [
        f"DCOR is running:  {settings.site_url}   (the browser warns once: the certificate is self-signed)",
        "",
        f"  Sign in as        {DEMO} / {known[DEMO]}       (administrator: {ADMIN} / {known[ADMIN]})",
        "  Then look at      the three datasets, a measurement's preview, the jobs, “Connect”",
        f"  In DCOR-Aid       “Health Facility”, file {known['access_file']}",
        f"                    passphrase {known['passphrase']}",
        f"  With curl         curl -K {known['curl']} {settings.site_url}/api/3/action/package_search",
        f"  On this machine   {dcor} status      {dcor} inspect",
        "  Start over        stop it and remove the folder " + str(settings.data),
        "",
        f"Ctrl-C stops it; the same command starts it again. Log: {settings.data / 'log' / 'dcor.log'}",
    ]
    return "\n".join(lines) + "\n"
