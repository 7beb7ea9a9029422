"""Files in API calls: checked before their bytes are received, written to the depot's volume, removed unless the action used them.

The parts of a form have no fixed order. If a file comes before the field that names its dataset, what can be checked without
the dataset is checked before its bytes, and the rest before it is used.
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

#: Fields in which `package_revise` accepts a file: a resource by its position or the beginning of its id.
_FILE = re.compile(r"update__resources__-?[0-9A-Za-z-]{1,40}__upload")

is_multipart = multipart_form.is_multipart


class AttachedFiles:
    """The files of one call. The context manager removes those that were not moved into the depot."""

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
            """Called before a file's bytes. :param fields: the values before it; :param size: [bytes], if known. Raises Problem to
            refuse it.
            """
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
        """Check whether this file may be added to this dataset. Raises Problem in the form that the action uses for its parameters."""
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
    """Receives a file and, when it is complete, returns it as `Incoming`."""

    def __init__(self, receiver: FileReceiver, name: str) -> None:
        self._receiver = receiver
        self._name = name

    def write(self, data: bytes) -> None:
        """The next bytes."""
        self._receiver.write(data)

    def finish(self) -> Incoming:
        """The file is on disk."""
        self._receiver.finish()
        got = self._receiver
        return Incoming(got.part.path, self._name, got.size, got.sha256, got.etag, crc32=got.crc32)

    def discard(self) -> None:
        """Remove the file unless it was moved into the depot."""
        self._receiver.discard()


def _dataset(action: str, field: str, fields: Mapping[str, Any]) -> str:
    """Id or name of the dataset for which a file is meant, "" while `fields` do not contain it. Raises Problem."""
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
