"""`dcor pull` and `dcor push` next to `curl` with the same files, in one run: `python -m bench.moving [--files 4] [--size 256]`.

Two appliances in processes of their own on this machine. What `curl` fetches is flushed to the disk, as what `dcor pull` fetches is; what
`curl` sends goes by form to the server from which it is then fetched. Each command is timed as a whole, then once more when
nothing is left to send: that is what starting, listing and comparing take, however large the files are.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.demo import synthetic
from tests.support.server import ApartAppliance, Person

_MIB = 1 << 20


def main() -> int:
    """Measure, and print times [s] and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--size", type=int, default=256, help="MiB of each")
    parser.add_argument("--folder", type=Path, default=None, help="on the volume to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        print(json.dumps(measure(Path(folder), options.files, options.size), indent=2))
    return 0


def measure(folder: Path, count: int, size: int) -> dict[str, Any]:
    """→ {bytes, seconds by what was done, ratios to curl}."""
    source, target = (
        ApartAppliance(folder / "source"),
        ApartAppliance(folder / "target", **{"depot.direct_upload": True}),
    )
    try:
        files = _files(folder, count, size)
        total = sum(path.stat().st_size for path in files)
        ada, kim = source.person("ada"), target.person("kim")
        ada.circle("lab")
        kim.circle("open")
        dataset = ada.draft("lab", title="Large", license_id="CC0-1.0")["id"]
        seconds = {"curl up": _timed(lambda: [_send(source, ada, dataset, path) for path in files])}
        listed = source.admin.get("package_show", id=dataset).result["resources"]
        for file in listed:
            source.jobs_done(file["id"])
        ada.activate(dataset)
        seconds["curl down"] = _timed(lambda: [_fetch(source, file, folder / "fetched") for file in listed])
        token, kept = source.admin.token, folder / "kept"
        subprocess.run(
            [*_dcor(kept), "init", "--hostname", "kept.clinic.example"],
            check=True,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        pull = [*_dcor(kept), "pull", source.url, "--token-stdin", "--cacert", str(source.certificate)]
        for name in ("dcor pull", "pull, nothing left"):
            seconds[name] = _timed(lambda: _run(pull, token, {"DCOR_DEPOT_RESERVE": "0"}))
        push = [*_dcor(source.root), "push", dataset, "--to", target.url, "--circle", "open", "--token-stdin"]
        push += ["--cacert", str(target.certificate)]
        for name in ("dcor push", "push, nothing left"):
            seconds[name] = _timed(lambda: _run(push, kim.token, {"DCOR_PUBLISH_TARGETS": target.url}))
    finally:
        source.stop()
        target.stop()
    return {
        "bytes": total,
        "seconds": {name: round(one, 2) for name, one in seconds.items()},
        "pull ÷ curl": _ratio(seconds, "curl down", "pull"),
        "push ÷ curl": _ratio(seconds, "curl up", "push"),
    }


def _ratio(seconds: dict[str, float], curl: str, command: str) -> dict[str, float]:
    """Rate of a command ÷ rate of curl: as a whole, and of the transfer alone."""
    whole, rest = seconds[f"dcor {command}"], seconds[f"{command}, nothing left"]
    return {"whole": round(seconds[curl] / whole, 2), "transfer": round(seconds[curl] / max(whole - rest, 1e-3), 2)}


def _files(folder: Path, count: int, size: int) -> list[Path]:
    """One measurement, which every DCOR wants, and files of bytes that nothing packs."""
    synthetic.write(folder / "M1.rtdc", events=60, shape=(40, 80), channel_width=10.0, kind="beads")
    found = [folder / "M1.rtdc"]
    for number in range(count):
        path = folder / f"f{number}.csv"
        with path.open("wb") as file:
            for _ in range(size):
                file.write(os.urandom(_MIB))
        found.append(path)
    return found


def _timed(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def _dcor(root: Path) -> list[str]:
    return [sys.executable, "-m", "appliance", "--data", str(root)]


def _run(command: list[str], token: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, input=f"{token}\n", text=True, capture_output=True, check=False, env=os.environ | environment
    )
    if done.returncode:
        raise RuntimeError(f"{command[4]} ended with {done.returncode}: {done.stdout[-500:]} {done.stderr[-500:]}")


def _curl(server: ApartAppliance, person: Person, *arguments: str) -> None:
    header = ["-H", f"Authorization: {person.token}", "--cacert", str(server.certificate)]
    subprocess.run(["curl", "-sS", "--fail", *header, *arguments], check=True, stdout=subprocess.DEVNULL)


def _send(server: ApartAppliance, person: Person, dataset: str, path: Path) -> None:
    form = ["-F", f"package_id={dataset}", "-F", f"name={path.name}", "-F", f"upload=@{path}"]
    _curl(server, person, *form, f"{server.url}/api/3/action/resource_create")


def _fetch(server: ApartAppliance, file: dict[str, Any], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    target = folder / file["name"]
    place = f"{server.url}/dataset/{file['package_id']}/resource/{file['id']}/download/{file['name']}"
    _curl(server, server.admin, "-o", str(target), place)
    with target.open("rb") as written:
        os.fsync(written.fileno())


if __name__ == "__main__":
    sys.exit(main())
