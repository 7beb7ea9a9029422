"""Cache keys of responses: the only place where they are made."""

from __future__ import annotations

from collections.abc import Hashable

from appliance.model.viewer import Viewer


def answer_key(kind: str, viewer: Viewer, address: str, *variant: str) -> tuple[Hashable, ...]:
    """The cache key of a response of `kind` for `viewer` at `address` (including its query string).

    Two callers share a cached response only if they are the same user with the same roles and the same scope.

    :param variant: what else it depends on, such as language, theme and compression.
    """
    return kind, address, variant, viewer.rights
