"""Everything that audit entries hold has a word on the page of the audit log."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import appliance
from appliance.web.pages.admin import audit_words


def calls() -> Iterator[ast.Call]:
    """Each call that adds an entry to the audit log."""
    for path in Path(appliance.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.add":
                yield node


def test_every_kind_of_object_and_every_detail_has_a_word() -> None:
    objects, details = set(), set()
    for call in calls():
        objects |= {one.value for one in call.args[3:4] if isinstance(one, ast.Constant)}
        details |= {one.arg for one in call.keywords if one.arg} - {"object_id", "object_type", "address"}
    assert len(objects) > 8
    assert len(details) > 30
    assert objects - audit_words.OBJECTS.keys() == set()
    assert details - (audit_words.DETAILS | audit_words.OBJECTS).keys() == set()
