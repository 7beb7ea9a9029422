"""Under which key an answer is kept: the one place where that is decided."""

from __future__ import annotations

from collections.abc import Hashable

from appliance.model.viewer import Viewer


def answer_key(kind: str, viewer: Viewer, address: str, *variant: str) -> tuple[Hashable, ...]:
    """The key of an answer of `kind` that is made for `viewer` at `address` (with its query string).

    Two callers share an answer only if they are the same user with the same roles and the same credential's scope.

    :param variant: what else it depends on, such as language, theme and compression.
    """
    return kind, address, variant, viewer.rights
