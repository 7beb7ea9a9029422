"""A dataset's life: draft → active, draft → deleted → purged; a deleted draft can be restored, and only an administrator can set an active one back or bring a deleted one to any state."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """State of a dataset. A purged dataset is no longer there."""

    DRAFT = "draft"
    ACTIVE = "active"
    DELETED = "deleted"


#: State → the states that a user may set.
TRANSITIONS = {
    State.DRAFT: frozenset({State.ACTIVE, State.DELETED}),
    State.ACTIVE: frozenset[State](),
    State.DELETED: frozenset[State](),
}

#: State → further states that an administrator may set: to correct what was published or deleted by mistake.
POWERS = {
    State.ACTIVE: frozenset({State.DRAFT, State.DELETED}),
    State.DELETED: frozenset({State.DRAFT, State.ACTIVE}),
}


def may_become(old: State, new: State, *, sysadmin: bool = False) -> bool:
    """Whether a dataset may change from `old` to `new`. Keeping the state is always allowed."""
    return old == new or new in TRANSITIONS[old] or (sysadmin and new in POWERS.get(old, ()))


def may_be_restored(state: State, deleted_from: str | None) -> bool:
    """Whether a dataset in `state` may become a draft again: only a deleted one that was a draft (`deleted_from`)."""
    return state == State.DELETED and deleted_from == State.DRAFT
