"""A condensed file for a server whose address has changed: the same, with basins that lead to the new address."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from appliance.model.messages import Message

from . import basins, packing
from .errors import RtdcError, explained
from .opening import open_hdf5

RESULT = "condensed.rtdc"


def readdress(condensed: Path, scratch: Path, *, site_url: str) -> dict[str, Any]:
    """Write `scratch/condensed.rtdc`: `condensed` with `site_url` (scheme, host, port) in all remote basins. → {basins: number of them}.

    All of them are the server's own, since nobody else's get into a condensed file. Raises RtdcError.
    """
    with open_hdf5(condensed) as (h5, _findings), explained(Message("copying the condensed file")):
        notes: list[str] = []
        found = [_moved(basin, site_url) for basin in basins.definitions(h5, notes)]
        if notes:
            raise RtdcError("basin", notes[0])
        packing.pack(h5, scratch / RESULT, basins=found)
    return {"basins": sum(basin.get("type") == "remote" for basin in found)}


def _moved(basin: dict[str, Any], site_url: str) -> dict[str, Any]:
    kept = {key: value for key, value in basin.items() if key != "key"}
    if basin.get("type") != "remote":
        return kept
    return kept | {"urls": [_at(site_url, str(url)) for url in basin["urls"]]}


def _at(site_url: str, url: str) -> str:
    parts = urlsplit(url)
    return site_url + parts.path + (f"?{parts.query}" if parts.query else "")
