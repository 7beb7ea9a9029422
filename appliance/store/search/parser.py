"""From query text to tree, by Lucene's rules with AND between clauses.

Clauses are required, optional or forbidden, not operands: AND requires its neighbours, OR makes them optional, ``+`` and
``-`` (or NOT, !) apply to the clause after them. Optional clauses count only where nothing is required. Clients that
mix AND and OR therefore use parentheses, as in Solr. Unlike Solr, a group of nothing but forbidden clauses means "all but".
"""

from __future__ import annotations

from functools import lru_cache

from appliance.model.messages import Message
from appliance.store.search import lexer
from appliance.store.search.ast import ANY_RUN, ANY_TEXT, Boolean, Everything, Node, Range, Term
from appliance.store.search.errors import search_error, syntax_error
from appliance.store.search.lexer import Token

MAX_LENGTH = 32_768  # characters; DCOR-Aid's longest are about 2 kB
MAX_KEPT = 256  # characters of a query whose tree is kept for the next time: trees take about 100 bytes a character
MAX_CLAUSES = 1024
MAX_DEPTH = 32


def parse(query: str, default_field: str = ANY_TEXT) -> Node:
    """The tree of `query` (which may be empty: everything).

    :raises Problem: 409 Search Error with the position of what is wrong, or naming the limit that was passed.
    """
    if len(query) > MAX_LENGTH:
        raise search_error(
            Message(
                "The query is %(count)s characters long; at most %(max_length)s are allowed.",
                count=len(query),
                max_length=MAX_LENGTH,
            )
        )
    refuse_local_parameters(query)
    if not query.strip():
        return Everything()
    return _parse(query, default_field) if len(query) <= MAX_KEPT else _Parser(query).whole(default_field)


@lru_cache(maxsize=256)
def _parse(query: str, default_field: str) -> Node:
    return _Parser(query).whole(default_field)


def refuse_local_parameters(query: str) -> None:
    """Solr's ``{!parser …}`` would choose another language for the query; raises Problem 409."""
    start = query.lstrip(" \t\r\n+-(")
    if start.startswith("{!"):
        raise syntax_error(
            query, len(query) - len(start), Message("Local parameters {!...} are not supported, found one")
        )


class _Parser:
    """One pass over the tokens of a query."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.tokens = lexer.tokens(query)
        self.place = 0
        clauses = sum(token.kind in ("term", "phrase", "range") for token in self.tokens)
        if clauses > MAX_CLAUSES:
            raise search_error(
                Message(
                    "The query has %(clauses)s terms; at most %(max_clauses)s are allowed.",
                    clauses=clauses,
                    max_clauses=MAX_CLAUSES,
                )
            )

    def whole(self, default_field: str) -> Node:
        """``query := clauses end``. Raises Problem 409 for anything after the last clause."""
        node = self.clauses(default_field, 0)
        if self.peek.kind != "end":
            raise self.error(Message("Unexpected '%(token)s'", token=self.peek.kind))
        return node

    @property
    def peek(self) -> Token:
        """The next token; after the last one of the query, ``end``."""
        return self.tokens[self.place]

    def take(self) -> Token:
        """Consume the next token and return it."""
        token = self.tokens[self.place]
        self.place += 1
        return token

    def error(self, reason: str) -> Exception:
        """The error for an unexpected next token."""
        if self.peek.kind == "end":
            reason = Message("The query ends where a term or ')' is expected,")
        return syntax_error(self.query, self.peek.at, reason)

    def clauses(self, field: str, depth: int) -> Node:
        """``clauses := [modifier] clause { [conjunction] [modifier] clause }``, up to a closing parenthesis or the end."""
        if depth > MAX_DEPTH:
            raise syntax_error(
                self.query,
                self.peek.at,
                Message("Parentheses are nested deeper than %(max_depth)s", max_depth=MAX_DEPTH),
            )
        found: list[tuple[str, Node]] = []  # (required | optional | forbidden, clause)
        while True:
            joined = self.conjunction(first=not found)
            if joined == "and" and found[-1][0] == "optional":
                found[-1] = ("required", found[-1][1])
            elif joined == "or" and found[-1][0] == "required":
                found[-1] = ("optional", found[-1][1])
            forbidden = self.modifier()
            node = self.clause(field, depth)
            found.append(("forbidden" if forbidden else "optional" if joined == "or" else "required", node))
            if self.peek.kind in ("end", ")"):
                return _boolean(found)

    def conjunction(self, *, first: bool) -> str:
        """``and``, ``or``, or "" where a clause follows without either. Raises Problem 409 for one before the first clause."""
        if self.peek.kind not in ("and", "or"):
            return ""
        if first:
            raise self.error(Message("Unexpected '%(token)s'", token=self.peek.kind.upper()))
        return self.take().kind

    def modifier(self) -> bool:
        """Is the clause that follows forbidden? A ``+`` says what is so anyway."""
        if self.peek.kind in ("not", "minus"):
            self.take()
            return True
        if self.peek.kind == "plus":
            self.take()
        return False

    def clause(self, field: str, depth: int) -> Node:
        """``clause := [name ":"] ( "(" clauses ")" | term | phrase | range )``, in `field` unless it names another."""
        token = self.peek
        if token.kind == "field":
            self.take()
            if token.text == "*":
                return self.any_field()
            field = token.text
            token = self.peek
        if token.kind == "(":
            self.take()
            node = self.clauses(field, depth + 1)
            if self.peek.kind != ")":
                raise self.error("Expected ')'")
            self.take()
            return node
        if token.kind == "term":
            self.take()
            if token.text == ANY_RUN:
                return Everything() if field == ANY_TEXT else Range(field, None, None, at=token.at)
            return Term(field, token.text, at=token.at)
        if token.kind == "phrase":
            self.take()
            return Term(field, token.text, phrase=True, slop=int(token.more[0] or 0), at=token.at)
        if token.kind == "range":
            self.take()
            low, high, include_low, include_high = token.more
            return Range(field, _text(low), _text(high), bool(include_low), bool(include_high), token.at)
        raise self.error(f"Unexpected '{token.text or token.kind}'")

    def any_field(self) -> Node:
        """``*:*``, or ``*:word`` = the word anywhere."""
        token = self.peek
        if token.kind not in ("term", "phrase"):
            raise self.error(f"Unexpected '{token.kind}'")
        self.take()
        return (
            Everything()
            if token.text == ANY_RUN
            else Term(ANY_TEXT, token.text, phrase=token.kind == "phrase", at=token.at)
        )


def _text(value: str | int | bool | None) -> str | None:
    return None if value is None else str(value)


def _boolean(found: list[tuple[str, Node]]) -> Node:
    """Clauses as one node; a single one as itself."""
    if len(found) == 1 and found[0][0] != "forbidden":
        return found[0][1]
    return Boolean(
        tuple(node for kind, node in found if kind == "required"),
        tuple(node for kind, node in found if kind == "optional"),
        tuple(node for kind, node in found if kind == "forbidden"),
    )
