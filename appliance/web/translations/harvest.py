"""Texts that other layers say in English and pages show: found in their code, because they know nothing of languages.

Checks, jobs and settings speak English, in the terminal and in the log. Where a page shows such a text, it looks for the
template it was made of (`web.pages.frame.message_translation`). What is said where is listed here, so that a new text is found by itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_APPLIANCE = Path(__file__).parents[2]

#: The context in the catalogues that tells these texts from those of the pages.
CONTEXT = "inside"

#: modules → callables whose texts are shown: name → positions of the arguments (None: all), further names by keyword.
_SAID: dict[str, dict[str, tuple[int, ...] | None]] = {
    "health/*.py": {"Finding": (0, 2, 3, 4)},
    "settings.py": {"_option": (1,)},
    "publish_settings.py": {"_option": (1,)},
    "signon_settings.py": {"_option": (1,)},
    "jobs/*.py": {
        "JobFailed": (0,),
        "SandboxError": (1,),
        "progress": (1,),
        "raise_": (3,),
        "append": (0,),
        "postpone_for_room": (3,),
    },
    "jobs/rtdc/**/*.py": {
        "RtdcError": (1,),
        "progress": (1,),
        "_cue": (2,),
        "explained": (0,),
        "translate": (1,),
    },
    "jobs/rtdc/personal.py": {"append": (0,)},
    "jobs/rtdc/preflight*.py": {"HostileFile": (0,)},
    "jobs/rtdc/integrity.py": {"append": (0,)},
    "actions/*.py": {"alarm": (1,)},
    "backup/audit_anchors.py": {"Anchor": (1,)},
    "actions/bring_back.py": {"append": (0,), "invalid": None, "not_found": (0,)},
    "actions/trash.py": {"append": (0,), "invalid": None, "not_found": (0,)},
    "actions/backups.py": {"invalid": None, "alarm": (1,)},
    "tls/certificate.py": {"append": (0,), "invalid": None, "Problem": None},
    "backup/*.py": {"append": (0,), "invalid": None, "not_found": (0,), "Problem": None},
}
#: modules → tables (module-level names) whose texts are shown.
_TABLES = {
    "health/*.py": ("_NAME", "_REINSTALL", "_RESTORE"),
    "jobs/*.py": ("ALARM",),
    "actions/*.py": ("ALARM",),
    "jobs/rtdc/errors.py": ("_KNOWN", "_REMEDY"),
    "jobs/rtdc/parts.py": ("KINDS",),
    "model/personal_data.py": ("PATTERNS",),
    "jobs/rtdc/attributes.py": ("_TYPES",),
    "jobs/rtdc/preflight.py": ("_NOT_UTF8", "_NOWHERE"),
}
#: Here every f-string that holds words is shown: given back, assigned first, or said by a helper.
_SENTENCES = (
    "health/*.py",
    "store/jobs/attempts.py",
    "store/audit_chain.py",
    "actions/audit_log.py",
    *(
        f"jobs/rtdc/{name}.py"
        for name in ("personal", "parts", "attributes", "basins", "config", "contents", "copying", "condense")
    ),
    "jobs/rtdc/preflight*.py",
    "model/personal_data.py",
)
_WORD = re.compile(r"[A-Za-z]{2}")
#: Not for people: statements, commands to type, and what only programs ask for (the readers of `dcserv`).
_NO_TEXT = re.compile(
    r"(SELECT|UPDATE|INSERT|DELETE|WITH) |(dcor|sudo|chmod|mkdir|systemctl|journalctl|timedatectl) [^`]*$|Please |Unknown |Feature '|Invalid event"
)


def texts() -> set[str]:
    """Every text as a template: what is filled in at run time stands as ``%(name)s``."""
    found: set[str] = set()
    for pattern in {*_SAID, *_TABLES, *_SENTENCES}:
        for path in sorted(_APPLIANCE.glob(pattern)):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found.update(_said(tree, _SAID.get(pattern, {})))
            found.update(_tables(tree, _TABLES.get(pattern, ())))
            if pattern in _SENTENCES:
                found.update(_sentences(tree))
    return {text for text in found if _WORD.search(re.sub(r"%\(\w+\)s", "", text)) and not _NO_TEXT.match(text)}


def _said(tree: ast.AST, names: dict[str, tuple[int, ...] | None]) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in names:
            continue
        positions = names[name]
        for position, argument in enumerate(node.args):
            if positions is None or position in positions:
                yield from _strings(argument)
        for keyword in node.keywords:
            if keyword.arg in ("message", "why", "fix", "detail") or positions is None:
                yield from _strings(keyword.value)


def _tables(tree: ast.Module, names: tuple[str, ...]) -> Iterator[str]:
    for node in tree.body:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        if any(isinstance(one, ast.Name) and one.id in names for one in targets):
            value = node.value  # type: ignore[attr-defined]
            cells = (
                value.keys
                if isinstance(value, ast.Dict)
                else [value]
                if isinstance(value, ast.Constant)
                else [row.elts[-1] for row in value.elts]
            )
            for cell in cells:
                yield from _strings(cell) if cell is not None else ()


def _sentences(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant | ast.IfExp):
            yield from (text for text in _strings(node.value) if " " in text)
        elif isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
            yield from _strings(node.value.elts[0])
        elif isinstance(node, ast.JoinedStr):
            text = _template(node)
            if " " in re.sub(r"%\(\w+\)s", "", text).strip():
                yield text


def _strings(node: ast.expr) -> Iterator[str]:
    """The texts that an argument can be; those inside of what is filled in are no texts of their own."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield _template(node)
    elif isinstance(node, ast.IfExp):
        yield from _strings(node.body)
        yield from _strings(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _strings(value)


def _template(node: ast.JoinedStr) -> str:
    """An f-string with ``%(name)s`` for each value; the name is the last one in its expression."""
    parts, used = [], set[str]()
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value).replace("%", "%%"))
            continue
        words = re.findall(r"[a-z][a-z_]+", ast.unparse(part.value)) if isinstance(part, ast.FormattedValue) else []
        name = base = words[-1] if words else "value"
        number = 2
        while name in used:
            name, number = f"{base}_{number}", number + 1
        used.add(name)
        parts.append(f"%({name})s")
    return "".join(parts)
