"""Why a release can not do something, where the reason is the client's own."""

from __future__ import annotations

#: (package, version) → step → reason.
REASONS: dict[tuple[str, str], dict[str, str]] = {}


def reason(package: str, version: str, step: str) -> str:
    """The reason, "" when there is none and the step has to work."""
    return REASONS.get((package, version), {}).get(step, "")
