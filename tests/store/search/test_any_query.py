"""Whatever is typed: an answer or a refusal, never a failure, never longer than the limit."""

from __future__ import annotations

import contextlib
import random
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from appliance.model.problem import Problem
from appliance.store.search import SearchQuery, limits, package_search, query
from tests.store.search.conftest import ADMIN, Catalogue

FIELDS = [
    "title", "text", "notes", "name", "tags", "groups", "organization", "owner_org", "creator_user_id", "state", "private", "capacity", "license_id", "id", "doi", "authors",
    "metadata_created", "metadata_modified", "num_events", "num_resources", "size", "res_format", "res_name", "etag", "year", "unknown", "*", "type",
    "dc:setup:flow rate", r"dc\:setup\:flow\ rate", "sp:cells:organism", "dc:experiment:date",
]  # fmt: skip
VALUES = [
    "beads", "Zähler", "RT-DC", "0.06", "10", "-5", "*", "be*", "?ea*s", "NOW", "NOW-1DAY/DAY", "2026-01-31T23:59:59Z", r"2026-01-31T23\:59\:59Z", '"calibration beads"', '"', "true", "active",
    "c1", "[0 TO 1]", "{* TO NOW}", "[2020 TO NOW/YEAR]", "[a TO b]", ">5", "<=0.1", ">NOW", "細胞", "\u0000", "\ud800", "💥", "''", "%", "_", ";--", "the", "NEAR(a b)", "a^2", "a~1", '"a b"~3', "\ue000", "1e999", "nan",
]  # fmt: skip
GLUE = [
    " ",
    " AND ",
    " OR ",
    " NOT ",
    " && ",
    " || ",
    " -",
    " +",
    " !",
    ":",
    "(",
    ")",
    ") OR (",
    "\\",
    "{!",
    "  ",
    "\t",
    "[",
    "]",
    "^",
    "~",
]


def typed(draw: random.Random) -> str:
    """A string that looks like a query, more or less."""
    kind = draw.random()
    if kind < 0.1:
        return "".join(
            chr(draw.choice((draw.randrange(32, 127), draw.randrange(0x3000)))) for _ in range(draw.randrange(40))
        )
    if kind < 0.55:
        return _grammatical(draw, draw.randrange(4))
    pieces = [
        draw.choice(draw.choice((FIELDS, VALUES, GLUE))) + draw.choice(("", "", ":", " "))
        for _ in range(draw.randrange(1, 14))
    ]
    return "".join(pieces)


def _grammatical(draw: random.Random, depth: int) -> str:
    if not depth or draw.random() < 0.3:
        value = draw.choice(VALUES)
        return value if draw.random() < 0.4 else f"{draw.choice(FIELDS)}:{value}"
    inner = draw.choice((" ", " AND ", " OR ", " -", " +")).join(
        _grammatical(draw, depth - 1) for _ in range(draw.randrange(1, 5))
    )
    return draw.choice((inner, f"({inner})", f"{draw.choice(FIELDS)}:({inner})", f"-({inner})"))


@pytest.fixture
def filled(catalogue: Catalogue) -> Catalogue:
    """A few datasets of each kind."""
    for number in range(6):
        dc = {"dc:setup:flow rate": 0.02 * number, "dc:experiment:date": f"2020-01-0{number + 1}"}
        catalogue.add(
            f"Calibration beads {number}",
            tag="beads",
            collection="g1" if number % 2 else "",
            files=[{"dc": dc, "events": number, "supplements": {"sp:cells:organism": "human"}}],
        )
    return catalogue


def run(catalogue: Catalogue, count: int, seed: int) -> None:
    draw = random.Random(seed)
    viewers = (ADMIN, catalogue.user("stranger"))
    outcomes = {"answered": 0, "refused": 0}
    with catalogue.db.read() as conn:
        for number in range(count):
            q, fq = typed(draw), typed(draw) if draw.random() < 0.3 else ""
            parameters = {
                "q": q,
                "fq": fq,
                "include_private": True,
                "defType": draw.choice(("", "", "", "edismax", "lucene")),
            }
            if number % 7 == 0:
                parameters["facet.field"] = ["tags", "organization"]
            began = time.monotonic()
            try:
                result = package_search(conn, SearchQuery.from_parameters(parameters), viewers[number % 2])
                assert len(result.pks) == min(result.count, 10), (q, fq)
                outcomes["answered"] += 1
            except Problem as problem:
                if problem.status not in (400, 409) or "too complicated" in problem.message:
                    raise AssertionError(f"{q!r} {fq!r}") from problem
                outcomes["refused"] += 1
            except Exception as error:
                raise AssertionError(f"{q!r} {fq!r}") from error
            assert time.monotonic() - began < limits.TIME_LIMIT + 1, (q, fq)
    assert min(outcomes.values()) > count // 20, outcomes


def test_thousands_of_queries(filled: Catalogue) -> None:
    run(filled, 3000, seed=1)


@pytest.mark.slow
def test_hundred_thousand_queries(filled: Catalogue) -> None:
    run(filled, 100_000, seed=2)


@pytest.mark.parametrize(
    "query",
    [
        "(" * 31 + "a" + ")" * 31,
        "a OR " * 1000 + "a",
        "title:(" + "b* " * 1000 + ")",
        "-a " * 1000,
        "x" * 32_000,
        "*a " * 200,
        "(a AND b) OR " * 300 + "c",
        " ".join(f"w{number}" for number in range(1000)),
        '"' + "a " * 5000 + '"',
    ],
)
def test_queries_at_the_limits(filled: Catalogue, query: str) -> None:
    began = time.monotonic()
    for kind in ("", "lucene"):
        with contextlib.suppress(Problem):
            filled.search(query, defType=kind)
    assert time.monotonic() - began < 2 * limits.TIME_LIMIT + 2


# --- every parameter, whatever its value --------------------------------------------------------------------------------

_TEXTS = st.one_of(
    st.sampled_from(
        [
            *FIELDS,
            *VALUES,
            'title:"a b"~.',
            '"a b"~' + "9" * 5000,
            "9" * 5000,
            "-" + "9" * 5000 + "%",
            "2<-1 5<80%",
            "<",
            "2<",
        ]
    ),
    st.sampled_from(
        ["score desc", "name asc, title desc", "name  asc", "asc", " desc", "score desc," * 12, "edismax", "lucene"]
    ),
    st.text(max_size=40),
    st.text(alphabet='ab:"~.^*?()[]{}<>,+-! 0', max_size=60),
)
_ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _TEXTS, st.just("x" * 100_000)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(sorted(query.KNOWN)), _ANYTHING, max_size=6))
@example({"q": 'title:"a b"~.'})
@example({"q": "a b c", "mm": "9" * 5000})
@example({"q": "a b c", "mm": "9" * 90})
@example({"sort": "score" + " " * 50_000 + "desc"})
@example({"q": "a:" + "0" * 30_000 + "!"})
@example({"fq_list": ["title:a " * 4000] * 100})
@example({"facet.field": '["' + "x" * 2000 + '"]'})
def test_every_parameter_is_answered_or_refused(filled: Catalogue, parameters: dict[str, Any]) -> None:
    refusal = Problem(400, "")
    with filled.db.read() as conn:
        try:
            package_search(conn, SearchQuery.from_parameters(parameters), ADMIN)
        except Problem as problem:
            refusal = problem
    assert 400 <= refusal.status < 500
    assert len(str(refusal)) < 3000
