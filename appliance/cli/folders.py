"""What a folder tree of measurements becomes: a dataset for each folder that holds `.rtdc` files.

Whoever prepared the folder must not choose what of this machine is published: no link and no path leads out of it.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.actions.ingest import File, usable_name
from appliance.model import names

TASK_SUFFIX = ".dcoraid-task"
_FIELDS = ("title", "authors", "license_id", "owner_org", "private", "doi", "references", "notes", "tags")
#: Names of files and folders that file managers leave behind, beside everything that begins with a dot.
_HOUSEKEEPING = frozenset({"thumbs.db", "desktop.ini", "__macosx", "$recycle.bin", "system volume information"})
_LONGEST = 255


@dataclass(frozen=True)
class LeftOut:
    """A file that is not imported, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Plan:
    """What becomes of one folder.

    :ivar dataset: fields as `package_create` takes them; :ivar files: none when there is nothing to import;
    :ivar left_out: files that are not imported; :ivar error: why the folder cannot be imported at all.
    """

    folder: Path
    dataset: dict[str, Any]
    files: list[File] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    error: str = ""


class _Unusable(Exception):
    """The folder cannot be imported; the message says why."""


def plan_folder(top: Path, defaults: Mapping[str, Any]) -> Iterator[Plan]:
    """Plans for `top` and every folder below it that holds files, in the order of their paths. Raises nothing for what it finds there.

    :param defaults: fields for datasets whose task file does not name them; None values are left out.
    """
    fields = {key: value for key, value in defaults.items() if value is not None}
    for folder, found, left_out, error in _folders(top):
        if error:
            yield Plan(folder, fields | {"title": _title(folder)}, error=error)
            continue
        tasks = [path for path in found if path.name.endswith(TASK_SUFFIX)]
        if tasks:
            yield from _from_tasks(top, folder, tasks, found, left_out, fields)
        elif found or left_out:
            yield _from_folder(folder, found, left_out, fields)


def _folders(top: Path) -> Iterator[tuple[Path, list[Path], list[LeftOut], str]]:
    """(folder, its plain files, what is left out of it, why it cannot be read) for `top` and all folders below."""
    pending = [top]
    while pending:
        folder = pending.pop()
        files, left_out, below = [], list[LeftOut](), list[Path]()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            yield folder, [], [], f"the folder cannot be read: {error.strerror}"
            continue
        for entry in entries:
            path = Path(entry.path)
            reason = _why_not(top, entry)
            if reason:
                left_out.append(LeftOut(path, reason))
            elif entry.is_dir(follow_symlinks=False):
                below.append(path)
            else:
                files.append(path)
        yield folder, files, left_out, ""
        pending += reversed(below)


def _why_not(top: Path, entry: os.DirEntry[str]) -> str:
    """Why a file or folder is left out whatever it holds; "" otherwise."""
    hidden = entry.name.startswith(".") and (entry.name.startswith("._") or not entry.name.endswith(TASK_SUFFIX))
    if hidden or entry.name.lower() in _HOUSEKEEPING:
        return "left there by the file manager or another program, not data"
    if entry.is_symlink():
        target = Path(entry.path).resolve()
        if top.resolve() not in target.parents:
            return f"a link that leads outside the folder {top}; copy the file itself there"
        return "" if target.is_file() else "a link, but not to a file; its target is imported where it lies"
    if not entry.is_dir(follow_symlinks=False) and not entry.is_file(follow_symlinks=False):
        return "neither a file nor a folder"
    return ""


def _from_folder(folder: Path, found: list[Path], left_out: list[LeftOut], fields: Mapping[str, Any]) -> Plan:
    dataset = {**fields, "title": _title(folder)}
    if not any(path.suffix.lower() == ".rtdc" for path in found):
        lost = [LeftOut(path, "its folder contains no .rtdc file") for path in found]
        return Plan(folder, dataset, left_out=[*left_out, *lost])
    usable, lost = [], list[LeftOut]()
    for path in found:
        suffix = names.suffix(path.name.lower())
        if suffix in names.SUFFIXES:
            usable.append(path)
        else:
            kind = f"files of the kind {suffix} cannot be" if suffix else "files without a suffix cannot be"
            lost.append(LeftOut(path, f"{kind} in a dataset"))
    files = [File(path, name) for path, name in zip(usable, _names([path.name for path in usable]), strict=True)]
    return Plan(folder, dataset, files, [*left_out, *lost])


def _names(wanted: list[str]) -> list[str]:
    """Names that a dataset may hold, all different; a name that need not change is nobody else's."""
    clean = [_short(usable_name(unicodedata.normalize("NFC", name))) for name in wanted]
    taken = {name for name, before in zip(clean, wanted, strict=True) if name == before}
    given = []
    for name, before in zip(clean, wanted, strict=True):
        free, number = name, 2
        while free in taken and free != before:
            stem, dot, suffix = name.rpartition(".")
            end = f"_{number}{dot}{suffix}"
            free, number = stem[: _LONGEST - len(end)] + end, number + 1
        taken.add(free)
        given.append(free)
    return given


def _short(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return stem[: _LONGEST - len(suffix) - 1] + dot + suffix


def _title(folder: Path) -> str:
    return unicodedata.normalize("NFC", folder.resolve().name)


def _from_tasks(
    top: Path,
    folder: Path,
    tasks: list[Path],
    found: list[Path],
    left_out: list[LeftOut],
    fields: Mapping[str, Any],
) -> Iterator[Plan]:
    """A plan for each task file; what of the folder none of them names is left out."""
    named: set[Path] = set()
    plans = []
    for task in tasks:
        try:
            plan = _from_task(top, task, fields)
        except _Unusable as error:
            plan = Plan(folder, {**fields, "title": _title(folder)}, error=str(error))
        named |= {file.path.resolve() for file in plan.files}
        plans.append(plan)
    lost = [
        LeftOut(path, "the task file of its folder does not name it")
        for path in found
        if path not in tasks and path.resolve() not in named
    ]
    plans[0].left_out.extend([*left_out, *lost])
    yield from plans


def _from_task(top: Path, task: Path, defaults: Mapping[str, Any]) -> Plan:
    try:
        content = json.loads(task.read_text(encoding="utf-8"))
        fields, job = content["dataset_dict"], content["upload_job"]
        paths = [task.parent / path for path in job["resource_paths"]]
        chosen = job.get("resource_names") or [path.name for path in paths]
        supplements = job.get("resource_supplements") or [{}] * len(paths)
        files = [
            File(path, name, extra or {}) for path, name, extra in zip(paths, _names(chosen), supplements, strict=True)
        ]
        dataset = {**defaults, **{key: fields[key] for key in _FIELDS if fields.get(key) is not None}}
        dataset.setdefault("title", _title(task.parent))
        if job.get("collections"):
            dataset["groups"] = [{"name": name} for name in job["collections"]]
        missing = [str(path) for path in paths if not path.is_file()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _Unusable(f"{task} is not a task file of DCOR-Aid: {error!r}") from error
    if missing:
        raise _Unusable(f"{task} names files that do not exist: {', '.join(missing)}")
    inside = top.resolve()
    for path in paths:
        if inside not in path.resolve().parents:
            raise _Unusable(f"{path} leads outside the folder {top}. Copy the file there, or import its own folder.")
    return Plan(task.parent, dataset, files)
