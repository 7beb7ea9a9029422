"""What every page has in common: strict headers, nothing from elsewhere, small, and sound HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.support.furnished import House
from tests.support.page_permissions import GOLDEN, filled

HTML_PATHS = [
    path for path, statuses in GOLDEN.items() if statuses[5] == 200 and not re.search(r"\.(cert|txt|bib|csv)$", path)
] + [
    "/dataset/{public}/resource/" + "{file}",
    "/nothing-here",
]
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr", "use", "path"}


class Checker(HTMLParser):
    """Notes what a page must not have."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.ids: set[str] = set()
        self.labels: set[str] = set()
        self.fields: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if "style" in values or any(name.startswith("on") for name in values):
            self.faults.append(f"inline code in <{tag}>: {values}")
        if tag == "style" or (tag == "script" and "src" not in values and values.get("type") != "application/json"):
            self.faults.append(f"inline <{tag}>")
        for name in ("src", "href", "action"):
            target = values.get(name) or ""
            if tag not in ("a",) and target.startswith(("http:", "https:", "//")):
                self.faults.append(f"<{tag}> loads {target}")
        if values.get("id"):
            if values["id"] in self.ids:
                self.faults.append(f"the id {values['id']} stands there twice")
            self.ids.add(str(values["id"]))
        if tag == "label" and values.get("for"):
            self.labels.add(str(values["for"]))
        if tag == "img" and "alt" not in values:
            self.faults.append("<img> without alt")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")


@pytest.mark.parametrize("path", HTML_PATHS)
def test_markup_is_sound_and_loads_nothing_from_elsewhere(house: House, path: str) -> None:
    target = filled(path.replace("{file}", house.file["id"]), house)
    answer = house.visitor("root").get(target)
    checker = Checker()
    checker.feed(answer.text)
    assert checker.faults == []
    assert checker.open == []
    assert checker.headings[0] == 1 if checker.headings else "admin/checks" in path
    assert checker.labels <= checker.ids
    steps = [later - earlier for earlier, later in zip(checker.headings, checker.headings[1:], strict=False)]
    assert all(step <= 1 for step in steps), checker.headings


@pytest.mark.parametrize("path", ["/", "/dataset", "/user/login", "/nothing-here", "/connect"])
def test_pages_carry_the_strict_headers(house: House, path: str) -> None:
    headers = house.visitor("ada").get(path).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "no-cache" in headers["Cache-Control"] or "no-store" in headers["Cache-Control"]


def test_pages_are_small_on_the_wire(house: House) -> None:
    """A page with everything it loads: 50 kB, the explorer 130 kB."""
    visitor = house.visitor("ada")
    for path, limit in (
        ("/", 50_000),
        ("/dataset", 50_000),
        (f"/dataset/{house.public['id']}/resource/{house.file['id']}", 130_000),
    ):
        total, seen = 0, {path}
        queue = [path]
        while queue:
            target = queue.pop()
            answer = visitor.http.get(house.appliance.url + target, stream=True, headers={"Accept-Encoding": "gzip"})
            total += len(answer.raw.read())
            if target == path or target.endswith(".js"):
                text = visitor.get(target).text
                found = (
                    re.findall(r'(?:href|src)="(/static/[^"#]+)', text)
                    if target == path
                    else [target.rpartition("/")[0] + "/" + name for name in re.findall(r'from "\./([\w.]+)"', text)]
                )
                queue += sorted(set(found) - seen)
                seen |= set(found)
        assert total < limit, (path, total)


def test_assets_are_kept_for_good_and_change_their_address_with_their_content(house: House) -> None:
    visitor = house.visitor()
    address = re.search(r'href="(/static/[^"]+tokens\.css)"', visitor.page("/"))
    assert address is not None
    answer = visitor.get(address[1])
    assert "immutable" in answer.headers["Cache-Control"]
    other = visitor.get(re.sub(r"/static/\w+/", "/static/000000000000/", address[1]))
    assert (other.status_code, "immutable" in other.headers["Cache-Control"]) == (200, False)
    assert visitor.get("/static/000000000000/../../app.py").status_code == 404
