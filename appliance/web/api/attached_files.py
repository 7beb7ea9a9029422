"""Files in API calls: checked before their bytes are taken, streamed to the depot's disk, gone again unless a verb used them.

The parts of a form have no order. Where a file comes before the field that names its dataset, what can be checked without the
dataset is checked before its bytes, and the rest before it is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from appliance.actions import lookup, resources, upload_limits
from appliance.actions.resources import Incoming
from appliance.model.problem import Problem, invalid, missing, not_authorized
from appliance.model.values import decoded
from appliance.model.viewer import Viewer
from appliance.store import resources as stored
from appliance.web.context import Context
from appliance.web.http import Request
from appliance.web.transfer import multipart_form
from appliance.web.transfer.file_receiver import FileReceiver

#: Where `package_revise` takes a file: as a resource by its place in the list or the beginning of its id.
_FILE = re.compile(r"update__resources__-?[0-9A-Za-z-]{1,40}__upload")

is_multipart = multipart_form.is_multipart


class AttachedFiles:
    """The files of one call. As a context manager it removes, at the end, what found no place in the depot."""

    def __init__(self, context: Context, viewer: Viewer) -> None:
        self._context = context
        self._viewer = viewer
        self._form: multipart_form.Form | None = None

    def __enter__(self) -> AttachedFiles:
        return self

    def __exit__(self, *error: object) -> None:
        if self._form is not None:
            self._form.discard()

    def receive(
        self, request: Request, action: str, limit: int, taken: Callable[[int], None] = lambda size: None
    ) -> dict[str, Any]:
        """The values of a multipart form; files are `Incoming`. Raises Problem, before a file's bytes where it can.

        :param limit: bytes that the form's texts may have; `taken` is told of each piece of them.
        """

        unplaced: list[str] = []

        def on_file(field: str, filename: str, fields: dict[str, Any], size: int | None) -> _Sink:
            """A file begins: may it come, and where to? `fields` came before it; `size` [bytes] if it was said. Raises Problem."""
            dataset = _dataset(action, field, fields)
            name = filename.replace("\\", "/").rpartition("/")[2]
            if dataset:
                self._check(action, dataset, name, size)
            else:
                resources.check_unplaced(self._context, self._viewer, name, size)
                unplaced.append(field)
            depot, limit = self._context.depot, self._context.settings.depot.max_upload
            room = partial(upload_limits.require_reserve, self._context)
            return _Sink(FileReceiver(depot.new_part(), size=size, limit=limit, room=room), name)

        self._form = multipart_form.parse(request, on_file, limit, taken)
        for field in unplaced:
            dataset = _dataset(action, field, self._form)
            if not dataset:
                raise missing("package_id" if action == "resource_create" else "match__id")
            sent = self._form[field] if isinstance(self._form[field], list) else [self._form[field]]
            for file in (one for one in sent if isinstance(one, Incoming)):
                self._check(action, dataset, file.name, file.size)
        return dict(self._form)

    def _check(self, action: str, dataset: str, name: str, size: int | None) -> None:
        """May this file come into this dataset? Raises Problem in the shape that the action has where no file is sent."""
        if action != "package_revise":
            resources.check_new(self._context, self._viewer, dataset, name, size)
            return
        try:
            resources.check_new(self._context, self._viewer, dataset, name, size, message=resources.FROZEN)
        except Problem as problem:
            if "name" not in problem.fields:
                raise
            with self._context.db.read() as conn:
                _, facts = lookup.dataset(conn, self._viewer, dataset, "dataset:update")
                present = len(stored.of_dataset(conn, facts.id))
            raise invalid({"resources": [*({} for _ in range(present)), problem.fields]}) from problem


class _Sink:
    """Writes a file and, when it is complete, stands for it as `Incoming`."""

    def __init__(self, intake: FileReceiver, name: str) -> None:
        self._intake = intake
        self._name = name

    def write(self, data: bytes) -> None:
        """The next bytes."""
        self._intake.write(data)

    def finish(self) -> Incoming:
        """The file is on disk."""
        self._intake.finish()
        return Incoming(self._intake.part.path, self._name, self._intake.size, self._intake.sha256, self._intake.etag)

    def discard(self) -> None:
        """Leave nothing behind but what was given a place in the depot."""
        self._intake.discard()


def _dataset(action: str, field: str, fields: Mapping[str, Any]) -> str:
    """Id or name of the dataset that a file is meant for, "" while `fields` do not say so. Raises Problem."""
    if action == "package_revise":
        if _FILE.fullmatch(field) is None:
            raise invalid({field: ["A file is accepted as update__resources__…__upload only"]})
        match = fields.get("match")
        try:
            match = decoded(match) if isinstance(match, str) else {}
        except ValueError as error:
            raise invalid({"match": ["Must be a JSON object"]}) from error
        if not isinstance(match, dict):
            raise invalid({"match": ["Must be a JSON object"]})
        return str(fields.get("match__id") or match.get("id") or fields.get("match__name") or match.get("name") or "")
    if action == "resource_create":
        if field != "upload":
            raise invalid({field: ["A file is accepted as upload only"]})
        return str(fields.get("package_id") or "")
    if action in {"resource_update", "resource_patch"}:
        raise not_authorized("Editing not allowed: upload")
    raise invalid({field: ["This action takes no file"]})
