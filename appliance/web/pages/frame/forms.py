"""Forms: what was entered, and what is wrong with it, field by field."""

from __future__ import annotations

from typing import Any

from appliance.model.problem import Problem
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.problem_texts import translated


def messages(problem: Problem) -> dict[str, str]:
    """A refusal by field; what belongs to no field stands under "form"."""
    found = {key: joined(value) for key, value in problem.fields.items()}
    if problem.message and not found:
        found["form"] = translated(problem.message)
    return found or {"form": _("This cannot be done")}


def joined(value: Any) -> str:
    """What is wrong with one field, in the reader's language."""
    if isinstance(value, list):
        return " ".join(joined(item) for item in value)
    if isinstance(value, dict):
        return " ".join(f"{key}: {joined(item)}" for key, item in value.items())
    return translated(str(value))
