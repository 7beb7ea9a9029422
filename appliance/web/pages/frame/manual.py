"""The guides and reference pages of `docs/`, readable without any network: /help/user-guide and its neighbours.

`docs/de/` holds the guides in German; reference pages are in English only.
"""

from __future__ import annotations

import re
from pathlib import Path

from flask import Blueprint
from markupsafe import Markup
from werkzeug.wrappers import Response

from appliance.model.problem import not_found
from appliance.web.pages.frame import i18n, markdown
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.page_cache import cacheable
from appliance.web.pages.frame.redirects import local_path
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("manual", __name__)

#: Pages that are shown, in the order of the list; file names without their suffix.
PAGES = ("user-guide", "admin-guide", "security", "architecture", "glossary", "settings", "commands", "checks", "api")
_FOLDER = Path(__file__).parents[2] / "docs"


@bp.get("/help/<name>")
@allow("open")
def page(name: str) -> Response:
    """One guide. Links between the guides carry the suffix of their files; they lead to the page without it."""
    if name.endswith(".md"):
        return back_to(local_path(f"/help/{name.removesuffix('.md')}"))
    if name not in PAGES:
        raise not_found()
    return _guide(name)


@cacheable
def _guide(name: str) -> str:
    file, lang = _translated(name)
    pages = [(one, title(one), _translated(one)[1]) for one in PAGES]
    text = _html(file.read_text(encoding="utf-8"))
    return render("site/manual.html", title=title(name), text=text, pages=pages, shown=name, lang=lang)


def title(name: str) -> str:
    """The first heading of a page, in the reader's language if it is translated. Raises OSError when it was not installed."""
    with _translated(name)[0].open(encoding="utf-8") as file:
        return next((line[2:].strip() for line in file if line.startswith("# ")), name)


def _translated(name: str) -> tuple[Path, str]:
    """The file of a page in the reader's language, or in English where there is none, and the language it is in."""
    language = i18n.language()
    file = _FOLDER / language / f"{name}.md"
    return (file, language) if file.is_file() else (_FOLDER / f"{name}.md", "en")


def _html(text: str) -> Markup:
    """The page below its title: sections are h2, their parts h3."""
    text = text.replace("](../", "](")  # from a translation to a page in English; here all have one address
    head, *commented = text.split("<!--")
    text = head + "".join(piece.partition("-->")[2].lstrip() for piece in commented)
    text = re.sub(r"^# .*\n", "", text, count=1, flags=re.MULTILINE)
    text = re.sub(r"^#(#+ )", r"\1", text, flags=re.MULTILINE)
    html = str(markdown.cached(text))  # sanitised; what was "## " is h3 now
    html = re.sub(r"<(/?)h3>", r"<\1h2>", html)
    return Markup(re.sub(r"<(/?)h4>", r"<\1h3>", html))  # noqa: S704
