"""Whoever asks where an original lies has decided what happens when it is in the object storage."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2] / "appliance"

#: Module → what it does with an original that is not here.
DECIDED = {
    "actions/activation.py": "looks at drafts, whose files are never moved",
    "actions/backups.py": "depot_files leaves archived originals out",
    "actions/bring_back.py": "says that it is in the archive, or leaves it there",
    "actions/outgoing.py": "names the place; dcor push gets a copy by Mover.local",
    "actions/resources.py": "a new version asks for a recall",
    "archive/moving.py": "moves it",
    "health/catalogue.py": "files_here leaves archived originals out",
    "jobs/orphans.py": "files_here leaves archived originals out",
    "jobs/readers.py": "goes on with the condensed file, and says so for what it lacks",
    "jobs/scrub.py": "file_checks leaves archived originals out; objects are compared by archive/checking.py",
    "jobs/user_tree.py": "links lead nowhere until a recall; the admin guide says so",
    "web/dcserv/version2.py": "the file is valid, too, when it is archived",
    "web/pages/dataset/contents.py": "says that it is in the archive",
    "web/transfer/archives.py": "reads through",
    "web/transfer/download.py": "reads through",
    "cli/resource.py": "names the object",
}
#: Methods of a depot that give or use the place of an original.
_METHODS = {"path", "files", "adopt"}


def uses(tree: ast.AST) -> Iterator[int]:
    """Lines that ask a depot for the place of what may be an original."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in _METHODS:
            continue
        owner = ast.unparse(node.func.value).lower()
        kinds = [one.value for one in node.args[1:] if isinstance(one, ast.Constant)]
        if owner.endswith(("depot", "depot(settings.data)", "depot(site.settings.data)")) and kinds in (
            [],
            ["original"],
        ):
            yield node.lineno


def test_every_reader_has_decided() -> None:
    found = set()
    for path in ROOT.rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        if name != "store/depot.py" and list(uses(ast.parse(path.read_text(encoding="utf-8")))):
            found.add(name)
    assert found == set(DECIDED)


def test_a_use_is_found() -> None:
    for code in ("site.depot.path(x)", "self._depot.path(x, kind)", "Depot(settings.data).path(x)", "depot.files(x)"):
        assert list(uses(ast.parse(code))), code
    assert not list(uses(ast.parse("depot.path(x, 'condensed')")))
