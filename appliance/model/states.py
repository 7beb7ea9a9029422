"""A dataset's life: draft → active, draft → deleted → purged; a deleted draft may become a draft again, nothing else leads back."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """State of a dataset. A purged dataset is no longer there."""

    DRAFT = "draft"
    ACTIVE = "active"
    DELETED = "deleted"


#: Where a user may lead a dataset; an admin may also delete an active one.
TRANSITIONS = {
    State.DRAFT: frozenset({State.ACTIVE, State.DELETED}),
    State.ACTIVE: frozenset[State](),
    State.DELETED: frozenset[State](),
}


def may_become(old: State, new: State, *, sysadmin: bool = False) -> bool:
    """May a dataset go from `old` to `new`? Staying is always allowed."""
    return old == new or new in TRANSITIONS[old] or (sysadmin and old == State.ACTIVE and new == State.DELETED)


def may_be_restored(state: State, deleted_from: str | None) -> bool:
    """May a dataset in `state` become a draft again? Only a deleted one that was a draft (`deleted_from`)."""
    return state == State.DELETED and deleted_from == State.DRAFT
