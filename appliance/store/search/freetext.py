"""Free text without field names, as a visitor types it: no syntax errors, most words must be found.

Quotes make phrases, ``+`` and ``-`` before a word require and forbid it, AND, OR and NOT in capitals do what they say;
everything else is text. How many of the other words must be found is Solr's minimum-match rule.
"""

from __future__ import annotations

import re
from functools import lru_cache

from appliance.model.messages import Message
from appliance.store.search.ast import ANY_RUN, ANY_TEXT, Boolean, Everything, Node, Term
from appliance.store.search.errors import search_error
from appliance.store.search.parser import MAX_CLAUSES, MAX_KEPT, MAX_LENGTH, refuse_local_parameters
from appliance.store.search.words import STOP_WORDS, chunks, parts

MIN_MATCH = "2<-1 5<80%"
MAX_RULE = 100  # characters of a minimum-match rule
_PIECE = re.compile(r'([+-]?)"([^"]*)"|(\S+)')
_RULE = re.compile(r"(?:([0-9]{1,9})<)?(-?[0-9]{1,9})(%?)")


def parse(text: str, min_match: str = MIN_MATCH) -> Node:
    """The tree of free text; raises Problem 409 Search Error only for text past the limits or a bad `min_match`."""
    if len(text) > MAX_LENGTH:
        raise search_error(
            Message(
                "The query is %(count)s characters long; at most %(max_length)s are allowed.",
                count=len(text),
                max_length=MAX_LENGTH,
            )
        )
    refuse_local_parameters(text)
    return _kept(text, min_match) if len(text) <= MAX_KEPT else _tree(text, min_match)


@lru_cache(maxsize=256)
def _kept(text: str, min_match: str) -> Node:
    return _tree(text, min_match)


def _tree(text: str, min_match: str) -> Node:
    clauses, has_or = _clauses(text)
    if len(clauses) > MAX_CLAUSES:
        raise search_error(
            Message(
                "The query has %(count)s words; at most %(max_clauses)s are allowed.",
                count=len(clauses),
                max_clauses=MAX_CLAUSES,
            )
        )
    if any(isinstance(node, Everything) for _, node in clauses):
        return Everything()
    wanted = [(kind, node) for kind, node in clauses if not _is_stop_word(node)] or clauses
    must, should, must_not = (
        tuple(dict.fromkeys(node for kind, node in wanted if kind == which)) for which in ("+", "", "-")
    )
    if not (must or should or must_not):
        return Everything() if not text.strip() else Term(ANY_TEXT, "")
    return Boolean(must, should, must_not, needed=_needed(len(should), must, has_or, min_match))


def _needed(count: int, must: tuple[Node, ...], has_or: bool, min_match: str) -> int:
    if not count:
        return 0
    if has_or:
        return 0 if must else 1
    return max(required(count, min_match), 0 if must else 1)


def required(count: int, rule: str) -> int:
    """How many of `count` optional clauses must match by a minimum-match `rule` such as ``"2<-1 5<80%"``."""
    needed = count
    if len(rule) > MAX_RULE:
        raise search_error(
            Message(
                "The value of mm is %(count)s characters long; at most %(max_rule)s are allowed.",
                count=len(rule),
                max_rule=MAX_RULE,
            )
        )
    for part in "<".join(piece.strip() for piece in rule.split("<")).split():
        match = _RULE.fullmatch(part)
        if match is None:
            raise search_error(Message("Invalid value for mm: %(rule)s", rule=f"{rule!r}"))
        above, number, percent = match.groups()
        if above is None or count > int(above):
            amount = int(number)
            if percent:
                amount = int(count * amount / 100)
            needed = count + amount if number.startswith("-") else amount
    return max(0, min(count, needed))


def _clauses(text: str) -> tuple[list[tuple[str, Node]], bool]:
    """The clauses as (sign, node), sign ``+``, ``-`` or "" (optional), and whether OR was said."""
    found: list[tuple[str, Node]] = []
    pending, has_or = "", False
    for sign, phrase, bare in _PIECE.findall(text):
        if bare in ("AND", "OR", "NOT") and (found or bare == "NOT"):
            has_or = has_or or bare == "OR"
            if bare == "AND" and found[-1][0] == "":
                found[-1] = ("+", found[-1][1])
            pending = {"AND": "+", "OR": "", "NOT": "-"}[bare]
            continue
        nodes = _phrase(sign, phrase) if not bare else _bare(bare)
        for number, (own, node) in enumerate(nodes):
            found.append(((own or pending) if number == 0 else own, node))
        if nodes:
            pending = ""
    return found, has_or


def _phrase(sign: str, phrase: str) -> list[tuple[str, Node]]:
    return [(sign, Term(ANY_TEXT, phrase, phrase=True))] if any(True for _ in chunks(phrase)) else []


def _bare(piece: str) -> list[tuple[str, Node]]:
    """Clauses of a piece without spaces; a lone quotation mark only separates."""
    sign = piece[0] if piece[0] in "+-" and len(piece) > 1 else ""
    body = piece[1:] if sign else piece
    if body.strip("()") in ("*", "*:*"):
        return [(sign, Everything())]
    found: list[tuple[str, Node]] = []
    for word in body.replace('"', " ").split():
        if parts(word):
            prefix = word.rstrip(").,;!?").endswith("*")
            found.append(
                (sign, Term(ANY_TEXT, word.replace("*", " ").replace("?", " ").strip() + (ANY_RUN if prefix else "")))
            )
    return found


def _is_stop_word(node: Node) -> bool:
    return isinstance(node, Term) and not node.phrase and node.value.lower() in STOP_WORDS
