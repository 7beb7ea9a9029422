"""A table that is made to be costly is refused at once."""

from __future__ import annotations

import time

import pytest

from appliance.model import supplement_table
from appliance.model.problem import Problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file" + ",description" * 80_000, "80001 columns, more than there are fields"),
        ("file" + ",description" * 5, "more than once"),
        ("description,file\n" + "x,y\n" * 200_000, "not among the measurements"),
        ("file\n" + "a\n" * 400_000, "more than one line"),
    ],
)
def test_tables_cost_what_their_length_allows(text: str, said: str) -> None:
    before = time.process_time()
    with pytest.raises(Problem, match=said):
        supplement_table.entered(text, {"a": "1"}, {"description": "description"})
    assert time.process_time() - before < 5
