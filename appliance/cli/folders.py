"""What a folder tree of measurements becomes: a dataset for each folder that holds `.rtdc` files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.actions.ingest import File, usable_name
from appliance.model import names
from appliance.model.problem import invalid

TASK_SUFFIX = ".dcoraid-task"
_FIELDS = ("title", "authors", "license_id", "owner_org", "private", "doi", "references", "notes", "tags")


@dataclass(frozen=True)
class Plan:
    """One dataset to be: its fields as `package_create` takes them, and its files."""

    folder: Path
    dataset: dict[str, Any]
    files: list[File]


def plan_folder(top: Path, defaults: Mapping[str, Any]) -> Iterator[Plan]:
    """Plans for `top` and every folder below it, in the order of their paths.

    :param defaults: fields for datasets whose task file does not name them; None values are left out.
    :raises Problem: a task file that cannot be read or names missing files; a file that is reached by a link or a path out of
        `top` (whoever prepared the folder must not choose what of this machine is published).
    """
    for folder in [top, *sorted(path for path in top.rglob("*") if path.is_dir())]:
        tasks = sorted(folder.glob(f"*{TASK_SUFFIX}"))
        if tasks:
            for task in tasks:
                yield _contained(top, _from_task(task, defaults))
        elif any(path.suffix.lower() == ".rtdc" for path in folder.iterdir() if path.is_file()):
            yield _contained(top, _from_folder(folder, defaults))


def _contained(top: Path, plan: Plan) -> Plan:
    inside = top.resolve()
    for file in plan.files:
        if inside not in file.path.resolve().parents:
            raise invalid(
                message=f"{file.path} leads out of the folder {top}. Copy the file there, or import its own folder."
            )
    return plan


def _from_folder(folder: Path, defaults: Mapping[str, Any]) -> Plan:
    usable = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and names.suffix(usable_name(path.name)) in names.SUFFIXES
    ]
    dataset = {key: value for key, value in defaults.items() if value is not None} | {"title": folder.name}
    return Plan(folder, dataset, [File(path, usable_name(path.name)) for path in usable])


def _from_task(task: Path, defaults: Mapping[str, Any]) -> Plan:
    try:
        content = json.loads(task.read_text(encoding="utf-8"))
        fields, job = content["dataset_dict"], content["upload_job"]
        paths = [task.parent / path for path in job["resource_paths"]]
        chosen = job.get("resource_names") or [path.name for path in paths]
        supplements = job.get("resource_supplements") or [{}] * len(paths)
        files = [
            File(path, usable_name(name), extra or {})
            for path, name, extra in zip(paths, chosen, supplements, strict=True)
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise invalid(message=f"{task} is no task file of DCOR-Aid: {error!r}") from error
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise invalid(message=f"{task} names files that are not there: {', '.join(missing)}")
    dataset = {key: value for key, value in defaults.items() if value is not None}
    dataset |= {key: fields[key] for key in _FIELDS if fields.get(key) is not None}
    dataset.setdefault("title", task.parent.name)
    if job.get("collections"):
        dataset["groups"] = [{"name": name} for name in job["collections"]]
    return Plan(task.parent, dataset, files)
