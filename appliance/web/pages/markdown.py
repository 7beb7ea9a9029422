"""Descriptions: Markdown to HTML that can do nothing but show text."""

from __future__ import annotations

import re
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_PARSER = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").enable("strikethrough")
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "s", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_HEADING = re.compile(r"<(/?)h([1-6])>")


@lru_cache(maxsize=512)
def render(source: str) -> Markup:
    """`source` as sanitised HTML. Headings start at h3, images are left out (nothing is loaded from elsewhere)."""
    html = _HEADING.sub(lambda found: f"<{found[1]}h{min(int(found[2]) + 2, 4)}>", _PARSER.render(source))
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
    return Markup(clean)  # noqa: S704 - sanitised one line above


def plain(source: str, length: int = 220) -> str:
    """The first `length` characters of the text without its marks, cut at a word."""
    text = " ".join(nh3.clean(_PARSER.render(source), tags=set()).split())
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0] + " …"
