"""A dataset's life."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.model.states import State, may_be_restored, may_become

S = st.sampled_from(list(State))


def test_the_table() -> None:
    allowed = {(old, new) for old in State for new in State if old != new and may_become(old, new)}
    assert allowed == {(State.DRAFT, State.ACTIVE), (State.DRAFT, State.DELETED)}
    powers = {(old, new) for old in State for new in State if old != new and may_become(old, new, sysadmin=True)}
    assert powers - allowed == {
        (State.ACTIVE, State.DRAFT),
        (State.ACTIVE, State.DELETED),
        (State.DELETED, State.DRAFT),
        (State.DELETED, State.ACTIVE),
    }


@given(st.lists(S, max_size=30))
def test_no_path_of_a_user_leads_back(path: list[State]) -> None:
    now, passed = State.DRAFT, [State.DRAFT]
    for wish in path:
        if may_become(now, wish) and wish != now:
            assert wish not in passed
            now = wish
            passed.append(now)
    assert len(passed) <= 3


@given(st.lists(S))
def test_no_user_brings_a_deleted_one_back(path: list[State]) -> None:
    now = State.DELETED
    for wish in path:
        if may_become(now, wish):
            now = wish
    assert now == State.DELETED


def test_only_a_deleted_draft_is_restored() -> None:
    allowed = {(state, before) for state in State for before in (None, *State) if may_be_restored(state, before)}
    assert allowed == {(State.DELETED, State.DRAFT)}
