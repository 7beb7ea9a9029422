"""What a bundle is made of: requirements with hashes for pip, and a CycloneDX list of components. Standard library only."""

from __future__ import annotations

import argparse
import email
import hashlib
import json
import zipfile
from email.message import Message
from pathlib import Path
from typing import Any


def metadata(wheel: Path) -> Message:
    """The METADATA of a wheel. Raises KeyError for a file that is none."""
    with zipfile.ZipFile(wheel) as archive:
        name = next((one for one in archive.namelist() if one.endswith(".dist-info/METADATA")), None)
        if name is None:
            raise KeyError(f"{wheel.name} has no METADATA")
        return email.message_from_bytes(archive.read(name))


def sha256(path: Path) -> str:
    """Checksum of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def requirements(wheels: list[Path]) -> str:
    """One line for each wheel, pinned and with its hash."""
    lines = []
    for wheel in wheels:
        about = metadata(wheel)
        lines.append(f"{about['Name']}=={about['Version']} --hash=sha256:{sha256(wheel)}")
    return "\n".join(lines) + "\n"


def component(wheel: Path) -> dict[str, Any]:
    """A wheel as a component of CycloneDX 1.5."""
    about = metadata(wheel)
    name, version = about["Name"], about["Version"]
    licence = about["License-Expression"] or about["License"] or ""
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name.lower()}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name.lower()}@{version}",
        "hashes": [{"alg": "SHA-256", "content": sha256(wheel)}],
    }
    if about["Summary"]:
        found["description"] = about["Summary"]
    if licence and "\n" not in licence:
        found["licenses"] = (
            [{"expression": licence}] if about["License-Expression"] else [{"license": {"name": licence}}]
        )
    return found


def sbom(wheels: list[Path]) -> dict[str, Any]:
    """The CycloneDX document: the appliance and what is in it."""
    components = [component(wheel) for wheel in wheels]
    main = next((one for one in components if one["name"] == "dcor-appliance"), None)
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "components": [one for one in components if one is not main],
    }
    if main is not None:
        document["metadata"] = {"component": main | {"type": "application"}}
    return document


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheelhouse", type=Path)
    parser.add_argument("--requirements", type=Path, required=True)
    parser.add_argument("--sbom", type=Path, required=True)
    options = parser.parse_args()
    wheels = sorted(options.wheelhouse.glob("*.whl"))
    options.requirements.write_text(requirements(wheels), encoding="utf-8")
    options.sbom.write_text(json.dumps(sbom(wheels), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
