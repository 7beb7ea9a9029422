"""Every action, declared once: name, may it be asked by GET, its parameters, its rule, its documentation, its handler.

From a declaration come parameter checking, ``help_show``, the API page of the docs and the OpenAPI file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.model.problem import Fields, Problem, invalid
from appliance.model.values import as_bool, as_natural, decoded
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.web.context import Context

Handler = Callable[["Call"], Any]

#: Characters of a text parameter that says nothing else, and of each text of a list.
LONGEST_TEXT = 4_000
#: Texts of a list; the longest one that clients send orders the files of a dataset.
MOST_LISTED = 10_000


class Raw(str):
    """A result that is JSON text already."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """A result that is stored as a JSON object in a file.

    :ivar more: the text of a further JSON object, whose members are added.
    """

    path: Path
    more: str = "{}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter.

    :ivar kind: text, bool, natural, list, object or any; values arrive as texts (GET, forms) or as JSON.
    :ivar aliases: other names under which it may come.
    :ivar longest: characters that a text may have, and each text of a list.
    """

    name: str
    kind: str
    doc: str
    required: bool = False
    default: Any = None
    aliases: tuple[str, ...] = ()
    longest: int = LONGEST_TEXT


@dataclass(frozen=True, slots=True)
class Action:
    """One declared action.

    :ivar get: may it be asked by GET?
    :ivar rule: what `security.policy` is asked before the handler runs.
    :ivar asks: rules of which the handler has to ask one about its object; an answer without it is withheld. Empty: the answer
        is about no object of others (what lists show is chosen by `store.visibility`).
    :ivar extra: names of further parameters it takes, for the docs (e.g. "fields of a dataset").
    :ivar cacheable: its answer follows from the database, the settings and the caller alone, so it may be kept until anybody commits.
    """

    name: str
    get: bool
    rule: str
    parameters: tuple[Parameter, ...]
    doc: str
    handler: Handler
    extra: str = ""
    cacheable: bool = False
    asks: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Does it change something, whichever method asks for it?"""
        return not self.get or policy.changes(self.rule)


@dataclass(slots=True)
class Call:
    """One call of an action: who asks, with what, and from which address.

    :ivar cacheable: may the answer be kept? A handler whose answer depends on the time or on files sets it to False.
    """

    context: Context
    viewer: Viewer
    data: dict[str, Any] = field(default_factory=dict)
    client: str = ""
    cacheable: bool = False

    def __getitem__(self, name: str) -> Any:
        return self.data.get(name)


ACTIONS: dict[str, Action] = {}


def action(
    name: str,
    *parameters: Parameter,
    rule: str,
    asks: str | None,
    get: bool = False,
    extra: str = "",
    cacheable: bool = False,
    doc: str = "",
) -> Callable[[Handler], Handler]:
    """Declare the decorated function as the action `name`; its docstring (or `doc`) is the action's help.

    :param asks: the rules (with blanks between) of which it asks one about its object, None when there is no such object.
    """
    asked = tuple((asks or "").split())

    def register(handler: Handler) -> Handler:
        """Note the action; the handler stays as it is. Raises ValueError for a name that is taken."""
        if name in ACTIONS:
            raise ValueError(f"The action {name} is declared twice")
        ACTIONS[name] = Action(
            name, get, rule, parameters, (doc or handler.__doc__ or "").strip(), handler, extra, cacheable, asked
        )
        return handler

    return register


def text(
    name: str,
    doc: str,
    *,
    required: bool = False,
    default: str | None = None,
    aliases: Sequence[str] = (),
    longest: int = LONGEST_TEXT,
) -> Parameter:
    """A text of at most `longest` characters."""
    return Parameter(name, "text", doc, required, default, tuple(aliases), longest)


def flag(name: str, doc: str, *, default: bool = False) -> Parameter:
    """A truth value in any of its spellings."""
    return Parameter(name, "bool", doc, default=default)


def natural(name: str, doc: str, *, default: int | None = None, required: bool = False) -> Parameter:
    """A whole number ≥ 0."""
    return Parameter(name, "natural", doc, required, default)


def listing(name: str, doc: str, *, required: bool = False, aliases: Sequence[str] = ()) -> Parameter:
    """A list of texts: JSON, JSON in a text, a repeated key, or texts with commas between."""
    return Parameter(name, "list", doc, required, aliases=tuple(aliases))


def mapping(name: str, doc: str) -> Parameter:
    """An object: JSON, or JSON in a text."""
    return Parameter(name, "object", doc)


def converted(declared: Action, data: Mapping[str, Any]) -> dict[str, Any]:
    """`data` with the declared parameters in their types and defaults filled in; others as they came.

    :raises Problem: 409 naming every parameter that is missing or of the wrong type.
    """
    values = dict(data)
    errors: Fields = {}
    for parameter in declared.parameters:
        given = next((values[name] for name in (parameter.name, *parameter.aliases) if name in values), None)
        if given is None or given == "":
            if parameter.required and not (given == "" and parameter.name == "q"):
                errors[parameter.aliases[0] if parameter.aliases[:1] == ("name_or_id",) else parameter.name] = [
                    "Missing value"
                ]
            else:
                kept = given == "" and parameter.kind in {"text", "any"} and parameter.default is None
                values[parameter.name] = given if kept else parameter.default
            continue
        try:
            values[parameter.name] = _CONVERTERS[parameter.kind](given)
        except (ValueError, TypeError, OverflowError):
            errors[parameter.name] = _WRONG[parameter.kind]
        else:
            if excess := _excess(parameter, values[parameter.name]):
                errors[parameter.name] = [excess]
    if errors:
        raise invalid(errors)
    return values


def _excess(parameter: Parameter, value: Any) -> str:
    """What is too much about a converted value; "" when nothing is."""
    if isinstance(value, list) and len(value) > MOST_LISTED:
        return f"At most {MOST_LISTED} entries are accepted"
    texts = value if isinstance(value, list) else [value]
    if any(isinstance(one, str) and len(one) > parameter.longest for one in texts):
        return f"At most {parameter.longest} characters are accepted"
    return ""


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            return str(value[-1])
        raise ValueError
    return str(value)


def _list(value: Any) -> list[str]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = decoded(value)
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise TypeError
    return value


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = decoded(value)
    if not isinstance(value, dict):
        raise TypeError
    return value


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "bool": as_bool,
    "natural": as_natural,
    "list": _list,
    "object": _object,
    "any": lambda value: value,
}
_WRONG = {
    "text": ["Must be a text"],
    "bool": ["Must be true or false"],
    "natural": ["Must be a natural number"],
    "list": ["Not a list"],
    "object": ["Must be a JSON object"],
    "any": ["Invalid value"],
}


def unknown(name: str) -> Problem:
    """400 with the words by which DCOR-Aid finds out what a server can do."""
    return Problem(400, "Bad Request", message=f"Action name not known: {name}")
