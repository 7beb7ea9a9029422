"""The basins of a condensed file: references to files with the features it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Basin = dict[str, Any]


def of_resource(site_url: str, resource: Mapping[str, Any], *, public: bool) -> list[Basin]:
    """Basins that refer to the original of `resource` (id, dataset_id, name); plain HTTP only where anybody may download it."""
    found = [
        {
            "name": "DCOR dcserv",
            "type": "remote",
            "format": "dcor",
            "urls": [_dcserv(site_url, resource["id"])],
            "description": "Original access via DCOR API",
            "features": None,
            "mapping": "same",
        }
    ]
    if public:
        url = (
            f"{site_url}/dataset/{resource['dataset_id']}/resource/{resource['id']}/download/{resource['name'].lower()}"
        )
        found.append(
            {
                "name": "DCOR public direct HTTP",
                "type": "remote",
                "format": "http",
                "urls": [url],
                "description": "Public resource access via HTTP",
                "features": None,
                "mapping": "same",
            }
        )
    return found


def of_siblings(
    site_url: str,
    identifier: str | None,
    file_basins: Iterable[Mapping[str, Any]],
    siblings: Iterable[Mapping[str, Any]],
) -> list[Basin]:
    """Basins that refer to other files of the dataset, in place of the file basins on the uploader's disk.

    :param identifier: measurement identifier of this file; :param siblings: id, name, identifier, features, condensed_features of the others.
    """
    others = list(siblings)
    found = []
    for basin in file_basins:
        for other in others:
            if matches(basin, identifier, other["identifier"]):
                found.append(
                    {
                        "name": f"DCOR intra-dataset for {other['name']}",
                        "type": "remote",
                        "format": "dcor",
                        "urls": [_dcserv(site_url, other["id"])],
                        "description": "Upstream DCOR intra-dataset resource",
                        "features": sorted(set(other["features"]) | set(other["condensed_features"])),
                        "mapping": basin["mapping"],
                        "identifier": other["identifier"],
                    }
                )
    return found


def matches(basin: Mapping[str, Any], identifier: str | None, candidate: str | None) -> bool:
    """Whether the measurement `candidate` is the one that a file basin of the measurement `identifier` refers to. File names do not
    matter.
    """
    if not identifier or not candidate or basin["identifier"] != candidate:
        return False
    return identifier == candidate if basin["mapping"] == "same" else identifier.startswith(candidate)


def _dcserv(site_url: str, resource_id: str) -> str:
    return f"{site_url}/api/3/action/dcserv?id={resource_id}"
