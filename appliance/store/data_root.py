"""The folders of a data root and their modes; everything that changes on an appliance is in one of them."""

from __future__ import annotations

from pathlib import Path

from appliance import durable

#: Folders with personal data or keys are accessible to the service's account only.
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
    """Create missing folders, leave existing ones unchanged; returns the folders created. Raises OSError."""
    made = []
    for name, mode in FOLDERS.items():
        path = root / name
        if not path.is_dir():
            path.mkdir(parents=True)
            path.chmod(mode)
            durable.sync_folder(path.parent)  # otherwise a durable file in it could lose its folder
            made.append(path)
    return made
