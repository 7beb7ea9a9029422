"""Every regular expression of the appliance, and texts that make a careless one slow."""

from __future__ import annotations

import ast
import importlib
import re
import re._constants as ops  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[2] / "appliance"
METHODS = frozenset({"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"})
_ANY_METHOD = "|".join(sorted(METHODS))
_COMMON = 'aA0 \n-./"<(é\x00'


@dataclass(frozen=True)
class Expression:
    """A pattern, how it is applied, and where it stands."""

    pattern: re.Pattern[Any]
    methods: frozenset[str]
    place: str


def expressions() -> list[Expression]:
    """Every one that stands as a literal or in a module's variables; see `unseen` for the others."""
    found: dict[tuple[Any, int, str], Expression] = {}
    for path in sorted(ROOT.rglob("*.py")):
        for one in _of_module(path):
            found.setdefault((one.pattern.pattern, one.pattern.flags, one.place.partition(":")[0]), one)
    return list(found.values())


def unseen() -> list[str]:
    """Calls of `re` whose pattern is neither a literal nor made when the module is imported."""
    return [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in sorted(ROOT.rglob("*.py"))
        for call, inside in _calls(path)
        if inside and _literal(call) is None
    ]


def _of_module(path: Path) -> Iterator[Expression]:
    name = path.relative_to(ROOT)
    text = path.read_text(encoding="utf-8")
    if "import re\n" not in text:
        return
    for call, _ in _calls(path):
        literal = _literal(call)
        if literal is not None:
            flags = next((key.value for key in call.keywords if key.arg == "flags"), None)
            compiled = re.compile(literal, eval(ast.unparse(flags), {"re": re}) if flags else 0)
            method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if method in METHODS:
                yield Expression(compiled, frozenset({method}), f"{name}:{call.lineno}")
    module = importlib.import_module(".".join(["appliance", *name.with_suffix("").parts]).removesuffix(".__init__"))
    for variable, value in vars(module).items():
        for compiled in _patterns(value):
            used = re.findall(rf"\b{variable}\.({_ANY_METHOD})\(", text) or re.findall(
                rf"(?<!\bre)\.({_ANY_METHOD})\(", text
            )
            yield Expression(compiled, frozenset(used) or METHODS, f"{name}:{variable}")


def _patterns(value: Any, depth: int = 3) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, list | tuple | dict | set | frozenset):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _patterns(part, depth - 1)


def _calls(path: Path) -> Iterator[tuple[ast.Call, bool]]:
    """Calls of functions of `re` that take a pattern, and whether they stand in a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]
    inner = {id(call) for function in functions for call in ast.walk(function)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in METHODS | {"compile"}
        ):
            yield node, id(node) in inner


def _literal(call: ast.Call) -> Any:
    first = call.args[0]
    return first.value if isinstance(first, ast.Constant) else None


@dataclass(frozen=True)
class SlowText:
    """A text that nearly matches: what begins like a match, one piece over and over, and a wrong end."""

    start: str
    piece: str
    end: str

    def of(self, length: int, pattern: re.Pattern[Any]) -> Any:
        """It, about `length` characters (or bytes, where the pattern wants bytes) long."""
        text = self.start + self.piece * (length // len(self.piece)) + self.end
        return text if isinstance(pattern.pattern, str) else text.encode("latin-1", "replace")


def slow_texts(pattern: re.Pattern[Any]) -> Iterator[SlowText]:
    """What may keep `pattern` busy."""
    tree = parser.parse(
        pattern.pattern, pattern.flags & ~re.DEBUG & ~(0 if isinstance(pattern.pattern, str) else re.UNICODE)
    )
    samples: list[str] = []
    starts = {"", *_starts(tree)}
    _collect(tree, samples)
    pieces = dict.fromkeys(one for one in [*samples, *starts, *_COMMON] if one)
    for start in sorted(starts):
        for piece in pieces:
            for end in ("", "\x00", "!\n"):
                yield SlowText(start, piece, end)


def _starts(tree: Any) -> Iterator[str]:
    """What matches the first part, the first two parts … of a pattern."""
    text = ""
    for number, (op, value) in enumerate(tree):
        text += _sample(op, value)
        if op is ops.LITERAL and number + 1 < len(tree) and tree[number + 1][0] is ops.LITERAL:
            continue
        yield text
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT) and value[1] is not ops.MAXREPEAT:
            yield text + _sample_all(value[2]) * min(int(value[1]), 100)


def _collect(tree: Any, found: list[str]) -> None:
    """Samples of every repeated part, of every class and of every literal text between them, at any depth."""
    literal = ""
    for op, value in [*tree, (None, None)]:
        if op is ops.LITERAL:
            literal += chr(value)
            continue
        if literal:
            found.append(literal)
            literal = ""
        if op is None:
            break
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            found.append(_sample_all(value[2]))
            _collect(value[2], found)
        elif op is ops.SUBPATTERN:
            found.append(_sample_all(value[-1]))
            _collect(value[-1], found)
        elif op is ops.BRANCH:
            for one in value[1]:
                found.append(_sample_all(one))
                _collect(one, found)
        elif op in (ops.ASSERT, ops.ASSERT_NOT):
            _collect(value[1], found)
        else:
            found.append(_sample(op, value))


def _sample_all(tree: Any) -> str:
    return "".join(_sample(op, value) for op, value in tree)


def _sample(op: Any, value: Any) -> str:
    """A text that matches one node of a parsed pattern."""
    if op is ops.LITERAL:
        return chr(value)
    if op in (ops.NOT_LITERAL, ops.ANY):
        return "a" if value != ord("a") else "b"
    if op is ops.IN:
        return _sample_class(value)
    if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
        return _sample_all(value[2]) * max(1, min(int(value[0]), 100))
    if op is ops.SUBPATTERN:
        return _sample_all(value[-1])
    if op is ops.BRANCH:
        return _sample_all(value[1][0])
    return ""


def _sample_class(parts: Any) -> str:
    if parts[0][0] is ops.NEGATE:
        taken = {value for op, value in parts if op is ops.LITERAL}
        return next(one for one in "a b.-_0" if ord(one) not in taken)
    op, value = parts[0]
    if op is ops.LITERAL:
        return chr(value)
    if op is ops.RANGE:
        return chr(value[0])
    return {
        ops.CATEGORY_DIGIT: "0",
        ops.CATEGORY_SPACE: " ",
        ops.CATEGORY_NOT_SPACE: "a",
        ops.CATEGORY_NOT_WORD: "-",
    }.get(value, "a")


class TooSlow(Exception):
    """Work went past its limit."""


def within(seconds: float, work: Callable[[], Any]) -> bool:
    """Does `work` end within this much processor time of ours (other processes do not count)? It is stopped if not."""

    active = True

    def stop(number: int, frame: FrameType | None) -> None:
        if active:
            raise TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        work()
        active = False
    except TooSlow:
        return False
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return True


def apply(pattern: re.Pattern[Any], method: str, text: Any) -> None:
    """Use a pattern on a text to the end."""
    empty = "" if isinstance(text, str) else b""
    if method in ("sub", "subn"):
        pattern.sub(empty, text)
    elif method == "finditer":
        for _ in pattern.finditer(text):
            pass
    else:
        getattr(pattern, method)(text)
