"""The folders of a data root and their modes; everything that changes on an appliance is in one of them."""

from __future__ import annotations

from pathlib import Path

from appliance import durable

#: Whatever holds data of persons or keys is for the service's account alone.
FOLDERS: dict[str, int] = {
    ".": 0o750,
    "depot": 0o750,
    "depot/resources": 0o750,
    "depot/users": 0o750,
    "tmp": 0o700,
    "quarantine": 0o700,
    "backups": 0o700,
    "rollback": 0o700,
    "secrets": 0o700,
    "certificates": 0o755,
    "log": 0o750,
}


def create(root: Path) -> list[Path]:
    """Make what is missing, leave what is there; returns the folders made. Raises OSError."""
    made = []
    for name, mode in FOLDERS.items():
        path = root / name
        if not path.is_dir():
            path.mkdir(parents=True)
            path.chmod(mode)
            durable.sync_folder(path.parent)  # what is put there is as lasting as its name
            made.append(path)
    return made
