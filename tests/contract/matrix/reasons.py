"""Why a release can not do something, where the reason is the client's own."""

from __future__ import annotations

_NO_ZSTANDARD = (
    "it knows no Zstandard compression, which condensed files have here and at DCOR alike; remote access works"
)
_WHOLE_ONLY = "it downloads whole files only"

#: (package, version) → step → reason.
REASONS: dict[tuple[str, str], dict[str, str]] = {
    ("dclab", "0.38.2"): {"condensed": _NO_ZSTANDARD},
    ("dcoraid", "0.8.4"): {"condensed": _WHOLE_ONLY},
    ("dcoraid", "0.10.0"): {"condensed": _WHOLE_ONLY},
}


def reason(package: str, version: str, step: str) -> str:
    """The reason, "" when there is none and the step has to work."""
    return REASONS.get((package, version), {}).get(step, "")
