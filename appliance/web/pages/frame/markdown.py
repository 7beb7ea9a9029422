"""Descriptions: Markdown to HTML that can do nothing but show text."""

from __future__ import annotations

import re
from hashlib import sha256

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from appliance.web.pages.frame.base import context

_PARSER = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("strikethrough")
_WITH_TABLES = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").enable("strikethrough")
#: What is longer [characters] is shown as it was written; tables of more cells likewise. Parsing takes seconds there, and
#: whoever opens a list of datasets would wait for it.
_LONGEST = 50_000
_CELLS = 10_000
#: Opening brackets, each of which may begin a link.
_BRACKETS = 5_000
#: Levels of quotations times lines: at each level the parser goes through all lines that may continue it.
_QUOTED_LINES = 20_000
#: What an excerpt is made of, and the most that it holds [characters]; the parser's cost goes with lines.
_EXCERPT, _EXCERPT_LINES = 2_000, 100
_LONGEST_EXCERPT = 220
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "s", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_MARKERS = re.compile(r"[>\s\d.)*+-]*")
_LINE_END = re.compile(r"\r\n?|\n")
_HEADING = re.compile(r"<(/?)h([1-6])>")


def cached(source: str) -> Markup:
    """`source` as sanitised HTML, see `render`."""
    key = ("markdown", sha256(source.encode()).digest())
    return context().cache.get_lasting(key, lambda: render(source))


def render(source: str) -> Markup:
    """`source` as sanitised HTML. Headings start at h3, images are left out (nothing is loaded from elsewhere)."""
    if _is_costly(source):
        return Markup("<p>{}</p>").format(source)
    html = _HEADING.sub(lambda found: f"<{found[1]}h{min(int(found[2]) + 2, 4)}>", _parsed(source))
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
    # long lines scroll, also for people without a mouse; the mark is ours, so it comes after the cleaning
    return Markup(clean.replace("<pre>", '<pre tabindex="0">'))  # noqa: S704 - sanitised above


def excerpt(source: str, length: int = _LONGEST_EXCERPT) -> str:
    """The first `length` characters (at most 220) of the text without its marks, cut at a word. One is kept for all lengths."""
    key = ("excerpt", sha256(source.encode()).digest())
    return _cut(context().cache.get_lasting(key, lambda: _beginning(source)), length)


def plain(source: str, length: int = _LONGEST_EXCERPT) -> str:
    """The same, made anew: pages use `excerpt`."""
    return _cut(_beginning(source), length)


def _beginning(source: str) -> str:
    """More of the text without its marks than any excerpt holds."""
    few = "\n".join(_lines(source[:_EXCERPT])[:_EXCERPT_LINES])
    text = " ".join(nh3.clean(_parsed(few), tags=set()).split())
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    return text[: _LONGEST_EXCERPT + 1]


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0] + " …"


def _is_costly(source: str) -> bool:
    """Would parsing take seconds?"""
    if len(source) > _LONGEST or source.count("[") > _BRACKETS:
        return True
    starts = [found[0] for line in _lines(source) if (found := _MARKERS.match(line))]
    return max((one.count(">") for one in starts), default=0) * len(starts) > _QUOTED_LINES


def _lines(source: str) -> list[str]:
    """The lines as the parser takes them."""
    return _LINE_END.split(source)


def _parsed(source: str) -> str:
    """HTML, not sanitised yet."""
    widths = [line.count("|") for line in _lines(source)]
    cells = max(widths) * sum(width > 0 for width in widths)  # at most: short rows are filled up to the widest
    return str((_WITH_TABLES if cells <= _CELLS else _PARSER).render(source))
