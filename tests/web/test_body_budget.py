"""All bodies in work have one bound, and nobody can take all of it."""

from __future__ import annotations

import json
from contextlib import ExitStack, suppress

import pytest

from appliance.model.problem import Problem
from appliance.web.api import parameters
from appliance.web.body_budget import FREE, BodyBudget
from appliance.web.http import Body, Request


def test_however_many_take_all_they_can_something_is_left() -> None:
    budget = BodyBudget(total=1 << 30)
    with ExitStack() as stack:
        for number in range(20):
            share = stack.enter_context(budget.share(f"greedy {number}"))
            with suppress(Problem):
                for _ in range(2000):
                    share.grow(1 << 20)
        stack.enter_context(budget.share("honest")).grow(1 << 20)
        assert budget.used < 1 << 30
    assert budget.used == 0


def test_one_caller_shares_with_himself() -> None:
    budget = BodyBudget(total=200 << 20)
    with budget.share("ada") as first, budget.share("ada") as second:
        first.grow(40 << 20)
        with pytest.raises(Problem) as refused:
            second.grow(20 << 20)
        assert refused.value.status == 429


def test_small_bodies_always_come_in() -> None:
    budget = BodyBudget(total=0)
    with budget.share("ada") as share:
        share.grow(FREE)


def test_values_count_as_what_they_become() -> None:
    budget = BodyBudget(total=10 << 20)
    raw = json.dumps({"a": [1] * 200_000}).encode()
    with budget.share("ada") as share, pytest.raises(Problem) as refused:
        parameters.from_body(Request("POST", "/", "/", body=Body(raw)), share=share)
    assert refused.value.status == 429
    assert budget.used == 0


def test_what_was_refused_is_given_back() -> None:
    budget = BodyBudget(total=1 << 20)
    for _ in range(3):
        with budget.share("ada") as share, pytest.raises(Problem):
            parameters.from_body(Request("POST", "/", "/", body=Body(b"{" + b" " * (2 << 20))), share=share)
    assert budget.used == 0
