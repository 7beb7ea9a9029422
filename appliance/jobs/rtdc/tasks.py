"""Entry points of the RT-DC kernel: `task(request, input, scratch, *, progress=None) -> dict`.

Each runs in a sandboxed child that may read `input` and write into `scratch`. Requests and answers are JSON values; files
are left in `scratch` under fixed names. `RtdcError` carries a reason for people. Imports are lazy, so that naming a task
costs nothing; the zygote warms them up with `warm_up`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.model.messages import Message

if TYPE_CHECKING:
    from .reader import ReaderCache

Progress = Callable[[float, str], None]
Answer = dict[str, Any]

#: Files that this process has open for `read`.
_READERS: ReaderCache | None = None


def warm_up() -> None:
    """Import the heavy libraries once, in the process that children are forked from."""
    from dclab.cli import common
    from PIL import Image

    from . import addresses, condense, metadata, reader  # noqa: F401
    from .preview import canvas, make, text  # noqa: F401

    # Python looks at its own executable for this and remembers it; a sandboxed child may not.
    common.get_job_info()
    Image.init()
    for size in (canvas.TITLE, canvas.LABEL, canvas.TICK):
        text.font(size)


def preflight(request: dict[str, Any], input: Path, scratch: Path, *, progress: Progress | None = None) -> Answer:
    """Full walk without following anything. → {ok, objects, contours, declared_bytes, stripped_basins}.

    Raises RtdcError `forbidden` (external storage or links, virtual datasets, too many objects), `not-hdf5`, `truncated`,
    `damaged`, `events`.
    """
    from . import basins
    from .errors import explained
    from .opening import open_hdf5, require_events

    with open_hdf5(input, deep=True) as (h5, findings), explained(Message("examining the file")):
        require_events(h5)
        return {
            "ok": True,
            "objects": findings.objects,
            "contours": findings.contours,
            "declared_bytes": findings.declared_bytes,
            "stripped_basins": basins.stripped(h5),
        }


def metadata(request: dict[str, Any], input: Path, scratch: Path, *, progress: Progress | None = None) -> Answer:
    """Extract what the catalogue, the pages and dcserv need. See `metadata.extract` for the keys of the answer.

    Leaves `logs.json` and `tables.json` in `scratch` where the answer holds only their first part.
    """
    from .metadata import extract

    return extract(input, scratch)


def sanity(request: dict[str, Any], input: Path, scratch: Path, *, progress: Progress | None = None) -> Answer:
    """Check before activation. → {valid, reasons}; a file that cannot be opened is invalid, not an error.

    Reads as much as `metadata` does, so that both say the same.
    """
    from .errors import RtdcError
    from .metadata import extract

    try:
        reasons = extract(input)["integrity"]["sanity_errors"]
    except RtdcError as exc:
        reasons = [exc.message]
    return {"valid": not reasons, "reasons": reasons}


def condense(request: dict[str, Any], input: Path, scratch: Path, *, progress: Progress | None = None) -> Answer:
    """Write `condensed.rtdc`. See `condense.condense` for the keys of the answer.

    Request: `basins` – list of {name, type, format, urls, description, features, identifier, mapping, basinmap};
    `features` null or absent = those of the original that the condensed file lacks; for a mapping `basinmapN` the indices
    are taken from `basinmap` (list of integers) or from that feature of the file. `cores` – number of processes to use
    (default 1); `name` – the resource's name, for the log.
    """
    from .condense import condense as write

    return write(
        input,
        scratch,
        basins=list(request.get("basins") or []),
        cores=max(1, int(request.get("cores") or 1)),
        name=str(request.get("name") or input.name),
        progress=progress or _silent,
    )


def readdress(request: dict[str, Any], input: Path, scratch: Path, *, progress: Progress | None = None) -> Answer:
    """Write `condensed.rtdc` anew with other addresses. See `addresses.readdress` for the answer.

    Request: `condensed` – path of the present one (readable in the sandbox); `site_url` – the server's address.
    """
    from .addresses import readdress as write

    return write(Path(request["condensed"]), scratch, site_url=str(request["site_url"]))


def adopt(request: dict[str, Any], input: Path, scratch: Path, *, progress: Progress | None = None) -> Answer:
    """Write `condensed.rtdc` from one that another server made. See `adopting.adopt` for the answer.

    Request: `condensed` – path of that file (readable in the sandbox); `basins` – as for `condense`.
    """
    from .adopting import adopt as write

    return write(input, Path(request["condensed"]), scratch, basins=list(request.get("basins") or []))


def _silent(fraction: float, stage: str) -> None:
    """Progress nobody asked for."""


def preview(request: dict[str, Any], input: Path, scratch: Path, *, progress: Progress | None = None) -> Answer:
    """Write `preview.webp`, `preview.jpg`, `thumb.webp`, `columns.bin`, `density.bin`; see `preview.make` for the answer.

    Request: `condensed` – path of the condensed file (readable in the sandbox), whose computed features are then in the
    columns too.
    """
    from .preview.make import make

    condensed = request.get("condensed")
    return make(input, scratch, condensed=Path(condensed) if condensed else None, progress=progress or _silent)


def select(request: dict[str, Any], input: Path, scratch: Path, *, progress: Progress | None = None) -> Answer:
    """Write the events of a gate to ``selected.rtdc``, ``.csv`` or ``.tsv``; see `selecting.select` for request and answer."""
    from .selecting import select as write

    return write(request, input, scratch, progress or _silent)


def pseudonymise(request: dict[str, Any], input: Path, scratch: Path, *, progress: Progress | None = None) -> Answer:
    """Write `pseudonymised.rtdc`, or only say what would change; see `pseudonymise.pseudonymise` for request and answer."""
    from .pseudonymise import pseudonymise as write

    return write(request, input, scratch, progress or _silent)


def read(request: dict[str, Any], input: Path, scratch: Path, *, progress: Progress | None = None) -> Answer | bytes:
    """Read one feature, trace, event or picture; see `reader.read`. Keeps files open between calls in one process."""
    from .reader import ReaderCache
    from .reader import read as answer

    global _READERS
    if _READERS is None:
        _READERS = ReaderCache()
    return answer(request, input, _READERS)
