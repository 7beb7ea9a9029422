"""Descriptions in Markdown are parsed once, whatever pages show them and however often, and none of them takes the parser long."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from appliance.web.pages.frame import markdown
from tests.security.attacks.test_every_way_in import Targets, pages
from tests.support.server import Appliance

PAGES = Path(markdown.__file__).parents[1]
#: Quotations that are continued by lines without a mark.
QUOTED = ">>>a\n" + "a\n" * 2500


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Targets]:
    """A house whose circle, collection and datasets have descriptions of their own."""
    running = Appliance(tmp_path_factory.mktemp("described") / "data")
    found = Targets(running)
    root = found.house.people["root"]
    for number, dataset in enumerate((found.house.public, found.house.private, found.house.draft)):
        answer = root.post("package_patch", id=dataset["id"], notes=f"dataset {number}\n\n{QUOTED}")
        assert answer.status == 200, answer.body
    for action, name in (("organization_patch", "lab"), ("group_patch", "study")):
        answer = root.post(action, id=name, description=f"{name}\n\n" + QUOTED[:1900])
        assert answer.status == 200, answer.body
    yield found
    running.stop()


def parses(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each text is parsed from now on."""
    found: Counter[str] = Counter()
    render = MarkdownIt.render

    def counted(self: MarkdownIt, src: str, env: Any = None) -> Any:
        found[src] += 1
        return render(self, src, env)

    monkeypatch.setattr(MarkdownIt, "render", counted)
    return found


def test_no_page_parses_a_text_twice(targets: Targets, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = parses(monkeypatch)
    client = targets.browser("root")
    addresses = {path for path in pages(targets, "GET") if "logout" not in path}
    addresses |= {f"/dataset/{one['id']}" for one in (targets.house.public, targets.house.private, targets.house.draft)}
    addresses |= {"/group", "/group/study", "/group/study/about"}
    for _ in range(2):
        for address in sorted(addresses):
            client.get(address, base_url="https://localhost").close()
    assert {one.partition("\n")[0] for one in parsed} >= {"lab", "study", "dataset 0", "dataset 1", "dataset 2"}
    assert {one[:40]: times for one, times in parsed.items() if times > 1} == {}


def test_pages_show_what_is_kept() -> None:
    """Whatever shows Markdown does it by `cached` and `excerpt`, which keep what they have made."""
    used = set()
    for path in PAGES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "markdown":
                used.add(node.attr)
            if isinstance(node, ast.ImportFrom) and node.module and path.name != "markdown.py":
                assert not node.module.startswith("markdown_it"), path
                assert not node.module.endswith(".frame.markdown"), path
    assert used == {"cached", "excerpt"}


def test_the_beginning_is_made_of_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = parses(monkeypatch)
    assert markdown.plain("a\n" * 1000).split() == ["a"] * 100
    assert markdown.plain("word " * 400, 12) == "word word …"
    markdown.plain(QUOTED)
    assert max(len(one.splitlines()) for one in parsed) <= 100


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize(
    "lines",
    [
        [">" * 100 + "a", *["a"] * 2500],
        ["> - " * 50 + "a", *["a"] * 5000],
        ["- 1. > " * 20 + "a", *["a"] * 2000],
        ["|a" * 300, "|-" * 300, *["|a"] * 600],
    ],
    ids=["quotation", "list in quotation", "quotation in list", "wide table"],
)
def test_what_the_parser_would_take_long_for_is_not_parsed_whole(
    monkeypatch: pytest.MonkeyPatch, lines: list[str], end: str
) -> None:
    """Quotations of many levels and lines are shown as they were written, wide tables of many rows without cells."""
    parsed = parses(monkeypatch)
    shown = markdown.render(end.join(lines))
    assert "blockquote" not in shown
    assert "<td>" not in shown
    assert not any(one.startswith((">", "- 1.")) for one in parsed)


def test_usual_quotations_are_quotations() -> None:
    letter = "\n".join("> " * (number % 5) + f"line {number}\n" for number in range(1500))
    assert markdown.render(letter).count("<blockquote>") > 1000
