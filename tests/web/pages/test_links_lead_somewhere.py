"""Every link that the appliance prints opens: in its code, on its pages, and what the command line says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound

import appliance
from appliance.cli.root import run
from appliance.web import route_table
from appliance.web.app import create_app
from tests.support.furnished import House, Visitor

_ID = "0b5b4b9c-7a43-4f4e-a4c0-0c1f2d3e4f50"
#: An address in an f-string: everything that is put in is one part of the path, or some.
_HOLE = "\0"
#: Pages whose links are looked at, from which the others are found.
_STARTS = ("/", "/dataset", "/help", "/connect", "/dashboard", "/upload", "/group/study", "/organization/lab")
_MOST = 120


def printed() -> Iterator[tuple[str, str]]:
    """(place, path) of each address of this server that stands in the code."""
    for path in sorted(Path(appliance.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else part for part in node.values]
                text = "".join(
                    str(part) if isinstance(part, str) else "SITE" if "site_url" in ast.unparse(part) else _HOLE
                    for part in parts
                )
                for found in re.finditer(r"SITE(/[^\s\"'`|<>?]*)", text):
                    yield f"{path.name}:{node.lineno}", found[1]


def known(house: House, path: str) -> bool:
    """Is there a route or page at the path, whatever its placeholders stand for?"""
    pages = create_app(house.appliance.context).url_map.bind("localhost")
    for sample in (_ID, "name", "original.rtdc", "status_show"):
        filled = path.replace(_HOLE, sample)
        if any(route.pattern.fullmatch(filled) for route in route_table.routes()):
            return True
        try:
            pages.match(filled, "GET")
        except NotFound:
            continue
        except MethodNotAllowed:  # one that only takes forms
            return True
        return True
    return False


def test_addresses_in_the_code_are_those_of_routes(house: House) -> None:
    found = list(printed())
    assert any("/user/password/" in path for _, path in found)
    mixed = {path for _, path in found if f"/resource/{_HOLE}/download/{_HOLE}" in path}
    assert [(place, path) for place, path in found if path not in mixed and not known(house, path)] == []
    assert all(known(house, re.sub(f"download/{_HOLE}", "download/x.rtdc", path)) for path in mixed)


def links(page: str, base: str) -> Iterator[tuple[str, str]]:
    """(method, path with query) of all that a page lets its reader follow, load or send on this server."""
    for tag in re.findall(r"<(?:a|img|script|link|form|source|use|button)\b[^>]*>", page):
        method = "POST" if re.search(r'method="post"', tag) else "GET"
        for name, value in re.findall(r'\b(href|src|action|formaction)="([^"]*)"', tag):
            target = urlsplit(urljoin(base, unescape(value)))
            if target.netloc == urlsplit(base).netloc and not value.startswith("#"):
                posts = method == "POST" or (name == "formaction" and "post" in tag)
                yield "POST" if posts else "GET", f"{target.path}{'?' + target.query if target.query else ''}"


def _shape(path: str) -> str:
    """The same for addresses of the same kind."""
    plain = re.sub(r"\?.*", "?", re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", path))
    return re.sub(r"^/(dataset|static|admin/audit|help)/[^/?]+", r"/\1/NAME", plain)


@pytest.mark.parametrize("who", ["", "ada", "root"])
def test_every_link_on_the_pages_opens(house: House, who: str) -> None:
    visitor, pages = house.visitor(who), create_app(house.appliance.context).url_map.bind("localhost")
    waiting = [("GET", start) for start in _STARTS] if who else [("GET", "/user/login"), ("GET", "/connect")]
    waiting += [("GET", f"/dataset/{house.public['id']}"), ("GET", f"/dataset/{house.draft['id']}")] if who else []
    waiting += [("GET", "/admin"), ("GET", "/admin/users/ada")] if who == "root" else []
    seen: set[tuple[str, str]] = set()
    broken = []
    while waiting and len(seen) < _MOST:
        method, path = waiting.pop(0)
        shape = (method, _shape(path))
        if shape in seen:
            continue
        seen.add(shape)
        if method == "POST":
            try:
                pages.match(urlsplit(path).path, "POST")
            except (NotFound, MethodNotAllowed):
                broken.append((method, path))
            continue
        answer = visitor.get(path)
        if answer.status_code >= 400:
            broken.append((method, path))
        elif answer.headers.get("Content-Type", "").startswith("text/html"):
            waiting += links(answer.text, house.appliance.url + path)
    assert broken == []
    assert len(seen) > 10


def test_every_link_that_the_command_line_prints_opens(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    root, url = str(house.appliance.root), house.appliance.url
    said = ""
    for command in (
        ("user", "add", "printed", "--email", "printed@example.org"),
        ("user", "passwd", "printed", "--link"),
        ("status",),
        ("inspect",),
        ("token", "create", "printed"),
        ("init", "--admin", "first"),
    ):
        capsys.readouterr()
        run(["--data", root, *command])
        output = capsys.readouterr()
        said += output.out + output.err
    found = set(re.findall(rf"{re.escape(url)}[^\s\"'<>)]*", said))
    assert any("/user/password/" in one for one in found), said
    once = [one for one in found if "/user/password/" in one]
    opened = {one: Visitor(house.appliance).get(one.removeprefix(url) or "/").status_code for one in found}
    assert {one: status for one, status in opened.items() if status >= 400} == {}
    good = Visitor(house.appliance).post(once[-1].removeprefix(url), password="short", again="short")
    assert good.status_code in {404, 409}, "409: the newest link is good; an older one for the same account is dead"
