"""The query language: trees, positions of errors, limits."""

from __future__ import annotations

import pytest

from appliance.model.problem import Problem
from appliance.store.search import parser
from appliance.store.search.ast import ANY_ONE, ANY_RUN, Boolean, Everything, Node, Range, Term


def term(field: str, value: str) -> Term:
    return Term(field, value)


def plain(node: Node) -> Node:
    """The tree without positions, which are tested by themselves."""
    if isinstance(node, Boolean):
        return Boolean(
            *(tuple(plain(one) for one in nodes) for nodes in (node.must, node.should, node.must_not)),
            needed=node.needed,
        )
    if isinstance(node, Term):
        return Term(node.field, node.value, node.phrase, node.slop)
    if isinstance(node, Range):
        return Range(node.field, node.low, node.high, node.include_low, node.include_high)
    return node


C1, C2, G1 = term("organization", "c1"), term("organization", "c2"), term("groups", "g1")
SINCE = Range("metadata_modified", "2026-01-31T23:59:59Z", "NOW")


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        # what DCOR-Aid sends
        ("organization:c1", C1),
        ("(organization:c1 OR organization:c2)", Boolean(should=(C1, C2))),
        ("(organization:c1 AND (groups:g1))", Boolean(must=(C1, G1))),
        ("((organization:c1 OR organization:c2) OR groups:g1)", Boolean(should=(Boolean(should=(C1, C2)), G1))),
        (r"(organization:c1 AND metadata_modified:[2026-01-31T23\:59\:59Z TO NOW])", Boolean(must=(C1, SINCE))),
        (r"metadata_modified:[2026-01-31T23\:59\:59Z TO NOW]", SINCE),
        (" creator_user_id:1234-ab", term("creator_user_id", "1234-ab")),
        ("-creator_user_id:1234-ab", Boolean(must_not=(term("creator_user_id", "1234-ab"),))),
        (
            "(-creator_user_id:x AND (organization:c1 OR organization:c2))",
            Boolean(must=(Boolean(should=(C1, C2)),), must_not=(term("creator_user_id", "x"),)),
        ),
        ("creator_user_id:x AND state:draft", Boolean(must=(term("creator_user_id", "x"), term("state", "draft")))),
        (" groups:g1", G1),
        ("*:*", Everything()),
        ("", Everything()),
        ("  ", Everything()),
        # Lucene's rules
        ("a b", Boolean(must=(term("text", "a"), term("text", "b")))),
        ("a AND b OR c", Boolean(must=(term("text", "a"),), should=(term("text", "b"), term("text", "c")))),
        ("a && b || c", Boolean(must=(term("text", "a"),), should=(term("text", "b"), term("text", "c")))),
        (
            "+a -b !c NOT d",
            Boolean(must=(term("text", "a"),), must_not=(term("text", "b"), term("text", "c"), term("text", "d"))),
        ),
        ("title:(a -b)", Boolean(must=(term("title", "a"),), must_not=(term("title", "b"),))),
        ('title:"a b"', Term("title", "a b", phrase=True)),
        ('title:"a \\"b\\""~3', Term("title", 'a "b"', phrase=True, slop=3)),
        ("title:a^2.5 b~0.8", Boolean(must=(term("title", "a"), term("text", "b")))),
        ("title:a*b?c", term("title", f"a{ANY_RUN}b{ANY_ONE}c")),
        (r"title:a\*b\?", term("title", "a*b?")),
        ("title:*", Range("title", None, None)),
        ("*:foo", term("text", "foo")),
        ("title : a", term("title", "a")),
        ("a-b+c", term("text", "a-b+c")),
        ("R&D", term("text", "R&D")),
        ("doi:10.1000/abc", term("doi", "10.1000/abc")),
        ("x:[1 TO 2}", Range("x", "1", "2", True, False)),
        ("x:{* TO 5]", Range("x", None, "5", False, True)),
        ('x:["a b" TO *]', Range("x", "a b", None)),
        ("x:>10", Range("x", "10", None, False, True)),
        ("x:<= -10.5", Range("x", None, "-10.5", True, True)),
        ("x:-5", term("x", "-5")),
        ("metadata_created:2026-01-31T23:59:59Z/DAY", term("metadata_created", "2026-01-31T23:59:59Z/DAY")),
        # metadata: colons and spaces in the name of a field
        ("dc:setup:flow rate:[0.04 TO 0.12]", Range("dc:setup:flow rate", "0.04", "0.12")),
        (r"dc\:setup\:flow\ rate:[0.04 TO 0.12]", Range("dc:setup:flow rate", "0.04", "0.12")),
        ("sp:cells:organism:human", term("sp:cells:organism", "human")),
        (
            "beads AND dc:setup:chip region:channel",
            Boolean(must=(term("text", "beads"), term("dc:setup:chip region", "channel"))),
        ),
        ("num_events:>10000", Range("num_events", "10000", None, False, True)),
    ],
)
def test_tree(query: str, tree: Node) -> None:
    assert plain(parser.parse(query)) == tree


def test_group_of_forbidden_clauses_is_a_clause() -> None:
    assert plain(parser.parse("a AND (-b)")) == Boolean(
        must=(term("text", "a"), Boolean(must_not=(term("text", "b"),)))
    )


@pytest.mark.parametrize(
    ("query", "position"),
    [
        ("title:(", 7),
        ("title:(a", 8),
        ("a:b:c", 3),
        ('title:"x', 6),
        ("x:[1 TO", 7),
        ("x:[1 2]", 5),
        ("a AND", 5),
        ("a AND OR b", 6),
        ("OR b", 0),
        (")", 0),
        ("a )", 2),
        ("()", 1),
        ("title:", 6),
        ("title:]", 6),
        ("a ^", 2),
        ("\\", 0),
        ("a -", 3),
        ("x:> ", 4),
        ("{!lucene}a", 0),
        (" +{!func}a", 2),
    ],
)
def test_error_says_where(query: str, position: int) -> None:
    with pytest.raises(Problem) as caught:
        parser.parse(query)
    assert (caught.value.status, caught.value.kind) == (409, "Search Error")
    assert f"at position {position}" in caught.value.message
    assert query.strip("\\") in caught.value.message.replace("\\'", "'")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("a" * 40_000, "characters long"),
        ("a " * 1100, "1100 terms"),
        ("(" * 40 + "a" + ")" * 40, "nested deeper"),
    ],
)
def test_limits(query: str, reason: str) -> None:
    with pytest.raises(Problem, match=reason) as caught:
        parser.parse(query)
    assert caught.value.status == 409
