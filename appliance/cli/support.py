"""`dcor support-bundle`: what a supporter needs to know, with secrets, names and addresses masked."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import re
import shutil
import subprocess
import tarfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from appliance import __version__
from appliance.cli.common import CliState, FilePath, as_caller, note, pass_state, write_private
from appliance.cli.config import effective
from appliance.store import incidents, inspection, jobs, users

_LOG_TAIL = 200_000  # bytes
_SECRET_SETTINGS = (
    "backup.recipient",
    "backup.gpg_key",
    "mail.server",
    "mail.sender",
    "mail.admin",
    "server.hostname",
    "web.contact",
    "server.title",
    "server.description",
)
#: Everybody: what a locked or removed user (who may have kept the name) did stands in logs, too.
_PERSONS = ("active", "pending", "disabled", "deleted")
_PATTERNS = (
    (re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]++@[A-Za-z0-9.-]+"), "<address>"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), "<ip>"),
    (re.compile(r"\b[A-Za-z0-9_-]{40,}\b"), "<secret>"),
    (
        re.compile(
            r"(?<![\w.+()\[\],-])[\w.+()\[\],-]+\.(?:rtdc|tdms|csv|tsv|ini|pdf|poly|sof|so2|ipynb)\b", re.IGNORECASE
        ),
        "<file>",
    ),
)


@click.command("support-bundle")
@click.option(
    "--out",
    type=FilePath(dir_okay=False),
    help="File to write (.tar.gz).  [default: dcor-support-DATE.tar.gz here]",
)
@pass_state
def command(state: CliState, out: Path | None) -> None:
    """Collect what a supporter needs, secrets and names masked. Look into it before you send it."""
    from appliance.health import report
    from appliance.health.base import Premises
    from appliance.health.overview import overview

    premises = Premises(state.data_root, state.settings)
    with state.db.read() as conn:
        mask = Mask(
            [row[key] for row in users.listed(conn, states=_PERSONS) for key in ("name", "fullname")],
            state.settings.server.hostname,
        )
        traces = [incidents.get(conn, row["id"]) for row in incidents.latest(conn, 50)]
        failed = [
            {key: job[key] for key in ("kind", "state", "attempts", "error", "log", "created")}
            for job in jobs.list_(conn, state="failed", limit=50)
        ]
        schema = inspection.schema_version(conn)
    settings = {
        name: ("<masked>" if name in _SECRET_SETTINGS and row["value"] else row["value"])
        for name, row in effective(state.settings).items()
    }
    files: dict[str, Any] = {
        "about.json": {
            "version": __version__,
            "schema": schema,
            "python": platform.python_version(),
            "system": platform.platform(),
            "packages": _packages(),
        },
        "status.json": overview(premises),
        "inspect.json": [finding.to_json() for finding in report.examine(premises).findings],
        "settings.json": settings,
        "incidents.json": traces,
        "failed-jobs.json": failed,
        "log.txt": _log(state.data_root / "log"),
    }
    path = out or Path.cwd() / f"dcor-support-{time.strftime('%Y%m%d')}.tar.gz"
    write_private(path, _archive({name: mask(_text(content)) for name, content in files.items()}))
    note(f"{path}: look into it, then send it.")


class Mask:
    """Replaces what names persons, machines or secrets; the same name always by the same word."""

    def __init__(self, names: list[str], hostname: str) -> None:
        self._words = {
            name: f"<person {hashlib.sha256(name.encode()).hexdigest()[:6]}>" for name in names if len(name) > 2
        }
        if hostname != "localhost":
            self._words[hostname] = "<host>"
        longest_first = sorted(self._words, key=len, reverse=True)
        self._pattern = (
            re.compile("|".join(rf"(?<![\w-]){re.escape(word)}(?![\w-])" for word in longest_first))
            if longest_first
            else None
        )

    def __call__(self, text: str) -> str:
        """The text without them."""
        if self._pattern is not None:
            text = self._pattern.sub(lambda found: self._words[found.group()], text)
        for pattern, word in _PATTERNS:
            text = pattern.sub(word, text)
        return text


def _packages() -> dict[str, str]:
    return {found.metadata["Name"]: found.version for found in metadata.distributions()}


def _log(folder: Path) -> str:
    """The end of the service's log: its files, and the system journal where there is one."""
    parts = [path.read_bytes()[-_LOG_TAIL:].decode("utf-8", "replace") for path in sorted(folder.glob("*.log"))]
    if shutil.which("journalctl") and Path("/run/systemd/system").is_dir():
        with as_caller():  # the service's account may not read the journal
            command = ["journalctl", "--unit=dcor", "--lines=2000", "--no-pager", "--output=short-iso"]
            try:
                said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout
            except subprocess.TimeoutExpired:
                said = "The journal could not be read within a minute."
            parts.append(said)
    return "\n".join(parts)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False, default=str)


def _archive(files: dict[str, str]) -> bytes:
    """The texts as `.tar.gz`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(f"dcor-support/{name}")
            entry.size, entry.mode, entry.mtime = len(content), 0o600, int(time.time())
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
