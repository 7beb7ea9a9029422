"""`dcor support-bundle`: what a supporter needs to know, with secrets, names and addresses masked."""

from __future__ import annotations

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
from appliance import settings as settings_module
from appliance.cli.common import CliState, FilePath, as_caller, note, pass_state, write_private
from appliance.cli.config import effective
from appliance.cli.support_mask import Mask
from appliance.store import incidents, inspection, jobs, users

_HOST = re.compile(r"(?<![\w.-])[\w-]++(?:\.[\w-]++)+")
_LOG_TAIL = 200_000  # bytes
#: Everybody: what a locked or removed user (who may have kept the name) did stands in logs, too.
_PERSONS = ("active", "pending", "disabled", "deleted")


@click.command("support-bundle")
@click.option(
    "--out",
    type=FilePath(dir_okay=False),
    help="File to write (.tar.gz).  [default: dcor-support-DATE.tar.gz here]",
)
@pass_state
def command(state: CliState, out: Path | None) -> None:
    """Collect what support needs, with secrets and names masked. Look through it before you send it."""
    from appliance.health import report
    from appliance.health.base import Premises
    from appliance.health.overview import overview

    premises = Premises(state.data_root, state.settings)
    with state.db.read() as conn:
        traces = [incidents.get(conn, row["id"]) for row in incidents.latest(conn, 50)]
        failed = [
            {key: job[key] for key in ("kind", "state", "attempts", "error", "log", "created")}
            for job in jobs.list_(conn, state="failed", limit=50)
        ]
        schema = inspection.schema_version(conn)
    mask = _mask(state)
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
        "settings.json": {name: _shown(name, row) for name, row in effective(state.settings).items()},
        "incidents.json": traces,
        "failed-jobs.json": failed,
        "log.txt": _log(state.data_root / "log"),
    }
    path = out or Path.cwd() / f"dcor-support-{time.strftime('%Y%m%d')}.tar.gz"
    write_private(path, _archive({name: _text(_masked(mask, content)) for name, content in files.items()}))
    note(f"{path}: look through it before you send it.")


def _shown(name: str, row: dict[str, Any]) -> Any:
    """A setting's value where it can name nobody: numbers, choices, defaults."""
    plain = row["origin"] == "default" or isinstance(row["value"], bool | int)
    return row["value"] if plain or settings_module.options()[name].metadata["choices"] else "<set>"


def _mask(state: CliState) -> Mask:
    """What this installation has in names, addresses and secrets."""
    rows = effective(state.settings)
    said = [str(row["value"]) for name, row in rows.items() if row["value"] and _shown(name, row) == "<set>"]
    with state.db.read() as conn:
        people = users.listed(conn, states=_PERSONS)
        named = inspection.texts_of_people(conn)
    hosts = [state.settings.server.hostname, platform.node(), *(host for text in said for host in _HOST.findall(text))]
    hosts += [row["email"].rpartition("@")[2] for row in people]
    return Mask(
        [(row["name"], row["fullname"]) for row in people],
        hosts=hosts,
        phrases={
            "set": said,
            "circle or collection": named["communities"],
            "dataset": named["titles"],
            "data root": [] if state.data_root == settings_module.DEFAULT_DATA else [str(state.data_root)],
        },
        files=named["files"],
        names={"<dataset>": named["datasets"]},
    )


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


def _masked(mask: Mask, content: Any) -> Any:
    """Every text in it masked by itself: in JSON, marks of lines and quotes would hide where a word begins."""
    if isinstance(content, dict):
        return {key: _masked(mask, value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_masked(mask, value) for value in content]
    return content if content is None or isinstance(content, bool | int | float) else mask(str(content))


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
