"""Tokens of the query language: the part of Lucene's that clients of DCOR use.

A field name of measurement metadata may hold colons and spaces (``dc:setup:flow rate``); it is recognised as a whole,
escaped or not, because nobody should have to know which characters to escape.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from appliance.model.messages import Message
from appliance.store.search.ast import ANY_ONE, ANY_RUN
from appliance.store.search.errors import syntax_error

_GAP = r"(?:\\?\ )"
_METADATA_FIELD = re.compile(rf"(?:dc|sp)\\?:[a-z][a-z0-9_]*\\?:[a-z0-9_]+(?:(?:{_GAP}|-)[a-z0-9_]+){{0,5}}(?=:)")
_FIELD = re.compile(r"(?:[^\s\\:()\[\]{}\"^~*?!+\-]|\\.)(?:[^\s\\:()\[\]{}\"^~*?!]|\\.)*(?=\s*:)|\*(?=:)")
_WORD = re.compile(r"(?:[^\s\\:()\[\]{}\"^~!+\-]|\\.)(?:[^\s\\:()\[\]{}\"^~]|\\.)*", re.DOTALL)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z?(?:[+\-/][0-9]*[A-Z]+)*|NOW(?:[+\-/][0-9]*[A-Z]+)*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_RANGE_END = re.compile(r'"((?:[^"\\]|\\.)*)"|((?:[^\s\\\]}"]|\\.)+)', re.DOTALL)
_SUFFIX = re.compile(r"\^[0-9]*\.?[0-9]+|~[0-9]*\.?[0-9]*")
_COMPARISON = re.compile(r"(>=|<=|>|<)\s*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPACE = re.compile(r"\s+")
_OTHER_END = re.compile(r'[^\s()\[\]{}"]+')
_MOST_BETWEEN = 100
_OPERATORS = {"AND": "and", "OR": "or", "NOT": "not"}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the query.

    :ivar kind: ``field term phrase range compare and or not plus minus ( ) end``.
    :ivar text: the field's name or the value, without escapes, with wildcards marked.
    :ivar more: of a range ``(low, high, include low, include high)``, of a phrase ``(slop,)``.
    """

    kind: str
    at: int
    text: str = ""
    more: tuple[str | int | bool | None, ...] = ()


def tokens(query: str) -> list[Token]:
    """All tokens of `query`, ``end`` last. Raises Problem 409 with the position of what cannot be one."""
    found: list[Token] = []
    at = 0
    while at < len(query):
        space = _SPACE.match(query, at)
        if space:
            at = space.end()
            continue
        token, at = _next(query, at, after_field=bool(found) and found[-1].kind == "field")
        if token is not None:
            found.append(token)
    found.append(Token("end", len(query)))
    return found


def unescape(text: str) -> str:
    """`text` without backslashes that escape the next character."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def _next(query: str, at: int, *, after_field: bool) -> tuple[Token | None, int]:
    """The token that starts at `at` and where it ends; no token for what only modifies the one before."""
    character = query[at]
    if character in "()":
        return Token(character, at), at + 1
    if character in "[{":
        return _range(query, at)
    if character == '"':
        return _phrase(query, at)
    if query.startswith(("&&", "||"), at):
        return Token("and" if character == "&" else "or", at), at + 2
    if character in "+-!" and not after_field:
        return Token("plus" if character == "+" else "minus", at), at + 1
    suffix = _SUFFIX.match(query, at)
    if suffix and at and not query[at - 1].isspace():
        return None, suffix.end()
    if after_field:
        comparison = _COMPARISON.match(query, at)
        if comparison:
            return _compare(query, at, comparison)
        moment = _MOMENT.match(query, at)
        if moment:
            return Token("term", at, moment.group()), moment.end()
    elif field := _METADATA_FIELD.match(query, at) or _FIELD.match(query, at):
        return Token("field", at, unescape(field.group())), query.index(":", field.end()) + 1
    return _word(query, at, after_field=after_field)


def _word(query: str, at: int, *, after_field: bool) -> tuple[Token, int]:
    """A bare word or operator."""
    match = _WORD.match(query, at)
    start = at
    if match is None and after_field and query[at] in "+-":  # a negative number
        match = _WORD.match(query, at + 1)
    if match is None:
        raise syntax_error(query, at, Message("Unexpected '%(token)s'", token=query[at]))
    text = query[start : match.end()]
    if text in _OPERATORS:
        return Token(_OPERATORS[text], at), match.end()
    return Token("term", at, _mark_wildcards(text)), match.end()


def _mark_wildcards(text: str) -> str:
    """Undo escapes; wildcards that were not escaped become their marks."""
    if "*" not in text and "?" not in text and "\\" not in text:
        return text
    plain = re.sub(
        r"\\(.)|([*?])", lambda m: m[1] if m[2] is None else ANY_RUN if m[2] == "*" else ANY_ONE, text, flags=re.DOTALL
    )
    return plain


def _phrase(query: str, at: int) -> tuple[Token, int]:
    match = _QUOTED.match(query, at)
    if match is None:
        raise syntax_error(query, at, Message("The quotation mark is never closed; it was opened"))
    end, slop = match.end(), 0
    suffix = _SUFFIX.match(query, end)
    if suffix and suffix.group()[0] == "~":
        end, slop = suffix.end(), _slop(suffix.group()[1:])
    return Token("phrase", at, unescape(match.group(1)), (slop,)), end


def _slop(text: str) -> int:
    """How many words may stand between, from what is written behind the tilde (which may be a lone dot, or huge)."""
    whole = text.partition(".")[0].lstrip("0")
    return min(int(whole[:4] or 0), _MOST_BETWEEN)


def _range(query: str, at: int) -> tuple[Token, int]:
    """``[low TO high]``, ``{low TO high}`` or mixed."""
    place = _skip(query, at + 1)
    low, place = _range_end(query, place, at)
    place = _skip(query, place)
    if not query.startswith("TO", place):
        raise syntax_error(query, place, Message("Expected TO"))
    high, place = _range_end(query, _skip(query, place + 2), at)
    place = _skip(query, place)
    if place >= len(query) or query[place] not in "]}":
        raise syntax_error(query, place, Message("Expected ] or }"))
    return Token("range", at, "", (low, high, query[at] == "[", query[place] == "]")), place + 1


def _range_end(query: str, at: int, opened: int) -> tuple[str | None, int]:
    match = _RANGE_END.match(query, at)
    if match is None:
        raise syntax_error(
            query, min(at, len(query)), Message("Expected an end of the range opened at %(opened)s,", opened=opened)
        )
    if match.group(2) == "*":
        return None, match.end()
    return unescape(match.group(1) if match.group(2) is None else match.group(2)), match.end()


def _compare(query: str, at: int, comparison: re.Match[str]) -> tuple[Token, int]:
    """``field:>10`` as a range with one end."""
    sign = comparison.group(1)
    match = _MOMENT.match(query, comparison.end()) or _OTHER_END.match(query, comparison.end())
    if match is None:
        raise syntax_error(query, comparison.end(), Message("Expected a value after %(sign)s", sign=sign))
    value = unescape(match.group())
    inclusive = sign.endswith("=")
    ends = (value, None, inclusive, True) if sign[0] == ">" else (None, value, True, inclusive)
    return Token("range", at, "", ends), match.end()


def _skip(query: str, at: int) -> int:
    space = _SPACE.match(query, at)
    return space.end() if space else at
