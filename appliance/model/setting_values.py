"""Values of settings, from files, the environment and people: converted, or refused in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from appliance.model.problem import Problem
from appliance.model.quantities import EXAMPLES, number_of

_TRUTH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def option(
    default: Any,
    doc: str,
    unit: str = "",
    *,
    least: int = 0,
    most: int | None = None,
    choices: tuple[str, ...] = (),
    live: bool = False,
) -> Any:
    """An option: `unit` of its value, the `least` and `most` of a number, the `choices` of a text (none: any text).

    :param live: it is read at each use, so an administrator may change it on the page and it counts at once.
    """
    return field(
        default=default,
        metadata={"doc": doc, "unit": unit, "least": least, "most": most, "choices": choices, "live": live},
    )


def out_of_bounds(value: Any, declared: Mapping[str, Any]) -> str:
    """What an option's value has to be, when it is not; "" when it is."""
    if isinstance(value, str) and declared["choices"] and value not in declared["choices"]:
        return f"must be one of {', '.join(declared['choices'])}"
    if isinstance(value, int) and not isinstance(value, bool):
        if value < declared["least"]:
            return f"must be at least {declared['least']}"
        if declared["most"] is not None and value > declared["most"]:
            return f"must be at most {declared['most']}"
    return ""


def convert(key: str, value: Any, kind: type, origin: str, unit: str) -> Any:
    """`value` as a `kind` (bool, int, str); numbers with a unit as people write them. Raises Problem when it is no such thing."""
    text = str(value).strip()
    try:
        if kind is bool:
            return value if isinstance(value, bool) else _TRUTH[text.lower()]
        if kind is int:
            if isinstance(value, bool):
                raise ValueError
            return number_of(text, unit)
    except (KeyError, ValueError) as error:
        raise Problem(
            409,
            "Validation Error",
            message=f"Setting '{key}' ({origin}) needs "
            f"{'true or false' if kind is bool else EXAMPLES.get(unit, 'a whole number')}, not '{value}'.",
        ) from error
    return str(value)
