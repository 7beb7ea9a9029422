"""Under which key an answer is kept: the one place where that is decided."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import fields

from appliance.model.viewer import Viewer

#: All that a viewer is and may, except from where they ask.
_RIGHTS = tuple(field.name for field in fields(Viewer) if field.name != "address")


def answer_key(kind: str, viewer: Viewer, address: str, *variant: str) -> tuple[Hashable, ...]:
    """The key of an answer of `kind` that is made for `viewer` at `address` (with its query string).

    Two callers share an answer only if they are the same user with the same roles and the same credential's scope.

    :param variant: what else it depends on, such as language, theme and compression.
    """
    return (kind, address, variant, *[_frozen(getattr(viewer, name)) for name in _RIGHTS])


def _frozen(value: object) -> Hashable:
    return frozenset(value.items()) if isinstance(value, Mapping) else value
