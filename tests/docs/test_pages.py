"""The pages in docs/ and the README say what the program does: commands, options, settings, links."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from appliance import settings
from appliance.cli.docs import PAGES
from appliance.cli.root import cli
from appliance.web.pages.frame import manual
from tests.support.server import Appliance

TOP = Path(__file__).parents[2]
WRITTEN = [TOP / "README.md", *sorted(path for path in (TOP / "docs").rglob("*.md") if path.stem not in PAGES)]


@pytest.mark.parametrize("name", PAGES)
def test_reference_pages_are_up_to_date(name: str) -> None:
    made = (TOP / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert made == PAGES[name](), f"run: dcor docs all docs   ({name}.md has fallen behind)"


def spoken_commands(page: Path) -> list[str]:
    """Every `dcor …` in code spans and blocks, without sudo."""
    text = re.sub(r"\\\n *", "", page.read_text(encoding="utf-8"))  # a line that goes on is one
    blocks = re.findall(r"^    (.*)$", text, re.MULTILINE) + re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    pieces = [line for block in blocks for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", text)
    found = []
    for piece in pieces:
        match = re.match(r"(?:sudo )?(?:\S*/)?dcor (?!-)(.*)", piece.strip())
        if match:
            found.append(match[1].split("#")[0].split("…")[0].strip())
    return found


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.name)
def test_every_command_in_the_text_exists_with_its_options(page: Path) -> None:
    for line in spoken_commands(page):
        command: click.Command = cli
        context = click.Context(cli)
        words = shlex.split(line)
        while words and isinstance(command, click.Group):
            child = command.get_command(context, words[0])
            assert child is not None, f"{page.name}: dcor {line}"
            command = child
            words.pop(0)
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {
            "--help",
            "--data",
        }
        for word in words:
            if word.startswith("--"):
                assert word.partition("=")[0] in known, f"{page.name}: dcor {line}"


def test_the_text_speaks_of_commands() -> None:
    """The test above reads what is there to read."""
    assert sum(len(spoken_commands(page)) for page in WRITTEN) > 50


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.name)
def test_every_setting_in_the_text_exists(page: Path) -> None:
    known = settings.options()
    for name in re.findall(rf"`((?:{'|'.join(settings.GROUPS)})\.[a-z_]+)", page.read_text(encoding="utf-8")):
        assert name in known or name == "jobs.sqlite", f"{page.name}: {name}"


@pytest.mark.parametrize(
    "page", [*WRITTEN, *[TOP / "docs" / f"{name}.md" for name in PAGES]], ids=lambda path: path.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists() or (page.parent / f"{target}.md").exists(), f"{page.name}: {target}"


def test_every_check_is_in_the_reference() -> None:
    from appliance.health.report import checks

    text = (TOP / "docs" / "checks.md").read_text(encoding="utf-8")
    assert all(f"| {named.name} |" in text for named in checks())


def test_the_licence_is_the_genuine_text() -> None:
    text = (TOP / "LICENSE").read_text(encoding="utf-8")
    assert text.lstrip().startswith("GNU AFFERO GENERAL PUBLIC LICENSE")
    assert len(text) == 34_523


def test_the_guides_can_be_read_in_the_web_interface(shared: Appliance) -> None:
    for name in manual.PAGES:
        answer = shared.nobody.fetch(f"/help/{name}")
        assert answer.status_code == 200, name
        assert f"<h1>{manual.title(name)}</h1>" in answer.text
    assert "<table>" in shared.nobody.fetch("/help/settings").text
    assert shared.nobody.fetch("/help/settings.md").url.endswith("/help/settings")
    assert shared.nobody.fetch("/help/../../etc/passwd").status_code == 404
    assert shared.nobody.fetch("/help/nothing").status_code == 404
