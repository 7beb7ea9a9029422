"""Few places, many who want one: nobody alone takes all, and nobody is forgotten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.jobs.fair_share import FairShare, ShareRequest


def serve(places: FairShare, waiting: list[ShareRequest]) -> list[ShareRequest]:
    """Give places to whoever is next until nobody is. → who got one, in order; they are taken out of `waiting`."""
    got: list[ShareRequest] = []
    while found := next((wish for wish in waiting if places.is_next(wish)), None):
        places.take(found)
        waiting.remove(found)
        got.append(found)
    return got


def test_one_caller_leaves_a_place_for_the_others() -> None:
    places = FairShare(4)
    waiting = [places.wait("greedy", f"file {number}") for number in range(10)]
    assert len(serve(places, waiting)) == 3
    other = places.wait("other", "file 20")
    assert serve(places, [other]) == [other]


def test_a_free_place_goes_to_who_has_fewest() -> None:
    places = FairShare(2)
    first = [places.wait(caller, f"file of {caller}") for caller in ("a", "b")]
    assert serve(places, first.copy()) == first
    crowd = [places.wait("a", f"file {number}") for number in range(5)]
    late = places.wait("c", "file 9")
    places.leave(first[1])
    assert serve(places, [*crowd, late]) == [late]


def test_the_only_place_is_everybodys() -> None:
    places = FairShare(1)
    first, second = places.wait("a", "x"), places.wait("a", "y")
    assert serve(places, [first, second]) == [first]
    places.leave(first)
    assert serve(places, [second]) == [second]


def test_a_thing_in_use_does_not_hold_up_who_wants_another() -> None:
    places = FairShare(3)
    waiting = [places.wait("a", "x"), places.wait("b", "x"), places.wait("c", "y")]
    assert [wish.caller for wish in serve(places, waiting)] == ["a", "c"]


def test_of_those_who_wait_for_the_same_thing_the_next_is_who_used_it_least() -> None:
    places = FairShare(4)
    first = places.wait("greedy", "file")
    assert serve(places, [first]) == [first]
    crowd = [places.wait("greedy", "file") for _ in range(40)]
    late = places.wait("other", "file")
    places.leave(first)
    assert serve(places, [*crowd, late]) == [late]


def test_long_work_leaves_half_of_the_places_to_short_work() -> None:
    places = FairShare(4)
    long = [places.wait(caller, f"file {number} of {caller}", long=True) for caller in "abc" for number in range(3)]
    got = serve(places, long)
    assert [wish.caller for wish in got] == ["a", "b"]  # one each, two in all
    short = [places.wait(caller, f"file of {caller}") for caller in "de"]
    assert serve(places, short.copy()) == short
    places.leave(got[0])
    assert [wish.caller for wish in serve(places, long)] == ["c"]


@given(st.integers(1, 5), st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("stuvwxyz")), max_size=40))
def test_everybody_is_served_in_the_end(most: int, wanted: list[tuple[str, str]]) -> None:
    """At any time within the bounds; and when all are gone, nothing is left."""
    places = FairShare(most)
    waiting = [places.wait(*one) for one in wanted]
    active: list[ShareRequest] = []
    served = 0
    while waiting or active:
        active += serve(places, waiting)
        assert active, "nobody is next although places are free"
        assert len(places) == len(active) <= most
        assert len({wish.thing for wish in active}) == len(active)
        served += 1
        places.leave(active.pop(0))
    assert served == len(wanted)
    assert len(places) == 0
