"""What dclab's checks say are messages that the catalogues have, so that pages show it in the reader's language."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator

import pytest
from dclab.rtdc_dataset.check import IntegrityChecker

from appliance.jobs.rtdc import dclab_texts, integrity
from appliance.model.messages import Message
from appliance.web.pages.frame import i18n


def sample(node: ast.expr) -> str:
    """The text of an expression of dclab, "7" where it fills something in."""
    if isinstance(node, ast.BinOp):
        return sample(node.left) + sample(node.right)
    if isinstance(node, ast.JoinedStr):
        return "".join(sample(one) for one in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else "7"


def sentences() -> Iterator[str]:
    """Each sentence that the checks we run can say, as dclab's source has it."""
    for name in (*integrity.CHECKS, *integrity.FLUORESCENCE_CHECKS):
        source = textwrap.dedent(inspect.getsource(getattr(IntegrityChecker, name)))
        for call in ast.walk(ast.parse(source)):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "ICue":
                yield next(sample(one.value) for one in call.keywords if one.arg == "msg")


SENTENCES = sorted(set(sentences()))


@pytest.mark.parametrize("text", SENTENCES)
def test_each_sentence_of_dclab_is_a_message_with_the_same_words(text: str) -> None:
    text = text.replace("Fluorescence: 7", "Fluorescence: True")
    found = dclab_texts.message(text)
    assert isinstance(found, Message)
    assert found == text
    assert i18n.said("de", found.template) != found.template


def test_there_are_as_many_as_dclab_has() -> None:
    assert len(SENTENCES) > 20


def test_what_dclab_fills_in_is_kept_as_values() -> None:
    found = dclab_texts.message("Metadata: Missing key [experiment] 'date'")
    assert isinstance(found, Message)
    assert found.values == {"section": "experiment", "key": "date"}
    assert dclab_texts.message("something new") == "something new"
    assert not isinstance(dclab_texts.message("something new"), Message)
