"""Texts that pages show are messages where they arise: a template that the catalogues have, and its values."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import appliance
from appliance.web.pages.frame import problem_texts
from appliance.web.translations import catalogues

ROOT = Path(appliance.__file__).parent
#: Modules → callables whose texts are shown: name → positions of the arguments. Those by keyword are in `BY_KEYWORD`.
SHOWN: dict[str, dict[str, tuple[int, ...]]] = {
    "health/*.py": {"Finding": (2, 3, 4)},
    "jobs/*.py": {"JobFailed": (0,), "SandboxError": (1,), "progress": (1,), "raise_": (3,)},
    "jobs/rtdc/**/*.py": {"RtdcError": (1,), "HostileFile": (0,), "progress": (1,), "_cue": (2,), "explained": (0,)},
    "actions/*.py": {"alarm": (1,), "raise_": (3,)},
    "backup/*.py": {"Anchor": (1,), "invalid": (), "not_found": (0,), "Problem": ()},
    "tls/certificate.py": {"invalid": (), "Problem": ()},
    "actions/bring_back.py": {"invalid": (), "not_found": (0,)},
    "actions/trash.py": {"invalid": (), "not_found": (0,)},
}
#: Refusals, in whichever module: their sentences and the texts of their fields.
REFUSALS: dict[str, tuple[int, ...]] = {
    "Problem": (2, 3), "invalid": (0, 1), "not_found": (0,), "bad_request": (0,), "refused": (0,), "_refused": (0,),
    "search_error": (0,), "query_error": (0,), "syntax_error": (2,),
}  # fmt: skip
#: Where refusals can come to a page from.
REFUSING = (
    "actions/*.py",
    "model/*.py",
    "store/**/*.py",
    "settings.py",
    "security/access_file.py",
    "web/*.py",
    "web/transfer/*.py",
)
#: Of these only the command line and other programs hear.
NOT_ON_PAGES = (
    "actions/backup_dumps.py", "actions/directory_check.py", "actions/directory_links.py", "actions/ingest.py", "actions/provider_links.py",
    "actions/release_journal.py", "actions/reserve.py", "model/revision.py", "store/backup_source.py", "store/connections.py",
    "store/database.py", "store/database_place.py", "store/migrations", "store/row_copies.py", "store/search/resources.py",
    "web/body_budget.py", "web/fair_slots.py", "web/http.py",
)  # fmt: skip
#: What only programs can do wrong: upstream's words, and ours about types and parameters.
FOR_PROGRAMS = re.compile(
    r"^(Must be|Not a|Not JSON|Id|Dataset id|Resource id|dataset ID|resource ID|Resource ID) |valid (JSON|UUID)|must be unique|must be strings|"
    r"^(A list|Ids are|Users? (cannot|%)|One (of|field)|Use |Cannot sort|Could not|Group was|Duplicate key|Part %|Upload-Checksum|The body|Name must)|"
    r"member_(create|delete)|input field|does not exist: %|login name|Create the dataset first|no field|Role must be|policy[.]supplements|"
    r"after the last underscore|not a list, an object|facets|in each name|Upload-Offset|that method|kind, mail|^At most % characters are accepted$"
)
BY_KEYWORD = ("message", "detail", "why", "fix")
#: Lists of sentences that pages show, except in these modules.
NOT_SHOWN = ("actions/access_files.py",)
LISTS = ("notes", "told", "problems", "cues", "reasons", "warnings")
#: Commands to type, and what only programs ask for (`dcserv`).
NO_SENTENCE = re.compile(
    r"(dcor|sudo|chmod|mkdir|systemctl|journalctl|timedatectl) [^`]*$|Please |Unknown |Feature '|Invalid event"
)
#: Templates that are marked at one place and filled at another.
FILLED_ELSEWHERE = {
    "Sanity check failed: %(reason)s",
    "%(count)s uploaded files are not in the depot: copy depot/ back from where you keep it.",
    "%(count)s files that jobs made are not in the depot: `dcor jobs run-missing` makes them.",
}
PLACE = re.compile(r"%\((\w+)\)s")


def calls() -> Iterator[tuple[str, ast.Call, list[ast.expr]]]:
    """Each call that says something: where it stands, and the arguments that are texts."""
    for pattern, names in SHOWN.items():
        for path in sorted(ROOT.glob(pattern)):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                if name in names:
                    shown = [one for number, one in enumerate(node.args) if number in names[name]]
                    yield place, node, shown + [one.value for one in node.keywords if one.arg in BY_KEYWORD]
                elif (
                    name == "append"
                    and str(path.relative_to(ROOT)) not in NOT_SHOWN
                    and ast.unparse(node.func).split(".")[-2].strip("_") in LISTS
                ):
                    yield place, node, list(node.args)


def sentences(node: ast.expr) -> Iterator[str]:
    """Texts with words that are no messages."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    elif isinstance(node, ast.JoinedStr):
        text = "".join(str(one.value) if isinstance(one, ast.Constant) else "%" for one in node.values)
    elif isinstance(node, ast.IfExp):
        yield from sentences(node.body)
        yield from sentences(node.orelse)
        return
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from sentences(value)
        return
    else:
        return
    if re.search(r"[A-Za-z]{2}", text) and not NO_SENTENCE.match(text):
        yield text


def refusals() -> Iterator[tuple[str, str]]:
    """Each text of a refusal that a page may show and that is no message: where it stands, and what it says."""
    for path in sorted({path for pattern in REFUSING for path in ROOT.glob(pattern)}):
        place = str(path.relative_to(ROOT))
        if place.startswith(NOT_ON_PAGES):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                shown = [one for number, one in enumerate(node.args) if number in REFUSALS.get(name, ())]
                if name in REFUSALS:
                    shown += [one.value for one in node.keywords if one.arg in ("fields", "message")]
                for one in (leaf for value in shown for leaf in leaves(value)):
                    yield from ((f"{place}:{one.lineno}", text) for text in sentences(one))


def leaves(node: ast.expr) -> Iterator[ast.expr]:
    """What stands in a literal of lists and dicts, however deep."""
    if isinstance(node, ast.Dict):
        for value in node.values:
            yield from leaves(value)
    elif isinstance(node, ast.List | ast.Tuple):
        for value in node.elts:
            yield from leaves(value)
    elif isinstance(node, ast.DictComp):
        yield from leaves(node.value)
    elif isinstance(node, ast.ListComp):
        yield from leaves(node.elt)
    else:
        yield node


def test_what_is_refused_can_be_said_in_other_languages() -> None:
    """Else a German page shows the English of the API."""
    known = set(problem_texts.WORDINGS)
    assert [
        f"{place} {text}" for place, text in refusals() if text not in known and not FOR_PROGRAMS.search(text)
    ] == []


def test_no_layer_builds_shown_texts_itself() -> None:
    found = list(calls())
    assert len(found) > 400
    assert [f"{place} {text}" for place, _call, shown in found for one in shown for text in sentences(one)] == []


@pytest.mark.parametrize("source", ['raise JobFailed(f"no {x} here")', 'raise JobFailed("no file" if x else "", y)'])
def test_what_finds_them_finds_them(source: str) -> None:
    call = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    assert list(sentences(call.args[0]))
    assert not list(sentences(ast.parse('Message("no %(x)s here", x=x)', mode="eval").body))


def messages() -> Iterator[tuple[str, ast.Call]]:
    """Each message that is made, and where."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Message" and path.name != "messages.py":
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_places_and_values_belong_together() -> None:
    wrong, seen = [], 0
    for place, call in messages():
        template = call.args[0]
        if not isinstance(template, ast.Constant):
            continue  # a constant of its own, which is marked where it stands
        seen += 1
        given = {one.arg for one in call.keywords}
        if not given and (template.value in FILLED_ELSEWHERE or place.startswith("jobs/rtdc/dclab_texts.py")):
            continue
        if set(PLACE.findall(template.value)) != given or (
            given and "%" in PLACE.sub("", template.value).replace("%%", "")
        ):
            wrong.append(f"{place} {template.value}")
    assert seen > 500
    assert wrong == []


def test_no_value_is_an_english_fragment() -> None:
    """``Message("… %(rest)s", rest=", only some" if bare else "")`` leaves half of a sentence in English."""
    found = []
    for place, call in messages():
        for keyword in call.keywords:
            if any(" " in text.strip() for text in sentences(keyword.value)):
                found.append(f"{place} {ast.unparse(keyword.value)}")
    assert found == []


def test_nothing_is_done_to_a_message_where_it_is_made() -> None:
    """``Message(…).strip()`` and ``Message(…) + "."`` are plain texts."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            parts = [node.value] if isinstance(node, ast.Attribute | ast.FormattedValue | ast.Subscript) else []
            if isinstance(node, ast.BinOp):
                parts = [node.left, node.right]
            if any(isinstance(one, ast.Call) and getattr(one.func, "id", "") == "Message" for one in parts):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def test_the_catalogues_have_every_template() -> None:
    """A template that is put together where it is used would be found by nobody."""
    odd = [place for place, call in messages() if not isinstance(call.args[0], ast.Constant | ast.Name | ast.Attribute)]
    assert odd == []
    assert len([one for one in catalogues.entries() if one[0] == catalogues.CONTEXT]) > 600
