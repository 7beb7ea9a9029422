"""Values of settings, from files, the environment and people: converted, or refused in words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.model.quantities import EXAMPLES, number_of
from appliance.model.values import is_host

#: Unit → the largest number of it that an option takes when it names none, so that no sum or date made from it overflows.
MOST = {"bytes": 1 << 60, "s": 10 * 366 * 86400, "h": 10 * 366 * 24, "d": 100 * 366, "%": 100_000, "°C": 1000}
MOST_COUNTED = 1_000_000
LONGEST = 4000  # characters of a text
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: What a text of that form has to be, "" apart, in words.
_FORMS = {
    "link": Message("must begin with https://, http:// or mailto:"),
    "mail": Message("must be an e-mail address"),
    "server": Message("must be the name or address of a server, such as mail.hospital.example"),
}
#: A server with what may stand around its name: scheme://[name]:port
_SERVER = re.compile(r"(?:[a-z]+://)?(?:\[(?P<bare>[^\]]*)\]|(?P<name>[^/:\[\]]*))(?::[^:]*)?/?")
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
    form: str = "",
) -> Any:
    """An option: `unit` of its value, the `least` and `most` of a number, the `choices` of a text (none: any text).

    :param most: by default what `MOST` says for the unit.
    :param form: "link", "mail" or "server" for a text that is an address; a path is a server, too (a socket of this machine).
    :param live: it is read at each use, so an administrator may change it on the page and it counts at once.
    """
    most = MOST.get(unit, MOST_COUNTED) if most is None else most
    return field(
        default=default,
        metadata={
            "doc": doc,
            "unit": unit,
            "least": least,
            "most": most,
            "choices": choices,
            "live": live,
            "form": form,
        },
    )


def out_of_bounds(value: Any, declared: Mapping[str, Any]) -> str:
    """What an option's value has to be, when it is not; "" when it is."""
    if isinstance(value, str):
        return _wrong_text(value, declared)
    if isinstance(value, int) and not isinstance(value, bool):
        if value < declared["least"]:
            return Message("must be at least %(least)s", least=declared["least"])
        if declared["most"] is not None and value > declared["most"]:
            return Message("must be at most %(most)s", most=declared["most"])
    return ""


def _wrong_text(value: str, declared: Mapping[str, Any]) -> str:
    if declared["choices"] and value not in declared["choices"]:
        return Message("must be one of %(choices)s", choices=", ".join(declared["choices"]))
    if len(value) > LONGEST:
        return Message("must have at most %(most)s characters", most=LONGEST)
    if _CONTROL.search(value):
        return Message("must be one line, without control characters")
    form = declared["form"]
    return _FORMS[form] if value and form and not _has_form(value, form) else ""


def _has_form(value: str, form: str) -> bool:
    if form == "link":
        return value.lower().startswith(("https://", "http://", "mailto:")) and len(value.split()) == 1
    if form == "server":
        found = _SERVER.fullmatch(value)
        return value.startswith("/") or bool(found and is_host(found["bare"] or found["name"] or ""))
    name, _, domain = value.partition("@")
    return bool(name and domain) and "@" not in domain and len(value.split()) == 1


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
            message=Message(
                "Setting '%(key)s' (%(origin)s) needs %(wanted)s, not '%(value)s'.",
                key=key,
                origin=origin,
                wanted=Message("true or false") if kind is bool else EXAMPLES.get(unit, Message("a whole number")),
                value=value,
            ),
        ) from error
    return str(value)


def toml(value: Any) -> str:
    """`value` (bool, int, str) as a TOML literal; JSON's escapes are TOML's, which wants DEL escaped, too."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
